"""Many recordings: the queue, the table, filters, downloads."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from aqscore.causes import CAUSES
from tests.browser.fake_reports import answer_with_reports, fake_report
from tests.conftest import wav_bytes

SOUND = wav_bytes([0.0, 0.1] * 800)
NAMES = (
    "agent-014.wav",
    "agent-015.wav",
    "interview_take2.wav",
    "podcast-ep41-guest.wav",
    "voicemail (3).wav",
    "conference-room-B.wav",
    "studio-reference.wav",
    "drive-thru-lane-1.wav",
    "=formula.wav",
    "zoom-recording-final-v2-really-final.wav",
    "helmet-mic.wav",
    "lecture-hall-back-row.wav",
    "radio-dispatch.wav",
    "empty.wav",
)


def files(*names: str) -> list[dict]:
    return [{"name": name, "mimeType": "audio/wav", "buffer": SOUND} for name in names]


def done(page: Page) -> None:
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()


def rows(page: Page) -> Locator:
    return page.locator("#list tbody tr")


def heading(page: Page) -> Locator:
    return page.locator("#detail h2")


def scores(page: Page) -> list[str]:
    return page.locator("#list .rating b").all_inner_texts()


@pytest.fixture
def many(opened):
    """A page with fourteen recordings, one of which failed."""
    opened.allow("400")

    def open_page(**options) -> Page:
        page = opened(**options)
        answer_with_reports(page, lambda name: 6.0 + 9 * len(name), causes=True)
        page.set_input_files("#files", files(*NAMES))
        done(page)
        return page

    return open_page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_many_recordings_are_a_table_beside_the_detail(many, accessible, screenshot, scheme, width):
    page = many(color_scheme=scheme, viewport={"width": width, "height": 800})
    expect(rows(page)).to_have_count(len(NAMES))
    expect(page.locator(".figures")).to_contain_text("13 scored")
    expect(page.locator(".figures")).to_contain_text("1 failed")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "The page scrolls sideways."
    accessible(page)
    screenshot(page, f"many-{scheme}-{width}", full=width == 390)


def test_the_worst_comes_first_and_errors_last(many):
    page = many()
    shown = scores(page)
    assert shown[-1] == "–"
    assert shown[:-1] == sorted(shown[:-1], key=float)
    page.get_by_role("button", name="Score").click()
    shown = scores(page)
    assert shown[-1] == "–"
    assert shown[:-1] == sorted(shown[:-1], key=float, reverse=True)
    page.get_by_role("button", name="Recording", exact=True).click()
    expect(rows(page).first).to_contain_text("=formula.wav")


def test_the_detail_stays_until_another_is_selected(opened):
    """The first result of what was added is shown; the others don't take its place."""
    page = opened()
    answer_with_reports(page)
    page.set_input_files("#files", files(*NAMES[:3]))
    done(page)
    shown = heading(page).inner_text()
    assert shown in NAMES[:2]  # two are scored at once
    page.set_input_files("#files", files("later.wav"))
    expect(heading(page)).to_have_text("later.wav")
    rows(page).filter(has_text=shown).click()
    expect(heading(page)).to_have_text(shown)
    expect(page.locator("#spoken")).to_contain_text(f"{shown}: score")


def test_arrow_keys_select(many):
    page = many()
    rows(page).first.click()
    first = heading(page).inner_text()
    page.keyboard.press("ArrowDown")
    expect(heading(page)).not_to_have_text(first)
    expect(rows(page).nth(1)).to_be_focused()
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.locator("#detail .error-card")).to_contain_text("Check the program that wrote the file")
    page.keyboard.press("Home")
    expect(heading(page)).to_have_text(first)


def test_filters_by_name_verdict_and_cause(many):
    page = many()
    page.get_by_label("Filter by name").fill("AGENT")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Filter by name").fill("nothing like it")
    expect(page.get_by_text("No recording matches the filter.")).to_be_visible()
    page.get_by_label("Filter by name").fill("")
    chip = page.locator(".chip.poor")
    expected = int(chip.locator("b").inner_text())
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(rows(page)).to_have_count(expected)
    chip.click()
    by_cause = page.get_by_label("Filter by cause")
    by_cause.select_option("Error")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("empty.wav")
    dropouts = sum(
        any(
            cause["kind"] == "packet_loss"
            for cause in fake_report(name, 6.0 + 9 * len(name), causes=True)["causes"]
        )
        for name in NAMES[:-1]
    )
    by_cause.select_option("Dropouts")
    expect(by_cause.locator("option:checked")).to_have_text(f"Dropouts ({dropouts})")
    expect(rows(page)).to_have_count(dropouts)
    for row in rows(page).all():
        expect(row.locator(".cause-column")).to_contain_text("Dropouts")


def test_the_main_cause_has_a_column_to_sort_by(many):
    page = many()
    causes = page.locator("#list td.cause-column")
    expect(causes.first).to_be_visible()
    page.get_by_role("button", name="Cause", exact=True).click()
    shown = causes.all_inner_texts()
    assert shown[:-1] == sorted(shown[:-1], key=lambda text: text.splitlines()[0]) and shown[-1] == ""
    page.set_viewport_size({"width": 390, "height": 800})
    expect(causes.first).to_be_hidden()
    expect(page.locator("#list .problems").first).to_be_visible()


