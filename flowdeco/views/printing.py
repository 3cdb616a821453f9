"""Lines on standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flowdeco.base.text import class_name
from flowdeco.jobs.marks import fitting, plain

__all__ = ["show"]


def show(lay_out: Callable[[], Iterable[str]]) -> None:
    """Print lines, whatever the stream can encode, and though it may be closed (rule 17)."""
    lines = _lines(lay_out)
    try:
        for text in lines:
            try:
                print(fitting(text))
            except UnicodeEncodeError:  # the stream does not encode as it says
                print(plain(text).encode("ascii", "backslashreplace").decode())
    except Exception:
        pass  # nobody reads it any more, or it is closed


def _lines(lay_out: Callable[[], Iterable[str]]) -> Iterator[str]:
    try:
        yield from lay_out()
    except Exception as error:  # above all of memory
        yield f"<the rest raised {class_name(error)}>"
