"""Text that is safe to show, whatever it is made of (rule 17)."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Iterable
from typing import TextIO

__all__ = ["alike", "class_name", "cut", "encodable", "line", "printable", "value_line"]

LIMIT = 200
"""The most characters of a label, message or result that a line shows."""

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = LIMIT
_shortened.maxlist = _shortened.maxtuple = _shortened.maxdict = _shortened.maxset = 20
_shortened.maxfrozenset = _shortened.maxdeque = _shortened.maxarray = 20


_CONTAINERS: tuple[type, ...] = (list, tuple, dict, set, frozenset, bytes, bytearray, memoryview)


def printable(text: str) -> str:
    """Escape what a terminal could act on: control and bidi characters, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def cut(text: str, limit: int = LIMIT) -> str:
    """Keep at most `limit` characters, the last of them a mark that more was there."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def line(value: object, limit: int = LIMIT) -> str:
    """Return `str(value)` as one printable line; a placeholder where that raises."""
    try:
        # A subclass of str may override every method; only its characters count.
        text = str.__str__(value if isinstance(value, str) else str(value))[: limit + 1]
    except Exception as error:
        text = f"<{class_name(value)} whose text raised {class_name(error)}>"
    return cut(printable(text), limit)


def value_line(value: object) -> str:
    """Return a result as one printable line, without building the text of a huge container."""
    try:
        if isinstance(value, _CONTAINERS):
            return line(_shortened.repr(value))
    except Exception as error:
        return f"<{class_name(value)} whose text raised {class_name(error)}>"
    return line(value)


def class_name(value: object) -> str:
    """Return the name of the class of a value, in printable characters."""
    return line(type(value).__name__)


def encodable(text: str, stream: TextIO | None = None) -> str:
    """Escape what the stream (standard output by default) cannot encode."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def alike(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are like one that does not exist, the most similar first."""
    import difflib  # noqa: PLC0415  # only here, for a message, and its import costs a millisecond

    return difflib.get_close_matches(name, list(names))
