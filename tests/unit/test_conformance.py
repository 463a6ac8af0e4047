"""conformance.py: an installation checks its own scores."""

import json
import shutil
from dataclasses import replace

import pytest

from aqscore.config import ScorerConfig, shipped_model
from aqscore.conformance import Check, checks, signals
from aqscore.errors import SetupError


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped model, and its configuration."""
    folder = shutil.copytree(shipped_model(), tmp_path / "model")
    return folder, replace(ScorerConfig(), model_dir=folder)


def test_the_shipped_model_scores_as_pinned(config):
    found = checks(config)
    assert len(found) == 2 * len(signals())
    assert all(check.passed for check in found), found


@pytest.mark.parametrize(
    ("pinned", "found", "passed"),
    [(3.0, 3.004, True), (3.0, 3.006, False), (None, None, True), (None, 1.1, False), (1.1, None, False)],
)
def test_a_check_compares_scores_and_their_absence(pinned, found, passed):
    assert Check("voice", pinned, found, tolerance=0.005).passed is passed


def test_another_score_and_another_mos_are_found(model):
    folder, config = model
    pinned = json.loads((folder / "conformance.json").read_text())
    pinned["scores"]["voice"] += 0.1
    pinned["mos"]["voice, clipped"] -= 0.1
    (folder / "conformance.json").write_text(json.dumps(pinned))
    differing = [check.signal for check in checks(config) if not check.passed]
    assert differing == ["voice", "voice, clipped: MOS"]


CHIME = '{"tolerance": 1, "scores": {"a chime": 2}, "mos": {}}'


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", CHIME, '{"tolerance": 1, "scores": {}}'])
def test_missing_and_damaged_pins_are_named(model, content):
    folder, config = model
    (folder / "conformance.json").unlink()
    if content is not None:
        (folder / "conformance.json").write_text(content)
    with pytest.raises(SetupError, match=r"conformance\.json"):
        checks(config)
