"""Noise suppression and automatic gain control of voice applications: WebRTC, Speex, RNNoise.

Each comes from a package of PyPI: webrtc-noise-gain, pyspeex-noise, rnnoisepy. One that is not installed is
left out.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import soxr

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
BLOCK = RATE // 100  # 10 ms
RNNOISE_RATE = 48_000
SPEEX_SUPPRESSION_DB = (-45, -8)
SPEEX_GAIN = (1500.0, 16000.0)  # target level on the scale of 16 bits
WEBRTC_TARGET_DBFS = (3, 31)  # below full scale

# (n,) samples and a generator to (n,) samples; they may be delayed.
Processor = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def suppressors() -> dict[str, Processor]:
    """Noise suppression by name, of the packages that are installed."""
    found = {"webrtc": _webrtc_suppressed, "speex": _speex_suppressed, "rnnoise": _rnnoise_suppressed}
    return {name: processor for name, processor in found.items() if _package(name)}


def gain_controls() -> dict[str, Processor]:
    """Automatic gain control by name, of the packages that are installed."""
    found = {"webrtc": _webrtc_levelled, "speex": _speex_levelled}
    return {name: processor for name, processor in found.items() if _package(name)}


@cache
def _package(name: str) -> Any:
    module = {"webrtc": "webrtc_noise_gain", "speex": "pyspeex_noise", "rnnoise": "rnnoisepy"}[name]
    return import_module(module) if find_spec(module) else None


def _webrtc_suppressed(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _webrtc(samples, 0, int(generator.integers(1, 5)))


def _webrtc_levelled(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    level = int(generator.integers(*WEBRTC_TARGET_DBFS, endpoint=True))
    return _webrtc(samples, level, int(generator.integers(0, 2)))


def _webrtc(samples: np.ndarray, gain_dbfs: int, suppression: int) -> np.ndarray:
    process = _package("webrtc").AudioProcessor(gain_dbfs, suppression).Process10ms
    return _in_blocks(samples, lambda block: process(block).audio)


def _speex_suppressed(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _speex(samples, 0.0, int(generator.integers(*SPEEX_SUPPRESSION_DB)))


def _speex_levelled(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _speex(samples, float(generator.uniform(*SPEEX_GAIN)), 0)


def _speex(samples: np.ndarray, gain: float, suppression_db: int) -> np.ndarray:
    return _in_blocks(samples, _package("speex").AudioProcessor(gain, suppression_db).process_10ms)


def _rnnoise_suppressed(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    process = _package("rnnoise").RNNoise().process_frame
    blocks = _blocks(soxr.resample(samples, RATE, RNNOISE_RATE), RNNOISE_RATE // 100)
    return soxr.resample(_float(np.concatenate([process(block)[0] for block in blocks])), RNNOISE_RATE, RATE)


def _in_blocks(samples: np.ndarray, process: Callable[[bytes], bytes]) -> np.ndarray:
    """Runs a processor of 10 ms of 16-bit samples over (n,) float32 samples."""
    output = b"".join(process(block.tobytes()) for block in _blocks(samples, BLOCK))
    return _float(np.frombuffer(output, np.int16))


def _blocks(samples: np.ndarray, size: int) -> np.ndarray:
    """(n,) float32 to (blocks, size) int16, padded with zeros."""
    padded = np.pad(samples, (0, -len(samples) % size))
    return np.round(np.clip(padded, -1, 1) * 32767).astype(np.int16).reshape(-1, size)


def _float(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / 32768
