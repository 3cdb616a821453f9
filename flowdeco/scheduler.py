"""Schedulers: sets of jobs with requirements, which run them, and are jobs themselves."""

from __future__ import annotations

import asyncio
import builtins  # within the class, `list` means its method
import contextlib
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from .base.graph import CircularError, reverse, topological_order
from .base.limits import DEEPEST, Limits, check_flag
from .base.text import alike, class_name, path_within, repr_line, value_line
from .engine import own_loop
from .engine.execution import enclosing_execution
from .engine.reason import Cause
from .engine.record import Record
from .engine.run import Run
from .engine.specification import DueHook, Specification
from .errors import (
    BusyError,
    CycleError,
    NestingError,
    OwnershipError,
    RequirementError,
)
from .jobs.bodies import NESTED, PLAIN, function_name, is_coroutine
from .jobs.chain import Chain
from .jobs.entries import entries
from .jobs.job import NEVER_RUN, UNNAMED, AbstractJob, Job, RequirementSet
from .jobs.loops import refuse_running_loop
from .jobs.marks import fitting, plain
from .jobs.names import check_names, check_timeout
from .jobs.plan import Plan
from .views import diagram, listing
from .views.dot import Graph
from .views.report import Report, debrief

if TYPE_CHECKING:
    import os

    from .observers.base import Observer

__all__ = ["Scheduler"]

Jobs: TypeAlias = "AbstractJob[object] | Chain[AbstractJob[object]] | None"
JobOrChain = TypeVar("JobOrChain", bound="AbstractJob[object] | Chain[AbstractJob[object]] | None")

SOME = 3
"""How many of its jobs tell a scheduler without a label from others, in an error."""


