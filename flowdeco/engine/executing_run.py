"""A run, as the executions of its jobs know it."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context
from typing import Any, Protocol

from flowdeco.jobs.abstract_job import AbstractJob

from .ending import Ending
from .nested import NestedRuns
from .progress import Progress
from .ready_queue import ReadyQueue
from .reason import Reason
from .record import Record
from .session import Session
from .slots import Slots
from .specification import Specification
from .tasks import Clock

__all__ = ["ExecutingRun"]


class ExecutingRun(Protocol):
    """A run, as its executions know it."""

    session: Session
    queue: ReadyQueue
    progress: Progress[Any]
    specification: Specification
    reason: Reason | None
    context: Context
    """Jobs and hooks run in copies of it."""
    clock: Clock
    zero: float
    """The beginning of the outermost run, by the clock."""
    starts_until: float
    """The deadline, by the clock; before any time once nothing starts any more."""
    path: str
    """The path of the job within which the run goes on; empty at the outermost level."""
    ending: Ending
    is_noted: bool
    """Whether starts and ends of jobs are told to observers or the log."""
    slots: tuple[Slots[Any], ...]
    """The windows that limit its jobs: its own and, for a fan-out, those of the enclosing runs."""
    verdicts: dict[object, BaseException]
    """What those have failed with, by execution, that somebody has cancelled by `job.cancel()`."""
    nested: dict[object, NestedRuns]
    """The runs within the bodies of its jobs, by execution."""

    @property
    def enclosing(self) -> Any:
        """The job within which the run goes on."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether jobs still start."""
        ...

    def records_within(self, job: AbstractJob[object]) -> Sequence[Record]:
        """Return the records of the runs that have ended within a job."""
        ...

    def fail(self, reason: Reason) -> object:
        """End because of this, unless there is a reason already that counts more."""

    def may_start(self, now: float) -> bool:
        """Tell whether a body may start at that time; none does after the deadline (rule 2)."""
        ...

    def job_started(self, execution: Any) -> object:
        """Note that a body is about to start; called if `is_noted`."""

    def service_ready(self, execution: Any) -> object:
        """Start the jobs that have waited for this service."""

    def job_retried(self, execution: Any, said: str) -> object:
        """Note that an attempt has failed, and another will follow."""

    def job_done(self, execution: Any, value: object) -> object:
        """Note that a plain job has ended with a value, and start its successors."""

    def job_failed(self, execution: Any, error: BaseException) -> object:
        """Note a failure, or a skip; a decisive one ends the run."""

    def job_stuck(self, execution: Any) -> object:
        """Note that a job does not end."""

    def job_ended(self, execution: Any, now: float | None = None) -> object:
        """Let go of a job that has ended, with its outcome in place, and start its successors."""

    def note_end(self, execution: Any) -> object:
        """Tell the log and the observers of an end, once."""

    def forget(self, execution: Any) -> object:
        """Let go of a job that has not started, and will not."""
