"""The items of a fan-out at work: when one has started, the next one is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from flowdeco.jobs.abstract_job import AbstractJob

from .attended_execution import AttendedExecution
from .executing_run import ExecutingRun
from .execution import Execution
from .plain_execution import PlainExecution
from .retried_execution import RetriedExecution
from .slotted_execution import SlottedExecution
from .timed_execution import TimedExecution

__all__ = ["DrawingRun", "kind_of_item"]


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
    # Its own, as its number may be another's when it has ended.
    __slots__ = ("job",)  # pyright: ignore[reportIncompatibleMethodOverride]


class _SlottedItem(_Item, SlottedExecution):
    __slots__ = ("job",)  # pyright: ignore[reportIncompatibleMethodOverride]


class _TimedItem(_Item, TimedExecution):
    __slots__ = ("job",)  # pyright: ignore[reportIncompatibleMethodOverride]


class _AttendedItem(_Item, AttendedExecution):
    pass


class _RetriedItem(_Item, RetriedExecution):
    pass


def kind_of_item(
    run: DrawingRun, job: AbstractJob[object], *, has_function: bool
) -> Callable[[Any, int], Execution]:
    """Return what makes the execution of an item, given the run and the number of the item.

    Args:
        run: the run of the fan-out.
        job: one of its items.
        has_function: whether there is nothing but a function to be called, and perhaps a timeout.
    """
    if has_function and not run.progress.all_attended:
        if job.timeout is None:
            return _slotted if run.slots else _plain
        if run.queue.is_eager and not (run.is_noted or run.slots):
            return _timed
    return _attended if job.__flow_body__.retry is None else _retried


def _plain(run: DrawingRun, number: int) -> Execution:
    return _with_function(_PlainItem, run, number)


def _slotted(run: DrawingRun, number: int) -> Execution:
    return _with_function(_SlottedItem, run, number)


def _timed(run: DrawingRun, number: int) -> Execution:
    return _with_function(_TimedItem, run, number)


def _with_function(kind: Any, run: DrawingRun, number: int) -> Execution:
    progress = run.progress
    execution = kind(run, number, progress.outcomes[number], progress.bodies[number])
    execution.job = progress.jobs[number]
    return cast("Execution", execution)


def _attended(run: DrawingRun, number: int) -> Execution:
    return _AttendedItem(run, number, run.progress.outcomes[number], run.progress.jobs[number])


def _retried(run: DrawingRun, number: int) -> Execution:
    outcome: Any = run.progress.outcomes[number]
    return _RetriedItem(run, number, outcome, run.progress.jobs[number])
