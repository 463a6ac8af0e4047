"""infra.documents.pictures: the pictures of the README show the page, the command and the model of today."""

import json
import re
from pathlib import Path

import pytest

from infra import terminal_picture
from infra.documents import pictures

UPDATE = "Make it again: python -m infra.documents.pictures"


def words(svg: str) -> list[str]:
    """The texts of a picture of the terminal, numbers as #: speeds differ between runs."""
    return [re.sub(r"[\d.]+", "#", text) for text in re.findall(r">([^<]+)</text>", svg)]


def test_the_pictures_show_the_shipped_model_and_the_present_page():
    assert json.loads(pictures.SOURCES.read_text()) == pictures.sources(), UPDATE


def test_the_picture_of_the_terminal_shows_what_the_command_prints(tmp_path: Path):
    (tmp_path / "calls").mkdir()
    terminal_picture.make_recordings(tmp_path / "calls")
    assert words(terminal_picture.picture(tmp_path)) == words(terminal_picture.PICTURE.read_text()), UPDATE


def test_a_changed_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "main.js").write_text("before")
    monkeypatch.setattr(pictures, "PAGE", tmp_path)
    before = pictures.sources()
    (tmp_path / "main.js").write_text("after")
    assert pictures.sources()["page"] != before["page"]
