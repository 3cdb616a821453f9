"""Schedulers: sets of jobs that run, and are jobs themselves."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from .base import log
from .base.limits import Limits
from .base.text import class_name
from .engine import own_loop
from .engine.cancelling import cancel_job, cancel_run
from .engine.enclosing import enclosing_execution
from .engine.record import Record
from .engine.run import Run
from .engine.specification import Specification
from .errors import SelfCancelledError
from .jobs.abstract_job import NEVER_RUN, UNNAMED, AbstractJob, RequirementSet
from .jobs.job_set import Jobs, JobSet
from .jobs.loops import refuse_running_loop
from .jobs.override import Override
from .jobs.part import Targets
from .jobs.request import Request, Staging
from .views.report import Report
from .views.shown import ShownJobSet

if TYPE_CHECKING:
    from .engine.execution import Execution
    from .engine.observers import Watcher

__all__ = ["Scheduler"]


class Scheduler(ShownJobSet):
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
    returns_exceptions: bool = False
    """Whether exceptions of its jobs are values, and no failures."""

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
        self.__flow_run__: Run | None = None
        super().__init__(
            critical=critical,
            jobs_critical=jobs_critical,
            timeout=timeout,
            window=window,
            grace=grace,
            shutdown_timeout=shutdown_timeout,
            label=label,
            forever=forever,
            required=required,
        )
        self.update(jobs)

    def is_busy(self) -> bool:
        """Tell whether a run of this scheduler is going on."""
        return self.__flow_run__ is not None

    def __flow_cancel__(self, job: AbstractJob[object], error: BaseException) -> bool:
        run = self.__flow_run__
        return run is not None and cancel_job(run, job, error)

    def __flow_cancel_from__(self, place: str) -> bool:
        if super().__flow_cancel_from__(place):
            return True
        run, said = self.__flow_run__, f"cancel() at {place}"
        return run is not None and cancel_run(run, SelfCancelledError(f"{self.name}: {said}"), said)

    # Running

    def orchestrate(
        self,
        timeout: float | None = None,
        *,
        window: int | None = None,
        overrides: Iterable[Override] = (),
        start: Targets = None,
        until: Targets = None,
        observers: Sequence[Watcher] = (),
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> bool:
        """Run the jobs in an event loop made for that, and return whether the run succeeded.

        The first SIGINT or SIGTERM ends the run as a cancellation would, the second skips the
        rest of the grace, the third raises where the code stands (rule 12). The call ends within
        `timeout + grace + shutdown_timeout`, whatever the jobs do, short of blocking the thread
        (rule 8).

        Args:
            timeout: the seconds until the deadline, instead of the scheduler's own; None is not
                given, infinity lifts it.
            window: how many jobs run at once, instead of the scheduler's own.
            overrides: what jobs are given in this run, in place of their bodies.
            start: run only these jobs and what comes after them.
            until: run only these jobs and what comes before them.
            observers: who watches.
            loop_factory: makes the loop.

        Returns:
            Whether the run has succeeded (rule 20); `report` has the rest.

        Raises:
            LoopRunningError: a loop is running in this thread.
            CycleError, RequirementError, NestingError, StartedError, BusyError, OverrideError,
                PartError: the run cannot start, and nothing has.
            KeyboardInterrupt, SystemExit: raised in a job, or asked for by a signal.
        """
        refuse_running_loop("await scheduler.co_orchestrate()")
        limits = self.limits.overridden(timeout, window)
        request = Request(limits, observers, overrides, start, until)
        return self.perform(request, loop_factory).ok

    async def co_orchestrate(
        self,
        timeout: float | None = None,
        *,
        window: int | None = None,
        overrides: Iterable[Override] = (),
        start: Targets = None,
        until: Targets = None,
        observers: Sequence[Watcher] = (),
    ) -> bool:
        """Run the jobs in the running loop, and return whether the run succeeded.

        Args, result and errors are those of `orchestrate`; no signal is handled. A cancellation
        leaves as it came, after the clean-up (rule 11).
        """
        limits = self.limits.overridden(timeout, window)
        return (await self.co_perform(Request(limits, observers, overrides, start, until))).ok

    def perform(
        self,
        request: Request,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> Report:
        """Do as `orchestrate` does, and return the report."""
        self.__flow_check_all__()
        own_loop.execute(lambda: self._new_run(request), loop_factory)
        return self._report_of_run()

    async def co_perform(self, request: Request) -> Report:
        """Do as `co_orchestrate` does, and return the report."""
        self.__flow_check_all__()
        run = self._new_run(request)
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
        (await self.co_perform(Request(self.limits))).raise_as_nested()
        return True

    def _new_run(self, request: Request) -> Run:
        self.__flow_refuse_busy__("run")
        enclosing = enclosing_execution()
        around = None if enclosing is None else enclosing.run.specification.overrides
        staging = Staging(self, request, around)
        self.__flow_shutdown_ok__ = None
        self.__flow_unhooked__ = staging.unhooked
        conclude = functools.partial(self._conclude, staging)
        specification = Specification.of(self, request.limits, staging, conclude)
        staging.begin()
        try:
            run = self.__flow_new_run__(specification, request.observers, enclosing)
        except BaseException:
            staging.end()
            raise
        self.__flow_run__ = run
        return run

    def __flow_new_run__(
        self,
        specification: Specification,
        observers: Sequence[Watcher],
        enclosing: Execution | None,
    ) -> Run:
        return Run(specification, observers, enclosing)

    def _conclude(self, staging: Staging, record: Record) -> Report:
        staging.end()
        self.__flow_run__ = None
        if self.__flow_shutdown_ok__ is not None:
            self.__flow_shutdown_ok__ = not record.shutdown_errors
        if staging.part is not None:
            record = record.as_part(self, staging.part.said)
        for override in staging.overrides.unmet():
            log.write(log.WARNING, f"{override!r} was that of no job of this run", self.name)
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

    # Shutdown

    async def co_shutdown(self) -> bool:
        """Call `co_shutdown` of all jobs, nested ones too, if that was not done for this run.

        Every run does so at its end; nothing is called twice.

        Returns:
            Whether all of them ended in time and without an exception.

        Raises:
            BusyError: a run is going on, which calls them at its end.
        """
        self.__flow_refuse_busy__("shut down")
        if self.__flow_shutdown_ok__ is None:
            # A run without jobs, which has nothing to do but to call the hooks.
            limits = Limits(None, None, self.grace, self.shutdown_timeout)
            nothing = Staging(JobSet(), Request(limits), None)
            run = Run(Specification.of(self, limits, nothing, self._conclude_shutdown))
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

    def __flow_inherited_shutdown__(self) -> object:
        return Scheduler.co_shutdown

    def default_label(self) -> str:
        """Return the name of the class, for those that derive from this one."""
        return UNNAMED if type(self) is Scheduler else class_name(self)
