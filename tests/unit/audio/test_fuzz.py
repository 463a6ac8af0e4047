"""A short run of make fuzz, and what happens to a mutant that crashes the decoder."""

import numpy as np
import pytest

from tests import fuzz
from tests.conftest import ROOT
from tests.recordings import titled
from tests.structure import elements, mutate_structure

MUTANTS = 15 * 28  # fifteen of each format


def test_no_mutant_crashes_its_decoder_or_takes_more_than_its_caps(monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz, "FINDINGS", tmp_path / "findings")
    tallies = fuzz.fuzz(range(MUTANTS), seed=0)
    assert not (tmp_path / "findings").exists()
    assert sum(tally.outcomes.total() for tally in tallies.values()) == MUTANTS
    assert {"whole", "truncated", "refused"} <= {end for tally in tallies.values() for end in tally.outcomes}
    for name, tally in tallies.items():
        assert not set(tally.outcomes) & set(fuzz.BAD), name
        assert tally.peak_bytes < fuzz.LIMITS.max_memory_bytes


def test_a_mutant_is_the_same_in_every_run():
    once, again = (fuzz.originals(seed=5) for _ in range(2))
    assert [fuzz.mutant(n, 5, once) for n in range(44)] == [fuzz.mutant(n, 5, again) for n in range(44)]
    assert fuzz.mutant(0, 5, once) != fuzz.mutant(0, 6, once)


def test_a_mutant_that_crashes_is_counted_and_kept(monkeypatch, tmp_path):
    crasher = titled("crash", np.zeros(16_000))
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    monkeypatch.setattr(fuzz, "FINDINGS", tmp_path / "findings")
    monkeypatch.setattr(fuzz, "mutant", lambda number, seed, files: ("wav", crasher))
    tallies = fuzz.fuzz(range(2), seed=0)
    assert tallies["wav"].outcomes == {"CRASHED": 2}
    kept = sorted((tmp_path / "findings").iterdir())
    assert [file.name for file in kept] == ["0-0-crashed.wav", "0-1-crashed.wav"]
    assert kept[0].read_bytes() == crasher


def test_elements_cover_every_format_that_has_a_structure():
    files = fuzz.originals(seed=1)
    without = {name for name, data in files.items() if len(elements(data)) < 2}
    assert without == {"au"}
    for name in files.keys() - without:
        found = elements(files[name])
        assert all(each.start <= each.content <= each.end <= len(files[name]) for each in found), name


@pytest.mark.parametrize("name", ["wav", "w64", "caf", "m4a", "mka", "opus", "flac", "mp3", "amr"])
def test_a_mutation_of_the_structure_changes_the_file(rng, name):
    files = fuzz.originals(seed=1)
    mutants = []
    for _ in range(30):
        data = bytearray(files[name])
        assert mutate_structure(data, rng, files["aac"])
        mutants.append(bytes(data))
    assert len(set(mutants)) > 15
