"""Pickles of values that hold what is not to be pickled."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

__all__ = ["pickled_with", "read_with"]


def pickled_with(stand_in: Callable[[Any], object], value: object) -> bytes:
    """Pickle a value.

    Args:
        stand_in: called with all that is in it; returns what is to be pickled in its place, or None
            where it is to be pickled itself.
        value: the value.
    """
    stream = io.BytesIO()
    _picklers()[0](stream, stand_in).dump(value)
    return stream.getvalue()


def read_with(stood_for: Callable[[Any], object], pickled: bytes) -> object:
    """Read a pickled value back.

    Args:
        stood_for: called with what stands for others; returns what is to be there instead.
        pickled: what `pickled_with` has returned.
    """
    value: object = _picklers()[1](io.BytesIO(pickled), stood_for).load()
    return value


@functools.cache
def _picklers() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What writes such values, and what reads them."""
    import pickle  # noqa: PLC0415  # only here, and its import costs two milliseconds

    class Pickler(pickle.Pickler):
        def __init__(self, stream: io.BytesIO, stand_in: Callable[[object], object]) -> None:
            super().__init__(stream)
            self._stand_in = stand_in

        def persistent_id(self, obj: object) -> object:
            return self._stand_in(obj)

    class Unpickler(pickle.Unpickler):
        def __init__(self, stream: io.BytesIO, stood_for: Callable[[Any], object]) -> None:
            super().__init__(stream)
            self._stood_for = stood_for

        def persistent_load(self, pid: Any) -> object:
            return self._stood_for(pid)

    return Pickler, Unpickler
