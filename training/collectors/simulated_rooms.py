"""Simulates impulse responses of rooms by image sources and ray tracing (pyroomacoustics).

    python -m training.collectors.simulated_rooms --out DIR [--rooms N] [--seed S] [--workers W]

Shoebox rooms from a closet to a hall, each wall of its own material, a reverberation time of 0.15 to 3 s, a
talker at 0.3 to 6 m, and a microphone that is omnidirectional or a cardioid. It needs pyroomacoustics from
PyPI (R. Scheibler et al., "Pyroomacoustics", ICASSP 2018), and writes one file for each room.
"""

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np
import soundfile as sf
from tqdm import tqdm

from aqscore.model.features import SPEC
from training.corpus.sources import spawned

RATE = SPEC.sample_rate_hz
SMALLEST_M, LARGEST_M = np.array([1.5, 1.8, 2.1]), np.array([14.0, 11.0, 5.0])
DECAY_S = (0.15, 3.0)
DISTANCE_M = (0.3, 6.0)
WALL_M = 0.3  # between a wall and the talker or the microphone
MAX_ORDER = 8  # of image sources; rays carry the rest
UNEVEN = 0.5  # spread of the walls' absorption around their mean
CARDIOID_SHARE = 0.4
END_DB = -70.0  # of the energy that is left: the response ends there


def simulated(generator: np.random.Generator) -> np.ndarray:
    """The impulse response (n,) of a random room, from its direct sound on, with a peak of 0.5."""
    import pyroomacoustics as pra
    from pyroomacoustics.directivities import Cardioid, DirectionVector

    while True:
        size = np.exp(generator.uniform(np.log(SMALLEST_M), np.log(LARGEST_M)))
        decay_s = float(np.exp(generator.uniform(*np.log(DECAY_S))))
        try:
            absorption, _ = pra.inverse_sabine(decay_s, size)
        except ValueError:
            continue  # no material is soft enough for so short a decay in so large a room
        walls = ("east", "west", "north", "south", "ceiling", "floor")
        materials = {
            wall: pra.Material(
                float(np.clip(absorption * generator.uniform(1 - UNEVEN, 1 + UNEVEN), 0.01, 0.99))
            )
            for wall in walls
        }
        room = pra.ShoeBox(
            size, fs=RATE, materials=materials, max_order=MAX_ORDER, ray_tracing=True, air_absorption=True
        )
        talker = generator.uniform(WALL_M, size - WALL_M)
        direction = generator.standard_normal(3) * (1, 1, 0.4)
        distance = np.exp(generator.uniform(*np.log(DISTANCE_M)))
        microphone = talker + distance * direction / np.linalg.norm(direction)
        if np.any(microphone < WALL_M) or np.any(microphone > size - WALL_M):
            continue
        room.add_source(talker)
        directivity = None
        if generator.random() < CARDIOID_SHARE:
            azimuth, colatitude = generator.uniform(0, 360), generator.uniform(45, 135)
            directivity = Cardioid(DirectionVector(azimuth=azimuth, colatitude=colatitude, degrees=True))
        room.add_microphone(microphone, directivity=directivity)
        room.compute_rir()
        return _trimmed(room.rir[0][0])


def _trimmed(response: np.ndarray) -> np.ndarray:
    """From the direct sound on, without the inaudible end."""
    start = int(np.argmax(np.abs(response) > 0.3 * np.max(np.abs(response))))
    remaining = np.cumsum(np.square(response[::-1]))[::-1]
    end = int(np.flatnonzero(remaining > remaining[0] * 10 ** (END_DB / 10))[-1]) + 1
    response = response[start : max(end, start + RATE // 100)]
    return (0.5 * response / np.max(np.abs(response))).astype(np.float32)


def _write(out: Path, seed: int, number: int) -> None:
    path = out / f"simulated-{number:04d}.flac"
    if not path.is_file():
        sf.write(path, simulated(np.random.default_rng([seed, number])), RATE, subtype="PCM_24")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.collectors.simulated_rooms", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with spawned(options.workers) as pool:
        work = partial(_write, options.out, options.seed)
        for _ in tqdm(pool.imap_unordered(work, range(options.rooms)), total=options.rooms, unit="room"):
            pass


if __name__ == "__main__":
    main()
