"""Notifications: a result in short."""

import pytest

from aqscore.aws.notifications import Notification
from aqscore.report import Cause, FileSource, ObjectSource
from tests.unit.cli.reports import report

SOURCE = ObjectSource(bucket="in", key="a.wav", version_id="v")


def cause(kind) -> Cause:
    return Cause(kind=kind, share=0.5, severity=1.0, from_s=0.0, to_s=5.0)


def test_a_scored_recording_has_its_mos_and_the_kinds_of_its_causes():
    damaged = report("a.wav").model_copy(
        update={"source": SOURCE, "mos": 2.345, "causes": [cause("packet_loss"), cause("noise")]}
    )
    notification = Notification.of(damaged, "results", "a.wav.json")
    assert (notification.mos, notification.causes) == (2.345, ["packet_loss", "noise"])


def test_without_a_score_there_is_neither():
    silent = report("a.wav", None).model_copy(update={"source": SOURCE, "mos": None, "causes": None})
    notification = Notification.of(silent, "results", "a.wav.json")
    assert (notification.score, notification.mos, notification.causes) == (None, None, [])


def test_results_of_local_files_are_not_announced():
    with pytest.raises(ValueError, match="local file"):
        Notification.of(
            report("a.wav").model_copy(update={"source": FileSource(file="a.wav")}), "results", "a.wav.json"
        )
