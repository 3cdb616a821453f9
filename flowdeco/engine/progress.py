"""The progress of a run: what waits for what, and what has come of each job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, Final, Generic, Protocol, TypeVar

from flowdeco.base.text import LIMIT
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.attempts import RetriedOutcome
from flowdeco.jobs.bodies import PLAIN, CoroutineBody, MethodBody
from flowdeco.jobs.entries import Entry, unrun
from flowdeco.jobs.job import Job
from flowdeco.jobs.marks import name_of
from flowdeco.jobs.outcome import Outcome, State

from .record import Record
from .specification import Specification

__all__ = ["Progress", "Working"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_SCHEDULED = State.SCHEDULED

_UNENDED: Final = (State.IDLE, State.SCHEDULED, State.RUNNING)


class Working(Protocol):
    """The execution of a job."""

    task: asyncio.Task[None] | None
    is_up: bool

    @property
    def job(self) -> AbstractJob[object]: ...


W = TypeVar("W", bound=Working)


class Progress(Generic[W]):
    """The jobs of one run by number, with all that changes while they run.

    Args:
        specification: that of the run.
        path: the path of the job within which the run goes on, if there is one.
        all_attended: whether every job needs attention when it starts or ends, as the block monitor
            has an eye on all of them, or a task factory makes their tasks.
    """

    __slots__ = (
        "all_attended",
        "attended",
        "bodies",
        "executions",
        "failures",
        "given",
        "has_services",
        "has_skips",
        "has_steps",
        "jobs",
        "last_end",
        "left",
        "names",
        "outcomes",
        "records",
        "stuck",
        "successors",
        "waiting",
    )

    def __init__(self, specification: Specification, path: str, *, all_attended: bool) -> None:
        self.jobs: Sequence[AbstractJob[object]] = specification.jobs
        self.successors = specification.successors
        self.waiting = list(specification.waiting)
        """How many requirements of each job have not ended (or, of services, come up)."""
        self.executions: list[W | None] = [None] * len(self.jobs)
        """The executions of jobs that wait for a slot, or are at work."""
        self.bodies: list[Callable[[], Any] | None] = []
        """The functions of plain jobs; None for the others."""
        self.attended: dict[int, Callable[[], Any]] = {}
        """The functions of jobs that would be plain but for their timeout, or `all_attended`."""
        self.all_attended = all_attended
        self.names: list[str] = []
        """The paths of the jobs."""
        self.outcomes: list[Outcome] = []
        self.given = specification.given
        """The jobs whose ends are given by overrides."""
        services = self._begin(specification.critical, path)
        for job in self.given or ():
            number = self.jobs.index(job)
            self.bodies[number] = None
            self.attended.pop(number, None)
        self.has_services = services > 0
        self.has_steps = services < len(self.jobs)
        self.left: int = len(self.jobs) - services if self.has_steps else services
        """Unfinished steps; in a run of services alone, unfinished services."""
        self.last_end = 0.0
        """When the step ended that may be the last one, by the clock."""
        self.has_skips = False
        self.failures: list[AbstractJob[object]] = []
        self.stuck: list[AbstractJob[object]] = []
        self.records: dict[AbstractJob[object], list[Record]] = {}
        """The records of the runs that have ended within jobs."""

    def _begin(self, default: bool, path: str) -> int:
        """Make new outcomes, and find the plain jobs; return the number of services."""
        outcomes, bodies, names = self.outcomes, self.bodies, self.names
        services = 0
        for job in self.jobs:
            critical = job.critical
            outcome = Outcome(job.__flow_required__, default if critical is None else critical)
            job.__flow_outcome__ = outcome
            outcomes.append(outcome)
            body = job.__flow_body__
            if (
                type(job) is Job
                and not job.forever
                and (body is PLAIN or type(body) is CoroutineBody)
            ):
                function: Any = job.body
                name: Any = job.label
                kind: Any = function.__class__
                if kind is FunctionType:
                    if name is None:
                        name = function.__name__
                elif kind is CoroutineBody:
                    if name is None:
                        name = function.coroutine.__name__
                    function = function.start
                elif kind is MethodBody:
                    function = MethodType(function.method, function.flow)
                names.append(name_of(job) if name is None else name)
                if job.timeout is None:
                    bodies.append(function)
                    continue
                self.attended[len(bodies)] = function
                bodies.append(None)
                continue
            bodies.append(None)
            services += job.forever
            if body.retry is not None:
                job.__flow_outcome__ = outcomes[-1] = RetriedOutcome.like(outcome)
            if body.is_stateful:
                job.__flow_renew__()
            names.append(name_of(job))
        if not _are_printable(names):
            names[:] = map(name_of, self.jobs)
        if path:
            names[:] = [f"{path}/{name}" for name in names]
        if self.all_attended:
            found = {number: body for number, body in enumerate(bodies) if body is not None}
            self.attended.update(found)
            bodies[:] = [None] * len(bodies)
        return services

    def unschedule(self) -> None:
        """Let the jobs be idle again that were ready, or have waited for a slot."""
        if self.left or self.has_services:
            for outcome in self.outcomes:
                if outcome.state is _SCHEDULED:
                    outcome.state = State.IDLE

    def at_work(self, *, forever: bool) -> list[W]:
        """Return the executions of the services, or else of the steps, that are at work."""
        if not (self.has_services if forever else self.left):
            return []
        return [
            execution
            for execution in self.executions
            if execution is not None
            and execution.task is not None
            and execution.job.forever is forever
        ]

    def recount(self, *, is_open: bool) -> list[int]:
        """Derive anew all that follows from the outcomes, and from the executions at work.

        Args:
            is_open: whether jobs still start.

        Returns:
            The jobs that are ready.
        """
        waiting = [0] * len(self.jobs)
        for number, successors in enumerate(self.successors):
            if successors is not None and not self._has_come(number):
                for successor in successors:
                    waiting[successor] += 1
        self.waiting = waiting
        ready: list[int] = []
        for number, outcome in enumerate(self.outcomes):
            is_waiting = outcome.state is State.IDLE or outcome.state is _SCHEDULED
            if is_waiting and self.executions[number] is None:
                outcome.state = State.IDLE
                if is_open and not waiting[number]:
                    ready.append(number)
        self.left = sum(
            outcome.state in _UNENDED and not (job.forever and self.has_steps)
            for job, outcome in zip(self.jobs, self.outcomes, strict=True)
        )
        self.has_skips = any(outcome.state is State.SKIPPED for outcome in self.outcomes)
        return ready

    def find_unrun(self) -> dict[AbstractJob[object], tuple[Entry, ...]]:
        """Return what is inside of the jobs that have not run."""
        if not (self.has_skips or self.left or self.has_services):
            return {}
        return {
            job: unrun(job.children)
            for job, outcome in zip(self.jobs, self.outcomes, strict=True)
            if outcome.state in (State.IDLE, State.SKIPPED)
        }

    def _has_come(self, number: int) -> bool:
        """Whether a job has ended, or as a service come up: its successors no longer wait."""
        execution = self.executions[number]
        if execution is not None and execution.is_up:
            return True
        return self.outcomes[number].state not in _UNENDED


def _are_printable(names: list[str]) -> bool:
    """Tell whether names can stand as they are: all at once, as nearly all can."""
    try:
        return "".join(names).isprintable() and max(map(len, names), default=0) <= LIMIT
    except TypeError:  # a label is no text
        return False
