"""The progress of a run: who waits for what, and what has come of each job."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, Final

from flowdeco.jobs.bodies import PLAIN, MethodBody
from flowdeco.jobs.job import AbstractJob, Job
from flowdeco.jobs.outcome import Outcome, State

from .execution import Execution
from .specification import Specification

__all__ = ["Progress"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_IDLE = State.IDLE
_SCHEDULED = State.SCHEDULED

_UNENDED: Final = (State.IDLE, State.SCHEDULED, State.RUNNING)


class Progress:
    """The jobs of one run by number: their outcomes, what they wait for, and what is ready.

    Args:
        specification: that of the run.
        all_attended: whether no job may take the short way, as somebody watches the run or jobs
            need slots.
    """

    __slots__ = (
        "bodies",
        "executions",
        "has_services",
        "has_skips",
        "has_steps",
        "jobs",
        "left",
        "outcomes",
        "ready",
        "successors",
        "waiting",
    )

    def __init__(self, specification: Specification, *, all_attended: bool) -> None:
        self.jobs: Sequence[AbstractJob[object]] = specification.jobs
        self.successors = specification.successors
        self.waiting = list(specification.waiting)
        """How many requirements of each job have not ended (or, of services, come up)."""
        self.ready: deque[int] = deque()
        """The jobs that are to start, in order; the ready queue has an entry for each."""
        self.executions: list[Execution | None] = [None] * len(self.jobs)
        """The executions of jobs that wait for a slot, or are at work."""
        self.bodies: list[Callable[[], Any] | None] = []
        """The functions of plain jobs; None for the others, whose executions are attended."""
        self.outcomes: Sequence[Outcome] = []
        self.has_skips = False
        services = self._begin(specification.critical, all_attended=all_attended)
        self.has_services = services > 0
        self.has_steps = services < len(self.jobs)
        self.left: int = len(self.jobs) - services if self.has_steps else services
        """Unfinished steps; in a run of services alone, unfinished services."""

    def _begin(self, default: bool, *, all_attended: bool) -> int:
        """Make new outcomes, and find the plain jobs; return the number of services."""
        outcomes: list[Outcome] = []
        add_outcome, add_body = outcomes.append, self.bodies.append
        services = 0
        for job in self.jobs:
            critical = job.critical
            outcome = Outcome(job.__flow_required__, default if critical is None else critical)
            job.__flow_outcome__ = outcome
            add_outcome(outcome)
            body = job.__flow_body__
            if body is PLAIN and not all_attended and type(job) is Job:
                if job.timeout is None and not job.forever:
                    function: Any = job.body
                    if type(function) is MethodBody:
                        function = MethodType(function.method, function.flow)
                    add_body(function)
                    continue
            add_body(None)
            if job.forever:
                services += 1
            if body.is_stateful:
                job.__flow_renew__()
        self.outcomes = outcomes
        return services

    def release(self, number: int, add: Callable[[], object]) -> bool:
        """Make ready the jobs that have waited for this one alone.

        Args:
            number: the job that has ended, or as a service come up.
            add: called for each job that becomes ready.

        Returns:
            Whether any job has waited for it.
        """
        successors = self.successors[number]
        if successors is None:
            return False
        waiting = self.waiting
        for successor in successors:
            left = waiting[successor] - 1
            waiting[successor] = left
            if not left:
                self.outcomes[successor].state = _SCHEDULED
                self.ready.append(successor)
                add()
        return True
