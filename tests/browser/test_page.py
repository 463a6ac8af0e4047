"""The page with nothing, with one recording, with errors: files in, scores out, on any screen."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aqscore.causes import CAUSES
from aqscore.http.bundle import bundle
from tests.browser.fake_reports import answer_with_reports, fake_report
from tests.conftest import EXAMPLES, wav_bytes

NOISY, CLEAN = EXAMPLES / "noisy.flac", EXAMPLES / "clean.flac"
TONE = {"name": "call.wav", "mimeType": "audio/wav", "buffer": wav_bytes([0.0, 0.1] * 800)}
LETTER = {"name": "letter.wav", "mimeType": "audio/wav", "buffer": b"Dear all, this is no recording."}
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


def scored(page: Page) -> None:
    expect(page.locator("#detail .timeline")).to_be_visible()


def assert_no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_empty_page_says_what_it_does(opened, accessible, screenshot, scheme, size):
    page = opened(color_scheme=scheme, viewport=size)
    expect(page.get_by_role("heading", name="How good does this recording sound?")).to_be_visible()
    expect(page.locator("#start")).to_contain_text("Recordings stay on this machine.")
    expect(page.locator(".samples button")).to_have_count(3)
    accessible(page)
    assert_no_sideways_scrolling(page)
    screenshot(page, f"idle-{scheme}-{size['width']}")


def test_the_page_is_one_small_document(opened, address):
    page = opened()
    urls = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert [url for url in urls if not url.startswith("data:")] == []
    assert len(bundle("index.html").html.encode()) < 130_000


def test_the_reference_of_the_api_asks_nobody_else(opened, address):
    page = opened(f"{address}docs")
    expect(page.get_by_text("/v1/scores").first).to_be_visible()


def test_every_sample_is_scored(opened):
    page = opened()
    for button in page.locator(".samples button").all():
        button.evaluate("(each) => each.click()")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#list .rating")).to_have_text(
        [re.compile("bad|poor"), re.compile("good|exc"), re.compile("no score")]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_recording_is_scored_and_shown(opened, accessible, screenshot, scheme, size):
    page = opened(color_scheme=scheme, viewport=size)
    page.set_input_files("#files", NOISY)
    scored(page)
    expect(page.locator(".score output")).to_have_text(re.compile(r"^\d\.\d\d$"))
    expect(page.locator(".score-card")).to_contain_text("Nine times out of ten between")
    expect(page.locator(".facts")).to_contain_text("FLAC 16 bit")
    expect(page.locator(".findings")).to_contain_text(re.compile("Mostly|Mixed"))
    expect(page.locator("#spoken")).to_contain_text("noisy.flac: score")
    accessible(page)
    assert_no_sideways_scrolling(page)
    screenshot(page, f"one-{scheme}-{size['width']}", full=size == PHONE)


def test_all_of_it_is_above_the_fold(opened):
    page = opened()
    page.set_input_files("#files", NOISY)
    scored(page)
    box = page.locator(".transport").bounding_box()
    assert box["y"] + box["height"] <= DESKTOP["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_causes_and_the_estimate_of_listeners_are_shown_where_a_report_has_them(
    opened, accessible, screenshot, speech, scheme, size
):
    page = opened(color_scheme=scheme, viewport=size)
    answer_with_reports(page, lambda _: 42.0, causes=True)
    sound = wav_bytes(np.resize(speech, 42 * 16_000))
    page.set_input_files("#files", {"name": "interview.wav", "mimeType": "audio/wav", "buffer": sound})
    scored(page)
    expect(page.locator(".mos")).to_contain_text("3.1 of 5")
    expect(page.locator(".mos")).to_contain_text("2.6 to 3.6")
    causes = page.locator(".cause")
    expect(causes).to_have_count(3)
    expect(causes.nth(0)).to_contain_text("most of it")
    expect(causes.nth(0)).to_contain_text("80\xa0%")
    expect(causes.nth(1)).to_contain_text("part of it")
    expect(causes.nth(2)).to_contain_text(re.compile(r"at 0:\d\d"))
    expect(page.locator("#spoken")).to_contain_text("MOS of listeners, predicted: 3.1 of 5.")
    expect(page.locator("#spoken")).to_contain_text("most of it")
    accessible(page)
    assert_no_sideways_scrolling(page)
    screenshot(page, f"causes-{scheme}-{size['width']}", full=size == PHONE)
    if size == DESKTOP:  # all of it is above the fold
        box = page.locator(".transport").bounding_box()
        assert box["y"] + box["height"] <= size["height"]


def with_causes(kinds: list[str], score: float = 2.0) -> dict:
    """A report of ten seconds with these causes, each in a tenth of it and nowhere the main one."""
    causes = [
        {"kind": kind, "share": 0.1, "severity": 0.6, "from_s": second, "to_s": second + 1}
        for second, kind in enumerate(kinds)
    ]
    return fake_report("call.wav", 10.0) | {"score": score, "mos": None, "causes": causes}


def test_many_causes_stay_above_the_fold(opened, screenshot):
    page = opened()
    page.route("**/v1/scores", lambda route: route.fulfill(json=with_causes(CAUSES)))
    page.set_input_files("#files", TONE)
    scored(page)
    expect(page.locator(".cause")).to_have_count(4)
    expect(page.locator(".causes")).to_contain_text("Clipping at 0:02.")
    expect(page.locator(".causes")).to_contain_text("Less: coding artefacts, dropouts, ")
    box = page.locator(".transport").bounding_box()
    screenshot(page, "causes-all")
    assert box["y"] + box["height"] <= DESKTOP["height"]


@pytest.mark.parametrize(
    ("score", "words"), [(4.2, "No damage was found."), (2.0, "The model names no cause.")]
)
def test_a_report_without_causes_says_so(opened, score, words):
    page = opened()
    page.route("**/v1/scores", lambda route: route.fulfill(json=with_causes([], score)))
    page.set_input_files("#files", TONE)
    scored(page)
    expect(page.locator(".findings")).to_contain_text(words)
    expect(page.locator(".mos")).to_have_count(0)


def test_a_rare_cause_in_many_places_is_counted(opened):
    report = with_causes(["packet_loss"])
    for segment in report["timeline"][::3]:
        segment["cause"] = "packet_loss"
    page = opened()
    page.route("**/v1/scores", lambda route: route.fulfill(json=report))
    page.set_input_files("#files", TONE)
    expect(page.locator(".cause")).to_contain_text("Dropouts in 4 places, worst at 0:00.")


def test_a_file_is_dropped_anywhere_on_the_page(opened):
    page = opened()
    answer_with_reports(page)
    content = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
            return data;
        }""",
        list(TONE["buffer"]),
    )
    page.dispatch_event("footer", "drop", {"dataTransfer": content})
    scored(page)
    expect(page.locator("#detail h2")).to_have_text("dropped.wav")


