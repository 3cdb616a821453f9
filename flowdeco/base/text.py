"""Text that is safe to show, whatever it is made of (rule 17)."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, TextIO, cast

__all__ = [
    "alike",
    "class_name",
    "cut",
    "encodable",
    "label_lines",
    "line",
    "path_within",
    "printable",
    "repr_line",
    "value_line",
    "with_article",
]

LIMIT = 200
"""The most characters of a label, message or result that a line shows."""

_NAME_OF_CLASS: Final = type.__dict__["__name__"]
"""The name itself: a metaclass may have a property of that name, which raises."""


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
    return cut(printable(_text(value, _str, limit + 1)), limit)


def repr_line(value: object, limit: int = LIMIT) -> str:
    """Return `repr(value)` as one printable line, as `line` does; for messages of errors."""
    return cut(printable(_text(value, _shortened.repr, limit + 1)), limit)


def value_line(value: object) -> str:
    """Return a result as one printable line, without building the text of a huge container."""
    return repr_line(value) if issubclass(type(value), _CONTAINERS) else line(value)


def label_lines(value: object, limit: int = LIMIT) -> list[str]:
    """Return a text as `line` does, but in as many lines as it has."""
    text = _text(value, _str, limit + 1)
    return cut("\n".join(map(printable, text.split("\n"))), limit).split("\n")


def class_name(value: object) -> str:
    """Return the name of the class of a value, in printable characters."""
    return line(_NAME_OF_CLASS.__get__(type(value)))


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun, such as the name of a class."""
    return f"{'an' if noun[:1] in 'aeiouAEIOU' else 'a'} {noun}"


def path_within(around: str, name: str) -> str:
    """Return the path of what has that name inside of what has the other path, if that has one."""
    return f"{around}/{name}" if around else name


def _text(value: object, convert: Callable[[Any], str], length: int) -> str:
    """The first characters of a text of a value; a placeholder where that raises."""
    try:
        # A subclass of str may override every method; only its characters count.
        return str.__str__(convert(value))[:length]
    except BaseException as error:  # an exit as well: it is no more than a text that has none
        return _placeholder(value, error)


def _str(value: object) -> str:
    # Its type is asked, for the `__class__` of a lazy object loads what is behind it, or raises.
    return cast("str", value) if issubclass(type(value), str) else str(value)


def _placeholder(value: object, error: BaseException) -> str:
    return f"<{class_name(value)} whose text raised {class_name(error)}>"


_CONTAINERS: tuple[type, ...] = (list, tuple, dict, set, frozenset, bytes, bytearray, memoryview)


class _Shortened(reprlib.Repr):
    """Shows some members of a container, those that raise by a placeholder."""

    def repr1(self, x: Any, level: int) -> str:
        try:
            return super().repr1(x, level)
        except BaseException as error:
            return _placeholder(x, error)

    def repr_instance(self, x: Any, level: int) -> str:
        del level
        text = str.__str__(repr(x))
        return text if len(text) <= self.maxother else text[: self.maxother - 3] + "..."

    def repr_bytes(self, x: bytes, level: int) -> str:
        return self.repr_instance(x[:LIMIT], level)

    def repr_bytearray(self, x: bytearray, level: int) -> str:
        return self.repr_instance(x[:LIMIT], level)


_shortened = _Shortened()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = LIMIT
_shortened.maxlist = _shortened.maxtuple = _shortened.maxdict = _shortened.maxset = 20
_shortened.maxfrozenset = _shortened.maxdeque = _shortened.maxarray = 20


def encodable(text: str, stream: TextIO | None = None) -> str:
    """Escape what the stream (standard output by default) cannot encode.

    Nothing is escaped where there is no stream, or it does not say how it encodes.
    """
    if text.isascii():
        return text
    try:
        encoding: Any = (sys.stdout if stream is None else stream).encoding
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except Exception:
        return text


def alike(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are like one that does not exist, the most similar first."""
    import difflib  # noqa: PLC0415  # only here, for a message, and its import costs a millisecond

    return difflib.get_close_matches(name, list(dict.fromkeys(names)))
