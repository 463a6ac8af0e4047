"""File names and messages, escaped for where they are shown: a terminal, or a cell of a spreadsheet."""

import unicodedata

# Control characters, lone surrogates (bytes of a name that are not UTF-8) and separators of lines.
ESCAPED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
# Marks that change the direction of what follows: they can make a name look like another one.
DIRECTION_MARKS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def printable(text: str) -> str:
    """The text in one line that no terminal takes for a command; characters that could be are escapes."""
    if text.isprintable():  # most names
        return text
    return "".join(_escape(each) if _is_unsafe(each) else each for each in text)


def spreadsheet_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    text = printable(text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _is_unsafe(character: str) -> bool:
    return character in DIRECTION_MARKS or unicodedata.category(character) in ESCAPED_CATEGORIES


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
