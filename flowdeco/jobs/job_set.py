"""Sets of jobs with requirements: who is in one, what comes after what, and whether it can run."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar, cast

from flowdeco.base.graph import CircularError, reverse, topological_order
from flowdeco.base.limits import DEEPEST, check_flag
from flowdeco.base.text import alike, class_name, repr_line
from flowdeco.errors import (
    BusyError,
    CycleError,
    NestingError,
    OwnershipError,
)

from .abstract_job import UNNAMED, AbstractJob, RequirementSet
from .bodies import NESTED, PLAIN
from .chain import Chain
from .job import Job
from .membership import is_called, no_job, not_told_apart, out_of_reach
from .names import check_names, check_timeout
from .plan import Plan

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobSetLike, ReportLike

__all__ = ["JobSet", "Jobs"]

Jobs: TypeAlias = "AbstractJob[object] | Chain[AbstractJob[object]] | None"
JobOrChain = TypeVar("JobOrChain", bound="AbstractJob[object] | Chain[AbstractJob[object]] | None")

SOME = 3
"""How many of its jobs tell a scheduler without a label from others, in an error."""


class JobSet(AbstractJob[bool]):
    """A set of jobs with requirements, which is a job itself, so that sets nest.

    Args:
        critical: as a job, whether its failure ends the run it is part of.
        jobs_critical: whether its jobs are critical, unless they say so themselves; by default as
            `critical` says.

    The others are those of `AbstractJob`.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: the timeout is negative or nan.
    """

    def __init__(
        self,
        *,
        critical: bool | None = None,
        jobs_critical: bool | None = None,
        timeout: float | None = None,
        label: str | None = None,
        forever: bool = False,
        required: RequirementSet = None,
    ) -> None:
        self.__flow_jobs__: dict[AbstractJob[object], int] = {}
        """Each with its number in the plan."""
        self.__flow_plan__ = Plan(self.__flow_jobs__)
        super().__init__(
            label=label, critical=critical, forever=forever, timeout=timeout, required=required
        )
        self.__flow_body__ = NESTED
        self.__flow_me__ = weakref.ref(self)
        check_flag(jobs_critical, "jobs_critical")
        self.jobs_critical = jobs_critical

    @property
    def default_critical(self) -> bool:
        """Whether those of its jobs are critical that do not say so themselves."""
        if self.jobs_critical is not None:
            return self.jobs_critical
        return bool(self.critical)

    @property
    def report(self) -> ReportLike | None:
        """The report of the last run; None before."""
        return None

    def is_busy(self) -> bool:
        """Tell whether a run of this scheduler is going on."""
        return False

    def __flow_cancel__(self, _job: AbstractJob[object], _error: BaseException) -> bool:
        """Cancel a job of the run that goes on; return whether there is anything to cancel."""
        return False

    def __flow_refuse_busy__(self, what: str) -> None:
        if self.is_busy():
            raise BusyError(f"cannot {what} {self.__flow_called__()} while it is running")

    # Its jobs

    def add(self, job: JobOrChain) -> JobOrChain:
        """Add a job, or the jobs of a chain; return what was given. None adds nothing.

        Raises:
            TypeError: it is no job, or its class does not call `super().__init__()`.
            OwnershipError: it is in another scheduler.
            NestingError: it is this scheduler.
            BusyError: a run is going on.
        """
        self.__flow_refuse_busy__("add a job to")
        self._take_in(job)
        return job

    def _take_in(self, given: Jobs) -> None:
        # Asked for what most are: `isinstance` takes far longer to say no than to say yes.
        if isinstance(given, AbstractJob):
            self._check_new(given)
            kind = type(given)
            if kind is not Job and kind.__hash__ is None:
                raise not_told_apart(given)
            if given not in self.__flow_jobs__:
                given.__flow_owner__ = self.__flow_me__
                self.__flow_plan__.add(given)
            elif given.__flow_owner__ is not self.__flow_me__:  # it is not there, but its equal
                raise not_told_apart(given)
        elif isinstance(given, Chain):
            jobs = tuple(given)
            for job in jobs:  # all of them, before any is taken in
                self._check_new(job)
            for job in jobs:
                self._take_in(job)
        elif given is not None:
            raise no_job(given)

    def _check_new(self, job: AbstractJob[object]) -> None:
        if not isinstance(job, AbstractJob):
            raise no_job(job)
        try:
            owner = None if job.__flow_owner__ is None else job.__flow_owner__()
        except AttributeError:
            raise TypeError(
                f"{class_name(job)}.__init__ does not call super().__init__();"
                " write that as its first line"
            ) from None
        if owner is not None and owner is not self:
            raise OwnershipError(
                f"{job.__flow_called__()} cannot be added to {self.__flow_called__()}: it is in"
                f" {owner.__flow_called__()};"
                " remove it there first, or make another job",
                job,
            )
        if type(job) is not Job:
            check_names(job)
            if isinstance(job, JobSet):
                self._check_nesting(job)

    def _check_nesting(self, job: JobSet) -> None:
        if job is self:
            raise NestingError(f"{self.__flow_called__()} cannot be added to itself", 1)
        around = tuple(self._around())
        if any(job is outer for outer in around):
            raise NestingError(
                f"{job.__flow_called__()} cannot be added to {self.__flow_called__()}, which is"
                " inside of it",
                2,
            )
        for _ in job._nested(len(around) + 1):
            pass  # it looks at how deep they are

    def _around(self) -> Iterator[JobSetLike]:
        """This set, the one that it is in, and so on."""
        scheduler: JobSetLike | None = self
        while scheduler is not None:
            yield scheduler
            scheduler = scheduler.__flow_home__

    def update(self, jobs: Iterable[Jobs]) -> Self:
        """Add several jobs or chains, as `add` does; return this scheduler."""
        self.__flow_refuse_busy__("add a job to")
        me, plan = self.__flow_me__, self.__flow_plan__
        numbers, numbered = plan.numbers, plan.jobs
        for job in jobs:
            if type(job) is Job and job.__flow_owner__ is None:  # as nearly all are
                job.__flow_owner__ = me
                numbers[job] = len(numbered)
                numbered.append(job)
            else:
                self._take_in(job)
        if not self.__flow_plan__.is_outdated:
            with contextlib.suppress(KeyError):  # what one of them requires is still to come
                self.__flow_plan__.lay_out()
        return self

    def remove(self, job: AbstractJob[object]) -> Self:
        """Remove a job; return this scheduler. Requirements on it stay: see `sanitize`.

        Raises:
            KeyError: it is not there.
            BusyError: a run is going on.
        """
        self.__flow_refuse_busy__("remove a job from")
        if job not in self.__flow_jobs__:
            raise KeyError(f"{job.__flow_called__()} is not in {self.__flow_called__()}")
        del self.__flow_jobs__[job]
        job.__flow_owner__ = None
        self.__flow_plan__.is_outdated = True
        return self

    def __len__(self) -> int:
        return len(self.__flow_jobs__)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, job: object) -> bool:
        return job in self.__flow_jobs__

    def __iter__(self) -> Iterator[AbstractJob[object]]:
        return iter(tuple(self.__flow_jobs__))

    def iterate_jobs(self, scan_schedulers: bool = False) -> Iterator[AbstractJob[object]]:
        """Iterate over all jobs that are no scheduler, those of nested schedulers included.

        Args:
            scan_schedulers: give the schedulers as well, this one first.
        """
        if scan_schedulers:
            yield self
        levels = [iter(self)]
        while levels:
            for job in levels[-1]:
                if not isinstance(job, JobSet):
                    yield job
                    continue
                if scan_schedulers:
                    yield job
                levels.append(iter(job))
                break
            else:
                levels.pop()

    def find(self, name: str) -> AbstractJob[object]:
        """Return the first job of that name, of this scheduler or else of a nested one.

        Raises:
            LookupError: there is none; the message has names like it.
        """
        below: dict[AbstractJob[object], None] = {self: None}
        levels: list[AbstractJob[object]] = [self]
        for parent in levels:
            for job in parent.children:
                if is_called(job, name):
                    return job
                if job not in below:  # a flow may have itself inside
                    below[job] = None
                    levels.append(job)
        shown = repr_line(name)
        close = alike(name, (job.name for job in levels[1:]))
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise LookupError(f"no job is called {shown} in {self.__flow_called__()}{hint}")

    def entry_jobs(self) -> Iterator[AbstractJob[object]]:
        """Iterate over the jobs that require nothing."""
        return (job for job in self if not job.required)

    def exit_jobs(self) -> Iterator[AbstractJob[object]]:
        """Iterate over the jobs that nothing requires."""
        required = {before for job in self for before in job.required}
        return (job for job in self if job not in required)

    def topological_order(self) -> Iterator[AbstractJob[object]]:
        """Iterate over the jobs so that each comes after what it requires.

        Raises:
            CycleError: they wait for each other.
        """
        try:
            order = topological_order(self.requirements())
        except CircularError as error:
            raise self._cycle(error) from None
        return iter(order)

    def requirements(self) -> dict[AbstractJob[object], list[AbstractJob[object]]]:
        """Return the graph: each job with what it requires, within this scheduler."""
        return {
            job: [other for other in job.required if other in self.__flow_jobs__] for job in self
        }

    def dependents(self) -> dict[AbstractJob[object], list[AbstractJob[object]]]:
        """Return the graph the other way round: each job with what requires it."""
        return reverse(self.requirements())

    # Checks

    def rain_check(self) -> bool:
        """Tell whether there is no cycle, in this scheduler and in the nested ones."""
        try:
            for scheduler in self._nested():
                scheduler.topological_order()
        except CycleError:
            return False
        return True

    def sanitize(self) -> bool:
        """Remove all requirements on jobs that are not in the same scheduler, nested ones too.

        Returns:
            Whether there was nothing to remove.

        Raises:
            BusyError: a run is going on.
        """
        self.__flow_refuse_busy__("sanitize")
        clean = True
        for scheduler in self._nested():
            for job in scheduler:
                strange = [other for other in job.required if other not in scheduler]
                if strange:
                    job.requires(strange, remove=True)
                    clean = False
        return clean

    def _nested(self, depth: int = 1) -> Iterator[JobSet]:
        """This scheduler, which is that deep, and all that are nested in it."""
        found: list[tuple[JobSet, int]] = [(self, depth)]
        while found:
            scheduler, depth = found.pop()
            if depth > DEEPEST:
                raise NestingError(
                    f"schedulers are nested more than {DEEPEST} levels deep, at"
                    f" {self.__flow_called__()}",
                    depth,
                )
            yield scheduler
            found += [
                (job, depth + 1)
                for job in scheduler.__flow_jobs__
                if job.__flow_body__ is not PLAIN and isinstance(job, JobSet)
            ]

    def __flow_check_all__(self) -> None:
        """Find what would go wrong, before anything starts (rule 1)."""
        for scheduler in self._nested():
            scheduler.__flow_refuse_busy__("run")
            scheduler._check_jobs()

    def _check_jobs(self) -> None:
        self._lay_out()
        # A comprehension leaves most of the jobs out in half of the time.
        special = [
            job
            for job in self.__flow_jobs__
            if job.__flow_body__ is not PLAIN or job.timeout is not None or type(job) is not Job
        ]
        for job in special:
            if type(job) is not Job:
                check_names(job)
            if job.timeout is not job.__flow_timeout__:  # which was checked
                check_timeout(job)
            if job.__flow_body__.is_stateful:
                job.__flow_check_ready__()

    def _lay_out(self) -> None:
        if self.__flow_plan__.is_outdated:
            self.__flow_plan__ = Plan(self.__flow_jobs__)
        try:
            self.__flow_plan__.lay_out()
        except KeyError:
            raise out_of_reach(self) from None
        if self.__flow_plan__.unordered:
            self.topological_order()
            self.__flow_plan__.unordered = False

    def __flow_graph_changed__(self) -> None:
        self.__flow_plan__.is_outdated = True

    def _cycle(self, error: CircularError) -> CycleError:
        jobs = cast("list[AbstractJob[object]]", error.nodes)
        names = [job.__flow_called__() if job.name == UNNAMED else job.name for job in jobs]
        return CycleError(names, self.__flow_called__())

    @property
    def children(self) -> Iterable[AbstractJob[object]]:
        """The jobs of this scheduler."""
        return self

    def __flow_called__(self) -> str:
        if self.label is not None or self.name != UNNAMED:
            return repr(self.name)
        jobs = self.__flow_jobs__
        if not jobs:
            return "an empty Scheduler without a label"
        first = list(jobs)[:SOME]
        names = [f"a {class_name(job)}" if job.name == UNNAMED else repr(job.name) for job in first]
        more = f" and {len(jobs) - SOME} more" if len(jobs) > SOME else ""
        return f"the Scheduler of {', '.join(names)}{more}"
