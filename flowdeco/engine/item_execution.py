"""The items of a fan-out at work: when one has started, the next one is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flowdeco.jobs.outcome import Outcome

from .attended_execution import AttendedExecution
from .executing_run import ExecutingRun
from .execution import Execution
from .plain_execution import PlainExecution
from .retried_execution import RetriedExecution
from .slotted_execution import SlottedExecution
from .timed_execution import TimedExecution

__all__ = ["DrawingRun", "execution_of_item"]


class DrawingRun(ExecutingRun, Protocol):
    """The run of a fan-out, as its items know it."""

    def draw(self) -> object:
        """Take in the next item."""


class _Item(Execution):
    """What the execution of an item does beside those of other jobs."""

    __slots__ = ()

    run: DrawingRun

    def start(self, now: float) -> None:
        """Start the body, or queue for a slot; what has started makes way for the next item."""
        super().start(now)
        if self.ended or self.task is not None:
            self.run.draw()


class _PlainItem(_Item, PlainExecution):
    __slots__ = ()


class _SlottedItem(_Item, SlottedExecution):
    __slots__ = ()


class _TimedItem(_Item, TimedExecution):
    pass


class _AttendedItem(_Item, AttendedExecution):
    pass


class _RetriedItem(_Item, RetriedExecution):
    pass


def execution_of_item(
    run: DrawingRun, number: int, outcome: Outcome, body: Callable[[], Any] | None
) -> Execution:
    """Return the execution of an item.

    Args:
        run: the run of the fan-out.
        number: the number of the item in it.
        outcome: its outcome, which is written there.
        body: a function without arguments, if there is nothing but that.
    """
    job = run.progress.jobs[number]
    attends_all = run.progress.all_attended
    if body is not None and not attends_all:
        if job.timeout is None:
            kind = _SlottedItem if run.slots else _PlainItem
            return kind(run, number, outcome, body)
        if run.queue.is_eager and not (run.is_noted or run.slots):
            return _TimedItem(run, number, outcome, body)
    if job.__flow_body__.retry is not None:
        return _RetriedItem(run, number, outcome, job)
    return _AttendedItem(run, number, outcome, job)
