"""The timeline: picture, score, zoom, playing, with a mouse, a finger or the keyboard."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aqscore import score
from infra.waiting import wait_until
from tests.browser.fake_reports import answer_with_reports, fake_report
from tests.conftest import EXAMPLES, wav_bytes

NOISY = EXAMPLES / "noisy.flac"
RED, TEAL = (0xF2, 0x55, 0x5A), (0x3C, 0xC8, 0xAB)  # of the classes bad and excellent
CAUSE_COLOURS = (0x96, 0x78, 0xF0), (0x2F, 0x95, 0xD8), (0xD6, 0x5F, 0xA8)  # of the first three


@pytest.fixture
def noisy(opened):
    page = opened()
    page.set_input_files("#files", NOISY)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    return page


def wait_for_pixels(page: Page, least: int, *, near: tuple[int, int, int] | None = None) -> None:
    """Waits until so many pixels of the timeline have a colour; without one, the blue of the spectrogram."""
    page.wait_for_function(
        """([least, near]) => {
            const canvas = document.querySelector(".timeline");
            if (!canvas.width) return false;
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
                const alike = near?.every((value, part) => Math.abs(value - data[i + part]) < 8);
                if (near ? alike : data[i + 2] > data[i] + 40) count += 1;
            }
            return count >= least;
        }""",
        arg=[least, near],
        polling=300,  # milliseconds: reading the canvas takes time from drawing it
        timeout=120_000,
    )


def now(page: Page) -> float:
    return float(page.locator(".timeline").get_attribute("aria-valuenow"))


def test_the_score_is_drawn_over_the_spectrogram(noisy):
    wait_for_pixels(noisy, 200, near=RED)
    wait_for_pixels(noisy, 200, near=TEAL)
    wait_for_pixels(noisy, 20_000)  # the spectrogram


def test_the_waveform_is_a_switch(noisy, screenshot):
    noisy.get_by_role("button", name="Waveform").click()
    expect(noisy.get_by_role("button", name="Waveform")).to_have_attribute("aria-pressed", "true")
    wait_for_pixels(noisy, 5_000, near=(0x54, 0x65, 0x8A))
    screenshot(noisy, "waveform")


def test_a_click_plays_from_there(noisy):
    box = noisy.locator(".timeline").bounding_box()
    noisy.locator(".timeline").click(position={"x": box["width"] / 2, "y": 100})
    expect(noisy.get_by_role("button", name="Pause")).to_be_visible()
    assert now(noisy) >= 3.0


def test_a_tap_plays_from_there(opened):
    page = opened(has_touch=True, viewport={"width": 390, "height": 844})
    page.set_input_files("#files", NOISY)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    page.locator(".timeline").tap(position={"x": 200, "y": 100})
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_worst_second_is_played_and_ends(noisy):
    noisy.get_by_role("button", name="Play the worst second").click()
    expect(noisy.get_by_role("button", name="Pause")).to_be_visible()
    expect(noisy.get_by_role("button", name="Play", exact=True)).to_be_visible()
    worst = score(NOISY).worst_segment
    assert now(noisy) == pytest.approx(worst.end_s, abs=0.5)


def test_keys_move_play_and_stop(noisy):
    """Nothing but the keyboard, from wherever the focus is."""
    noisy.keyboard.press("ArrowRight")
    noisy.keyboard.press("ArrowRight")
    assert now(noisy) == 2.0
    noisy.keyboard.press("ArrowLeft")
    assert now(noisy) == 1.0
    noisy.keyboard.press("End")
    assert now(noisy) == pytest.approx(6.2, abs=0.1)
    noisy.keyboard.press("Home")
    assert now(noisy) == 0.0
    noisy.keyboard.press("Space")
    expect(noisy.get_by_role("button", name="Pause")).to_be_visible()
    noisy.keyboard.press("Escape")
    expect(noisy.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_everything_can_be_reached_with_tab(opened, screenshot):
    page = opened()
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.dataset.sample"))
    assert reached[:6] == ["files", "choose-folder", "record", "noisy.flac", "clean.flac", "no_speech.flac"]
    page.locator("[data-sample='noisy.flac']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "timeline":
            break
    expect(page.locator(".timeline")).to_be_focused()
    screenshot(page, "keyboard")


def test_keys_zoom_and_escape_shows_the_whole(noisy, screenshot):
    fit = noisy.get_by_role("button", name="Show the whole recording")
    expect(fit).to_be_disabled()
    expect(noisy.locator(".overview")).to_be_hidden()
    for _ in range(3):
        noisy.keyboard.press("+")
    expect(fit).to_be_enabled()
    expect(noisy.locator(".overview")).to_be_visible()
    screenshot(noisy, "zoomed")
    noisy.keyboard.press("Escape")
    expect(fit).to_be_disabled()


def test_the_wheel_zooms_only_with_control(noisy):
    fit = noisy.get_by_role("button", name="Show the whole recording")
    noisy.locator(".timeline").hover()
    noisy.mouse.wheel(0, -200)
    expect(fit).to_be_disabled()
    noisy.keyboard.down("Control")
    noisy.mouse.wheel(0, -400)
    noisy.keyboard.up("Control")
    expect(fit).to_be_enabled()


def test_two_fingers_zoom_and_one_moves(opened):
    page = opened(has_touch=True)
    page.set_input_files("#files", NOISY)
    fit = page.get_by_role("button", name="Show the whole recording")
    expect(fit).to_be_disabled()
    box = page.locator(".timeline").bounding_box()
    middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: float) -> None:
        points = [{"x": middle + place, "y": height, "id": number} for number, place in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", -40, 40)
    for apart in (60, 120, 200):
        fingers("touchMove", -apart, apart)
    fingers("touchEnd")
    expect(fit).to_be_enabled()
    expect(page.locator(".overview")).to_be_visible()
    assert now(page) == 0  # the end of a pinch is no tap

    before = page.locator(".timeline").screenshot()
    fingers("touchStart", 0)
    fingers("touchMove", -60)
    fingers("touchMove", -150)
    fingers("touchEnd")
    wait_until(lambda: page.locator(".timeline").screenshot() != before, "the part in view to move", 30)
    assert now(page) == 0


def test_the_pointer_shows_time_and_score(noisy):
    box = noisy.locator(".timeline").bounding_box()
    noisy.locator(".timeline").hover(position={"x": box["width"] * 0.6, "y": 100})
    expect(noisy.locator(".tip")).to_contain_text("0:03")
    expect(noisy.locator(".tip")).to_contain_text("bad")


def test_the_pointer_and_the_keyboard_name_the_cause(opened, speech):
    report = fake_report("call.wav", 6.0)
    report["timeline"][3]["cause"] = "packet_loss"
    page = opened()
    page.route("**/v1/scores", lambda route: route.fulfill(json=report))
    sound = {"name": "call.wav", "mimeType": "audio/wav", "buffer": wav_bytes(speech)}
    page.set_input_files("#files", sound)
    timeline = page.locator(".timeline")
    box = timeline.bounding_box()
    plot = box["width"] - 40 - 54  # without its axes
    timeline.hover(position={"x": 40 + plot * 3.5 / 6, "y": 100})
    expect(page.locator(".tip")).to_contain_text(", dropouts")
    timeline.hover(position={"x": 40 + plot * 5.5 / 6, "y": 100})
    expect(page.locator(".tip")).not_to_contain_text("dropouts")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(timeline).to_have_attribute("aria-valuetext", re.compile("dropouts"))


def test_an_hour_has_an_overview_and_shows_its_marks(opened, accessible, screenshot, recorded, speech):
    page = opened()
    answer_with_reports(page, lambda _: 3725.0, causes=True)
    page.route("**/v1/uploads", lambda route: route.fulfill(status=501, json={"detail": "Not offered."}))
    opened.allow("501")
    sound = np.resize(speech[::4], 3725 * 4000)
    page.set_input_files("#files", recorded(sound, "board-meeting.wav", rate=4000, subtype="PCM_U8"))
    expect(page.locator(".overview")).to_be_visible()
    wait_for_pixels(page, 20, near=RED)  # the mark of the worst second, a third of a pixel long
    for colour in CAUSE_COLOURS:
        wait_for_pixels(page, 20, near=colour)  # the marks of the causes, each a second long
    wait_for_pixels(page, 20_000)  # the spectrogram
    accessible(page)
    screenshot(page, "long")


def test_channels_are_one_above_the_other(opened, screenshot, speech):
    page = opened()
    answer_with_reports(page, lambda _: 6.0, channels=2)
    sound = wav_bytes(np.stack([speech, np.roll(speech, 20_000)], axis=1))
    page.set_input_files("#files", {"name": "call.wav", "mimeType": "audio/wav", "buffer": sound})
    expect(page.locator(".timeline")).to_have_css("height", "344px")
    page.locator(".timeline").hover()
    expect(page.locator(".tip")).to_contain_text("Channel 2")
    screenshot(page, "channels")


def test_each_channel_is_scored_on_request(opened, speech):
    page = opened()
    sound = wav_bytes(np.stack([speech, 0.5 * speech], axis=1))
    page.set_input_files("#files", {"name": "call.wav", "mimeType": "audio/wav", "buffer": sound})
    page.get_by_role("button", name="Score each channel").click()
    expect(page.locator(".timeline")).to_have_css("height", "344px")


def test_a_format_that_the_browser_cannot_play_keeps_its_scores(opened):
    page = opened()
    answer_with_reports(page)
    page.set_input_files("#files", {"name": "call.amr", "mimeType": "audio/amr", "buffer": b"#!AMR\n"})
    expect(page.locator(".note")).to_contain_text("This browser can't")
    expect(page.locator(".score output")).to_be_visible()
