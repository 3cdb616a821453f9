"""Those who watch a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import log, places
from .exceptions import traceback_of
from .text import class_name, line

if TYPE_CHECKING:
    from .job import AbstractJob
    from .report import Report
    from .scheduler import Scheduler

__all__ = ["Audience", "Observer"]


class Observer:
    """Watches a run; subclasses override what they are interested in.

    The methods are called in the thread of the loop, so they should be quick. One that raises is
    logged, and its observer is not called again in this run (rule 17); but `SystemExit` and
    `KeyboardInterrupt` end the run as if a job had raised them.
    """

    def run_started(self, scheduler: Scheduler) -> None:
        """Note that the outermost run has started, before any job."""

    def job_started(self, job: AbstractJob[object]) -> None:
        """Note that the body of a job is about to start."""

    def job_ended(self, job: AbstractJob[object]) -> None:
        """Note that a job has ended, was skipped, or was left stuck."""

    def run_ended(self, report: Report) -> None:
        """Note that the outermost run has ended."""


class Audience:
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
    traceback, place = traceback_of(error), places.UNKNOWN
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(places.OWN):
            place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    text = f"{class_name(error)}: {line(error)}".removesuffix(": ")
    return f"observer {line(observer)} raised {text}, at {place}; it is disabled for this run"
