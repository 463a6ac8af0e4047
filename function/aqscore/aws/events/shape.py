"""Describes an event of unknown kind without its values, which may be private and must not be logged."""

from typing import Any

MAX_NAMES = 10


def shape_of(event: Any) -> str:
    """The type of an event's JSON value and, for an object, the names of its first members."""
    if isinstance(event, dict):
        names = ", ".join(repr(name[:40]) for name in list(event)[:MAX_NAMES])
        return f"an object of {len(event)} members ({names})"
    if isinstance(event, list):
        return f"a list of {len(event)}"
    return f"a value of type {type(event).__name__}"
