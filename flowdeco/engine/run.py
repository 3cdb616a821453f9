"""One run of a set of jobs: what starts when, when it is over, and how it ends.

A `Run` lives for one run alone. Its `execute` sleeps in the task of the caller while each job is
executed in a task of its own; as a done callback would cost a turn of the loop, the end of a job
starts its successors itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable, Sequence
from typing import Any

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.limits import DEEPEST, finite
from flowdeco.errors import NestingError
from flowdeco.jobs.outcome import State
from flowdeco.jobs.threads import threads_in_use

from .bookkeeping import Bookkeeping
from .deadline import Deadline
from .ending import SETTLING_TURNS, Sleeper, after_turns, generations
from .execution import Execution
from .hooks import Hooks
from .nested import NestedRuns
from .net import Net
from .observers import Observers, Watcher
from .phase import Phase
from .reason import Cause, Reason
from .record import Record
from .session import Session
from .slots import Slots
from .specification import Specification

__all__ = ["Run"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_OPEN = Phase.OPEN
_DONE = State.DONE


class Run(Bookkeeping):
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
        "_hooks",
        "_is_cut_short",
        "sleeper",
    )

    def __init__(
        self,
        specification: Specification,
        observers: Sequence[Watcher] = (),
        enclosing: Execution | None = None,
    ) -> None:
        outer = _run_of(enclosing)
        self._depth: int = 1 if outer is None else outer._depth + 1
        if self._depth > DEEPEST:
            raise NestingError(
                f"runs are nested more than {DEEPEST} levels deep, at {specification.name!r};"
                " does a subflow make its own class?",
                self._depth,
            )
        limits = specification.limits
        context = contextvars.copy_context()
        slots: tuple[Slots[Any], ...] = () if limits.window is None else (Slots(limits.window),)
        if outer is None:
            session = Session(self, specification.name, Net(self))
            around = Observers(observers, None, session.flow)
            context.run(threads_in_use.set, session.threads)
        else:
            session, around = outer.session, outer.observers
            if observers:
                around = Observers(observers, around, session.flow)
            if specification.shares_slots:
                slots = (*slots, *outer.slots)
        self._began_at = session.clock()
        around_it = None if outer is None else outer._deadline
        timeout = finite(limits.timeout)
        self._deadline: Deadline = Deadline(session.loop, timeout, around_it, self._expire)
        self.sleeper = Sleeper(session.loop)
        self._is_cut_short = False
        self._hooks = Hooks(self.sleeper)
        when = self._deadline.when
        super().__init__(
            specification,
            session,
            around,
            enclosing,
            context=context,
            slots=slots,
            starts_until=math.inf if when is None else when,
        )

    def runs_within(self) -> Sequence[Run]:
        """Return the runs that go on in the bodies of its jobs."""
        runs = [run for group in self.nested.values() for run in group.runs]
        return [run for run in runs if isinstance(run, Run)]

    # The course of a run

    async def execute(self) -> None:
        """Execute the run; when this returns, all is over and reported. It raises nothing."""
        try:
            if self.enclosing is not None:
                await self._enter(self.enclosing)
            self.announce_start()
            self.start_jobs()
            await self.wait_for_bodies()
            await self.end_bodies()
        finally:
            if self.phase is not Phase.OVER:
                self.finish()

    async def end_bodies(self) -> None:
        """Stop what is left, and call the hooks, or leave that to the run around."""
        await self._stop_steps()
        await self._stop_services()
        outer = _run_of(self.enclosing)
        if self._is_cut_short and outer is not None:
            self._hooks.hand_over(self.specification.claim_hooks(self.path), outer._hooks)
        else:
            await self._call_hooks()

    async def wait_for_bodies(self) -> None:
        await self._until(self.bodies_are_to_end)

    async def _until(self, condition: Callable[[], object]) -> None:
        """Sleep until the condition holds; whatever makes it true wakes the sleeper."""
        while not condition():
            if await self.sleeper.sleep():
                self.cancelled_from_outside()

    async def _turns(self, turns: int) -> None:
        passed: list[bool] = []

        def note() -> None:
            passed.append(True)
            self.sleeper.wake()

        after_turns(self.session.loop, turns, note)
        await self._until(lambda: passed)

    def look_again(self) -> None:
        """See whether something has come that the run waits for, as the last end of a step."""
        if not self.progress.left and self.phase is _OPEN:
            self.step_ended()
        self.sleeper.wake()

    def wake(self) -> None:
        """See whether something has come that the run waits for."""
        self.sleeper.wake()

    def raise_exit(self) -> None:
        """Raise what is not the run's to keep: an exit, or a cancellation from outside.

        Raises:
            SystemExit, KeyboardInterrupt: raised in a job or a hook, or asked for by a signal.
            CancelledError: the one that reached the task of the caller.
        """
        reason = self.reason
        if reason is not None and reason.cause is Cause.EXIT and reason.exception is not None:
            raise reason.exception
        if self.sleeper.cancelled is not None:
            raise self.sleeper.cancelled

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

    def start_jobs(self) -> None:
        if self._deadline.own and self._deadline.has_passed(self._began_at):
            self._expire()
        if self.phase is not _OPEN:
            return
        if not self.progress.left:
            self.close()
            return
        for number, count in enumerate(self.progress.waiting):
            if not count:
                self.make_ready(number)
        self.queue.advance()

    def may_start(self, now: float) -> bool:
        """Tell whether a body may start at that time; none does after the deadline (rule 2)."""
        if self.phase is _OPEN and now >= self.starts_until:
            self._deadline.expire()
            self.close()
            self.sleeper.wake()
        return self.phase is _OPEN

    # CLOSED: nothing starts any more

    def close(self) -> None:
        """Start nothing more; jobs that were ready, or wait for a slot, are idle again."""
        if self.phase is not _OPEN:
            return
        self.move_to(Phase.CLOSED)
        self.starts_until = -math.inf
        for window in (*self.slots, self.session.thread_slots):
            for execution in window.dismiss(lambda execution: execution.run is self):
                execution.give_slots_back()
        self.progress.unschedule()

    def fail(self, reason: Reason) -> None:
        """End the run because of this, unless there is a reason already that counts more.

        Nothing more starts, here and in the runs within (rule 4).
        """
        self.blame(reason)
        closing: list[Run] = [self]
        for run in closing:
            run.close()
            closing.extend(run.runs_within())
        self.sleeper.wake()

    def _expire(self) -> None:
        """End the run, as its deadline has come."""
        if self.phase is _OPEN:
            self._time_out()

    def _time_out(self) -> None:
        name = repr(self.specification.name) if self.specification.is_named else "the run"
        assert self._deadline.when is not None  # it has come
        late = self.clock() - self._deadline.when
        self.fail(Reason.timeout(name, self.specification.limits.timeout or 0, late))

    def cancelled_from_outside(self) -> None:
        error = self.sleeper.cancelled
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

    def abandon(self) -> None:
        """End now, as the time of the job around is over; hooks have no more time either."""
        self.ending.skip()
        self._hooks.skip()
        self._is_cut_short = True
        if not self.bodies_are_to_end():
            # That job has kept the cancellation from it, or has begun it afterwards.
            self._fail_too_late()

    def _fail_too_late(self) -> None:
        self.fail(Reason.cancelled(asyncio.CancelledError("the job around is given up")))

    # STOPPING: the bodies end, steps first, within the grace (rules 7 and 8)

    def bodies_are_to_end(self) -> bool:
        return self.reason is not None or not self.progress.left

    async def _stop_steps(self) -> None:
        if self.reason is None and self._ended_late():
            self._time_out()
        services = self.progress.at_work(forever=True)
        if self.reason is None and services:
            # What the last step has sent them is received.
            await self._turns(SETTLING_TURNS)
        self.move_to(Phase.STOPPING_STEPS)
        self.ending.begin()
        self.shorten_ending()
        steps = self.progress.at_work(forever=False)
        if steps:
            await self._drained(steps, self.ending.share(2 if services else 1))

    async def _stop_services(self) -> None:
        self.move_to(Phase.STOPPING_SERVICES)
        going_down = generations(self.progress.at_work(forever=True), self.progress.jobs)
        while going_down:
            await self._drained(going_down[0], self.ending.share(len(going_down)))
            going_down.pop(0)
        stuck = self.progress.stuck
        decisive = [job for job in stuck if job.__flow_outcome__.critical or not job.forever]
        if self.reason is None and decisive:
            self.blame(Reason.stuck(decisive))

    def _ended_late(self) -> bool:
        deadline = self._deadline.when
        if deadline is None or not self._deadline.own or not self.progress.has_steps:
            return False
        return self.progress.last_end > deadline

    async def _drained(self, executions: Sequence[Execution], until: float) -> None:
        drain = self.ending.drain(executions, until)
        await self._until(lambda: not drain.members)

    # HOOKS

    async def _call_hooks(self) -> None:
        self.move_to(Phase.HOOKS)
        await self._hooks.call(self, self.specification.own_hooks(self.path))
        if self.sleeper.cancelled is not None:
            self.fail(Reason.cancelled(self.sleeper.cancelled))
        for error in self._hooks.errors.values():
            if is_exit(error):
                self.fail(Reason.exit(error))

    # OVER

    def finish(self) -> None:
        """Make the record, and let go of all that was for this run."""
        self._deadline.lift()
        self.ending.close()
        record = self.make_record()
        self.close()  # it may be closed by force, before its bodies have ended
        self.move_to(Phase.OVER)
        # They know the run: let them go, so that nothing needs the collector.
        self.progress.executions = [None] * len(self.progress.jobs)
        self._hooks.forget()
        report = self.specification.conclude(record)
        outer = _run_of(self.enclosing)
        if self.enclosing is not None and outer is not None:
            self._leave(self.enclosing, outer, record)
        self.announce_end(record, report)
        if self.enclosing is None:
            self.session.close()

    def _leave(self, enclosing: Execution, outer: Run, record: Record) -> None:
        """Be a run within a job no longer."""
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

    def make_record(self) -> Record:
        progress = self.progress
        return Record(
            name=self.specification.name,
            reason=self.reason,
            wall_time=self.session.wall_zero + (self._began_at - self.zero),
            duration=self.clock() - self._began_at,
            jobs=progress.jobs,
            outcomes=progress.outcomes,
            nested=progress.records,
            unrun=progress.find_unrun(),
            failures=progress.failures,
            stuck=progress.stuck,
            shutdown_errors=self._hooks.errors,
        )


def _run_of(execution: Execution | None) -> Run | None:
    run = None if execution is None else execution.run
    assert run is None or isinstance(run, Run)  # there is no other class of runs
    return run
