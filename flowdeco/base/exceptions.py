"""Exceptions of the user's, without asking them: each of their attributes may be anything.

`isinstance` is such a question where the class is not the one meant: it asks for `__class__`.
"""

from __future__ import annotations

from asyncio import CancelledError
from types import TracebackType
from typing import Any

__all__ = ["context_of", "is_cancellation", "is_exit", "traceback_of", "with_traceback"]

_traceback: Any = BaseException.__dict__["__traceback__"]
_context: Any = BaseException.__dict__["__context__"]


def is_exit(error: object) -> bool:
    """Tell whether it is a `SystemExit` or `KeyboardInterrupt`, which is to leave (rule 12)."""
    return issubclass(type(error), (SystemExit, KeyboardInterrupt))


def is_cancellation(error: object) -> bool:
    """Tell whether it is a `CancelledError`."""
    return issubclass(type(error), CancelledError)


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return the traceback that the interpreter has kept."""
    found: TracebackType | None = _traceback.__get__(error)
    return found


def context_of(error: BaseException) -> BaseException | None:
    """Return the exception in whose handling this one was raised."""
    found: BaseException | None = _context.__get__(error)
    return found


def with_traceback(error: BaseException, traceback: TracebackType | None) -> BaseException:
    """Give an exception this traceback, and return it."""
    return BaseException.with_traceback(error, traceback)
