"""Sections of Markdown pages that are generated: the lines between two comments.

<!-- begin NAME: python -m infra.documents -->
<!-- end NAME -->
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- begin {name}: [^\n]* -->\n)(.*?)(<!-- end {name} -->)", re.S)


def section(page: Path, name: str) -> str:
    """The lines of a section as the page has them. Raises LookupError where there is no such section."""
    found = _pattern(name).search(page.read_text())
    if not found:
        raise LookupError(f"{page.name} has no section {name!r}: add its two comments.")
    return found[2]


def write_section(page: Path, name: str, lines: str) -> None:
    """Replaces the lines of a section, and leaves the rest of the page as it is."""
    section(page, name)
    page.write_text(_pattern(name).sub(lambda found: found[1] + lines + found[3], page.read_text()))
