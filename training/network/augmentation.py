"""Changes to a clip that leave its score as it is: another voice, microphone, level, silence around it.

PESQ compares with a reference, so what happens to both alike makes another clean recording and the same
degradation of it. That is how a warped or coloured clip keeps its label, nearly: the score of the changed
pair differs by what hearing weighs differently there. More speakers are what the training lacks most.
"""

import numpy as np

from aqscore.model.features import SPEC
from training.bands import BIN_HZ, band_matrix, bark, warped

GAIN_DB = 1.5  # what the level's estimate may be off by on other material; PESQ aligns levels itself
WARP = 0.2  # a vocal tract, and a pitch, up to that much longer or shorter
WARP_SHARE = 0.8  # clips whose frequencies are warped
COLOUR_DB = 2.5  # standard deviation of each term of the colouring
COLOUR_TERMS = 4
SILENCE_SHARE, SILENCE_S = 0.3, (0.1, 5.0)  # clips that get digital silence before or after, how much

CUT_FRAMES = 3  # that are left out at the beginning, at most

_BIN_BARK = bark(BIN_HZ)
_MATRIX = band_matrix()
_BAND_HZ = BIN_HZ @ _MATRIX


def augmented(clip: dict[str, np.ndarray], generator: np.random.Generator) -> dict[str, np.ndarray]:
    """A changed copy of what training.network.dataset.load_clip returns, drawn from ``generator``."""
    clip = dict(clip)
    # Whichever sample a recording begins at, its score should be the same; the network joins frames in pairs.
    start = int(generator.integers(CUT_FRAMES + 1))
    for name in ("frames", "frame_scores", "speech", "reference"):
        clip[name] = clip[name][start:]
    if generator.random() < WARP_SHARE:
        _warp(clip, generator.uniform(1 - WARP, 1 + WARP))
    gain = 10 ** ((_colour(generator) + generator.uniform(-GAIN_DB, GAIN_DB)) / 20)
    clip["frames"] = clip["frames"] * gain.astype(np.float32)
    clip["reference"] = clip["reference"] * (gain @ _MATRIX).astype(np.float32)
    if generator.random() < SILENCE_SHARE:
        count = round(np.exp(generator.uniform(*np.log(SILENCE_S))) / SPEC.hop_s)
        _surround(clip, (count, 0) if generator.random() < 0.5 else (0, count))
    return clip


def _warp(clip: dict[str, np.ndarray], factor: float) -> None:
    """Vocal tract length perturbation, of the frames and of the reference's bands."""
    clip["frames"] = warped(clip["frames"], BIN_HZ, factor)
    clip["reference"] = warped(clip["reference"], _BAND_HZ, factor)


def _colour(generator: np.random.Generator) -> np.ndarray:
    """(257,) dB: a smooth curve over the Bark axis, as microphones differ by."""
    place = np.pi * (_BIN_BARK - _BIN_BARK[0]) / (_BIN_BARK[-1] - _BIN_BARK[0])
    terms = np.arange(1, COLOUR_TERMS + 1)
    return np.cos(place[:, None] * terms) @ (
        COLOUR_DB * generator.standard_normal(COLOUR_TERMS) / np.sqrt(terms)
    )


def _surround(clip: dict[str, np.ndarray], around: tuple[int, int]) -> None:
    """Puts that many frames of digital silence before and after; they have no score of their own."""
    for name in ("frames", "speech", "reference"):
        clip[name] = np.pad(clip[name], [around] + [(0, 0)] * (clip[name].ndim - 1))
    clip["frame_scores"] = np.pad(clip["frame_scores"], around, constant_values=np.nan)