def test_all_results_are_downloaded_as_csv_and_json(many):
    page = many()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(table) == len(NAMES)
    assert "'=formula.wav" in {row["file"] for row in table}
    assert [row["error"] for row in table if row["file"] == "empty.wav"] == ["The file is empty."]
    for row in table[:-1]:
        assert row["mos"] == "3.1" and row["causes"].split()[0] == row["cause"] in CAUSES
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    results = json.loads(download.value.path().read_text())
    assert len(results) == len(NAMES)
    assert sum("error" in each for each in results) == 1
    assert sum(len(each.get("causes", [])) == 3 and each["mos"] == 3.1 for each in results) == len(NAMES) - 1


def test_failed_recordings_are_tried_again(many):
    page = many()
    page.route("**/v1/scores", lambda route: route.fulfill(json=fake_report("empty.wav", 6.0)))
    page.get_by_role("button", name="Try the failed ones again").click()
    expect(page.locator(".figures")).to_contain_text("14 scored")
    expect(page.get_by_role("button", name="Try the failed ones again")).to_be_hidden()


def test_the_queue_takes_more_while_it_works_and_can_be_cancelled(opened, accessible, screenshot):
    page = opened()
    held = []
    page.route("**/v1/scores", lambda route: held.append(route))
    page.set_input_files("#files", files("a.wav", "b.wav", "c.wav"))
    expect(page.locator("#status")).to_contain_text("1 of 3")
    page.set_input_files("#files", files("d.wav", "e.wav"))
    expect(page.locator("#status")).to_contain_text("1 of 5")
    expect(rows(page)).to_have_count(5)
    held[0].fulfill(json=fake_report("a.wav", 6.0))
    expect(page.locator("#status")).to_contain_text("2 of 5")
    accessible(page)
    screenshot(page, "queue")
    page.locator("#queue").get_by_role("button", name="Cancel").click()
    expect(page.locator("#queue")).to_be_hidden()
    expect(rows(page).filter(has_text="cancelled")).to_have_count(4)
    answer_with_reports(page)
    page.get_by_role("button", name="Try the failed ones again").click()
    expect(page.locator(".figures")).to_contain_text("5 scored")


def test_two_hundred_files_are_dropped_at_once(opened, screenshot):
    page = opened()
    answer_with_reports(page, lambda _: 20.0)
    content = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            for (let i = 0; i < 200; i++) {
                data.items.add(new File([new Uint8Array(bytes)], `call-${String(i).padStart(3, "0")}.wav`));
            }
            return data;
        }""",
        list(SOUND[:64]),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": content})
    expect(page.locator("#status")).to_contain_text(re.compile(r"\d+ of 200"))
    expect(page.locator(".figures")).to_contain_text("200 scored", timeout=180_000)
    done(page)
    expect(rows(page)).to_have_count(200)
    assert scores(page) == sorted(scores(page), key=float)
    screenshot(page, "two-hundred")


def dropped(page: Page, *paths: Path) -> None:
    """Drops files and folders of this machine on the page, as a file manager does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})


def test_a_folder_is_dropped_with_its_subfolders(opened, tmp_path):
    """More than a hundred entries: the browser lists a folder in parts."""
    folder = tmp_path / "calls"
    (folder / "2026" / "november").mkdir(parents=True)
    for number in range(120):
        (folder / f"call-{number:03}.wav").write_bytes(SOUND)
    (folder / "2026" / "november" / "deep.flac").write_bytes(SOUND)
    (folder / "notes.txt").touch()
    (folder / ".hidden.wav").touch()
    beside = tmp_path / "single.bin"  # named by itself: taken, whatever its suffix
    beside.write_bytes(SOUND)
    page = opened()
    answer_with_reports(page)
    dropped(page, folder, beside)
    expect(page.locator(".figures")).to_contain_text("122 scored", timeout=180_000)
    done(page)
    expect(page.locator("body")).to_contain_text("2 files skipped")
    expect(page.locator("#list").get_by_title("calls/2026/november/deep.flac")).to_have_count(1)
    expect(rows(page).filter(has_text="single.bin")).to_have_count(1)


def test_cancel_ends_the_wait_for_a_busy_server(opened):
    opened.allow("503")
    page = opened()
    busy = {"status": 503, "headers": {"Retry-After": "3600"}, "json": {"detail": "Busy."}}
    page.route("**/v1/scores", lambda route: route.fulfill(**busy))
    with page.expect_response("**/v1/scores"):
        page.set_input_files("#files", files("a.wav"))
    page.locator("#queue").get_by_role("button", name="Cancel").click()
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#detail")).to_contain_text(re.compile("cancelled", re.I))


def test_cancel_ends_the_wait_for_the_result_of_an_upload(opened, address):
    page = opened()
    ticket = {"url": f"{address}bucket", "fields": {"key": "a"}, "score_url": "/v1/scores/a"}
    page.route("**/v1/uploads", lambda route: route.fulfill(status=201, json=ticket))
    page.route("**/bucket", lambda route: route.fulfill(status=204))
    page.route("**/v1/scores/a", lambda route: route.fulfill(status=202))
    large = {"name": "large.wav", "mimeType": "audio/wav", "buffer": SOUND + bytes(4_000_000)}
    with page.expect_response("**/v1/scores/a"):
        page.set_input_files("#files", large)
    page.locator("#queue").get_by_role("button", name="Cancel").click()
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#detail")).to_contain_text(re.compile("cancelled", re.I))
