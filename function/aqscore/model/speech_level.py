"""A second look at quiet speech: brings it to the level that the network was trained on.

One level within 30 s divides the frames (aqscore.model.features). A beep, a prompt or a louder party sets it,
and the network misjudges speech that is far below.
"""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import Network

REACH = round(4.0 / SPEC.hop_s)  # frames before or after a frame, which give its level
MIN_SPEECH = round(1.5 / SPEC.hop_s)  # frames of speech in that reach, from which they have a level
# Speech that is this far below the level stays there, and changes nothing in ordinary recordings, where it
# rises and falls by as much. From the second on, it is brought up all the way; in between, the gain grows.
TOLERATED_DB, RESTORED_DB = 10.0, 16.0
LOWEST_LEVEL = 1e-3  # 60 dB below the level: what lies there is no speech
HIGHEST_MAGNITUDE = 4.0  # RMS of a frame over the level, up to which it is raised: a beep stays a beep


class SpeechLevel:
    """A network that scores a window again where speech in it is far below the level of its frames."""

    def __init__(self, network: Network, speech_probability: float) -> None:
        """Frames with at least ``speech_probability`` count as speech."""
        self._network = network
        self._speech_probability = speech_probability

    def __call__(self, frames: NDArray[np.float32]) -> FrameScores:
        """(frames, 257) float32, frames from 1 -> the scores of each frame."""
        scores = self._network(frames)
        gains = speech_gains(frames, scores.speech >= self._speech_probability)
        return scores if gains is None else self._network(frames * gains[:, None])


def speech_gains(frames: NDArray[np.float32], spoken: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """The gain of each frame that brings quiet speech up, (frames,) float32 from 1; None where all are 1.

    ``spoken`` is (frames,), whether each is speech. The level around a frame is taken before and after it
    apart, where there is enough speech, and the lower one counts: a loud party doesn't hide the quiet one
    that answers. Sounds between the words count, so that speech in loud noise stays where it is.
    """
    magnitudes = np.sqrt(np.linalg.vecdot(frames, frames).astype(np.float64) / frames.shape[1])
    steps = np.stack([spoken, magnitudes, magnitudes**2], axis=1)
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    at = np.arange(len(frames))
    before = _level(sums[at + 1] - sums[np.maximum(at + 1 - REACH, 0)])
    after = _level(sums[np.minimum(at + REACH, len(frames))] - sums[at])
    below_db = -20 * np.log10(np.minimum(before, after))
    slope = RESTORED_DB / (RESTORED_DB - TOLERATED_DB)
    gains = 10 ** (np.clip(slope * (below_db - TOLERATED_DB), 0, np.maximum(below_db, 0)) / 20)
    gains = np.minimum(gains, np.maximum(HIGHEST_MAGNITUDE / np.maximum(magnitudes, LOWEST_LEVEL), 1.0))
    return gains.astype(np.float32) if gains.max(initial=1.0) > 1 else None


def _level(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) sums of speech frames, m and m^2 -> (n,) the level; 1.0 where too few are speech."""
    count, loudness, power = sums.T
    enough = count >= MIN_SPEECH
    return np.where(enough, np.maximum(power / np.maximum(loudness, LOWEST_LEVEL), LOWEST_LEVEL), 1.0)
