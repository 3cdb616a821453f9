"""One run of a set of jobs: what starts when, when it is over, and how it ends.

A `Run` lives for one run alone. Its `execute` sleeps in the task of the caller while each job is
executed in a task of its own; as a done callback would cost a turn of the loop, the end of a job
starts its successors itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable, Iterable, Sequence
from types import CoroutineType
from typing import Any

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.limits import DEEPEST, finite
from flowdeco.errors import NestingError
from flowdeco.jobs.entries import Entry, unrun
from flowdeco.jobs.job import AbstractJob
from flowdeco.jobs.outcome import MISSING, State
from flowdeco.jobs.threads import threads_in_use
from flowdeco.observers.base import Observer

from . import run_log
from .attended import AttendedExecution
from .deadline import Deadline
from .ending import SETTLING_TURNS, Drain, Ending, Sleeper, after_turns, generations
from .execution import Execution, PlainExecution
from .hooks import Hook
from .nested import NestedRuns
from .net import Net
from .observers import Observers
from .phase import Phase
from .progress import Progress
from .ready_queue import ReadyQueue
from .reason import Cause, Reason
from .record import Record
from .services import GeneratorServiceExecution, ServiceExecution
from .session import Session
from .slots import Slots
from .specification import Specification

__all__ = ["Run"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_OPEN = Phase.OPEN
_DONE = State.DONE


class Run:
    """One run, as its specification says.

    Args:
        specification: its jobs and limits.
        observers: who watches.
        enclosing: the job within which this run takes place, if any (rule 21).

    Raises:
        NestingError: too many runs are nested in each other.
    """

    __slots__ = (
        "_began_at",
        "_deadline",
        "_depth",
        "_hook_errors",
        "_hooks",
        "_is_cut_short",
        "_observers",
        "_orphans",
        "_sleeper",
        "clock",
        "context",
        "enclosing",
        "ending",
        "nested",
        "path",
        "phase",
        "progress",
        "queue",
        "reason",
        "session",
        "slots",
        "specification",
        "starts_until",
        "zero",
    )

    def __init__(
        self,
        specification: Specification,
        observers: Sequence[Observer] = (),
        enclosing: Execution | None = None,
    ) -> None:
        self.specification = specification
        self.enclosing: Execution | None = enclosing
        outer = None if enclosing is None else enclosing.run
        assert outer is None or isinstance(outer, Run)  # there is no other class of runs
        self._depth: int = 1 if outer is None else outer._depth + 1
        if self._depth > DEEPEST:
            raise NestingError(
                f"runs are nested more than {DEEPEST} levels deep, at {specification.name!r};"
                " does a subflow make its own class?",
                self._depth,
            )
        self.phase = Phase.OPEN
        self.reason: Reason | None = None
        self.path: str = "" if enclosing is None else enclosing.path
        self.session: Session
        self.session = session = (
            Session(self, specification.name, Net(self)) if outer is None else outer.session
        )
        around = None if outer is None else outer._observers
        if around is None or observers:
            around = Observers(observers, around, session.flow)
        self._observers: Observers = around
        self.queue: ReadyQueue = session.queue
        self.clock: Callable[[], float] = session.clock
        self.zero: float = session.zero
        self._began_at = session.clock()
        limits = specification.limits
        outer_deadline = None if outer is None else outer._deadline
        self._deadline: Deadline = Deadline(
            session.loop, finite(limits.timeout), outer_deadline, self._expire
        )
        self.starts_until: float = math.inf if self._deadline.when is None else self._deadline.when
        self.ending: Ending = Ending(session.loop, limits.grace)
        self._sleeper = Sleeper(session.loop)
        self._is_cut_short = False
        self._hooks: Drain[Hook] | None = None
        self._hook_errors: dict[AbstractJob[object], BaseException] = {}
        self._orphans: dict[AbstractJob[object], str] = {}
        """The hooks of runs within this one that it has cut short, with their paths."""
        self.nested: dict[object, NestedRuns] = {}
        self.context = contextvars.copy_context()
        if outer is None:
            self.context.run(threads_in_use.set, session.threads)
        self.slots: tuple[Slots[Any], ...] = ()
        if limits.window is not None:
            self.slots = (Slots[Execution](limits.window),)
        if outer is not None and specification.shares_slots:
            self.slots = (*self.slots, *outer.slots)
        is_watched = self.is_noted or session.monitor is not None
        self.progress: Progress[Execution] = Progress(
            specification,
            self.path,
            all_attended=is_watched or session.has_factory or bool(self.slots),
        )

    @property
    def is_open(self) -> bool:
        """Whether jobs still start."""
        return self.phase is _OPEN

    @property
    def is_noted(self) -> bool:
        """Whether starts and ends of jobs are told to observers or the log."""
        return self.session.is_verbose or bool(self._observers)

    @property
    def bound(self) -> float | None:
        """When all must be over, by the clock; known once the bodies are stopped."""
        if self.phase < Phase.STOPPING_STEPS:
            return None
        return self.ending.until + self.specification.limits.shutdown_timeout

    def records_within(self, job: AbstractJob[object]) -> Sequence[Record]:
        """Return the records of the runs that have ended within a job."""
        return self.progress.records.get(job, ())

    def runs_within(self) -> Iterable[Run]:
        """Return the runs that go on in the bodies of its jobs."""
        runs = [run for group in self.nested.values() for run in group.runs]
        return [run for run in runs if isinstance(run, Run)]

    # The course of a run

    async def execute(self) -> None:
        """Execute the run; when this returns, all is over and reported. It raises nothing."""
        try:
            if self.enclosing is not None:
                await self._enter(self.enclosing)
            self._announce_start()
            self._start()
            await self._until(self._bodies_are_to_end)
            await self._stop_steps()
            await self._stop_services()
            if self._is_cut_short and self.enclosing is not None:
                self._hand_over_hooks(self.enclosing)
            else:
                await self._call_hooks()
        finally:
            self._finish()

    def _move_to(self, phase: Phase) -> None:
        assert phase == self.phase + 1 or phase is Phase.OVER, (self.phase, phase)
        self.phase = phase

    async def _until(self, condition: Callable[[], object]) -> None:
        """Sleep until the condition holds; whatever makes it true wakes the sleeper."""
        while not condition():
            if await self._sleeper.sleep():
                self._cancelled_from_outside()

    async def _turns(self, turns: int) -> None:
        passed: list[bool] = []

        def note() -> None:
            passed.append(True)
            self._sleeper.wake()

        after_turns(self.session.loop, turns, note)
        await self._until(lambda: passed)

    def look_again(self) -> None:
        """See whether something has come that the run waits for, as the last end of a step."""
        if not self.progress.left and self.phase is _OPEN:
            self._step_ended()
        self._sleeper.wake()

    def raise_exit(self) -> None:
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

    # OPEN: jobs start

    async def _enter(self, enclosing: Execution) -> None:
        """Become a run within a job."""
        is_late = enclosing.drain is not None and enclosing.drain.is_over
        # The job is abandoned in some turns, which one run after the other is not to put off.
        key = None if is_late else enclosing
        enclosing.run.nested.setdefault(key, NestedRuns()).runs[self] = None
        if is_late:
            self._fail_too_late()
            await self._turns(SETTLING_TURNS)

    def _announce_start(self) -> None:
        if self.enclosing is None and self._observers:
            subject = self.specification.subject
            self._tell(lambda observer: observer.run_started(subject))
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{self.specification.name!r} started", self.path)

    def _start(self) -> None:
        if self._deadline.own and self._deadline.has_passed(self._began_at):
            self._expire()
        if self.phase is not _OPEN:
            return
        if not self.progress.left:
            self.close()
            return
        queue = self.queue
        for _ in range(self.progress.start()):
            queue.add(self)
        queue.advance()

    def next_ready(self) -> Execution | None:
        """Return the next job that is ready, at work from now on; None if none starts any more."""
        if self.phase is not _OPEN:
            return None
        progress = self.progress
        number = progress.ready.popleft()
        body = progress.bodies[number]
        if body is not None:
            return PlainExecution(self, number, progress.outcomes[number], body)
        job = progress.jobs[number]
        kind = AttendedExecution
        if job.forever:
            is_generator = job.__flow_body__.is_generator
            kind = GeneratorServiceExecution if is_generator else ServiceExecution
        execution = progress.executions[number] = kind(self, number, progress.outcomes[number])
        return execution

    def may_start(self, now: float) -> bool:
        """Tell whether a body may start at that time; none does after the deadline (rule 2)."""
        if self.phase is _OPEN and now >= self.starts_until:
            self._deadline.expire()
            self.close()
            self._sleeper.wake()
        return self.phase is _OPEN

    def job_started(self, execution: Execution) -> None:
        """Tell the log and the observers of a start; called if `is_noted`."""
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{execution.name} started", execution.path)
        if self._observers:
            self._tell(lambda observer: observer.job_started(execution.job))

    def service_ready(self, execution: Execution) -> None:
        """Start the jobs that have waited for this service."""
        if execution.ended:
            return
        if execution.outcome.value is MISSING:
            execution.outcome.value = None
        execution.is_up = is_open = self.phase is _OPEN
        if is_open:
            try:
                self._release(execution.number)
                self.queue.advance()
            except BaseException as fault:
                self.queue.mend(fault, None, None)

    def _release(self, number: int) -> None:
        """Make ready the jobs that have waited for this one alone."""
        successors = self.progress.successors[number]
        if successors is not None:
            self.progress.release(successors, self.queue.add, self)

    def job_done(self, execution: Execution, value: object) -> None:
        """Note that a plain job has ended with a value, and start its successors.

        This is `Execution.settle` and `job_ended` in one, for the course of most jobs.
        """
        outcome = execution.outcome
        progress = self.progress
        queue = self.queue
        queue.now = now = self.clock()
        outcome.ended_at = now - self.zero
        # In this order: a job that is done has its value.
        outcome.value = value
        outcome.state = _DONE
        execution.ended = True
        if execution.task is not None:
            self.forget(execution)
        left = progress.left = progress.left - 1
        if not left or self.phase is not _OPEN:
            self._step_ended()
        else:
            successors = progress.successors[execution.number]
            if successors is not None:
                progress.release(successors, queue.add, self)
                if progress.ready and not queue.is_busy:
                    queue.advance(now)
        if type(value) is CoroutineType:
            execution.warn_of_coroutine()

    def job_failed(self, execution: Execution, error: BaseException) -> None:
        """Note a failure, or a skip; a decisive one ends the run."""
        outcome, job = execution.outcome, execution.job
        if outcome.state is State.SKIPPED:
            self.progress.has_skips = True
            if outcome.critical:
                self.fail(Reason.skipped(job, error))
            return
        self.progress.failures.append(job)
        if is_exit(error):
            self.fail(Reason.exit(error, job))
        elif outcome.critical:
            self.fail(Reason.critical(job, error))
        elif self.specification.ends_at_first_failure and self.enclosing is not None:
            # The job around is the critical one: the run that it is part of ends at once.
            self.fail(Reason.critical(job, error))
            self.enclosing.run.fail(Reason.critical(self.enclosing.job, error))

    def job_stuck(self, execution: Execution) -> None:
        """Note that a job does not end."""
        self.progress.stuck.append(execution.job)

    def job_ended(self, execution: Execution, now: float | None = None) -> None:
        """Let go of a job that has ended, with its outcome in place, and start its successors.

        Args:
            execution: the job.
            now: the time by the clock, if that was read for this.
        """
        self.forget(execution)
        progress = self.progress
        is_service = execution.job.forever
        if not (is_service and progress.has_steps):
            progress.left -= 1
        if not progress.left or self.phase is not _OPEN:
            if is_service:
                self.close()
                self._sleeper.wake()
            else:
                self._step_ended()
        elif not execution.is_up:
            self._release(execution.number)
        if execution.outcome.exception is not None or self.is_noted:
            self.note_end(execution)
            now = None
        if progress.ready and not self.queue.is_busy:
            self.queue.advance(now)

    def _step_ended(self) -> None:
        """Note the end of a step that may be the last one."""
        self.progress.last_end = self.clock()
        self.close()
        self._sleeper.wake()

    def forget(self, execution: Execution) -> None:
        """Let go of all that a job has had of the run."""
        execution.ended = True
        if execution.outcome.state is State.SCHEDULED:
            execution.outcome.state = State.IDLE
        execution.task = None  # whose context knows the execution
        self.progress.executions[execution.number] = None
        if execution.drain is not None:
            execution.drain.discard(execution)
            self._sleeper.wake()
        execution.close()

    def note_end(self, execution: Execution) -> None:
        """Tell the log and the observers of an end, once."""
        if execution.is_told:
            return
        execution.is_told = True
        session = self.session
        self.queue.now = None  # for all of them may take their time
        said = run_log.of_end(execution)
        if said is not None:
            session.say(*said, execution.path)
        if session.is_verbose:
            text = f"{execution.name} ended: {execution.outcome.state.value}"
            session.say(log.DEBUG, text, execution.path)
        if self._observers:
            self._tell(lambda observer: observer.job_ended(execution.job))

    def _tell(self, notify: Callable[[Observer], None]) -> None:
        self.session.leave(self._observers.tell(notify))

    # CLOSED: nothing starts any more

    def close(self) -> None:
        """Start nothing more; jobs that were ready, or wait for a slot, are idle again."""
        if self.phase is not _OPEN:
            return
        self._move_to(Phase.CLOSED)
        self.starts_until = -math.inf
        for window in (*self.slots, self.session.thread_slots):
            for execution in window.dismiss(lambda execution: execution.run is self):
                execution.give_slots_back()
        self.progress.unschedule()

    def fail(self, reason: Reason) -> None:
        """End the run because of this, unless there is a reason already that counts more.

        Nothing more starts, here and in the runs within (rule 4).
        """
        if reason.outranks(self.reason):
            self.reason = reason
        closing: list[Run] = [self]
        for run in closing:
            run.close()
            closing.extend(run.runs_within())
        self._sleeper.wake()

    def _expire(self) -> None:
        """End the run, as its deadline has come."""
        if self.phase is _OPEN:
            self._time_out()

    def _time_out(self) -> None:
        name = repr(self.specification.name) if self.specification.is_named else "the run"
        assert self._deadline.when is not None  # it has come
        late = self.clock() - self._deadline.when
        self.fail(Reason.timeout(name, self.specification.limits.timeout or 0, late))

    def _cancelled_from_outside(self) -> None:
        error = self._sleeper.cancelled
        assert error is not None  # the sleeper has kept it
        self.fail(Reason.cancelled(error))
        self._end_with_enclosing()

    def end_with_job(self) -> None:
        """End, as the body of the job around has begun this run and has ended without it."""
        error = asyncio.CancelledError("the job around has ended")
        self.fail(Reason.cancelled(error, "left behind by the job around, which has ended"))
        self._end_with_enclosing()
        around = self.enclosing
        if around is not None and not around.stopping:
            name = self.specification.name
            text = f"{around.name} has ended and left the run of {name!r} behind"
            self.session.say(log.WARNING, f"{text}, which ends with it; await that run", self.path)

    def _end_with_enclosing(self) -> None:
        if self.enclosing is not None and self.enclosing.stopping:
            self._is_cut_short = self.phase < Phase.HOOKS
            self.shorten_ending()

    def shorten_ending(self) -> None:
        """Take no more time to end than the job around has (rule 21)."""
        if self.enclosing is not None:
            self.ending.shorten_to(self.enclosing.drain)

    def skip_grace(self) -> None:
        """Skip the rest of the grace: a body that does not react to a cancellation is stuck."""
        self.ending.skip()

    def abandon(self) -> None:
        """End now, as the time of the job around is over; hooks have no more time either."""
        self.ending.skip()
        if self._hooks is not None:
            self._hooks.skip()
        self._is_cut_short = True
        if not self._bodies_are_to_end():
            # That job has kept the cancellation from it, or has begun it afterwards.
            self._fail_too_late()

    def _fail_too_late(self) -> None:
        self.fail(Reason.cancelled(asyncio.CancelledError("the job around is given up")))

    # STOPPING: the bodies end, steps first, within the grace (rules 7 and 8)

    def _bodies_are_to_end(self) -> bool:
        return self.reason is not None or not self.progress.left

    async def _stop_steps(self) -> None:
        if self.reason is None and self._ended_late():
            self._time_out()
        services = self.progress.at_work(forever=True)
        if self.reason is None and services:
            # What the last step has sent them is received.
            await self._turns(SETTLING_TURNS)
        self._move_to(Phase.STOPPING_STEPS)
        self.ending.begin()
        self.shorten_ending()
        steps = self.progress.at_work(forever=False)
        if steps:
            await self._drained(steps, self.ending.share(2 if services else 1))

    async def _stop_services(self) -> None:
        self._move_to(Phase.STOPPING_SERVICES)
        going_down = generations(self.progress.at_work(forever=True), self.progress.jobs)
        while going_down:
            await self._drained(going_down[0], self.ending.share(len(going_down)))
            going_down.pop(0)
        stuck = [(job, job.__flow_outcome__.critical) for job in self.progress.stuck]
        decisive = [job for job, critical in stuck if critical or not job.forever]
        if self.reason is None and decisive:
            self.reason = Reason.stuck(decisive)

    def _ended_late(self) -> bool:
        deadline = self._deadline.when
        if deadline is None or not self._deadline.own or not self.progress.has_steps:
            return False
        return self.progress.last_end > deadline

    async def _drained(self, executions: Sequence[Execution], until: float) -> None:
        drain = self.ending.drain(executions, until)
        await self._until(lambda: not drain.members)

    # HOOKS

    def _hand_over_hooks(self, enclosing: Execution) -> None:
        """Leave the hooks to the run around, which has cut this one short (rule 10)."""
        outer = enclosing.run
        assert isinstance(outer, Run)  # there is no other class of runs
        outer._orphans.update(self._orphans)
        outer._orphans.update(self.specification.claim_hooks(self.path))

    async def _call_hooks(self) -> None:
        self._move_to(Phase.HOOKS)
        due = dict(self.specification.own_hooks(self.path))
        due.update(self._orphans)
        if not due:
            return
        loop, seconds = self.session.loop, self.specification.limits.shutdown_timeout
        hooks = [Hook(self, job, path, seconds) for job, path in due.items()]
        self._hooks = drain = Drain(loop, hooks, loop.time() + seconds, patient=True)
        for hook in hooks:
            hook.start()
        while drain.members:
            await self._sleeper.sleep()
        if self._sleeper.cancelled is not None:
            self.fail(Reason.cancelled(self._sleeper.cancelled))
        for error in self._hook_errors.values():
            if is_exit(error):
                self.fail(Reason.exit(error))

    def hook_ended(self, hook: Execution) -> None:
        """Note that a shutdown hook has ended, or was left behind."""
        assert self._hooks is not None  # they were started
        assert isinstance(hook, Hook)
        self._hooks.discard(hook)
        if hook.error is not None:
            self._hook_errors[hook.job] = hook.error
        if not self._hooks.members:
            self._sleeper.wake()

    # OVER

    def _finish(self) -> None:
        self._deadline.lift()
        self.ending.close()
        record = self._make_record()
        self.close()  # it may be closed by force, before its bodies have ended
        self._move_to(Phase.OVER)
        # They know the run: let them go, so that nothing needs the collector.
        self.progress.executions = [None] * len(self.progress.jobs)
        self._hooks = None
        report = self.specification.conclude(record)
        if self.enclosing is not None:
            self._leave(self.enclosing, record)
        self._announce_end(record, report)
        if self.enclosing is None:
            self.session.close()

    def _announce_end(self, record: Record, report: Any) -> None:
        reason, is_outermost = self.reason, self.enclosing is None
        # An exit, or a cancellation from outside, leaves: nobody overlooks it.
        leaves = reason is not None and reason.cause in (Cause.EXIT, Cause.CANCELLED)
        if is_outermost and reason is not None and not leaves:
            text = run_log.of_failed_run(record.name, record.duration, reason)
            self.session.say(log.ERROR, text)
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{record.name!r} ended", self.path)
        if is_outermost and self._observers:
            self._tell(lambda observer: observer.run_ended(report))

    def _leave(self, enclosing: Execution, record: Record) -> None:
        """Be a run within a job no longer."""
        outer = enclosing.run
        assert isinstance(outer, Run)  # there is no other class of runs
        outer.progress.records.setdefault(enclosing.job, []).append(record)
        for key in (enclosing, None):
            group = outer.nested.get(key)
            if group is not None:
                group.discard(self)
                if not group.runs:
                    del outer.nested[key]
        if enclosing.drain is not None and enclosing.drain.is_over:
            # It was not abandoned only because this run had still to end.
            after_turns(self.session.loop, SETTLING_TURNS, enclosing.abandon)

    def _make_record(self) -> Record:
        progress = self.progress
        return Record(
            name=self.specification.name,
            reason=self.reason,
            wall_time=self.session.wall_zero + (self._began_at - self.zero),
            duration=self.clock() - self._began_at,
            jobs=progress.jobs,
            outcomes=progress.outcomes,
            nested=progress.records,
            unrun=self._find_unrun(),
            failures=progress.failures,
            stuck=progress.stuck,
            shutdown_errors=self._hook_errors,
        )

    def _find_unrun(self) -> dict[AbstractJob[object], tuple[Entry, ...]]:
        progress = self.progress
        if not (progress.has_skips or progress.left or progress.has_services):
            return {}
        return {
            job: unrun(job.children)
            for job, outcome in zip(progress.jobs, progress.outcomes, strict=True)
            if outcome.state in (State.IDLE, State.SKIPPED)
        }
