"""The page and the report as single documents."""

import base64
import hashlib
import re

import pytest

from aqscore.causes import CAUSE_NAMES
from aqscore.http.bundle import PAGE, SAMPLES, bundle
from aqscore.scale import HIGHEST, LOWEST, VERDICTS


@pytest.mark.parametrize("name", ["index.html", "report.html"])
def test_a_document_needs_no_other_file(name):
    html = bundle(name).html
    assert 'src="page/' not in html
    assert 'href="page/' not in html
    assert not re.search(r"^(import|export) ", html, re.MULTILINE)


@pytest.mark.parametrize("name", ["index.html", "report.html"])
def test_the_policy_names_what_the_browser_hashes(name):
    """A browser hashes the text between the tags (CSP Level 3, 6.7.3.3)."""
    document = bundle(name)
    for tag, source in zip(("style", 'script type="module"'), document.policy(), strict=True):
        text = document.html.split(f"<{tag}>")[1].split(f"</{tag.split()[0]}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert source == f"'sha256-{digest}'"


@pytest.mark.parametrize("name", ["index.html", "report.html"])
def test_names_of_the_modules_differ(name):
    """All modules share one scope in the document."""
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", bundle(name).script, re.MULTILINE)
    assert len(names) == len(set(names))


def test_the_scale_is_that_of_the_package():
    source = (PAGE / "scale.js").read_text()
    classes = re.findall(r'name: "(\w+)", from: ([\w.]+), to: ([\w.]+)', source)
    numbers = {"LOWEST": LOWEST, "HIGHEST": HIGHEST}
    assert re.search(r"LOWEST = ([\d.]+)", source)[1] == str(LOWEST)
    assert re.search(r"HIGHEST = ([\d.]+)", source)[1] == str(HIGHEST)
    assert [(numbers.get(low) or float(low), word) for word, low, _ in classes] == list(reversed(VERDICTS))
    assert [high for _, _, high in classes[:-1]] == [low for _, low, _ in classes[1:]]


def test_the_words_of_the_causes_are_those_of_the_package():
    """causes.js has the same names, which it can't import."""
    object_of = re.search(r"const CAUSE_NAMES = \{(.*?)\};", (PAGE / "causes.js").read_text(), re.DOTALL)
    assert dict(re.findall(r'(\w+): "([^"]+)"', object_of[1])) == CAUSE_NAMES


def test_the_samples_of_the_page_exist():
    page = (PAGE / "index.html").read_text()
    names = re.findall(r'data-sample="([\w.]+)"', page)
    assert len(names) == 3
    assert all((SAMPLES / name).is_file() for name in names)
