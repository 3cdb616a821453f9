"""Telling observers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowdeco.base import locations, log
from flowdeco.base.exceptions import traceback_of
from flowdeco.base.text import class_name, line
from flowdeco.observers.base import Observer

__all__ = ["Observers"]


class Observers:
    """The observers of one run, without those that have raised.

    Args:
        observers: who watches.
        flow: the name of what runs, for the log.
    """

    __slots__ = ("_flow", "_observers")

    def __init__(self, observers: Sequence[Observer], flow: str) -> None:
        self._observers = list(observers)
        self._flow = flow

    def tell(self, notify: Callable[[Observer], None]) -> BaseException | None:
        """Call each observer; return a `SystemExit` or `KeyboardInterrupt` that one raised."""
        leaving: BaseException | None = None
        for observer in self._observers:
            try:
                notify(observer)
            except (SystemExit, KeyboardInterrupt) as error:
                leaving = error if leaving is None else leaving
            except BaseException as error:
                # A new list, as this one is being walked through; and never by their equality.
                self._observers = [one for one in self._observers if one is not observer]
                told = log.write(log.WARNING, _disabled(observer, error), self._flow)
                leaving = told if leaving is None else leaving
        return leaving


def _disabled(observer: Observer, error: BaseException) -> str:
    traceback, place = traceback_of(error), locations.UNKNOWN
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(locations.OWN):
            place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    text = f"{class_name(error)}: {line(error)}".removesuffix(": ")
    return f"observer {line(observer)} raised {text}, at {place}; it is disabled for this run"
