"""One job at work in a run: its task, the guard round its body, and its end.

    start(now) -> task -> execute(now), the guard
                            begin(now) -> the body, which is awaited there
                            settle(value, error) -> the run: `job_done` or `job_ended`

The class is chosen once, when the job becomes ready: `PlainExecution` for most jobs, which have
nothing but a body, `TimedExecution` with a timeout; `AttendedExecution` for the others, services
among them. A shutdown hook is one as well (`Hook`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import Context
from types import CoroutineType
from typing import Any

from flowdeco.base import locations, log
from flowdeco.base.exceptions import is_cancellation, is_exit, with_traceback
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.current import current_execution
from flowdeco.jobs.marks import name_of
from flowdeco.jobs.outcome import Outcome, State
from flowdeco.jobs.threads import ThreadCall

from . import failure
from .ending import Drain, Sleeper
from .executing_run import ExecutingRun
from .tasks import EagerTask, abandon, context_of, deferred, failure_of

__all__ = ["Execution"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_RUNNING = State.RUNNING
_DONE = State.DONE
_STUCK = State.STUCK


class Execution:
    """One job in one run. Jobs know their outcome alone; all that is for the run is here.

    Args:
        run: the run.
        number: the number of the job in the run.
        outcome: its outcome, which is written here.
    """

    __slots__ = ("drain", "ended", "is_told", "number", "outcome", "run", "task", "timer")

    is_up: bool = False
    """It is a service, and its successors know that it is ready."""
    is_late: bool = False
    """It has failed whatever its body returns: its timeout has come, or its teardown was cut."""
    is_foreign: bool = False
    """A task factory has made its task: the job ends with the task, not with the guard in it."""

    def __init__(self, run: ExecutingRun, number: int, outcome: Outcome) -> None:
        self.run = run
        self.number = number
        self.outcome = outcome
        self.task: asyncio.Task[None] | None = None
        self.drain: Drain[Any] | None = None
        """The bound on its end, once it was asked to end."""
        self.timer: asyncio.TimerHandle | None = None
        """The timer of its own timeout, once it is set."""
        self.ended = False
        """The run has let go of it."""
        self.is_told = False
        """Observers and log know that it has ended."""

    @property
    def job(self) -> AbstractJob[object]:
        """The job."""
        return self.run.progress.jobs[self.number]

    @property
    def name(self) -> str:
        """The name of the job, in quotation marks."""
        return repr(name_of(self.job))

    @property
    def path(self) -> str:
        """The names of the job and of all jobs that it is inside of, from the outermost."""
        return self.run.progress.names[self.number]

    @property
    def around(self) -> Execution | None:
        """The job within which its run goes on."""
        around: Execution | None = self.run.enclosing
        return around

    @property
    def stopping(self) -> bool:
        """Whether the body was asked to end: what it then raises is an answer to that."""
        return self.drain is not None

    def start(self, now: float) -> None:
        """Make a task of it, in a copy of the context of the run, not of its caller (rule 18)."""
        run = self.run
        queue = run.queue
        try:
            if now >= run.starts_until and not run.may_start(now):
                run.forget(self)
                return
            if queue.is_eager:
                # The context first: if there is no memory for it, no coroutine is left over.
                task = EagerTask(
                    context=run.context.copy(),
                    coro=self.execute(now),
                    loop=queue.loop,
                    name=run.progress.names[self.number],
                    eager_start=True,
                )
            else:
                context, name = run.context.copy(), run.progress.names[self.number]
                task = deferred(self, queue.loop, context, name)
        except (Exception, asyncio.CancelledError) as error:  # no task could be made
            if not self.ended:
                self.settle(None, error)
        else:
            if not self.ended:
                self.task = task
                run.progress.executions[self.number] = self
                if queue.is_eager and task.done() and (fault := failure_of(task)) is not None:
                    # It has ended in the very first line of the guard: see the net.
                    queue.mend(fault, self, None)

    def cancelled_early(self) -> None:
        """End the job if its body has not begun, for now it never will (Python 3.11)."""
        if self.outcome.started_at is None and not self.ended:
            self.settle(None, asyncio.CancelledError())

    def runs_in_thread(self, call: ThreadCall[Any]) -> None:
        """Note that the body is at work in a thread."""

    def is_at_work(self) -> bool:
        """Tell whether its body may still go on."""
        return self.task is not None and not self.task.done()

    async def execute(self, now: float | None) -> None:
        """Run the body; note how it has ended, and tell the run. Nothing is raised.

        Args:
            now: the time by the clock, if this is the moment at which `start` found that the body
                may start; else that is looked at here.
        """
        run = self.run
        outcome = self.outcome
        value: object = None
        error: BaseException | None = None
        try:
            if now is None:
                now = run.clock()
                if now >= run.starts_until and not run.may_start(now):
                    run.forget(self)
                    return
            outcome.state = _RUNNING
            outcome.started_at = now - run.zero
            current_execution.set(self)
            value = await self.begin(now)
        except BaseException as raised:
            # No task came of it, which the run learns from who wanted to make one.
            never_began = type(raised) is GeneratorExit and outcome.started_at is None
            if never_began or run.queue.is_forced:
                raise
            error = raised
        try:
            if run.nested:
                await self.end_nested()
            self.settle(value, error)
        except BaseException as fault:
            # The net (rule 9): whatever went wrong above, the job ends.
            run.queue.mend(fault, self, error)
        if error is not None:
            # Its traceback knows this frame, directly or as the caller of the user's, and would
            # keep all that is here alive.
            del self, run, outcome, value, error

    async def end_nested(self) -> None:
        """End the runs that the body has left behind."""
        # They may leave behind runs that begin when others have ended.
        while (nested := self.run.nested.get(self)) is not None and nested.runs:
            await nested.end(Sleeper(self.run.session.loop))

    def begin(self, now: float) -> Awaitable[object]:
        """Return the body, with all that goes with it in place.

        Args:
            now: the time by the clock.
        """
        raise NotImplementedError

    def settle(self, value: object, error: BaseException | None) -> None:
        """Note how the body has ended, and tell the run."""
        outcome, run = self.outcome, self.run
        if outcome.state is _STUCK:
            self.ended_late(error)
            return
        now = run.clock()
        outcome.ended_at = now - run.zero
        if run.verdicts and self in run.verdicts:
            self.carry_out(run.verdicts.pop(self), error)
        elif error is not None or self.is_late:
            self.note_error(error)
        else:
            self.note_value(value)
        if self.is_foreign:
            self.wait_for_task()
        else:
            run.job_ended(self, now)
        if type(value) is CoroutineType:
            self.warn_of_coroutine()

    def wait_for_task(self) -> None:
        """Note that the body has ended, and the foreign task has still to."""

    def note_value(self, value: object) -> None:
        """Note a good end."""
        self.outcome.value = value
        self.outcome.state = _DONE

    def note_error(self, error: BaseException | None) -> None:
        """Note a bad end."""
        assert error is not None  # or there is a timeout
        if self.stopping and is_cancellation(error):
            self.outcome.state = State.CANCELLED
            return
        if failure.is_skip(error) and not (self.stopping or self.is_up):
            self.fail(failure.skipped_by(self.job, error), State.SKIPPED)
        else:
            self.fail(failure.own_failure(error, f"{self.name} was cancelled, and not by its run"))

    def carry_out(self, verdict: BaseException, error: BaseException | None) -> None:
        """Note that the job has failed, as somebody has cancelled it."""
        if is_exit(error):
            self.note_error(error)
            return
        if error is not None and not is_cancellation(error):
            verdict.__cause__ = error
        self.fail(verdict)

    def fail(self, error: BaseException, state: State = State.FAILED) -> None:
        """Note that the job has failed with this, or is skipped because of it."""
        # In this order: what has a state of the end has its exception.
        self.keep(error)
        self.outcome.state = state
        self.run.job_failed(self, error)

    def keep(self, error: BaseException) -> None:
        """Keep an exception, without the frames of the library, so that these can go."""
        traceback = failure.users_traceback(error)
        self.outcome.exception = with_traceback(error, traceback)
        self.outcome.traceback = traceback

    def warn_of_coroutine(self) -> None:
        """Say that the result is a coroutine."""
        text = f"the result of {self.name} is a coroutine; did its body forget an await?"
        self.run.session.say(log.WARNING, text, self.path)

    def close(self) -> None:
        """Let go of all that the body has had; called when the job has ended."""

    def stop(self) -> None:
        """Ask the body to end, by a cancellation."""
        self.cancel()

    def insist(self) -> None:
        """Cancel the body again, as its time runs out."""
        self.cancel()

    def cancel(self) -> None:
        """Cancel the body; one that has not begun will not begin."""
        if self.outcome.started_at is not None:
            assert self.task is not None  # nothing is stopped in the first step of its body
            self.task.cancel()

    def abandon(self) -> None:
        """Leave behind as stuck what has not ended in its time; but nested runs end by themselves.

        A job goes on for as long as runs within it have still to end.
        """
        nested = self.run.nested.get(self)
        if self.ended or self._is_lost():
            return
        if nested is not None and nested.runs:
            for run in tuple(nested.runs):
                run.abandon()
            return
        self.own_context().run(self.abandon_task)

    def _is_lost(self) -> bool:
        """See to a job whose task has ended without its guard, in which something was raised."""
        if self.is_foreign or self.task is None or not self.task.done():
            return False
        fault = failure_of(self.task)
        self.run.queue.mend(fault or asyncio.CancelledError(), self, fault)
        return True

    def own_context(self) -> Context:
        """Return the context of the body; where it has none, one as it would have."""
        context = None if self.task is None else context_of(self.task)
        if context is None:
            context = self.run.context.copy()
            context.run(current_execution.set, self)
        return context

    def abandon_task(self) -> None:
        """Leave the task behind as stuck."""
        assert self.task is not None  # it is at work
        location = self.location()
        abandon(self.task)
        self.outcome.state = _STUCK
        self.run.job_stuck(self)
        self.note_stuck()
        self.run.job_ended(self)
        text = f"is stuck: it did not end although it was cancelled; it stands at {location}"
        self.run.session.say(log.WARNING, f"{self.name} {text}", self.path)

    def note_stuck(self) -> None:
        """See to what a body leaves behind that is stuck."""
        verdict = self.run.verdicts.pop(self, None)
        if verdict is not None:
            self.keep(verdict)
            self.run.job_failed(self, verdict)

    def ended_late(self, error: BaseException | None) -> None:
        """Write to the log how a body has ended that was stuck."""
        self.run.session.say(*failure.late_end(self.name, error), self.path)

    def location(self) -> str:
        """Return the line of the user's at which the body stands."""
        assert self.task is not None  # it is at work
        return locations.of_awaitable(self.task.get_coro())
