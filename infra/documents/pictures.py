"""Makes the pictures of the README: ``python -m infra.documents.pictures``.

docs/images/page.png is the screenshot of a browser test, and needs Chromium. docs/images/score.svg is the
terminal after a real run (infra.terminal_picture). sources.json beside them says which page and which model
they show, so that a test can tell an old picture.
"""

import hashlib
import json
import subprocess
import sys

from PIL import Image

from infra import terminal_picture
from infra.documents.sections import DOCS, ROOT

IMAGES = DOCS / "images"
SOURCES = IMAGES / "sources.json"
PAGE = ROOT / "function" / "aqscore" / "http" / "page"
TEST = "tests/browser/test_page.py::test_a_recording_is_scored_and_shown[desktop-light]"
SCREENSHOT = ROOT / "test-results" / "screenshots" / "one-light-1280.png"
COLOURS = 128


def sources() -> dict[str, str]:
    """SHA-256 of the page's files, and of the shipped model."""
    page = hashlib.sha256()
    for path in sorted(each for each in PAGE.iterdir() if each.is_file()):
        page.update(path.name.encode() + b"\0" + path.read_bytes())
    described = json.loads((ROOT / "model_artifacts" / "model.json").read_text())
    return {"page": page.hexdigest(), "model": described["files"]["onnx"]["sha256"]}


def update() -> None:
    """Makes both pictures. Raises RuntimeError where the browser test fails or is skipped."""
    SCREENSHOT.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", TEST], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0 or not SCREENSHOT.exists():
        raise RuntimeError(f"The test made no screenshot of the page:\n{done.stdout}")
    with Image.open(SCREENSHOT) as screenshot:
        small = screenshot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(IMAGES / "page.png", optimize=True)
    terminal_picture.main()
    SOURCES.write_text(json.dumps(sources(), indent=2) + "\n")


if __name__ == "__main__":
    update()
