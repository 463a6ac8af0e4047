"""Augmentation that keeps a clip's label: another voice, microphone, level, rumble, silence or music around.

PESQ compares with a reference. The same change of reference and degraded signal therefore makes another
clean recording with the same degradation, and nearly the same score. It stands in for more speakers,
which the training lacks most (docs/decisions/0021).
"""

from functools import cache

import numpy as np

from aqscore.model.features import LEVEL_FLOOR, SPEC, frames_of
from training.bands import BIN_HZ, band_matrix, bark, warped
from training.degradations.synthetic_noise import harmonics, music

GAIN_DB = 5.0  # error of the level's estimate on other material; PESQ aligns levels itself
WARP = 0.2  # the vocal tract's length, and the pitch, change by up to this share
WARP_SHARE = 0.8  # clips whose frequencies are warped
COLOUR_DB = 3.5  # standard deviation of each term of the colouring
COLOUR_TERMS = 4
SILENCE_SHARE, SILENCE_S = 0.3, (0.1, 5.0)  # clips that get digital silence before or after; its length
CUT_FRAMES = 3  # at most, cut off at the beginning
# Clips that get music or a beep before or after: a prompt or hold music, which sets the level around.
SOUND_SHARE, SOUND_S, SOUND_DB = 0.2, (0.15, 6.0), 30.0
SOUNDS, MUSIC_SHARE = 64, 0.6  # different ones; the rest are tones
# Clips with rumble below 20 Hz, as the high-pass filter leaves it: its magnitude over the level, and how it
# spreads over the lowest bins through the window.
RUMBLE_SHARE, RUMBLE_DB, RUMBLE_BINS = 0.5, (-60.0, -25.0), np.array([1.0, 0.75, 0.05], np.float32)

_BIN_BARK = bark(BIN_HZ)
_MATRIX = band_matrix()
_BAND_HZ = BIN_HZ @ _MATRIX


def augmented(clip: dict[str, np.ndarray], generator: np.random.Generator) -> dict[str, np.ndarray]:
    """A changed copy of a clip of training.network.dataset.load_clip, drawn from ``generator``."""
    clip = dict(clip)
    # The score should not depend on a recording's first sample, and the network joins frames in pairs.
    start = int(generator.integers(CUT_FRAMES + 1))
    for name in ("frames", "frame_scores", "costs", "speech", "reference"):
        clip[name] = clip[name][start:]
    if generator.random() < WARP_SHARE:
        warp(clip, generator.uniform(1 - WARP, 1 + WARP))
    gain = 10 ** ((_colour(generator) + generator.uniform(-GAIN_DB, GAIN_DB)) / 20)
    clip["frames"] = clip["frames"] * gain.astype(np.float32)
    clip["reference"] = clip["reference"] * (gain @ _MATRIX).astype(np.float32)
    if generator.random() < RUMBLE_SHARE:
        rumble = RUMBLE_BINS * np.float32(10 ** (generator.uniform(*RUMBLE_DB) / 20))
        clip["frames"][:, : len(rumble)] += rumble * (clip["frames"] > 0).any(axis=1)[:, None]
    if generator.random() < SILENCE_SHARE:
        count = round(np.exp(generator.uniform(*np.log(SILENCE_S))) / SPEC.hop_s)
        _surround(clip, (count, 0) if generator.random() < 0.5 else (0, count))
    if generator.random() < SOUND_SHARE and (clip["speech"] != 0).any():  # NaN: unknown
        _join_sound(clip, generator)
    return clip


@cache
def _sounds() -> list[np.ndarray]:
    """``SOUNDS`` pieces of music and tones, (frames, 257) each."""
    generator = np.random.default_rng(SOUNDS)
    length = round(1.1 * SOUND_S[1] * SPEC.sample_rate_hz)
    return [
        frames_of(
            music(generator, length)
            if generator.random() < MUSIC_SHARE
            else harmonics(generator.uniform(200, 3000), int(generator.integers(1, 4)), generator, length)
        )
        for _ in range(SOUNDS)
    ]


def _join_sound(clip: dict[str, np.ndarray], generator: np.random.Generator) -> None:
    """Joins music or a beep of another level to the clip, in place; its frames have no score, no speech.

    Both share one level, as in a recording that holds them within the level's reach.
    """
    sound = _sounds()[generator.integers(SOUNDS)]
    count = round(np.exp(generator.uniform(*np.log(SOUND_S))) / SPEC.hop_s)
    start = int(generator.integers(len(sound) - count + 1))
    frames = sound[start : start + count] * np.float32(10 ** (generator.uniform(-SOUND_DB, SOUND_DB) / 20))
    before = generator.random() < 0.5
    _surround(clip, (len(frames), 0) if before else (0, len(frames)))
    place = slice(None, len(frames)) if before else slice(-len(frames), None)
    clip["frames"][place] = frames
    magnitudes = np.sqrt(np.mean(np.square(clip["frames"]), axis=1))
    level = np.sum(np.square(magnitudes)) / max(float(np.sum(magnitudes)), LEVEL_FLOOR)
    for name in ("frames", "reference"):
        clip[name] /= max(float(level), LEVEL_FLOOR)


def warp(clip: dict[str, np.ndarray], factor: float) -> None:
    """Vocal tract length perturbation, in place, of the frames and of the reference's bands."""
    clip["frames"] = warped(clip["frames"], BIN_HZ, factor)
    clip["reference"] = warped(clip["reference"], _BAND_HZ, factor)


def _colour(generator: np.random.Generator) -> np.ndarray:
    """(257,) dB: a smooth random curve over the Bark axis, like the difference between microphones."""
    place = np.pi * (_BIN_BARK - _BIN_BARK[0]) / (_BIN_BARK[-1] - _BIN_BARK[0])
    terms = np.arange(1, COLOUR_TERMS + 1)
    return np.cos(place[:, None] * terms) @ (
        COLOUR_DB * generator.standard_normal(COLOUR_TERMS) / np.sqrt(terms)
    )


def _surround(clip: dict[str, np.ndarray], around: tuple[int, int]) -> None:
    """Adds (before, after) frames of digital silence; they have neither score nor causes."""
    for name in ("frames", "speech", "reference"):
        clip[name] = np.pad(clip[name], [around] + [(0, 0)] * (clip[name].ndim - 1))
    for name in ("frame_scores", "costs"):
        clip[name] = np.pad(clip[name], [around] + [(0, 0)] * (clip[name].ndim - 1), constant_values=np.nan)
