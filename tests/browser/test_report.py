"""The HTML report of ``aqscore score --report``: the page's components, from disk, without a network."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from aqscore.causes import CAUSE_NAMES
from aqscore.cli.html_report import write_html
from aqscore.errors import UnsupportedFormat
from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scorer import Scorer
from tests.browser.fake_reports import fake_report
from tests.conftest import EXAMPLES

EXAMPLE_FILES = [EXAMPLES / f"{name}.flac" for name in ("noisy", "clean", "no_speech")]


@pytest.fixture(scope="module")
def results():
    """Reports on the three examples, and an error."""
    scorer = Scorer()
    error = UnsupportedFormat("This is <b>no</b> audio.</script>")
    letter = FileSource(file=str(EXAMPLES / "letters" / "letter.wav"))
    return [*map(scorer.score, EXAMPLE_FILES), ErrorRecord.of(error, letter)]


@pytest.fixture
def report(opened, tmp_path):
    """Writes a report and opens it from disk, offline."""

    def open_report(results, **options) -> Page:
        path = tmp_path / "report.html"
        write_html(results, path, **options)
        return opened(path.as_uri(), offline=True)

    return open_report


def test_a_report_works_offline(report, results, accessible, screenshot):
    page = report(results, command="aqscore score examples --report report.html")
    expect(page.locator("#list tbody tr")).to_have_count(4)
    expect(page.locator("#made")).to_contain_text("4 recordings")
    expect(page.locator("#made")).to_contain_text("aqscore-bilstm")
    expect(page.locator("#made")).to_contain_text("UTC")
    expect(page.locator("#command")).to_contain_text("aqscore score examples")
    expect(page.locator(".figures")).to_contain_text("2 scored")
    expect(page.locator("#list tbody tr").last).to_contain_text("letters")
    expect(page.locator("#detail h2")).to_have_text(EXAMPLE_FILES[0].name)  # the worst
    expect(page.locator(".play")).to_have_count(0)
    accessible(page)
    screenshot(page, "report")
    page.locator("#list tbody tr").last.click()
    expect(page.locator(".error-card")).to_contain_text("This is <b>no</b> audio.</script>")


def test_sound_is_embedded_on_request(report, results, screenshot):
    page = report(results, embed_audio=True)
    expect(page.locator("#made")).to_contain_text("sound of 3 embedded, 0.4 MB")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Play the worst second").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    screenshot(page, "report-with-sound")


def test_a_report_on_one_recording_needs_no_table(report, results, screenshot):
    page = report(results[:1])
    expect(page.locator("#list")).to_be_hidden()
    expect(page.locator(".score output")).to_be_visible()
    screenshot(page, "report-of-one")


def test_a_thousand_recordings_stay_usable(report, tmp_path, screenshot):
    reports = [Report.model_validate(fake_report(f"calls/call-{i:04}.wav", 60.0)) for i in range(1000)]
    page = report(reports)
    assert (tmp_path / "report.html").stat().st_size < 20_000_000
    rows = page.locator("#list tbody tr")
    expect(rows).to_have_count(1000)
    page.get_by_label("Filter by name").fill("call-0999")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter by name").fill("")
    expect(rows).to_have_count(1000)
    rows.nth(500).click()
    expect(page.locator("#detail .timeline")).to_be_visible()
    screenshot(page, "report-thousand")


def test_causes_are_counted_and_shown_beside_results_of_earlier_models(report, accessible, screenshot):
    found = [fake_report(f"{name}.wav", 42.0, causes=True) for name in ("a", "b", "c")]
    counts = Counter(cause["kind"] for each in found for cause in each["causes"])
    [(kind, count)] = counts.most_common(1)
    page = report(list(map(Report.model_validate, [*found, fake_report("earlier.wav", 42.0)])))
    frequent = page.get_by_role("group", name="Most frequent causes")
    expect(frequent.get_by_role("button").first).to_have_text(re.compile(rf" {count}$"))
    expect(frequent).to_contain_text(f"{CAUSE_NAMES[kind]} {count}")
    expect(page.locator(".figures")).to_contain_text("median MOS 3.1")
    row = page.locator("#list tbody tr").filter(has_text="a.wav")
    row.click()
    expect(row.locator(".cause-column")).to_contain_text(CAUSE_NAMES[found[0]["causes"][0]["kind"]])
    expect(page.locator(".mos")).to_contain_text("3.1 of 5")
    expect(page.locator(".cause")).to_have_count(3)
    accessible(page)
    screenshot(page, "report-causes")
    page.locator("#list tbody tr").filter(has_text="earlier.wav").click()
    expect(page.locator(".mos")).to_have_count(0)
    expect(page.locator(".findings")).to_contain_text("Measured")


def test_channels_are_in_the_report(report):
    data = fake_report("call.wav", 42.0, channels=2)
    for channel in data["channels"]:
        del channel["schema_version"], channel["source"], channel["channels"]
    page = report([Report.model_validate(data)])
    expect(page.locator(".timeline")).to_have_css("height", "344px")
