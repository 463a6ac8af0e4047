"""report.py: the published schema is the code's own, and the words fit the numbers."""

import json
import sys
import xml.etree.ElementTree

import numpy as np
import pytest
import soundfile

from aqscore import Report, score
from aqscore.aws import notifications as announcements
from aqscore.errors import EmptyFile, SetupError, StorageUnavailable
from aqscore.report import (
    Cause,
    ErrorRecord,
    FileSource,
    ObjectSource,
    Segment,
    json_schema,
    read_document,
    warning,
)
from aqscore.scale import verdict_of
from aqscore.warning_texts import WARNINGS
from tests.conftest import EXAMPLES, ROOT


def test_the_published_schema_is_the_codes_own():
    published = json.loads((ROOT / "docs" / "report-v1.schema.json").read_text())
    assert published == json_schema(), "Regenerate it: python -m aqscore.report > docs/report-v1.schema.json"


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (1.04, "bad"),
        (1.99, "bad"),
        (2.0, "poor"),
        (2.75, "fair"),
        (3.5, "good"),
        (3.999, "good"),
        (4.64, "excellent"),
    ],
)
def test_verdicts_begin_at_their_thresholds(score, verdict):
    assert verdict_of(score) == verdict


def test_every_warning_can_be_filled_in():
    values = {
        "min_duration_s": 0.5, "share": 0.1, "bandwidth_hz": 4_000, "duration_s": 3.0,
        "level_dbfs": -60.0, "hop_s": 0.032, "stretch_s": 0.6, "threshold": 0.62, "found": 0.3,
        "offset": 0.01, "speech_s": 1.2, "channel": 1, "channels": "2", "better": 1, "worse": 2,
        "reason": "they score 4.0 and 2.0", "tracks": 2, "track": 1, "gaps_s": 3.0, "longest_s": 2.0,
        "stated_s": 1.0,
    }  # fmt: skip
    for code in WARNINGS:
        assert "{" not in warning(code, **values).message


@pytest.mark.parametrize(
    ("error", "retryable"), [(EmptyFile("No bytes."), False), (StorageUnavailable("503"), True)]
)
def test_an_error_record_says_what_to_do(error, retryable):
    record = ErrorRecord.of(error, FileSource(file="a.wav"))
    assert record.error.type == error.type
    assert record.error.advice
    assert record.error.retryable is retryable


def test_the_published_schema_of_announcements_is_the_codes_own():
    published = json.loads((ROOT / "docs" / "announcement-v1.schema.json").read_text())
    hint = "Regenerate it: python -m aqscore.aws.notifications > docs/announcement-v1.schema.json"
    assert published == announcements.json_schema(), hint


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """Reports of a recording with channels, of silence, and of an hour."""
    voice = soundfile.read(EXAMPLES / "noisy.flac", dtype="float32")[0]
    stereo = score(np.stack([voice, 0.5 * voice], axis=1), sample_rate_hz=16_000, channels="split")
    silence = score(np.zeros(16_000, np.float32), sample_rate_hz=16_000)
    hour = stereo.model_copy(
        update={
            "source": ObjectSource(bucket="b", key="<calls>/hour.wav"),
            "timeline": [Segment(start_s=at, end_s=at + 1, score=1.1 + at % 3) for at in range(3600)],
        }
    )
    return [stereo, silence, hour]


def test_a_report_becomes_a_dictionary_and_is_made_from_it_again(reports):
    for report in reports:
        document = report.to_dict()
        assert Report.model_validate_json(json.dumps(document)) == report


def test_a_data_frame_has_a_row_for_each_second_of_each_channel(reports):
    pandas = pytest.importorskip("pandas")
    stereo, silence, hour = (report.to_dataframe() for report in reports)
    assert list(stereo.channel.unique()) == ["mix", "1", "2"]
    mix = stereo[stereo.channel == "mix"]
    assert list(mix.score) == [part.score for part in reports[0].timeline]
    assert list(mix.cause) == [part.cause for part in reports[0].timeline]
    assert len(silence) == 0 and list(silence.columns) == list(stereo.columns)
    assert set(hour.file) == {"b/<calls>/hour.wav"}
    assert len(pandas.concat([stereo, hour])) == len(stereo) + len(hour)


def test_a_data_frame_without_pandas_says_so(reports, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SetupError, match="needs the package pandas"):
        reports[0].to_dataframe()


def test_results_of_earlier_models_are_still_read(reports):
    for report in reports:
        document = report.to_dict()
        for part in (document, *(document["channels"] or [])):
            for name in ("mos", "mos_interval", "causes"):
                del part[name]
            for segment in (*part["timeline"], *filter(None, [part["worst_segment"]])):
                del segment["cause"]
        earlier = read_document(json.dumps(document).encode())
        assert isinstance(earlier, Report)
        assert (earlier.mos, earlier.mos_interval, earlier.causes) == (None, None, None)
        assert earlier.timeline == [part.model_copy(update={"cause": None}) for part in report.timeline]
        assert "Worst second" in earlier._repr_html_() or report.worst_segment is None


def test_a_notebook_names_the_causes(reports):
    noise = Cause(kind="noise", share=0.92, severity=1.6, from_s=0.0, to_s=5.0)
    worst = reports[0].worst_segment.model_copy(update={"cause": "packet_loss"})
    html = (
        reports[0].model_copy(update={"causes": [noise], "worst_segment": worst, "mos": 2.93})._repr_html_()
    )
    assert "Noise in 92% of the speech, costs 1.6 there, worst from 0.0 to 5.0 s" in html
    assert "s, dropouts</div>" in html
    assert "estimate: 2.9 of 5" in html


def test_a_notebook_shows_score_timeline_and_warnings_in_bounded_markup(reports):
    stereo, silence, hour = (report._repr_html_() for report in reports)
    for html in (stereo, silence, hour):
        xml.etree.ElementTree.fromstring(html)  # well-formed, and so escaped
        assert len(html) < 60_000
    assert f"{reports[0].score:.2f}" in stereo and "Worst second" in stereo
    assert stereo.count("<rect") == len(reports[0].timeline) + 1
    assert "no score" in silence and reports[1].warnings[0].message in silence
    assert "&lt;calls&gt;" in hour
