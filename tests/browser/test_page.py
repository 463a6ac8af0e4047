"""The page: files in, scores out, on any screen, with a mouse or the keyboard."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from aqscore.cli.main import main
from tests.conftest import EXAMPLES, wav_bytes

NOISY, CLEAN, SILENT = (EXAMPLES / f"{name}.flac" for name in ("noisy", "clean", "no_speech"))


def score(page, *files) -> None:
    page.set_input_files("#files", list(files))
    expect(page.locator("#status")).to_contain_text("Done.")


def lit_pixels(page) -> int:
    """The number of pixels that are drawn in the timeline."""
    return page.evaluate(
        """() => {
            const canvas = document.getElementById("timeline");
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return data.filter((value, i) => i % 4 === 3 && value > 0).length;
        }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_a_recording_is_scored_and_shown(opened, screenshot, scheme, width):
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    score(page, NOISY)
    expect(page.locator("#score")).to_have_text(re.compile(r"^\d\.\d\d$"))
    expect(page.locator("#interval")).to_contain_text("Nine times out of ten")
    expect(page.locator("#caption")).to_contain_text("Worst second")
    assert lit_pixels(page) > 1_000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "The page scrolls sideways."
    serious = [
        violation
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    screenshot(page, f"noisy-{scheme}-{width}")


def test_a_file_is_dropped_anywhere_on_the_page(opened):
    page = opened()
    content = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.flac"));
            return data;
        }""",
        list(NOISY.read_bytes()),
    )
    page.dispatch_event("main", "drop", {"dataTransfer": content})
    expect(page.locator("#status")).to_contain_text("Done.")
    expect(page.locator("#name")).to_have_text("dropped.flac")


def test_an_error_shows_its_advice(opened, screenshot, tmp_path):
    page = opened()
    text = tmp_path / "letter.wav"
    text.write_text("Dear all, this is no recording.")
    page.set_input_files("#files", text)
    expect(page.get_by_role("alert")).to_contain_text("Convert the recording to WAV")
    screenshot(page, "bad-file")
    opened.problems[:] = [each for each in opened.problems if "415" not in each]


def test_the_microphone_is_recorded_as_pcm(opened):
    page = opened(permissions=["microphone"])
    page.get_by_role("button", name="Record from the microphone").click()
    expect(page.locator("#status")).to_have_text("Recording …")
    page.wait_for_function(
        "() => microphone.blocks.length > 400"
    )  # blocks of 128 samples: a second at 48 kHz
    page.get_by_role("button", name="Stop and score").click()
    expect(page.locator("#name")).to_have_text("microphone.wav")
    media = page.evaluate("() => shown.report.media")
    assert (media["container"], media["codec"]) == ("WAV", "PCM_16")
    assert media["duration_s"] > 1


def test_an_api_key_is_requested_when_needed_and_kept_in_the_tab(opened):
    page = opened()
    page.route(
        "**/v1/scores",
        lambda route: (
            route.fallback()
            if route.request.headers.get("x-api-key") == "a key"
            else route.fulfill(status=403, json={"message": "Forbidden"})
        ),
    )
    expect(page.get_by_label("API key")).to_be_hidden()
    page.set_input_files("#files", NOISY)
    expect(page.get_by_role("alert")).to_contain_text("Forbidden")
    page.get_by_label("API key").fill("a key")
    page.get_by_label("API key").press("Tab")
    score(page, NOISY)
    expect(page.locator("#score")).to_be_visible()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
    opened.problems[:] = [each for each in opened.problems if "403" not in each]


def test_silence_has_no_score(opened):
    page = opened()
    silence = {"name": "silence.wav", "mimeType": "audio/wav", "buffer": wav_bytes([0.0] * 32_000)}
    page.set_input_files("#files", silence)
    expect(page.locator("#score")).to_have_text("no score")
    expect(page.locator("#warnings")).to_contain_text("No speech was found")


def test_several_files_are_shown_in_a_sortable_table(opened, screenshot):
    page = opened()
    score(page, NOISY, CLEAN)
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="File", exact=True).click()
    expect(rows.first).to_contain_text("clean.flac")
    page.get_by_role("button", name="File", exact=True).click()
    expect(rows.first).to_contain_text("noisy.flac")
    rows.last.get_by_role("button").click()
    expect(page.locator("#name")).to_have_text("clean.flac")
    screenshot(page, "several")


def test_a_click_on_the_timeline_plays_from_there(opened):
    page = opened()
    score(page, NOISY)
    page.wait_for_function("() => document.getElementById('player').readyState >= 1")
    box = page.locator("#timeline").bounding_box()
    page.locator("#timeline").click(position={"x": box["width"] / 2, "y": 10})
    page.wait_for_function("() => document.getElementById('player').currentTime >= 3.0")
    page.get_by_role("button", name="Play the worst second").click()


def test_the_page_works_with_the_keyboard(opened):
    page = opened()
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    score(page, NOISY)
    page.wait_for_function("() => document.getElementById('player').readyState >= 1")
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('player').currentTime >= 1.0")


def test_the_json_can_be_downloaded(opened):
    page = opened()
    score(page, CLEAN)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download JSON").click()
    assert download.value.suggested_filename == "clean.flac.json"
    assert json.loads(download.value.path().read_text())["schema_version"] == "1"


def test_a_saved_report_works_offline(browser, screenshot, tmp_path):
    """Opened from disk, without a network."""
    path = tmp_path / "report.html"
    main(["score", str(NOISY), str(CLEAN), "--report", str(path), "--format", "jsonl"])
    context = browser.new_context(offline=True)
    page = context.new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#name")).to_have_text(str(NOISY))
    assert lit_pixels(page) > 1_000
    screenshot(page, "saved")
    context.close()
    assert problems == []
