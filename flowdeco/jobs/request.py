"""What a run is asked for: within which limits, watched by whom, which jobs, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from flowdeco.base.limits import Limits, finite

from .abstract_job import AbstractJob
from .bodies import PLAIN, MethodBody
from .callables import isinstance_of
from .job import Job
from .job_set import JobSet
from .override import Override, Overrides
from .part import Targets, part_of

__all__ = ["Request", "Staging"]


class Request:
    """What a run is asked for.

    Args:
        limits: its bounds.
        observers: who watches.
        overrides: what it gives jobs in place of their bodies.
        start: the jobs that it begins with; None for all.
        until: the jobs that it ends with; None for all.
    """

    __slots__ = ("limits", "observers", "overrides", "start", "until")

    def __init__(
        self,
        limits: Limits,
        observers: Sequence[Any] = (),
        overrides: Iterable[Override] = (),
        start: Targets = None,
        until: Targets = None,
    ) -> None:
        self.limits = limits
        self.observers = observers
        self.overrides = overrides
        self.start = start
        self.until = until


class Staging:
    """What one run makes of a set of jobs.

    Args:
        jobs: the jobs of the set.
        request: what was asked for.
        around: the overrides of the run that this one is part of.

    Raises:
        OverrideError: an override cannot be.
        PartError: a part cannot run.
        TypeError: something is neither an override nor means a job.
    """

    __slots__ = (
        "_bodies",
        "_replaced",
        "given",
        "jobs",
        "overrides",
        "part",
        "successors",
        "waiting",
    )

    def __init__(self, jobs: JobSet, request: Request, around: Overrides | None) -> None:
        self.overrides: Overrides = Overrides(request.overrides, around)
        self.given: dict[AbstractJob[object], Override] | None = None
        """The overrides of jobs whose ends are given."""
        self._replaced: dict[AbstractJob[object], Callable[..., object]] = {}
        self._bodies: list[tuple[object, str, object]] = []
        found: dict[AbstractJob[object], Override] = {}
        if self.overrides:
            found = self.overrides.of(jobs)
            self.overrides.check_targets(jobs)
            self.given = {job: one for job, one in found.items() if one.is_given}
            self._replaced = {
                job: one.replaced_by for job, one in found.items() if one.replaced_by is not None
            }
        is_bounded = finite(request.limits.timeout) is not None
        self.part = part_of(jobs, request.start, request.until, found, is_bounded=is_bounded)
        plan = jobs.__flow_plan__
        self.jobs = tuple(plan.jobs) if self.part is None else self.part.jobs
        self.waiting = plan.waiting if self.part is None else self.part.waiting
        self.successors = plan.successors if self.part is None else self.part.successors
        if self.part is not None and self.given:
            self.given = {job: one for job, one in self.given.items() if job in self.jobs}

    @property
    def unhooked(self) -> Collection[AbstractJob[object]]:
        """The jobs whose hooks are not called: nothing of theirs has run."""
        left_out = () if self.part is None else self.part.left_out
        return {*(self.given or ()), *left_out}

    def begin(self) -> None:
        """Put functions in the place of bodies, and say which jobs were left out."""
        if self.part is not None:
            self.part.leave_out()
        for job, function in self._replaced.items():
            assert isinstance(job, Job)  # or it has nothing to be replaced
            if isinstance_of(job.body, MethodBody):
                self._replace(job.body, "method", function)
            else:
                if job.__flow_body__.is_stateful:  # of a coroutine object, which may have run
                    self._replace(job, "__flow_body__", PLAIN)
                self._replace(job, "body", function)

    def _replace(self, owner: object, attribute: str, value: object) -> None:
        self._bodies.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, value)

    def end(self) -> None:
        """Put the bodies back."""
        for owner, attribute, value in reversed(self._bodies):
            setattr(owner, attribute, value)
        self._bodies.clear()
