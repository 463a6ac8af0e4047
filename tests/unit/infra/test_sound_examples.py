"""infra.documents.sound_examples: the recordings, and their table in docs/score.md."""

import json
import re
from typing import get_args

import numpy as np
import pytest
import soundfile as sf

from aqscore.report import WarningCode
from aqscore.scale import VERDICTS
from infra.documents.sections import section
from infra.documents.sound_examples import EXAMPLES, PAGE, SECTION, write
from tests.conftest import ROOT

MAX_BYTES = 60_000
UPDATE = "Update it: python -m infra.documents"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return write(tmp_path_factory.mktemp("sounds"))


def rows() -> list[list[str]]:
    """The cells of each row of the page's table, its header first."""
    lines = section(PAGE, SECTION).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


def test_the_recordings_are_small_and_the_same_in_every_run(recordings, tmp_path):
    for first, second in zip(recordings, write(tmp_path), strict=True):
        assert first.stat().st_size < MAX_BYTES
        np.testing.assert_array_equal(sf.read(first)[0], sf.read(second)[0])


def test_the_table_has_the_recordings_as_they_are_made_now():
    expected = [[f"{example.name}.flac", example.cause, example.description] for example in EXAMPLES]
    assert [row[:3] for row in rows()[1:]] == expected, UPDATE


def test_the_table_has_the_scores_of_the_shipped_model():
    shipped = json.loads((ROOT / "model_artifacts" / "model.json").read_text())
    assert rows()[0][4] == f"aqscore, model {shipped['version']}", UPDATE


def test_the_table_has_pesq_as_it_is_measured_now(recordings):
    pesq = pytest.importorskip("pesq").pesq
    reference = sf.read(recordings[0])[0]
    for path, row in zip(recordings, rows()[1:], strict=True):
        measured = pesq(16_000, reference, sf.read(path)[0], "wb")
        assert measured == pytest.approx(float(row[3]), abs=0.05), f"{path.name}. {UPDATE}"


def test_the_page_explains_every_verdict_and_every_warning():
    text = PAGE.read_text()
    for threshold, verdict in VERDICTS:
        [row] = re.findall(rf"^\| {verdict} \| (.+?) \|", text, flags=re.M)
        assert str(threshold) in row or verdict == "bad"
    _, _, trust = text.partition("## Warnings and trust")
    explained = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", trust, flags=re.M)))
    assert sorted(explained) == sorted(get_args(WarningCode))
