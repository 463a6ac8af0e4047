"""What an event of unknown kind looks like. What it says may be anybody's data, and stays out of the log."""

from typing import Any

MOST_NAMES = 10


def shape_of(event: Any) -> str:
    """An event in words: the type of its JSON value and, of an object, the names of its first members."""
    if isinstance(event, dict):
        names = ", ".join(repr(name[:40]) for name in list(event)[:MOST_NAMES])
        return f"an object of {len(event)} members ({names})"
    if isinstance(event, list):
        return f"a list of {len(event)}"
    return f"a value of type {type(event).__name__}"
