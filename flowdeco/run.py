"""One run of a set of jobs: who is ready, who has a place, when it is over, how it ends.

A `Run` lives for one run alone. Its `conduct` sleeps in the task of the caller while each job
goes through a guard in a task of its own; the guard stores what became of the body and, as a
done callback would cost a turn of the loop, starts the successors itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
import time
import types
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from .activity import Activity
from .drain import SETTLING_TURNS, Drain, Sleeper, after_turns
from .errors import SelfCancelledError, SkippedError
from .graph import topological_order
from .job import AbstractJob, Job, current_activity
from .limits import Limits, finite
from .listing import unrun
from .observer import Audience, Observer
from .outcome import MISSING, Outcome, State
from .reason import Cause, Reason
from .report import Report
from .serving import serve
from .shutdown import Shutdown
from .tasks import started, starting
from .threads import MOST_THREADS, DaemonThreads, threads_in_use
from .window import Window

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["Run", "enclosing_activity", "is_stuck"]

logger = logging.getLogger("flowdeco")

_abandoned: set[asyncio.Task[None]] = set()
"""The tasks of stuck jobs: asyncio itself holds tasks weakly, and they may end some day."""


def is_stuck(task: asyncio.Task[Any]) -> bool:
    """Tell whether this is the task of a job that a run has left behind."""
    return task in _abandoned


def enclosing_activity() -> Activity | None:
    """Return the running job in which the caller is, in the loop of the caller; else None."""
    activity = cast("Activity | None", current_activity.get())
    if activity is None or activity.ended or activity.run.loop is not asyncio.get_running_loop():
        return None
    return activity


class Run:
    """One run of the jobs of a scheduler.

    Args:
        scheduler: whose jobs to run; they have been checked (rule 1).
        limits: what bounds the run.
        observers: who watches.
        enclosing: the job within which this run takes place, if any (rule 21).
    """

    def __init__(
        self,
        scheduler: Scheduler,
        limits: Limits,
        observers: Sequence[Observer] = (),
        enclosing: Activity | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.limits = limits
        self.reason: Reason | None = None
        self.stuck: list[AbstractJob[object]] = []
        self.failures: list[AbstractJob[object]] = []
        self.bound: float | None = None
        """When all must be over, by the clock of the loop; known once the bodies are to end."""
        self.over = False
        self.loop = asyncio.get_running_loop()
        self.given_up_at_once = False
        """After a third signal: exceptions are let through wherever they are raised."""
        self._enclosing = enclosing
        self._outer = enclosing.run if enclosing is not None else None
        self._audience = Audience(observers)
        self._watched: bool = bool(observers) or (self._outer is not None and self._outer._watched)
        self._verbose = logger.isEnabledFor(logging.DEBUG)
        self._clock = self.loop.time
        self._context = contextvars.copy_context()
        self._sleeper = Sleeper(self.loop)
        self._windows: tuple[Window[Activity], ...] = ()
        if limits.window is not None:
            self._windows = (Window(limits.window),)
        if self._outer is not None and scheduler.shares_places:
            self._windows += self._outer._windows
        self._thread_places: Window[Activity]
        if self._outer is not None:
            self._thread_places = self._outer._thread_places
        else:
            self._thread_places = Window(MOST_THREADS)
            self._threads = DaemonThreads()
            self._context.run(threads_in_use.set, self._threads)
        self._ends_at_first_failure = scheduler.ends_at_first_failure
        self._ready: deque[Activity] = deque()
        self._advancing = False
        self._closing = False
        self._cut_short = False
        self._hurried = False
        self._drains: list[Drain[Activity]] = []
        self._end_by = math.inf
        self._shutdown: Shutdown | None = None
        self._orphans: list[Scheduler] = []
        self._inner_reports: dict[AbstractJob[object], list[Report]] = {}
        self._begun_at = self._clock()
        self._wall_time = time.time()
        self.zero: float = self._begun_at if self._outer is None else self._outer.zero
        self._last_step_ended_at = self._begun_at
        self._set_deadline()
        self._activities = self._enlist()
        self._steps = sum(not activity.job.forever for activity in self._activities)
        self._steps_left = self._steps
        self._services_left = len(self._activities) - self._steps

    # The course of a run

    async def conduct(self) -> None:
        """Perform the run; when this returns, all is over and reported. It raises nothing."""
        if self._enclosing is not None:
            self._enclosing.inner = [*(self._enclosing.inner or ()), self]
        try:
            if self._watched and self._outer is None:
                self._tell(lambda observer: observer.run_started(self.scheduler))
            if self._verbose:
                logger.debug("%r started", self.scheduler.name)
            self._start()
            await self._until(self._bodies_are_to_end)
            await self._end_bodies()
            await self._call_hooks()
        finally:
            self._close()

    def leave(self) -> None:
        """Raise what is not the run's to keep: an exit, or a cancellation from outside.

        Raises:
            SystemExit, KeyboardInterrupt: raised in a job or a hook, or asked for by a signal.
            CancelledError: the one that reached the task of the caller.
        """
        reason = self.reason
        if reason is not None and reason.cause is Cause.EXIT and reason.exception is not None:
            raise reason.exception
        if self._sleeper.cancelled is not None:
            raise self._sleeper.cancelled

    def fail(self, reason: Reason) -> None:
        """Let the run end because of this, unless there is a reason already that counts more."""
        if reason.outranks(self.reason):
            self.reason = reason
            if reason.cause in (Cause.TIMEOUT, Cause.CRITICAL):
                logger.info("%r ends: %s", self.scheduler.name, reason)
        self._let_nothing_start()

    def hurry(self) -> None:
        """Skip the rest of the grace: what does not react to a cancellation is stuck."""
        self._hurried = True
        for drain in self._drains:
            drain.hurry()

    def _hurry_all(self) -> None:
        """Skip what is left of the time of the hooks as well."""
        self.hurry()
        if self._shutdown is not None:
            self._shutdown.hurry()

    def _set_deadline(self) -> None:
        timeout = finite(self.limits.timeout)
        outer = self._outer
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = outer._deadline if outer is not None else None
        self._deadline_is_own = False
        if timeout is None:
            return
        deadline = self._begun_at + timeout
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
            self._deadline_is_own = True
            # What falls due at the same moment comes first: a step that ends then has ended in
            # time, and a job's own timeout is the job's failure (rule 5).
            self._timer = self.loop.call_at(
                deadline, after_turns, self.loop, SETTLING_TURNS, self._expire
            )

    def _enlist(self) -> list[Activity]:
        default = self.scheduler.default_critical
        found: dict[AbstractJob[object], Activity] = {}
        for job in self.scheduler:
            outcome = job._outcome = Outcome()
            outcome.required = job._required
            outcome.critical = default if job.critical is None else job.critical
            found[job] = activity = Activity(job, self, outcome, len(job._required))
            if self._windows and job._takes_place():
                activity.windows = self._windows
            if job._takes_thread():
                activity.windows = (*activity.windows, self._thread_places)
            job._renew()
        for activity in found.values():
            for requirement in activity.job._required:
                before = found[requirement]
                if before.successors:
                    cast("list[Activity]", before.successors).append(activity)
                else:
                    before.successors = [activity]
        return list(found.values())

    def _start(self) -> None:
        if self._timer is not None and self._deadline == self._begun_at:
            self._expire()
            return
        self._ready.extend(activity for activity in self._activities if not activity.waiting)
        self._advance()

    def _bodies_are_to_end(self) -> bool:
        if self.reason is not None:
            return True
        return not (self._steps_left if self._steps else self._services_left)

    async def _end_bodies(self) -> None:
        self._let_nothing_start()
        if self._timer is not None:
            self._timer.cancel()
        if self.reason is None and self._ended_late():
            self._expire_now()
        services = self._left(forever=True)
        if self.reason is None and services:
            await self._turns(SETTLING_TURNS)
        failing = self.reason is not None
        self._end_by = self._clock() + self.limits.grace
        self._heed_enclosing_drain()
        self.bound = self._end_by + self.limits.shutdown_timeout
        steps = self._left(forever=False)
        if steps:
            await self._drain(steps, self._share(2 if services and failing else 1))
        waves = self._waves(self._left(forever=True))
        while waves:
            await self._drain(waves[0], self._share(len(waves)))
            waves.pop(0)
        if self.reason is None:
            self._look_for_stuck()

    def _share(self, count: int) -> float:
        """When the first of so many that share what is left of the grace must have ended."""
        now = self._clock()
        return now + max(0.0, self._end_by - now) / count

    def _heed_enclosing_drain(self) -> None:
        """Of the graces of this run and of those around it the one that ends first counts."""
        if self._enclosing is not None and self._enclosing.drain is not None:
            self._end_by = min(self._end_by, self._enclosing.drain.until)
            for drain in self._drains:
                drain.tighten(self._end_by)

    def _ended_late(self) -> bool:
        return (
            self._deadline_is_own
            and self._deadline is not None
            and bool(self._steps)
            and self._last_step_ended_at > self._deadline
        )

    def _look_for_stuck(self) -> None:
        decisive = [job for job in self.stuck if not job.forever or job.is_critical()]
        if decisive:
            self.reason = Reason.stuck(decisive)

    def _left(self, *, forever: bool) -> list[Activity]:
        return [
            activity
            for activity in self._activities
            if activity.task is not None and not activity.ended and activity.job.forever is forever
        ]

    def _waves(self, services: list[Activity]) -> list[list[Activity]]:
        """Sort services so that each comes after all services that come after it (rule 7)."""
        if len(services) < 2:
            return [services] if services else []
        serving = {activity.job for activity in services}
        height = {activity.job: 0 for activity in self._activities}
        for job in reversed(topological_order({job: job._required for job in height})):
            over = height[job] + (job in serving)
            for requirement in job._required:
                height[requirement] = max(height[requirement], over)
        waves: list[list[Activity]] = [[] for _ in range(max(height.values()) + 1)]
        for activity in services:
            waves[height[activity.job]].append(activity)
        return [wave for wave in waves if wave]

    async def _drain(self, activities: Sequence[Activity], until: float) -> None:
        drain = self._bounded(activities, until)
        await self._until(lambda: not drain.members)
        self._drains.remove(drain)

    def _bounded(self, activities: Sequence[Activity], until: float) -> Drain[Activity]:
        drain = Drain(self.loop, activities, until, Activity.cancel, self._give_up)
        self._drains.append(drain)
        for activity in activities:
            if activity.drain is not None:
                activity.drain.discard(activity)
            activity.drain = drain
            activity.stop()
        if self._hurried:
            drain.hurry()
        return drain

    async def _until(self, condition: Callable[[], object]) -> None:
        """Sleep until the condition holds; whoever makes it true wakes the sleeper."""
        while not condition():
            if await self._sleeper.sleep():
                self._cancelled_from_outside()

    async def _turns(self, turns: int) -> None:
        passed: list[bool] = []

        def note() -> None:
            passed.append(True)
            self._sleeper.wake()

        after_turns(self.loop, turns, note)
        await self._until(lambda: bool(passed))

    async def _call_hooks(self) -> None:
        if self._cut_short and self._outer is not None:
            self._outer._orphans.extend([*self._orphans, self.scheduler])
            return
        due = dict.fromkeys(self.scheduler._children_hooks())
        for orphan in self._orphans:
            due.update(dict.fromkeys(orphan._hooks()))
        self._shutdown = Shutdown(self.loop, self._context, self.limits.shutdown_timeout)
        if due:
            await self._shutdown.call(due, self._sleeper)
            if self._sleeper.cancelled is not None:
                self.fail(Reason.cancelled(self._sleeper.cancelled))
        self.scheduler._shutdown_ok = not self._shutdown.errors
        for error in self._shutdown.errors.values():
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                self.fail(Reason.exit(error))

    def _close(self) -> None:
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        for drain in self._drains:
            drain.close()
        self.report = self._make_report()
        # Activities and drains know the run: let them go, so that nothing needs the collector.
        self._activities = []
        self._drains = []
        self._ready.clear()
        self.scheduler._ended(self.report)
        enclosing = self._enclosing
        if enclosing is not None:
            enclosing.run._inner_reports.setdefault(enclosing.job, []).append(self.report)
            enclosing.inner = [run for run in enclosing.inner or () if run is not self]
            if enclosing.drain is not None and enclosing.drain.over:
                # It was not given up only because this run had still to end.
                after_turns(self.loop, SETTLING_TURNS, lambda: enclosing.run._give_up(enclosing))
        if self._outer is None:
            self._threads.shutdown()
        if self._verbose:
            logger.debug("%r ended", self.scheduler.name)
        if self._watched and self._outer is None:
            self._tell(lambda observer: observer.run_ended(self.report))

    def _make_report(self) -> Report:
        shutdown = self._shutdown
        return Report(
            name=self.scheduler.name,
            reason=self.reason,
            wall_time=self._wall_time,
            duration=self._clock() - self._begun_at,
            entries=[(activity.job, activity.outcome) for activity in self._activities],
            inner=self._inner_reports,
            unrun={
                activity.job: unrun(activity.job._children())
                for activity in self._activities
                if activity.outcome.state in (State.IDLE, State.SKIPPED)
            },
            failed=self.failures,
            own_stuck=self.stuck,
            shutdown=shutdown.errors if shutdown is not None else {},
        )

    # The deadline, and cancellation from outside

    def _expire(self) -> None:
        if not self._closing:
            self._expire_now()

    def _deadline_has_passed(self) -> None:
        """Let the run end whose deadline it was: this one or one around it."""
        if self._deadline_is_own or self._outer is None:
            self._expire()
        else:
            self._outer._deadline_has_passed()

    def _expire_now(self) -> None:
        name = "the run" if self.scheduler.label is None else repr(self.scheduler.name)
        self.fail(Reason.timeout(name, self.limits.timeout or 0))

    def _cancelled_from_outside(self) -> None:
        error = self._sleeper.cancelled
        assert error is not None  # the sleeper has kept it before it calls
        self.fail(Reason.cancelled(error))
        enclosing = self._enclosing
        if enclosing is not None and enclosing.stopping:
            self._cut_short = self._shutdown is None
            self._heed_enclosing_drain()

    # Readiness and places

    def _let_nothing_start(self) -> None:
        self._closing = True
        waiting = list(self._ready)
        self._ready.clear()
        for window in dict.fromkeys((*self._windows, self._thread_places)):
            waiting += window.dismiss(lambda activity: activity.run is self)
        for activity in waiting:
            activity.outcome.state = State.IDLE
            self._give_back_places(activity)
        self._sleeper.wake()

    def _advance(self) -> None:
        """Start what is ready. It does not re-enter, so that long chains do not recurse."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._ready and not self._closing:
                activity = self._ready.popleft()
                missing = _missing_value(activity.job)
                if missing is not None:
                    self._skip(activity, missing)
                elif self._has_places(activity):
                    self._launch(activity)
        finally:
            self._advancing = False

    def _has_places(self, activity: Activity) -> bool:
        """Take the places that it still needs, or queue for the first that is not free."""
        for window in activity.windows[activity.places :]:
            if not window.take(activity):
                activity.outcome.state = State.SCHEDULED
                return False
            activity.places += 1
        return True

    def _give_back_places(self, activity: Activity) -> None:
        given_back = activity.windows[: activity.places]
        activity.places = 0
        for window in given_back:
            next_one = window.give_back()
            if next_one is not None:
                next_one.places += 1
                next_one.run._ready.append(next_one)
                next_one.run._advance()

    def _launch(self, activity: Activity) -> None:
        activity.outcome.state = State.SCHEDULED
        try:
            # In a copy of the context of the run, not of the job that has just ended (rule 18).
            activity.task = started(self.loop, self._context, self._guard(activity))
        except Exception as error:
            self._settle(activity, None, error)

    def service_is_up(self, activity: Activity) -> None:
        """Let those that wait for this service start."""
        if activity.ended or activity.is_up:
            return
        activity.is_up = True
        if activity.timer is not None and activity.job._yields:
            activity.timer.cancel()
        if activity.outcome.value is MISSING:
            activity.outcome.value = None
        self._release(activity)
        self._advance()

    def _release(self, activity: Activity) -> None:
        for successor in activity.successors:
            successor.waiting -= 1
            if not successor.waiting:
                self._ready.append(successor)
        activity.successors = ()

    # One job

    async def _guard(self, activity: Activity) -> None:
        job = activity.job
        value: object = None
        error: BaseException | None = None
        try:
            await starting()
            if not self._begin(activity):
                self._retire(activity)
                return
            if job._yields:
                activity.generator = cast("Job[object]", job).generator()
                await serve(activity.generator, activity)
            else:
                value = await job.co_run()
        except BaseException as raised:
            if self.given_up_at_once:
                raise
            error = raised
        self._settle(activity, value, error)
        # Its traceback knows this frame: without this they would keep each other alive.
        error = None

    def _begin(self, activity: Activity) -> bool:
        now = self._clock()
        if self._deadline is not None and now >= self._deadline and not self._closing:
            self._deadline_has_passed()
            self._let_nothing_start()
        if self._closing:
            activity.outcome.state = State.IDLE
            return False
        job = activity.job
        activity.outcome.state = State.RUNNING
        activity.outcome.started_at = now - self.zero
        current_activity.set(activity)
        timeout = finite(job._own_timeout())
        if timeout is not None:
            activity.timer = self.loop.call_at(now + timeout, self._expire_job, activity)
        if job.forever and not job._yields:
            # Called back when the body has run up to its first suspension.
            self.loop.call_soon(self.service_is_up, activity)
        if self._verbose:
            logger.debug("%r started", job.name)
        if self._watched:
            self._tell(lambda observer: observer.job_started(activity.job))
        return True

    def _expire_job(self, activity: Activity) -> None:
        if not activity.ended and not activity.stopping:
            activity.expired = True
            self._bounded([activity], self._clock() + self.limits.grace)

    def _settle(self, activity: Activity, value: object, error: BaseException | None) -> None:
        """Note how the body has ended."""
        outcome = activity.outcome
        if outcome.state is State.STUCK:
            self._ended_after_all(activity, error)
            return
        outcome.ended_at = self._clock() - self.zero
        if error is not None or activity.expired:
            self._note_error(activity, error)
        elif activity.job._yields:
            outcome.state = State.CANCELLED if activity.stopping else State.DONE
        else:
            outcome.state = State.DONE
            outcome.value = value
            if value.__class__ is types.CoroutineType:
                logger.warning(
                    "the result of %r is a coroutine; did its body forget an await?",
                    activity.job.name,
                )
        self._retire(activity)

    def _note_error(self, activity: Activity, error: BaseException | None) -> None:
        job, outcome = activity.job, activity.outcome
        if activity.expired:
            error = _expired(job, error)
        elif isinstance(error, asyncio.CancelledError):
            if activity.stopping:
                outcome.state = State.CANCELLED
                return
            cancelled = SelfCancelledError(f"{job.name!r} was cancelled, and not by its run")
            cancelled.__cause__ = error
            error = cancelled
        assert error is not None  # it is one, or the job has expired
        outcome.state = State.FAILED
        self._keep(activity, error)

    def _keep(self, activity: Activity, error: BaseException) -> None:
        traceback = error.__traceback__
        if traceback is not None:
            traceback = traceback.tb_next  # past the guard, so that its frame can go
        activity.outcome.exception = error.with_traceback(traceback)
        activity.outcome.traceback = traceback
        self.failures.append(activity.job)
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            self.fail(Reason.exit(error, activity.job))
        elif activity.outcome.critical or self._ends_at_first_failure:
            self.fail(Reason.critical(activity.job, error))

    def _skip(self, activity: Activity, missing: AbstractJob[object]) -> None:
        error = SkippedError(activity.job, missing)
        error.__cause__ = missing._outcome.exception
        activity.outcome.state = State.SKIPPED
        activity.outcome.exception = error
        activity.outcome.ended_at = self._clock() - self.zero
        if activity.outcome.critical:
            self.fail(Reason.skipped(activity.job, error))
        self._retire(activity)

    def _give_up(self, activity: Activity) -> None:
        """Declare stuck what has not ended in its time; but runs within it end by themselves."""
        if activity.ended:
            return
        inner = [run for run in activity.inner or () if not run.over]
        for run in inner:
            run._hurry_all()
        if inner:
            return
        outcome, task = activity.outcome, activity.task
        outcome.state = State.STUCK
        assert task is not None  # what has no task has nothing to drain
        logger.warning(
            "%r is stuck: it did not end although it was cancelled; it stands at %s",
            activity.job.name,
            activity.place,
        )
        _abandoned.add(task)
        self.stuck.append(activity.job)
        if activity.expired:
            self._keep(activity, _expired(activity.job, None))
        self._retire(activity)

    def _ended_after_all(self, activity: Activity, error: BaseException | None) -> None:
        task = asyncio.current_task()
        if task is not None:
            _abandoned.discard(cast("asyncio.Task[None]", task))
        if error is None or isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            logger.info("%r, which was stuck, has ended", activity.job.name)
        else:
            logger.warning("%r, which was stuck, has failed", activity.job.name, exc_info=error)

    def _retire(self, activity: Activity) -> None:
        """Let go of a job that has ended, and start what comes after it."""
        activity.ended = True
        activity.task = None  # whose context knows the activity
        if activity.timer is not None:
            activity.timer.cancel()
        if activity.drain is not None:
            activity.drain.discard(activity)
        if activity.places:
            self._give_back_places(activity)
        if activity.outcome.state is not State.IDLE:
            self._count(activity)
            if self._verbose:
                logger.debug("%r ended: %s", activity.job.name, activity.outcome.state.value)
            if self._watched:
                self._tell(lambda observer: observer.job_ended(activity.job))
            self._release(activity)
        if self._closing:
            self._sleeper.wake()
        else:
            self._advance()

    def _count(self, activity: Activity) -> None:
        if activity.job.forever:
            self._services_left -= 1
            if not self._services_left and not self._steps:
                self._let_nothing_start()
        else:
            self._steps_left -= 1
            if not self._steps_left:
                self._last_step_ended_at = self._clock()
                self._let_nothing_start()

    # Those who watch

    def _tell(self, notify: Callable[[Observer], None]) -> None:
        leaving = self._audience.tell(notify)
        if leaving is not None:
            self.fail(Reason.exit(leaving))
        if self._outer is not None:
            self._outer._tell(notify)


def _missing_value(job: AbstractJob[object]) -> AbstractJob[object] | None:
    for before in job._takes():
        if before._outcome.value is MISSING:
            return before
    return None


def _expired(job: AbstractJob[object], error: BaseException | None) -> TimeoutError:
    expired = TimeoutError(f"{job.name!r} took longer than {job._own_timeout():g} s")
    if not isinstance(error, asyncio.CancelledError):
        expired.__cause__ = error
    return expired