def test_a_file_is_pasted(opened):
    page = opened()
    answer_with_reports(page)
    page.evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.wav"));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        list(TONE["buffer"]),
    )
    scored(page)
    expect(page.locator("#detail h2")).to_have_text("pasted.wav")


def test_a_folder_is_taken_and_what_is_skipped_is_listed(opened, tmp_path):
    page = opened()
    answer_with_reports(page)
    folder = tmp_path / "calls"
    (folder / "may").mkdir(parents=True)
    for name in ("a.wav", "may/b.WAV", "notes.txt", "more.txt", "invoice.pdf", "._a.wav"):
        (folder / name).write_bytes(b"RIFF")
    page.set_input_files("#folder", folder)
    expect(page.get_by_role("alert")).to_have_text("4 files skipped: .txt 2, .pdf 1, hidden 1.")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    expect(page.locator("#list")).to_contain_text("calls/may")


def test_an_error_is_shown_once_with_its_advice(opened, accessible, screenshot):
    opened.allow("415")
    page = opened()
    page.set_input_files("#files", LETTER)
    expect(page.locator(".error-card")).to_contain_text("Check how the file was made")
    expect(page.get_by_text("Check how the file was made")).to_have_count(1)
    accessible(page)
    screenshot(page, "error")


def test_an_unreachable_server_is_an_error_to_try_again(opened):
    opened.allow("ERR_FAILED")
    page = opened()
    page.route("**/v1/scores", lambda route: route.abort())
    page.set_input_files("#files", TONE)
    expect(page.locator(".error-card")).to_contain_text("Check the connection")
    page.unroute("**/v1/scores")
    answer_with_reports(page)
    page.get_by_role("button", name="Try again").click()
    scored(page)


def test_a_busy_server_is_asked_again_when_it_says(opened):
    opened.allow("503")
    page = opened()
    asked = []

    def answer(route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"detail": "Busy."})
        else:
            route.fallback()

    answer_with_reports(page)
    page.route("**/v1/scores", answer)
    page.set_input_files("#files", TONE)
    scored(page)


def test_an_api_key_is_requested_when_needed_and_kept_in_the_tab(opened, accessible, screenshot):
    opened.allow("403")
    page = opened()
    answer_with_reports(page)
    page.route(
        "**/v1/scores",
        lambda route: (
            route.fallback()
            if route.request.headers.get("x-api-key") == "a key"
            else route.fulfill(status=403, json={"message": "Forbidden"})
        ),
    )
    page.set_input_files("#files", TONE)
    expect(page.locator("#key")).to_be_focused()
    accessible(page)
    screenshot(page, "key-needed")
    page.keyboard.type("another")
    page.keyboard.press("Enter")
    expect(page.locator("#key-form")).to_contain_text("not accepted")
    page.locator("#key").fill("a key")
    page.get_by_role("button", name="Continue").click()
    scored(page)
    expect(page.locator("#key-form")).to_be_hidden()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]


def test_the_microphone_is_recorded_as_pcm(opened, accessible, screenshot):
    page = opened(permissions=["microphone"])
    page.get_by_role("button", name="Record from the microphone").click()
    expect(page.locator("#mic-time")).to_have_text(re.compile("0:01"))
    assert page.locator("#mic-level").evaluate("(meter) => meter.value") > -60
    accessible(page)
    screenshot(page, "microphone")
    page.get_by_role("button", name="Stop and score").click()
    scored(page)
    expect(page.locator("#detail h2")).to_have_text("microphone.wav")
    expect(page.locator(".facts")).to_contain_text("WAV 16 bit")


def test_a_recording_from_the_microphone_can_be_dropped(opened):
    page = opened(permissions=["microphone"])
    page.get_by_role("button", name="Record from the microphone").click()
    page.locator("#microphone").get_by_role("button", name="Cancel").click()
    expect(page.locator("#microphone")).to_be_hidden()
    expect(page.locator("#start")).to_be_visible()


def test_silence_has_no_score(opened, screenshot):
    page = opened()
    silence = {"name": "silence.wav", "mimeType": "audio/wav", "buffer": wav_bytes([0.0] * 32_000)}
    page.set_input_files("#files", silence)
    expect(page.locator(".score output")).to_have_text("No score")
    expect(page.locator(".warnings")).to_contain_text("No speech was found")
    screenshot(page, "no-score")


def test_the_json_can_be_downloaded(opened):
    page = opened()
    page.set_input_files("#files", CLEAN)
    scored(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    assert download.value.suggested_filename == "clean.flac.json"
    assert json.loads(download.value.path().read_text())["schema_version"] == "1"
