"""Tracebacks as lines, from the user's frame on."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final

from flowdeco.base.locations import OWN
from flowdeco.base.text import LIMIT, class_name, cut, printable
from flowdeco.jobs.entries import Entry
from flowdeco.jobs.marks import error_text

__all__ = ["chained", "frames_of", "link", "links", "members", "trace_of", "traced"]

_LONGEST: Final = 100 * LIMIT
"""The most characters that are laid out of a message."""

# The attributes themselves, as Python sets them: a class may have others of the same name.
_CAUSE: Any = vars(BaseException)["__cause__"]
_CONTEXT: Any = vars(BaseException)["__context__"]
_SUPPRESSED: Any = vars(BaseException)["__suppress_context__"]
_FRAMES: Any = vars(BaseException)["__traceback__"]
_MEMBERS: Any = vars(BaseExceptionGroup)["exceptions"]


def trace_of(entry: Entry) -> Iterable[str]:
    """Return the traceback of a job that has failed, as lines, from the user's frame on."""
    if entry.printed is not None:
        return entry.printed
    error = entry.outcome.exception
    return () if error is None else traced(error, entry.outcome.traceback)


def traced(error: BaseException, frames: TracebackType | None) -> Iterator[str]:
    """Lay out the traceback of a failure, whatever the exception is like.

    Args:
        error: the exception.
        frames: its traceback, as it was when the job ended.
    """
    try:
        chunks = _all_of(error, frames)
    except BaseException as broken:
        chunks = [*_only_frames(frames), error_text(error, ": ")]
        chunks.append(f"<a traceback that raised {class_name(broken)}>")
    for chunk in chunks:
        for part in chunk.splitlines():
            # Cut before as well: a line of 50 MB is not made printable to show the start of it.
            yield cut(printable(part[: LIMIT + 1]))


def _all_of(error: BaseException, frames: TracebackType | None) -> list[str]:
    for one in chained(error):
        _refuse_own_chain(type(one))
    summary = traceback.TracebackException(type(error), error, frames)
    _without_own_frames(summary)
    return [chunk[:_LONGEST] for chunk in summary.format()]


def _only_frames(frames: TracebackType | None) -> list[str]:
    try:
        stack = traceback.extract_tb(frames)
        stack[:] = [frame for frame in stack if not frame.filename.startswith(OWN)]
        return ["Traceback (most recent call last):", *stack.format()] if stack else []
    except BaseException:
        return []


def frames_of(error: BaseException) -> TracebackType | None:
    """Return the traceback that an exception has now."""
    frames: TracebackType | None = _FRAMES.__get__(error)
    return frames


def members(error: BaseException) -> tuple[BaseException, ...]:
    """Return the exceptions of a group; none where it is no group."""
    is_group = issubclass(type(error), BaseExceptionGroup)
    return tuple(_MEMBERS.__get__(error)) if is_group else ()


def links(error: BaseException) -> tuple[BaseException | None, BaseException | None, bool]:
    """Return the cause of an exception, its context, and whether that is suppressed."""
    return _CAUSE.__get__(error), _CONTEXT.__get__(error), _SUPPRESSED.__get__(error)


def link(
    error: BaseException,
    cause: BaseException | None,
    context: BaseException | None,
    suppressed: bool,
) -> None:
    """Give an exception what `links` returns."""
    _CAUSE.__set__(error, cause)
    _CONTEXT.__set__(error, context)
    _SUPPRESSED.__set__(error, suppressed)


def chained(error: BaseException) -> list[BaseException]:
    """Return the exception with its causes, contexts and members, and theirs, each once."""
    found = {id(error): error}
    chain = [error]
    for one in chain:
        cause, context, _ = links(one)
        for other in (cause, context, *members(one)):
            if other is not None and id(other) not in found:
                found[id(other)] = other
                chain.append(other)
    return chain


def _refuse_own_chain(kind: type[BaseException]) -> None:
    """Raise where a class has made these its own: they may go on for ever."""
    chain = {"__cause__", "__context__", "__getattribute__"}
    if issubclass(kind, BaseExceptionGroup):
        chain.add("exceptions")
    for cls in kind.__mro__:
        if cls is BaseException or cls is BaseExceptionGroup:
            return
        if not chain.isdisjoint(vars(cls)):
            raise TypeError("an exception with a chain of its own")


def _without_own_frames(summary: traceback.TracebackException) -> None:
    seen: set[int] = set()
    found: list[traceback.TracebackException | None] = [summary]
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(OWN)]
        found += [one.__cause__, one.__context__, *(one.exceptions or ())]
