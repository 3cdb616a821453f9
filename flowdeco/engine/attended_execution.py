"""Jobs that need attention when they start or end, beside their body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from types import CoroutineType
from typing import Any, cast

from flowdeco.base import locations, log
from flowdeco.base.exceptions import is_cancellation
from flowdeco.base.text import class_name, line
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.job import Job
from flowdeco.jobs.marks import name_of
from flowdeco.jobs.outcome import MISSING, Outcome, State
from flowdeco.jobs.plain import close_unstarted
from flowdeco.jobs.threads import ThreadCall

from . import tasks
from .executing_run import ExecutingRun
from .failure import skipped_without
from .slots import Slots, give_back
from .timed_execution import Timed

__all__ = ["AttendedExecution"]


class AttendedExecution(Timed):
    """A job with a timeout, slots, inputs, a thread, a foreign task, or somebody who watches."""

    __slots__ = ("body", "job")

    job: AbstractJob[object]

    # Class attributes are the defaults of what most of them never need, which so costs neither
    # time nor memory.
    watched: Awaitable[object] | None = None
    """The body, where the block monitor has an eye on its steps."""
    call: ThreadCall[Any] | None = None
    """Its body, if that is at work in a thread."""
    slots: Sequence[Slots[Any]] = ()
    """The windows of which it needs a slot each, in this order."""
    guard: Coroutine[Any, Any, None] | None = None
    """The coroutine that a task factory was given, and may have wrapped."""
    is_left: bool = False
    """It is stuck, and its end is told already, or will be by the thread itself."""
    is_settled: bool = False
    """Its body has ended, and the foreign task has still to."""

    def __init__(
        self,
        run: ExecutingRun,
        number: int,
        outcome: Outcome,
        job: AbstractJob[object],
        body: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(run, number, outcome)
        self.job = job  # pyright: ignore[reportIncompatibleMethodOverride]  # quicker than the property
        self.body = body
        """The function of the body, where the job need not be asked for it."""

    # Its beginning

    def start(self, now: float) -> None:
        """Start the body if it has all that it needs; else it is skipped, or queues for a slot."""
        if not self._can_start():
            return
        if self.run.session.has_factory:
            self.start_foreign()
        else:
            super().start(now)

    def _can_start(self) -> bool:
        run, body = self.run, self.job.__flow_body__
        if not run.is_open:
            # It has waited for a slot in the meantime, and gives back what it has.
            self.outcome.state = State.IDLE
            self.give_slots_back()
            return False
        # It may have to wait for a slot; not in a run that is over, which lets go of them all.
        run.progress.executions[self.number] = self
        inputs = cast("Sequence[AbstractJob[object]]", body.inputs)
        missing = [job for job in inputs if job.__flow_outcome__.value is MISSING]
        if missing:
            self.own_context().run(self._skip_without, missing)
            return False
        if run.slots and body.takes_slot and not self.job.forever:
            self.slots = run.slots
        if body.is_threaded:
            self.slots = (*self.slots, run.session.thread_slots)
        for window in self.slots:  # noqa: SIM110  # a generator would be one more thing to fail
            if not window.take(self):
                return False
        return True

    def _skip_without(self, missing: Sequence[AbstractJob[object]]) -> None:
        """Do not start the body, because values that it takes do not exist (rule 3)."""
        self.outcome.ended_at = self.run.clock() - self.run.zero
        self.fail(skipped_without(self.job, missing), State.SKIPPED)
        self.run.job_ended(self)

    def give_slots_back(self) -> None:
        """Give back its slots; the jobs that have waited for them start."""
        give_back(self, self.slots, self.run.queue)

    def begin(self, now: float) -> Awaitable[object]:
        """Call the body, with its timer set, watched, and its start told."""
        run = self.run
        if run.is_noted:
            run.job_started(self)
            now = run.clock()  # observers may have taken their time
        return self.begin_attempt(now)

    def begin_attempt(self, now: float) -> Awaitable[object]:
        """Call the body, with its timer set, and watched."""
        run = self.run
        if self.job.timeout is not None:
            self.expect_end(now)
        if run.session.monitor is None:
            return self.begin_body()
        self.watched = self.begin_body()
        return run.session.monitor.over(self.watched, name_of(self.job), self.path)

    def runs_in_thread(self, call: ThreadCall[Any]) -> None:
        """Note that the body is at work in a thread."""
        self.call = call

    def begin_body(self) -> Awaitable[object]:
        """Call the body."""
        if self.body is None:
            return self.job.co_run()
        begun = self.body()
        if type(begun) is CoroutineType:
            return cast("Coroutine[Any, Any, object]", begun)
        return cast("Job[object]", self.job).__flow_awaitable__(begun)

    # Its end

    def wait_for_task(self) -> None:
        """Note that the body has ended, and the foreign task has still to."""
        self.is_settled = True
        self.stop_timer()

    def close(self) -> None:
        """Let go of all that the job has had."""
        if self.slots:
            self.give_slots_back()
        self.let_go_of_body()

    def let_go_of_body(self) -> None:
        """Let go of all that the body has had; one that was made and never begun is closed."""
        if self.expires_at is not None:
            self.stop_timer()
        self.call = self.guard = None
        watched, self.watched = self.watched, None
        if type(watched) is CoroutineType:
            close_unstarted(cast("Coroutine[Any, Any, object]", watched))

    def abandon_task(self) -> None:
        """Leave the task behind as stuck; a thread says itself how it ends."""
        if self.is_foreign and (self.is_settled or self.outcome.started_at is None):
            self._leave_foreign_task()
            return
        super().abandon_task()

    def note_stuck(self) -> None:
        """Leave the thread behind, if there is one."""
        self.is_left = self.call is not None and self.call.leave(super().ended_late)
        if self.job.__flow_body__.is_threaded:
            self.run.session.threads.give_up_one()
        super().note_stuck()

    def ended_late(self, error: BaseException | None) -> None:
        """Note how a body has ended that was stuck, unless its thread says that itself."""
        if not self.is_left:
            super().ended_late(error)

    def location(self) -> str:
        """Return the line of the user's at which the body stands."""
        if self.call is not None:
            return self.call.place
        started = self.watched or self.guard
        return super().location() if started is None else locations.of_awaitable(started)

    # The task of a task factory

    @property
    def base_context(self) -> Context:
        """The context in a copy of which a task factory makes its task."""
        return self.run.context

    def start_foreign(self) -> None:
        """Let the task factory make a task of it."""
        run = self.run
        self.guard = guard = self._execute_in_foreign_task()
        self.is_foreign = True
        try:
            task = tasks.foreign(guard, run.session.loop, self.base_context)
            is_done = task.done()  # unless it is no task at all
            if not is_done:
                task.add_done_callback(self._foreign_task_done)
        except BaseException as error:
            guard.close()
            self.is_foreign = False
            if not isinstance(error, (Exception, asyncio.CancelledError)):
                raise
            if not self.ended:
                self.settle(None, error)
            return
        if not self.ended:
            self.task = task
        if is_done:
            self._foreign_task_done(task)

    async def _execute_in_foreign_task(self) -> None:
        if not self.ended:
            tasks.name_current_task(self.path)
            await self.execute(None)

    def _foreign_task_done(self, task: asyncio.Task[None]) -> None:
        """End the job with the task that a task factory has made for it.

        The factory may have wrapped the guard in something that has never begun it, or has dropped
        it on the way.
        """
        failure = tasks.failure_of(task)
        try:
            context = tasks.context_of(task) or self.own_context()
            context.run(self.end_with_foreign_task, failure)
        except BaseException as fault:
            self.run.queue.mend(fault, self, failure)
        is_lost = self.is_settled or self.outcome.state is State.IDLE
        if failure is not None and is_lost and not is_cancellation(failure):
            text = f"the task around {self.name} raised {class_name(failure)}: {line(failure)}"
            self.run.session.say(log.WARNING, text, self.path)

    def close_guard(self) -> None:
        """Let go of a foreign task, which may have dropped the guard on its way."""
        if self.guard is not None:
            self.guard.close()
        self.is_foreign = False

    def end_with_foreign_task(self, failure: BaseException | None) -> None:
        """End the job with its foreign task."""
        self.close_guard()
        if self.ended:
            return
        if self.is_settled:
            self.run.job_ended(self)
        elif self.stopping and self.outcome.started_at is None:
            self.run.forget(self)
        else:
            missed = RuntimeError(f"a task factory of the loop did not run {self.name}")
            self.settle(None, missed if failure is None else failure)

    def cancel(self) -> None:
        """Cancel the body, or what a task factory has put round it, which may take its time."""
        if self.is_foreign:
            assert self.task is not None  # nothing is stopped in the first step of its body
            self.task.cancel()
        else:
            super().cancel()

    def _leave_foreign_task(self) -> None:
        """Leave a task behind which goes on though its body has ended, or has never begun."""
        assert self.task is not None  # a task factory has made it
        tasks.abandon(self.task)
        if self.is_settled:
            self.run.job_ended(self)
        else:
            guard = self.guard
            self.run.forget(self)
            self.guard = guard  # to be closed with the task
        text = f"the task around {self.name}, which a task factory has made, did not end"
        self.run.session.say(log.WARNING, text, self.path)
