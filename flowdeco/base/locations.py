"""Lines of the user's code: where a body or a thread stands."""

from __future__ import annotations

import asyncio
import os
import sys
from types import FrameType
from typing import Final

__all__ = ["OWN", "UNKNOWN", "of_awaitable", "of_frame", "of_thread"]

OWN: Final = os.path.dirname(os.path.dirname(__file__)) + os.sep
"""What the names of the library's own files begin with."""

UNKNOWN: Final = "an unknown place"

_STANDARD: Final = os.path.dirname(os.__file__) + os.sep
_INSTALLED: Final = os.path.join(_STANDARD, "site-packages") + os.sep
_ASYNCIO: Final = os.path.dirname(asyncio.__file__) + os.sep
_KINDS: Final = ("cr", "ag", "gi")
"""The prefixes of what coroutines, asynchronous generators and generators know of themselves."""


def of_awaitable(awaited: object) -> str:
    """Return the innermost line at which something waits that is not asyncio's own."""
    place = UNKNOWN
    while awaited is not None:
        known: type = type(awaited)
        kind = next((kind for kind in _KINDS if hasattr(known, f"{kind}_frame")), "")
        frame: FrameType | None = getattr(awaited, f"{kind}_frame", None) if kind else None
        if frame is None:
            break
        if not frame.f_code.co_filename.startswith(_ASYNCIO):
            place = _line(frame)
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
    return place


def of_thread(identifier: int | None) -> str:
    """Return the innermost line of the user's at which a thread stands."""
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]  # has no public name
    return of_frame(None if identifier is None else frames.get(identifier)) or UNKNOWN


def of_frame(frame: FrameType | None) -> str | None:
    """Return the innermost line that belongs to no library; else to none of the standard ones."""
    installed: str | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((OWN, _STANDARD, "<frozen ")):
            return _line(frame)
        if installed is None and file.startswith(_INSTALLED) and not file.startswith(OWN):
            installed = _line(frame)
        frame = frame.f_back
    return installed


def _line(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