class Scheduler(AbstractJob[bool]):
    """A set of jobs with requirements, that runs them; and a job, so that schedulers nest.

    Args:
        jobs: jobs and chains of jobs, in the order of their declaration; None is left out.
        critical: as a job, whether its failure ends the run it is part of; None takes the default
            there. It is also the default of its own jobs, where `jobs_critical` is not given.
        jobs_critical: whether its jobs are critical, unless they say so themselves.
        timeout: the seconds until the deadline of a run; None and infinity are no limit.
        window: how many of its jobs run at once; None is no limit.
        grace: the seconds that running jobs have to end when the run does.
        shutdown_timeout: the seconds that shutdown hooks have after that.
        label: the name in listings.
        forever: as a job, whether it is stopped when the steps beside it are done.
        required: as a job, what it comes after.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a number is out of range, or a job is in another scheduler already.
    """

    ends_at_first_failure: bool = False
    """Whether any failure ends the run, as that of a critical job does."""
    shares_slots: bool = False
    """Whether its jobs need slots of the enclosing runs as well."""

    def __init__(
        self,
        *jobs: Jobs,
        critical: bool | None = None,
        jobs_critical: bool | None = None,
        timeout: float | None = None,
        window: int | None = None,
        grace: float = 5.0,
        shutdown_timeout: float = 1.0,
        label: str | None = None,
        forever: bool = False,
        required: RequirementSet = None,
    ) -> None:
        self.__flow_jobs__: dict[AbstractJob[object], int] = {}
        """Each with its number in the plan."""
        self.__flow_plan__ = Plan(self.__flow_jobs__)
        self.__flow_run__: Run | None = None
        self.__flow_report__: Report | None = None
        self.__flow_shutdown_ok__: bool | None = None
        super().__init__(
            label=label, critical=critical, forever=forever, timeout=timeout, required=required
        )
        self.__flow_body__ = NESTED
        self.__flow_me__ = weakref.ref(self)
        check_flag(jobs_critical, "jobs_critical")
        self.jobs_critical = jobs_critical
        self.window = window
        self.grace = grace
        self.shutdown_timeout = shutdown_timeout
        _ = self.limits  # checks them
        self.update(jobs)

    @property
    def limits(self) -> Limits:
        """What bounds a run: the numbers given, or set since.

        Raises:
            TypeError, ValueError: one is of a wrong type or out of range.
        """
        return Limits(self.timeout, self.window, self.grace, self.shutdown_timeout)

    @property
    def default_critical(self) -> bool:
        """Whether those of its jobs are critical that do not say so themselves."""
        if self.jobs_critical is not None:
            return self.jobs_critical
        return bool(self.critical)

    # The set

    def add(self, job: JobOrChain) -> JobOrChain:
        """Add a job, or the jobs of a chain; return what was given. None adds nothing.

        Raises:
            TypeError: it is no job, or its class does not call `super().__init__()`.
            OwnershipError: it is in another scheduler.
            NestingError: it is this scheduler.
            BusyError: a run is going on.
        """
        self._refuse_busy("add a job to")
        self._take_in(job)
        return job

    def _take_in(self, given: Jobs) -> None:
        # Asked for what most are: `isinstance` takes far longer to say no than to say yes.
        if isinstance(given, AbstractJob):
            self._check_new(given)
            kind = type(given)
            if kind is not Job and kind.__hash__ is None:
                raise _not_told_apart(given)
            if given not in self.__flow_jobs__:
                given.__flow_owner__ = self.__flow_me__
                self.__flow_plan__.add(given)
            elif given.__flow_owner__ is not self.__flow_me__:  # it is not there, but its equal
                raise _not_told_apart(given)
        elif isinstance(given, Chain):
            jobs = tuple(given)
            for job in jobs:  # all of them, before any is taken in
                self._check_new(job)
            for job in jobs:
                self._take_in(job)
        elif given is not None:
            raise _no_job(given)

    def _check_new(self, job: AbstractJob[object]) -> None:
        if not isinstance(job, AbstractJob):
            raise _no_job(job)
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
            if isinstance(job, Scheduler):
                self._check_nesting(job)

    def _check_nesting(self, job: Scheduler) -> None:
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

    def _around(self) -> Iterator[Scheduler]:
        """This scheduler, the one that it is in, and so on."""
        scheduler: Scheduler | None = self
        while scheduler is not None:
            yield scheduler
            scheduler = scheduler.__flow_home__

    def update(self, jobs: Iterable[Jobs]) -> Scheduler:
        """Add several jobs or chains, as `add` does; return this scheduler."""
        self._refuse_busy("add a job to")
        for job in jobs:
            self._take_in(job)
        if not self.__flow_plan__.is_outdated:
            with contextlib.suppress(KeyError):  # what one of them requires is still to come
                self.__flow_plan__.lay_out()
        return self

    def remove(self, job: AbstractJob[object]) -> Scheduler:
        """Remove a job; return this scheduler. Requirements on it stay: see `sanitize`.

        Raises:
            KeyError: it is not there.
            BusyError: a run is going on.
        """
        self._refuse_busy("remove a job from")
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
                if not isinstance(job, Scheduler):
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
        levels: builtins.list[AbstractJob[object]] = [self]
        for parent in levels:
            for job in parent.children:
                unlabelled = job.__flow_unlabelled__()
                if name == job.name or _is_text(job.label, name) or name == unlabelled:
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

    def requirements(self) -> dict[AbstractJob[object], builtins.list[AbstractJob[object]]]:
        """Return the graph: each job with what it requires, within this scheduler."""
        return {
            job: [other for other in job.required if other in self.__flow_jobs__] for job in self
        }

    def dependents(self) -> dict[AbstractJob[object], builtins.list[AbstractJob[object]]]:
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
        self._refuse_busy("sanitize")
        clean = True
        for scheduler in self._nested():
            for job in scheduler:
                strange = [other for other in job.required if other not in scheduler]
                if strange:
                    job.requires(strange, remove=True)
                    clean = False
        return clean

    def _nested(self, depth: int = 1) -> Iterator[Scheduler]:
        """This scheduler, which is that deep, and all that are nested in it."""
        found: builtins.list[tuple[Scheduler, int]] = [(self, depth)]
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
                if job.__flow_body__ is not PLAIN and isinstance(job, Scheduler)
            ]

    def _check(self) -> None:
        """Find what would go wrong, before anything starts (rule 1)."""
        for scheduler in self._nested():
            scheduler._refuse_busy("run")
            _ = scheduler.limits
            scheduler._check_jobs()

    def _check_jobs(self) -> None:
        self._lay_out()
        for job in self.__flow_jobs__:
            if type(job) is not Job:
                check_names(job)
            if job.timeout is not None:
                check_timeout(job)
            if job.__flow_body__.is_stateful:
                job.__flow_check_ready__()

    def _lay_out(self) -> None:
        if self.__flow_plan__.is_outdated:
            self.__flow_plan__ = Plan(self.__flow_jobs__)
        try:
            self.__flow_plan__.lay_out()
        except KeyError:
            raise self._out_of_reach() from None
        if self.__flow_plan__.unordered:
            self.topological_order()
            self.__flow_plan__.unordered = False

    def __flow_graph_changed__(self) -> None:
        self.__flow_plan__.is_outdated = True

    def _out_of_reach(self) -> RequirementError:
        job, other = next(
            (job, other)
            for job in self
            for other in job.__flow_required__
            if other not in self.__flow_jobs__
        )
        where = other.__flow_home__
        place = "no scheduler" if where is None else where.__flow_called__()
        return RequirementError(
            f"{job.__flow_called__()} in {self.__flow_called__()} requires"
            f" {other.__flow_called__()}, which is in {place}; requirements stay within one"
            " scheduler: add it here, or drop it with sanitize()",
            job,
            other,
        )

    def _cycle(self, error: CircularError) -> CycleError:
        jobs = cast("builtins.list[AbstractJob[object]]", error.nodes)
        names = [job.__flow_called__() if job.name == UNNAMED else job.name for job in jobs]
        return CycleError(names, self.__flow_called__())

    def is_busy(self) -> bool:
        """Tell whether a run of this scheduler is going on."""
        return self.__flow_run__ is not None

    def _refuse_busy(self, what: str) -> None:
        if self.__flow_run__ is not None:
            raise BusyError(f"cannot {what} {self.__flow_called__()} while it is running")

    # Running

    def orchestrate(
        self,
        timeout: float | None = None,
        *,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
        observers: Sequence[Observer] = (),
    ) -> bool:
        """Run the jobs in an event loop made for that, and return whether the run succeeded.

        The first SIGINT or SIGTERM ends the run as a cancellation would, the second skips the
        rest of the grace, the third raises where the code stands (rule 12). The call ends within
        `timeout + grace + shutdown_timeout`, whatever the jobs do, short of blocking the thread
        (rule 8).

        Args:
            timeout: the seconds until the deadline, instead of the scheduler's own; None is not
                given, infinity lifts it.
            loop_factory: makes the loop.
            observers: who watches.

        Returns:
            Whether the run has succeeded (rule 20); `report` has the rest.

        Raises:
            LoopRunningError: a loop is running in this thread.
            CycleError, RequirementError, NestingError, StartedError, BusyError: the run cannot
                start, and nothing has.
            KeyboardInterrupt, SystemExit: raised in a job, or asked for by a signal.
        """
        refuse_running_loop("await scheduler.co_orchestrate()")
        return self.perform(self.limits.overridden(timeout), observers, loop_factory).ok

    async def co_orchestrate(
        self, timeout: float | None = None, *, observers: Sequence[Observer] = ()
    ) -> bool:
        """Run the jobs in the running loop, and return whether the run succeeded.

        Args, result and errors are those of `orchestrate`; no signal is handled. A cancellation
        leaves as it came, after the clean-up (rule 11).
        """
        return (await self.co_perform(self.limits.overridden(timeout), observers)).ok

    def perform(
        self,
        limits: Limits,
        observers: Sequence[Observer] = (),
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> Report:
        """Do as `orchestrate`, within the limits given, and return the report."""
        self._check()
        own_loop.execute(lambda: self._new_run(limits, observers), loop_factory)
        return self._report_of_run()

    async def co_perform(self, limits: Limits, observers: Sequence[Observer] = ()) -> Report:
        """Do as `co_orchestrate`, within the limits given, and return the report."""
        self._check()
        run = self._new_run(limits, observers)
        await run.execute()
        run.raise_exit()
        return self._report_of_run()

    async def co_run(self) -> bool:
        """Run the jobs as one job, within the run that is going on.

        Returns:
            True.

        Raises:
            BaseException: the failure of a critical job, or a group of several.
            StuckError: a step did not end.
            TimeoutError: the deadline came first.
        """
        (await self.co_perform(self.limits)).raise_as_nested()
        return True

    def _new_run(self, limits: Limits, observers: Sequence[Observer]) -> Run:
        self._refuse_busy("run")
        self.__flow_shutdown_ok__ = None
        specification = self._specification(limits, self.__flow_plan__, self._conclude)
        self.__flow_run__ = run = Run(specification, observers, enclosing_execution())
        return run

    def _specification(
        self, limits: Limits, plan: Plan, conclude: Callable[[Record], object]
    ) -> Specification:
        return Specification(
            subject=self,
            name=self.name,
            is_named=self.label is not None,
            jobs=tuple(plan.jobs),
            waiting=plan.waiting,
            successors=plan.successors,
            critical=self.default_critical,
            limits=limits,
            shares_slots=self.shares_slots,
            ends_at_first_failure=self.ends_at_first_failure,
            own_hooks=self._own_hooks,
            claim_hooks=self.__flow_hooks_at__,
            conclude=conclude,
        )

    def _conclude(self, record: Record) -> Report:
        self.__flow_run__ = None
        if self.__flow_shutdown_ok__ is not None:
            self.__flow_shutdown_ok__ = not record.shutdown_errors
        self.__flow_report__ = report = Report(record)
        return report

    def _report_of_run(self) -> Report:
        assert self.__flow_report__ is not None  # a run has just ended
        return self.__flow_report__

    def __flow_own_timeout__(self) -> float | None:
        return None  # its run has the deadline

    def __flow_renew__(self) -> None:
        self.__flow_shutdown_ok__ = None
        self.__flow_report__ = None
        for job in self.__flow_jobs__:
            job.__flow_outcome__ = NEVER_RUN
            if job.__flow_body__.is_stateful:
                job.__flow_renew__()

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
        first = builtins.list(jobs)[:SOME]
        names = [f"a {class_name(job)}" if job.name == UNNAMED else repr(job.name) for job in first]
        more = f" and {len(jobs) - SOME} more" if len(jobs) > SOME else ""
        return f"the Scheduler of {', '.join(names)}{more}"

    # Shutdown

    async def co_shutdown(self) -> bool:
        """Call `co_shutdown` of all jobs, nested ones too, if that was not done for this run.

        Every run does so at its end; nothing is called twice.

        Returns:
            Whether all of them ended in time and without an exception.

        Raises:
            BusyError: a run is going on, which calls them at its end.
        """
        self._refuse_busy("shut down")
        if self.__flow_shutdown_ok__ is None:
            # A run without jobs, which has nothing to do but to call the hooks.
            limits = Limits(None, None, self.grace, self.shutdown_timeout)
            run = Run(self._specification(limits, Plan({}), self._conclude_shutdown))
            await run.execute()
            run.raise_exit()
        return bool(self.__flow_shutdown_ok__)

    def _conclude_shutdown(self, record: Record) -> None:
        self.__flow_shutdown_ok__ = not record.shutdown_errors

    def shutdown(self) -> bool:
        """Do as `co_shutdown`, in an event loop made for that.

        Raises:
            LoopRunningError: a loop is running in this thread.
        """
        refuse_running_loop("await scheduler.co_shutdown()")
        return asyncio.run(self.co_shutdown())

    def __flow_hooks__(self, around: str) -> Iterable[DueHook]:
        return self.__flow_hooks_at__(path_within(around, self.name))

    def __flow_hooks_at__(self, path: str) -> Iterable[DueHook]:
        if type(self).co_shutdown is not Scheduler.co_shutdown:
            return ((self, path),)
        if self.__flow_shutdown_ok__ is not None:
            return ()
        self.__flow_shutdown_ok__ = True
        return self._children_hooks(path)

    def _own_hooks(self, path: str) -> Iterator[DueHook]:
        self.__flow_shutdown_ok__ = True
        return self._children_hooks(path)

    def _children_hooks(self, path: str) -> Iterator[DueHook]:
        return (hooked for job in self.__flow_jobs__ for hooked in job.__flow_hooks__(path))

    # What happened

    @property
    def report(self) -> Report | None:
        """The record of the last run; None before."""
        return self.__flow_report__

    def failed_critical(self) -> bool:
        """Tell whether the last run failed because of a critical job."""
        return self._failed_by(Cause.CRITICAL)

    def failed_timeout(self) -> bool:
        """Tell whether the last run failed because its deadline came."""
        return self._failed_by(Cause.TIMEOUT)

    def _failed_by(self, cause: Cause) -> bool:
        reason = None if self.__flow_report__ is None else self.__flow_report__.reason
        return reason is not None and reason.cause is cause

    def why(self) -> str:
        """Tell in a word how the last run ended: `FINE`, or the reason why it failed."""
        if self.__flow_report__ is None:
            return "NOT RUN"
        return "FINE" if self.__flow_report__.reason is None else str(self.__flow_report__.reason)

    def stats(self) -> str:
        """Count the jobs of this scheduler: done, running or about to, idle, and all."""
        jobs = tuple(self)
        done = sum(job.is_done() for job in jobs)
        idle = sum(job.is_idle() for job in jobs)
        return f"{done}D + {len(jobs) - done - idle}R + {idle}I = {len(jobs)}"

    def list(self, details: bool = False) -> None:
        """Print a line for each job, in topological order, those of nested schedulers indented.

        Args:
            details: add what `details()` of each job says.
        """
        _show(lambda: listing.lines(entries(self), details=details))

    def debrief(self, details: bool = False, silence_done_jobs: bool = False) -> None:
        """Print how the last run went: verdict, listing, counts, and the traceback of failures.

        Args:
            details: add what `details()` of each job says.
            silence_done_jobs: leave out the jobs that have completed without an exception.
        """
        options = {"details": details, "without_done": silence_done_jobs}
        if self.__flow_report__ is not None and not self.is_busy():
            report = self.__flow_report__
            _show(lambda: report.text(**options))
        else:
            _show(lambda: self._interim(**options))

    def _interim(self, *, details: bool, without_done: bool) -> Iterator[str]:
        listed = entries(self)
        yield f"----- {self.name}: {'RUNNING' if self.is_busy() else self.why()}"
        yield from listing.lines(listed, details=details, without_done=without_done)
        yield from debrief(listed)

    def to_dot(self) -> str:
        """Draw the graph in Graphviz's language, nested schedulers as clusters."""
        return diagram.to_dot(self.name, entries(self))

    def graph(self) -> Graph:
        """Return the graph as an object that notebooks show as a picture.

        Its `source` is `to_dot()`; Graphviz's `dot` makes the picture, where that is installed.
        """
        return Graph(self.to_dot())

    def export_as_dotfile(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dot()` to a file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        diagram.write(path, self.to_dot())

    def default_label(self) -> str:
        """Return the name of the class, for those that derive from this one."""
        return UNNAMED if type(self) is Scheduler else class_name(self)


def _not_told_apart(job: AbstractJob[object]) -> TypeError:
    # Give good error for: a class of jobs under @dataclass or @attrs.define.
    cls = class_name(job)
    return TypeError(
        f"jobs are told apart by identity, and {cls} compares them by value; write eq=False in the"
        f" decorator of {cls}, as in @dataclass(eq=False) or @attrs.define(eq=False), or drop its"
        " __eq__"
    )


def _no_job(value: object) -> TypeError:
    if is_coroutine(value):
        cast("Coroutine[object, object, object]", value).close()
        return TypeError(
            f"a scheduler takes jobs, not the coroutine {function_name(value)}; write Job(...)"
        )
    shown = f"{value_line(value)} ({class_name(value)})"
    mend = ""
    if isinstance(value, (builtins.list, tuple, set)):
        mend = "; write Scheduler(*jobs), or scheduler.update(jobs)"
    return TypeError(f"a scheduler takes jobs and chains of them, not {shown}{mend}")


def _is_text(value: object, text: str) -> bool:
    """Whether a label is that text; one of another type may compare as it likes."""
    return issubclass(type(value), str) and str.__eq__(cast("str", value), text) is True


def _show(lay_out: Callable[[], Iterable[str]]) -> None:
    """Print lines, whatever the stream can encode, and though it may be closed (rule 17)."""
    lines = _lines(lay_out)
    try:
        for text in lines:
            try:
                print(fitting(text))
            except UnicodeEncodeError:  # the stream does not encode as it says
                print(plain(text).encode("ascii", "backslashreplace").decode())
    except Exception:
        pass  # nobody reads it any more, or it is closed


def _lines(lay_out: Callable[[], Iterable[str]]) -> Iterator[str]:
    try:
        yield from lay_out()
    except Exception as error:  # above all of memory
        yield f"<the rest raised {class_name(error)}>"
