"""One run of a set of jobs: what starts when, when it is over, and how it ends.

A `Run` lives for one run alone. Its `conduct` sleeps in the task of the caller while each job is
performed in a task of its own; as a done callback would cost a turn of the loop, the end of a job
starts its successors itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.limits import DEEPEST, Limits, finite
from flowdeco.errors import NestingError
from flowdeco.jobs.entries import Entry, unrun
from flowdeco.jobs.job import AbstractJob
from flowdeco.jobs.outcome import MISSING, Outcome, State
from flowdeco.jobs.plan import Plan
from flowdeco.jobs.threads import DaemonThreads, threads_in_use
from flowdeco.observers.base import Observer
from flowdeco.views.report import Report

from . import run_log
from .block_monitor import BlockMonitor
from .deadline import Deadline
from .drain import SETTLING_TURNS, Sleeper, after_turns
from .execution import Execution
from .grace import Grace, generations
from .observers import Observers
from .ready_queue import ReadyQueue
from .reason import Cause, Reason
from .shutdown import Shutdown
from .slots import Slots
from .tasks import is_eager

if TYPE_CHECKING:
    from flowdeco.scheduler import Scheduler

__all__ = ["Run"]

_SCHEDULED = State.SCHEDULED  # an attribute of an enumeration is slow on Python 3.11


class Run:
    """One run of the jobs of a scheduler.

    Args:
        scheduler: whose jobs to run; they have been checked (rule 1).
        plan: its graph.
        limits: what bounds the run.
        observers: who watches.
        enclosing: the job within which this run takes place, if any (rule 21).

    Raises:
        NestingError: too many runs are nested in each other.
    """

    __slots__ = (
        "_audience",
        "_begun_at",
        "_cut_short",
        "_deadline",
        "_inner_reports",
        "_last_step_ended_at",
        "_left",
        "_orphans",
        "_outer",
        "_services",
        "_shutdown",
        "_skips",
        "_sleeper",
        "_steps",
        "_verbose",
        "_waiting",
        "_wall_time",
        "_watched",
        "agenda",
        "all_special",
        "bound",
        "clock",
        "closed",
        "context",
        "depth",
        "enclosing",
        "executions",
        "failures",
        "flow",
        "grace",
        "inner",
        "is_eager",
        "is_noted",
        "jobs",
        "limits",
        "loop",
        "no_start_from",
        "outcomes",
        "ready",
        "reason",
        "report",
        "scheduler",
        "stuck",
        "successors",
        "threads",
        "watch",
        "windows",
        "zero",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        plan: Plan,
        limits: Limits,
        observers: Sequence[Observer] = (),
        enclosing: Execution | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.enclosing = enclosing
        self._outer = outer = enclosing.run if enclosing is not None else None
        self.depth: int = 1 if outer is None else outer.depth + 1
        if self.depth > DEEPEST:
            raise NestingError(
                f"runs are nested more than {DEEPEST} levels deep, at {scheduler.name!r};"
                " does a subflow make its own class?",
                self.depth,
            )
        # What has happened so far
        self.reason: Reason | None = None
        self.failures: list[AbstractJob[object]] = []
        self.stuck: list[AbstractJob[object]] = []
        self._skips = False
        self._cut_short = False
        self.inner: dict[Run, None] = {}
        """The runs that go on within this one."""
        self._inner_reports: dict[AbstractJob[object], list[Report]] = {}
        # Who watches
        self.flow: str = scheduler.name if outer is None else outer.flow
        """The name of what runs at the outermost level, for the log."""
        self._audience = Observers(observers, self.flow)
        self._watched: bool = bool(observers) or (outer is not None and outer._watched)
        self._verbose = log.is_enabled(log.DEBUG)
        self.is_noted: bool = self._watched or self._verbose
        """Whether anybody is told when a body starts or ends."""
        # The time
        self._begun_at = self.clock()
        self._wall_time = time.time()
        self.zero: float = self._begun_at if outer is None else outer.zero
        """When the outermost run began, by the clock of the loop."""
        self.bound: float | None = None
        """When all must be over, by the clock of the loop; known once the bodies are to end."""
        self.grace: Grace = Grace(self.loop)
        self._last_step_ended_at = self._begun_at
        enclosing_deadline = None if outer is None else outer._deadline
        self._deadline: Deadline = Deadline(
            self.loop, finite(limits.timeout), enclosing_deadline, self._expire
        )
        self.no_start_from = math.inf if self._deadline.when is None else self._deadline.when
        """The deadline, by the clock of the loop."""
        # The jobs
        self.context = contextvars.copy_context()
        """Jobs and hooks run in copies of it."""
        self.threads: DaemonThreads = DaemonThreads() if outer is None else outer.threads
        self.watch: BlockMonitor | None = None if outer is None else outer.watch
        """Who looks for bodies that hold the thread of the loop, in debug mode."""
        if outer is None:
            self.context.run(threads_in_use.set, self.threads)
            if self.loop.get_debug():
                self.watch = BlockMonitor(self.loop, self.flow)
        self.agenda: ReadyQueue = ReadyQueue(self.loop, self) if outer is None else outer.agenda
        self.is_eager: bool = is_eager(self.loop) if outer is None else outer.is_eager
        """Whether bodies start at once, and not in the next turn of the loop."""
        self.closed = False
        """Whether nothing starts any more."""
        self.windows: tuple[Slots[Execution], ...] = self._find_windows()
        """Those of which a job takes a place: that of this run, and perhaps those around it."""
        self._sleeper = Sleeper(self.loop)
        self._shutdown: Shutdown | None = None
        self._orphans: list[tuple[Scheduler, str]] = []
        """Those whose hooks are due with those of this run, each with its path."""
        self.all_special: bool = self.is_noted or self.watch is not None or bool(self.windows)
        self.jobs: Sequence[AbstractJob[object]] = tuple(plan.jobs)
        self.successors = plan.successors
        self._waiting = plan.waiting.copy()
        """How many of the requirements of each have not ended (or, services, come up)."""
        self.ready: deque[int] = deque()
        """Those that are to start, in order; the agenda has an entry for each."""
        self.executions: list[Execution | None] = [None] * len(self.jobs)
        """Those of the jobs that wait for a place, or are at work."""
        self._services = 0
        self.outcomes: Sequence[Outcome] = self._new_outcomes()
        self._steps: int = len(self.jobs) - self._services
        self._left: int = self._steps or self._services
        """How many have not ended of those that the run waits for: steps, or else services."""

    def _find_windows(self) -> tuple[Slots[Execution], ...]:
        own = () if self.limits.window is None else (Slots[Execution](self.limits.window),)
        if self._outer is None or not self.scheduler.shares_places:
            return own
        return (*own, *self._outer.windows)

    def _new_outcomes(self) -> list[Outcome]:
        default = self.scheduler.default_critical
        outcomes: list[Outcome] = []
        for job in self.jobs:
            critical = default if job.critical is None else job.critical
            outcome = job.__flow_outcome__ = Outcome(job.__flow_required__, critical)
            outcomes.append(outcome)
            if job.forever:
                self._services += 1
            if job.__flow_body__.is_stateful:
                job.__flow_renew__()
        return outcomes

    # The course of a run

    async def conduct(self) -> None:
        """Perform the run; when this returns, all is over and reported. It raises nothing."""
        try:
            if self.enclosing is not None:
                await self._enter(self.enclosing)
            if self._watched and self._outer is None:
                self._tell(lambda observer: observer.run_started(self.scheduler))
            if self._verbose:
                self.say(log.DEBUG, f"{self.scheduler.name!r} started", self._path)
            self._start()
            await self._until(self._bodies_are_to_end)
            await self._end_bodies()
            await self._call_hooks()
        finally:
            self._close()

    async def _enter(self, enclosing: Execution) -> None:
        enclosing.run.inner[self] = None
        if enclosing.drain is None or not enclosing.drain.over:
            enclosing.is_special = True
            enclosing.inner = [*(enclosing.inner or ()), self]
        else:
            # It is given up in some turns, which one run after the other is not to put off.
            self._fail_too_late()
            await self._turns(SETTLING_TURNS)

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
        self._let_nothing_start()
        for run in self.inner:
            run.fall_silent()

    def fall_silent(self) -> None:
        """Start nothing more, here and in the runs within: one around this has failed (rule 4)."""
        self._close_agenda()
        for run in self.inner:
            run.fall_silent()

    def _close_agenda(self) -> None:
        """Let nothing start any more; who was ready, or waits for a place, is idle again."""
        if self.closed:
            return
        self.closed = True
        self.no_start_from = -math.inf
        if not (self._left or self._services):
            return
        for window in (*self.windows, self.agenda.threads):
            for execution in window.dismiss(lambda execution: execution.run is self):
                execution.give_places_back()
        for number in self.ready:
            self.outcomes[number].state = State.IDLE
        for waiting in self.executions:
            if waiting is not None and waiting.outcome.state is State.SCHEDULED:
                waiting.outcome.state = State.IDLE

    def _expire(self) -> None:
        if not self.closed:
            self._time_out()

    def _time_out(self) -> None:
        name = "the run" if self.scheduler.label is None else repr(self.scheduler.name)
        assert self._deadline.when is not None  # it has come
        late = self.clock() - self._deadline.when
        self.fail(Reason.timeout(name, self.limits.timeout or 0, late))

    def _let_nothing_start(self) -> None:
        self._close_agenda()
        self._sleeper.wake()

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
        await self._until(lambda: passed)

    def _cancelled_from_outside(self) -> None:
        error = self._sleeper.cancelled
        assert error is not None  # the sleeper has kept it
        self.fail(Reason.cancelled(error))
        self._end_with_enclosing()

    def end_with_its_job(self) -> None:
        """End, as the body of the job around has begun this run and has ended without it."""
        error = asyncio.CancelledError("the job around has ended")
        self.fail(Reason.cancelled(error, "left behind by the job around, which has ended"))
        self._end_with_enclosing()
        around = self.enclosing
        if around is not None and not around.stopping:
            text = f"{around.name} has ended and left the run of {self.scheduler.name!r} behind"
            self.say(log.WARNING, f"{text}, which ends with it; await that run", around.path)

    def _end_with_enclosing(self) -> None:
        if self.enclosing is not None and self.enclosing.stopping:
            self._cut_short = self._shutdown is None
            self.heed_enclosing_drain()

    def heed_enclosing_drain(self) -> None:
        """Take no more time than the job around has."""
        if self.enclosing is not None:
            self.grace.heed(self.enclosing.drain)

    # From the first job to the last

    def _start(self) -> None:
        if self._deadline.own and self._deadline.has_passed(self._begun_at):
            self._expire()
        if not self.closed:
            for number, count in enumerate(self._waiting):
                if not count:
                    self.outcomes[number].state = _SCHEDULED
                    self.ready.append(number)
                    self.agenda.add(self)
            self.agenda.advance()

    def _release(self, number: int) -> bool:
        """Make ready what has waited for this job alone; whether anything has waited for it."""
        successors = self.successors[number]
        if successors is None:
            return False
        waiting = self._waiting
        for successor in successors:
            left = waiting[successor] - 1
            waiting[successor] = left
            if not left:
                self.outcomes[successor].state = _SCHEDULED
                self.ready.append(successor)
                self.agenda.add(self)
        return True

    def lets_start(self, now: float) -> bool:
        """Tell whether a body may start at that time; none does after the deadline (rule 2)."""
        if not self.closed and now >= self.no_start_from:
            self._deadline.expire()
            self._let_nothing_start()
        return not self.closed

    def say(
        self, level: int, text: str, path: str = "", error: BaseException | None = None
    ) -> None:
        """Write to the log; what a signal raises meanwhile, or a handler to exit, ends the run."""
        leaving = log.write(level, text, self.flow, path, error)
        if leaving is not None:
            self.fail(Reason.exit(leaving))

    @property
    def _path(self) -> str:
        """That of the job within which the run takes place."""
        return "" if self.enclosing is None else self.enclosing.path

    def note_start(self, execution: Execution) -> None:
        """Tell the log and the observers of a start; called if `is_noted`."""
        if self._verbose:
            self.say(log.DEBUG, f"{execution.name} started", execution.path)
        if self._watched:
            self._tell(lambda observer: observer.job_started(execution.job))

    def note_end(self, execution: Execution) -> None:
        """Tell the log and the observers of an end, once."""
        if execution.is_told:
            return
        execution.is_told = True
        self.agenda.now = None  # for all of them may take their time
        said = run_log.of_end(execution)
        if said is not None:
            self.say(*said, execution.path)
        if self._verbose:
            text = f"{execution.name} ended: {execution.outcome.state.value}"
            self.say(log.DEBUG, text, execution.path)
        if self._watched:
            self._tell(lambda observer: observer.job_ended(execution.job))

    def service_is_up(self, execution: Execution) -> None:
        """Let those that wait for this service start."""
        if execution.ended:
            return
        if execution.outcome.value is MISSING:
            execution.outcome.value = None
        execution.is_up = not self.closed
        try:
            if execution.job.__flow_body__.is_generator:
                execution.stop_timer()
            if execution.is_up:
                self._release(execution.number)
                self.agenda.advance()
        except BaseException as fault:
            self.agenda.mend(fault, None, None)

    def note_failure(self, execution: Execution, error: BaseException) -> None:
        """Keep a failure; if it is a decisive one, the run ends."""
        self.failures.append(execution.job)
        self.judge(execution, error)

    def note_skip(self, execution: Execution, error: BaseException) -> None:
        """Note a skip; that of a critical job ends the run."""
        self._skips = True
        self.judge(execution, error)

    def judge(self, execution: Execution, error: BaseException) -> None:
        """Let the run end if it is to end because of this failure, or skip."""
        if execution.outcome.state is State.SKIPPED:
            if execution.outcome.critical:
                self.fail(Reason.skipped(execution.job, error))
        elif is_exit(error):
            self.fail(Reason.exit(error, execution.job))
        elif execution.outcome.critical:
            self.fail(Reason.critical(execution.job, error))
        elif self.scheduler.ends_at_first_failure and self.enclosing is not None:
            # The job around is the critical one: the run that it is part of ends at once.
            self.fail(Reason.critical(execution.job, error))
            self.enclosing.run.fail(Reason.critical(self.enclosing.job, error))

    def retire(self, execution: Execution, now: float | None = None) -> None:
        """Let go of a job that has ended, and start what comes after it.

        Args:
            execution: the job.
            now: the time by the clock of the loop, if that was read for this.
        """
        self.let_go(execution)
        is_special = execution.is_special
        is_service = is_special and execution.job.forever
        if not (is_service and self._steps):
            self._left -= 1
        releases = False
        if not self._left or self.closed:
            if not is_service:
                self.note_last_end()
            self._let_nothing_start()
        elif not (is_service and execution.is_up):
            releases = self._release(execution.number)
        if is_special and (self.is_noted or execution.outcome.exception is not None):
            self.note_end(execution)
            now = None
        if releases and not self.agenda.is_busy:
            self.agenda.advance(now)

    def note_last_end(self) -> None:
        """Note when the step has ended that may be the last one."""
        self._last_step_ended_at = self.clock()

    def take_stock(self, waiting: list[int], ready: deque[int]) -> None:
        """Begin again from what the jobs have come to: see `net.rebuild`."""
        self._waiting = waiting
        self.ready = ready
        unended = (State.IDLE, State.SCHEDULED, State.RUNNING)
        states = [
            (job.forever, one.state) for job, one in zip(self.jobs, self.outcomes, strict=True)
        ]
        self._left = sum(
            state in unended for forever, state in states if not (forever and self._steps)
        )
        self._skips = any(state is State.SKIPPED for _, state in states)

    def wake(self) -> None:
        """Let the run see whether what it waits for has come."""
        self._sleeper.wake()

    def let_go(self, execution: Execution) -> None:
        """Let go of what a job has had of the run."""
        execution.ended = True
        execution.task = None  # whose context knows the execution
        self.executions[execution.number] = None
        if execution.is_special:
            execution.stop_timer()
            if execution.drain is not None:
                execution.drain.discard(execution)
                self._sleeper.wake()
            execution.give_places_back()
            execution.call = execution.guard = None
            execution.forget_body()

    # The end of the bodies, steps first, within the grace (rules 7 and 8)

    def _bodies_are_to_end(self) -> bool:
        if self.reason is not None:
            return True
        return not self._left

    async def _end_bodies(self) -> None:
        if self.reason is None and self._ended_late():
            self._time_out()
        services = self._at_work(forever=True)
        if self.reason is None and services:
            await self._turns(SETTLING_TURNS)
        self.grace.begin(self.limits.grace)
        self.heed_enclosing_drain()
        self.bound = self.grace.end + self.limits.shutdown_timeout
        steps = self._at_work(forever=False)
        if steps:
            await self._drained(steps, self.grace.share(2 if services else 1))
        going_down = generations(self._at_work(forever=True), self.jobs)
        while going_down:
            await self._drained(going_down[0], self.grace.share(len(going_down)))
            going_down.pop(0)
        if self.reason is None:
            self._look_for_stuck()

    def _ended_late(self) -> bool:
        deadline = self._deadline.when
        if deadline is None or not self._deadline.own or not self._steps:
            return False
        return self._last_step_ended_at > deadline

    def _at_work(self, *, forever: bool) -> list[Execution]:
        if not (self._services if forever else self._left):
            return []
        return [
            execution
            for execution in self.executions
            if execution is not None
            and execution.task is not None
            and execution.job.forever is forever
        ]

    async def _drained(self, executions: Sequence[Execution], until: float) -> None:
        drain = self.grace.drain(executions, until)
        await self._until(lambda: not drain.members)

    def hurry(self) -> None:
        """Skip the rest of the grace: what does not react to a cancellation is stuck."""
        self.grace.hurry()

    def give_up(self) -> None:
        """End now, as the time of the job around is over; hooks have no more time either."""
        self.grace.hurry()
        if self._shutdown is not None:
            self._shutdown.hurry()
        self._cut_short = True
        if not self._bodies_are_to_end():
            # That job has kept the cancellation from it, or has begun it afterwards.
            self._fail_too_late()

    def _fail_too_late(self) -> None:
        self.fail(Reason.cancelled(asyncio.CancelledError("the job around is given up")))

    def _look_for_stuck(self) -> None:
        decisive = [job for job in self.stuck if not job.forever or job.__flow_outcome__.critical]
        if decisive:
            self.reason = Reason.stuck(decisive)

    # After the bodies

    async def _call_hooks(self) -> None:
        if self._cut_short and self._outer is not None:
            self._outer._orphans.extend([*self._orphans, (self.scheduler, self._path)])
            return
        due = dict(self.scheduler.__flow_children_hooks__(self._path))
        for orphan, path in self._orphans:
            due.update(orphan.__flow_hooks_at__(path))
        seconds = self.limits.shutdown_timeout
        self._shutdown = Shutdown(self.loop, self.context, seconds, self.flow, self.agenda)
        if due:
            await self._shutdown.call(due, self._sleeper)
            if self._sleeper.cancelled is not None:
                self.fail(Reason.cancelled(self._sleeper.cancelled))
        self.scheduler.__flow_shutdown_ok__ = not self._shutdown.errors
        for error in (*self._shutdown.errors.values(), self._shutdown.leaving):
            if error is not None and is_exit(error):
                self.fail(Reason.exit(error))

    def _close(self) -> None:
        self._deadline.lift()
        self.grace.close()
        self.report = self._make_report()
        self._close_agenda()  # it may be closed by force, before its bodies have ended
        # They know the run: let them go, so that nothing needs the collector.
        self.executions = [None] * len(self.jobs)
        self.scheduler._ended(self.report)
        if self.enclosing is not None:
            self._leave_enclosing(self.enclosing)
        else:
            self.agenda.clear()
            self.threads.shutdown()
            if self.watch is not None:
                self.watch.close()
        self._note_end_of_run()

    def _note_end_of_run(self) -> None:
        # An exit, or a cancellation from outside, leaves: nobody overlooks it.
        failed = self.reason is not None and self.reason.cause not in (Cause.EXIT, Cause.CANCELLED)
        if self._outer is None and self.reason is not None and failed:
            text = run_log.of_failed_run(self.flow, self.report.duration, self.reason)
            self.say(log.ERROR, text)
        if self._verbose:
            self.say(log.DEBUG, f"{self.scheduler.name!r} ended", self._path)
        if self._watched and self._outer is None:
            self._tell(lambda observer: observer.run_ended(self.report))

    def _leave_enclosing(self, enclosing: Execution) -> None:
        enclosing.run._inner_reports.setdefault(enclosing.job, []).append(self.report)
        enclosing.inner = [run for run in enclosing.inner or () if run is not self]
        enclosing.run.inner.pop(self, None)
        if enclosing.waits_for_inner is not None:
            enclosing.waits_for_inner.wake()
        if enclosing.drain is not None and enclosing.drain.over:
            # It was not given up only because this run had still to end.
            after_turns(self.loop, SETTLING_TURNS, enclosing.give_up)

    def _make_report(self) -> Report:
        return Report(
            name=self.scheduler.name,
            reason=self.reason,
            wall_time=self._wall_time,
            duration=self.clock() - self._begun_at,
            ran=self.jobs,
            outcomes=self.outcomes,
            inner=self._inner_reports,
            unrun=self._find_unrun(),
            failed=self.failures,
            own_stuck=self.stuck,
            shutdown={} if self._shutdown is None else self._shutdown.errors,
        )

    def _find_unrun(self) -> dict[AbstractJob[object], tuple[Entry, ...]]:
        if not (self._skips or self._left or self._services):
            return {}
        return {
            job: unrun(job.children)
            for job, outcome in zip(self.jobs, self.outcomes, strict=True)
            if outcome.state in (State.IDLE, State.SKIPPED)
        }

    def _tell(self, notify: Callable[[Observer], None]) -> None:
        leaving = self._audience.tell(notify)
        if leaving is not None:
            self.fail(Reason.exit(leaving))
        if self._outer is not None:
            self._outer._tell(notify)
