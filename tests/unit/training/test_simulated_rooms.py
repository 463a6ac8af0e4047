"""training/collectors/simulated_rooms.py: responses begin with their direct sound and decay."""

import numpy as np
import pytest
import soundfile as sf

from training.collectors import simulated_rooms
from training.collectors.simulated_rooms import RATE, simulated

pytest.importorskip("pyroomacoustics", reason="the extra `degradations` is not installed")


@pytest.fixture(scope="module")
def rooms() -> list[np.ndarray]:
    return [simulated(np.random.default_rng([1, number])) for number in range(4)]


def test_it_begins_with_its_direct_sound(rooms):
    for response in rooms:
        assert response.dtype == np.float32
        assert np.max(np.abs(response)) == pytest.approx(0.5)
        assert np.abs(response[0]) > 0.3 * 0.5
        assert np.argmax(np.abs(response)) < 0.1 * RATE


def test_its_energy_decays_and_it_ends_where_little_is_left(rooms):
    for response in rooms:
        assert np.isfinite(response).all()
        assert 0.01 * RATE <= len(response) < 8 * RATE  # 70 dB of a decay of up to 3 s for 60 dB
        energy = [np.mean(np.square(part, dtype=float)) for part in np.array_split(response, 4)]
        assert energy[0] > energy[1] > energy[3]
        assert energy[3] < 0.01 * energy[0]


def test_the_same_seed_gives_the_same_room_and_another_seed_another(rooms):
    again = simulated(np.random.default_rng([1, 0]))
    assert len(again) == pytest.approx(len(rooms[0]), rel=0.2)
    assert again[:80] == pytest.approx(rooms[0][:80], abs=0.01)
    assert len({len(response) for response in rooms}) > 1


def test_the_command_writes_one_file_for_each_room(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["simulated_rooms", "--out", str(tmp_path), "--rooms", "2", "--workers", "1"]
    )
    simulated_rooms.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "simulated-0000.flac",
        "simulated-0001.flac",
    ]
    samples, rate = sf.read(tmp_path / "simulated-0001.flac")
    assert rate == RATE
    assert np.max(np.abs(samples)) == pytest.approx(0.5, abs=1e-5)
