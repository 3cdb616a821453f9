"""Those who watch a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job import AbstractJob
    from .report import Report
    from .scheduler import Scheduler

__all__ = ["Audience", "Observer"]

logger = logging.getLogger("flowdeco")


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
    """The observers of one run, without those that have raised."""

    __slots__ = ("_observers",)

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = list(observers)

    def tell(self, notify: Callable[[Observer], None]) -> BaseException | None:
        """Call each observer; return a `SystemExit` or `KeyboardInterrupt` that one raised."""
        leaving: BaseException | None = None
        for observer in list(self._observers):
            try:
                notify(observer)
            except (SystemExit, KeyboardInterrupt) as error:
                leaving = leaving or error
            except BaseException:
                self._observers.remove(observer)
                logger.warning("observer %r raised and is disabled", observer, exc_info=True)
        return leaving
