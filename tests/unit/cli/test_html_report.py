"""The HTML report: what is written into the document."""

import base64
import json
import re

import pytest

from aqscore.cli import html_report
from aqscore.cli.html_report import write_html
from aqscore.errors import UnsupportedFormat
from aqscore.report import ErrorRecord, FileSource
from aqscore.scorer import Scorer
from tests.conftest import EXAMPLES


@pytest.fixture(scope="module")
def report():
    return Scorer().score(EXAMPLES / "clean.flac")


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="results">(.*?)</script>', page)[1])


def written(tmp_path, results, **options) -> str:
    path = tmp_path / "report.html"
    write_html(results, path, **options)
    return path.read_text()


def test_names_and_messages_cannot_end_the_script(tmp_path):
    source = FileSource(file="</script><script>alert(1)</script>.wav")
    page = written(
        tmp_path, [ErrorRecord.of(UnsupportedFormat("<!-- <script>"), source)], command="</script>"
    )
    assert "alert(1)</script>" not in page
    assert data_of(page)["results"][0]["source"]["file"] == source.file


def test_command_date_and_results_are_in_the_document(tmp_path, report):
    data = data_of(written(tmp_path, [report], command="aqscore score calls"))
    assert data["command"] == "aqscore score calls"
    assert data["created"].endswith("UTC")
    assert data["results"][0] == report.model_dump(mode="json")


def test_frames_are_averaged_when_there_are_many(tmp_path, report, monkeypatch):
    monkeypatch.setattr(html_report, "MAX_VALUES", 200)
    frames = data_of(written(tmp_path, [report]))["results"][0]["frames"]
    before = report.frames
    size = -(-len(before.scores) // 200)
    assert len(frames["scores"]) == -(-len(before.scores) // size)
    assert frames["hop_s"] == pytest.approx(size * before.hop_s)
    assert frames["scores"][0] == pytest.approx(sum(before.scores[:size]) / size, abs=0.006)
    first, last = before.start_s, before.start_s + (size - 1) * before.hop_s
    assert frames["start_s"] == pytest.approx((first + last) / 2, abs=0.001)


def test_embedded_sound_is_the_file_and_its_size_is_stated(tmp_path, report):
    page = written(tmp_path, [report], embed_audio=True)
    found = re.search(
        r'<script type="text/plain" id="sound-0" data-type="audio/([\w-]+)">(.*?)</script>', page
    )
    assert found[1] in ("flac", "x-flac")
    assert base64.b64decode(found[2]) == (EXAMPLES / "clean.flac").read_bytes()
    assert data_of(page)["notes"] == ["sound of 1 embedded, 0.1 MB"]


def test_large_and_missing_files_are_left_out_and_named(tmp_path, report, monkeypatch):
    monkeypatch.setattr(html_report, "MAX_SOUND_BYTES", 1000)
    gone = report.model_copy(update={"source": FileSource(file="gone.wav")})
    page = written(tmp_path, [report, gone], embed_audio=True)
    assert 'id="sound-' not in page.split('<script type="module">')[0]
    assert data_of(page)["notes"] == [f"sound left out: {EXAMPLES / 'clean.flac'}, gone.wav"]
