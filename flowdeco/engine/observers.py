"""The observers of a run, called safely (rule 17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flowdeco.base import locations, log
from flowdeco.base.exceptions import traceback_of
from flowdeco.base.text import class_name, line

__all__ = ["Observers", "Watcher"]


class Watcher(Protocol):
    """Who watches a run: a `flowdeco.Observer`."""

    def run_started(self, scheduler: Any) -> object:
        """Note that the outermost run has started, before any job."""

    def job_started(self, job: Any) -> object:
        """Note that the body of a job is about to start."""

    def job_retried(self, job: Any) -> object:
        """Note that an attempt of a job has failed, and another will follow."""

    def job_ended(self, job: Any) -> object:
        """Note that a job has ended, was skipped, or was left stuck."""

    def run_ended(self, report: Any) -> object:
        """Note that the outermost run has ended."""


class _Subscription:
    """An observer, until it raises."""

    __slots__ = ("is_disabled", "observer")

    def __init__(self, observer: Watcher) -> None:
        self.observer = observer
        self.is_disabled = False


class Observers:
    """The observers of one run, and those of the runs around it.

    Args:
        own: the observers of the run itself, which are called first.
        enclosing: the observers of the run around it.
        flow: the name of the outermost run, for the log.
    """

    __slots__ = ("_flow", "_subscriptions")

    def __init__(self, own: Sequence[Watcher], enclosing: Observers | None, flow: str) -> None:
        self._flow = flow
        self._subscriptions = [_Subscription(observer) for observer in own]
        if enclosing is not None:
            self._subscriptions += enclosing._subscriptions

    def __bool__(self) -> bool:
        return bool(self._subscriptions)

    def tell(self, notify: Callable[[Watcher], object]) -> BaseException | None:
        """Call each observer; return a `SystemExit` or `KeyboardInterrupt` that one raised."""
        leaving: BaseException | None = None
        for subscription in self._subscriptions:
            if subscription.is_disabled:
                continue
            try:
                notify(subscription.observer)
            except (SystemExit, KeyboardInterrupt) as error:
                leaving = error if leaving is None else leaving
            except BaseException as error:
                subscription.is_disabled = True
                text = _disabled(subscription.observer, error)
                told = log.write(log.WARNING, text, self._flow)
                leaving = told if leaving is None else leaving
        return leaving


def _disabled(observer: Watcher, error: BaseException) -> str:
    traceback, location = traceback_of(error), locations.UNKNOWN
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(locations.OWN):
            location = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    text = f"{class_name(error)}: {line(error)}".removesuffix(": ")
    return f"observer {line(observer)} raised {text}, at {location}; it is disabled for this run"
