"""The page and the HTML report as single documents: the style sheet and all modules inside the HTML.

One document is one request, and so at most one cold start. In the folder ``page`` they stay ES modules, which
a browser could load one by one.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent / "page"
# The recordings that the page offers to try: in a package beside it, in a checkout at the top level.
_SAMPLE_FOLDERS = (PAGE / "samples", PAGE.parents[3] / "examples")
SAMPLES = next((folder for folder in _SAMPLE_FOLDERS if folder.is_dir()), _SAMPLE_FOLDERS[0])
_IMPORT = re.compile(r'^import [^"]* from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|class)", re.MULTILINE)
_STYLE = re.compile(r'<link rel="stylesheet" href="page/([\w-]+\.css)">')
_SCRIPT = re.compile(r'<script type="module" src="page/([\w-]+\.js)"></script>')


class Bundle(NamedTuple):
    """A document, with the parts that its Content-Security-Policy must allow by their hashes."""

    html: str
    style: str
    script: str

    def policy(self) -> tuple[str, str]:
        """The hashes of style and script as sources of a Content-Security-Policy (CSP Level 3, 6.7.2)."""
        style, script = (
            "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
            for text in (self.style, self.script)
        )
        return style, script


@cache
def bundle(name: str) -> Bundle:
    """The document of this name in ``page``, such as ``index.html``.

    Raises ValueError when it doesn't name one style sheet and one module.
    """
    html = (PAGE / name).read_text(encoding="utf-8")
    styles, scripts = _STYLE.findall(html), _SCRIPT.findall(html)
    if len(styles) != 1 or len(scripts) != 1:
        raise ValueError(
            f"{name} has {len(styles)} style sheets and {len(scripts)} modules, expected one each."
        )
    style = (PAGE / styles[0]).read_text(encoding="utf-8")
    script = "\n" + "\n".join(_modules(scripts[0], set()))
    html = _STYLE.sub(lambda _: f"<style>{style}</style>", html)
    html = _SCRIPT.sub(lambda _: f'<script type="module">{script}</script>', html)
    return Bundle(html, style, script)


def _modules(name: str, seen: set[str]) -> list[str]:
    """The module after those it imports, each once, as parts of one module. Their names must differ."""
    if name in seen:
        return []
    seen.add(name)
    source = (PAGE / name).read_text(encoding="utf-8")
    imported = [part for other in _IMPORT.findall(source) for part in _modules(other, seen)]
    return [*imported, _EXPORT.sub("", _IMPORT.sub("", source))]
