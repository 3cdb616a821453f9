"""A job in a run: how its body is performed, and what the run keeps about it until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from flowdeco.base import locations, log
from flowdeco.base.exceptions import (
    context_of,
    is_cancellation,
    is_exit,
    traceback_of,
    with_traceback,
)
from flowdeco.base.limits import finite
from flowdeco.base.text import class_name, line
from flowdeco.errors import SelfCancelledError, SkippedError
from flowdeco.jobs.bodies import PLAIN, close_unstarted
from flowdeco.jobs.current import current_execution
from flowdeco.jobs.job import AbstractJob, Job
from flowdeco.jobs.marks import name_of
from flowdeco.jobs.outcome import MISSING, Outcome, State

from .drain import Sleeper
from .generator_services import serve
from .tasks import Task, abandon, failure_of, foreign, primed, starting

if TYPE_CHECKING:
    from flowdeco.jobs.threads import ThreadCall

    from .drain import Drain
    from .run import Run
    from .slots import Slots

__all__ = ["Execution", "enclosing_execution"]


def enclosing_execution() -> Execution | None:
    """Return the running job in which the caller is, in the loop of the caller; else None."""
    execution = cast("Execution | None", current_execution.get())
    if execution is None or execution.ended or execution.run.loop is not asyncio.get_running_loop():
        return None
    return execution


# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_RUNNING = State.RUNNING
_DONE = State.DONE
_STUCK = State.STUCK


class Execution:
    """One job in one run. Jobs know their outcome alone; all that is for the run is here.

    There is one from the moment at which the job would start, if it has what it needs.

    Args:
        run: the run.
        number: that of the job in the run.
    """

    __slots__ = (
        "__dict__",
        "ended",
        "is_special",
        "job",
        "number",
        "outcome",
        "run",
        "task",
    )

    # Class attributes are the defaults of what most jobs never need, which so costs neither time
    # nor memory.
    timer: asyncio.TimerHandle | None = None
    """The one of its own timeout."""
    drain: Drain[Execution] | None = None
    """What bounds its end, once it was told to end."""
    release: asyncio.Future[None] | None = None
    """Where a generator service waits while it is up."""
    generator: AsyncGenerator[object, None] | None = None
    """The body of a generator service."""
    watched: Awaitable[object] | None = None
    """The body, where somebody has an eye on its steps."""
    inner: list[Run] | None = None
    """The runs that go on inside of its body."""
    waits_for_inner: Sleeper | None = None
    """Where it waits for the runs that its body has left behind."""
    windows: Sequence[Slots[Execution]] = ()
    """Those of which it needs a place each, in this order."""
    call: ThreadCall[Any] | None = None
    """Its body, if that is at work in a thread."""
    is_left: bool = False
    """It is stuck, and its end is told already, or will be by the thread itself."""
    guard: Coroutine[Any, Any, None] | None = None
    """What a task factory was given, and may have wrapped."""
    has_foreign_task: bool = False
    """A task factory has made its task: the job ends with the task, not with the guard in it."""
    is_settled: bool = False
    """Its body has ended, and the foreign task has still to."""
    is_up: bool = False
    """It is a service, and those that wait for it have been told that it is ready."""
    is_told: bool = False
    """Observers and log know that it has ended."""
    stopping: bool = False
    """The run has told it to end: what it then raises is an answer to that."""
    stopped_at: float = 0.0
    """When it was told so, by the clock of the loop."""
    expired: bool = False
    """It was told so because of its own timeout."""
    cut_at: str | None = None
    """Where its teardown stood when the grace cut it short, if it is a service."""
    cut_after: float = 0.0
    """How many seconds that was after it had been told to end."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number
        self.job: AbstractJob[object]
        self.job = job = run.jobs[number]
        self.outcome: Outcome = run.outcomes[number]
        self.task: asyncio.Task[None] | None = None
        self.ended = False
        self.is_special: bool = (
            run.all_special
            or job.__flow_body__ is not PLAIN
            or job.forever
            or job.timeout is not None
        )
        """Whether there is something to see to when it starts or ends, beside its body."""
        if self.is_special:
            self._find_windows()
        run.executions[number] = self

    def _find_windows(self) -> None:
        traits = self.job.__flow_body__
        if traits.takes_slot and not self.job.forever:
            self.windows = self.run.windows
        if traits.is_threaded:
            self.windows = (*self.windows, self.run.agenda.threads)

    # Its beginning

    def can_start(self) -> bool:
        """Tell whether it has what it needs to start; else it is skipped, or queues for a place.

        If the run has closed while it has waited, it gives back what it has.
        """
        if self.run.closed:
            self.outcome.state = State.IDLE
            self.give_places_back()
            return False
        for before in self.job.__flow_body__.inputs:
            if before.__flow_outcome__.value is MISSING:
                self._skip(before)
                return False
        for window in self.windows:  # noqa: SIM110  # a generator would be one more thing to fail
            if not window.take(self):
                return False
        return True

    def is_at_work(self) -> bool:
        """Tell whether its body may still go on."""
        return self.task is not None and not self.task.done()

    def _skip(self, missing: AbstractJob[object]) -> None:
        """Do not start the body, because a value that it takes does not exist (rule 3)."""
        error = SkippedError(self.job, missing)
        error.__cause__ = missing.__flow_outcome__.exception
        self.outcome.exception = error
        self.outcome.state = State.SKIPPED
        self.outcome.ended_at = self.run.clock() - self.run.zero
        self.run.note_skip(self, error)
        self.run.retire(self)

    def give_places_back(self) -> None:
        """Give back its places; who waits for one has it from now on."""
        for window in self.windows:
            next_one = window.give_back(self)
            if next_one is not None:
                # It may belong to another run, which shares these locations.
                self.run.agenda.grant(next_one)

    def launch(self, now: float) -> None:
        """Make a task of it, in a copy of the context of the run, not of its caller (rule 18)."""
        run = self.run
        try:
            if run.is_eager:
                run.agenda.now = None  # for the body may take its time
                # The context first: if there is no memory for it, no coroutine is left over.
                task = Task(
                    context=run.context.copy(),
                    coro=self.perform(now),
                    loop=run.loop,
                    eager_start=True,
                )
            else:
                task = self._new_task()
        except (Exception, asyncio.CancelledError) as error:
            # Of a task factory, or as no task could be made.
            if not self.ended:
                self.settle(None, error)
        else:
            if not self.ended:
                self.task = task
                if run.is_eager and task.done():
                    # It has ended in the very first line of the guard: see the net.
                    failure = failure_of(task)
                    assert failure is not None  # or the guard would have ended the job
                    run.agenda.mend(failure, self, None)

    def _new_task(self) -> asyncio.Task[None]:
        run = self.run
        is_foreign = run.loop.get_task_factory() is not None
        guard = self._perform_in_foreign_task() if is_foreign else self.perform(None)
        try:
            if is_foreign:
                return self._foreign_task(guard)
            return primed(guard, run.loop, run.context.copy())
        except BaseException:
            guard.close()
            raise

    def _foreign_task(self, guard: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.run.agenda.now = None  # for the factory may let the body start at once
        self.guard = guard
        self.is_special = self.has_foreign_task = True
        try:
            task = foreign(guard, self.run.loop, self.run.context)
            is_done = task.done()  # unless it is no task at all
            if not is_done:
                task.add_done_callback(self._foreign_task_done)
        except BaseException:
            self.has_foreign_task = False
            raise
        if is_done:
            self._foreign_task_done(task)
        return task

    # The body

    async def perform(self, now: float | None) -> None:
        """Run the body; note how it has ended, and tell the run. Nothing is raised."""
        run = self.run
        outcome = self.outcome
        value: object = None
        error: BaseException | None = None
        try:
            if now is None:
                await starting()
                now = run.clock()
            if now >= run.no_start_from and not run.lets_start(now):
                run.let_go(self)
                return
            outcome.state = _RUNNING
            outcome.started_at = now - run.zero
            current_execution.set(self)
            value = await (self._attended(now) if self.is_special else self.job.co_run())
        except BaseException as raised:
            # No task came of it, which the run learns from who wanted to make one.
            never_began = type(raised) is GeneratorExit and outcome.started_at is None
            if never_began or run.agenda.given_up_at_once:
                raise
            error = raised
        try:
            if self.is_special and self.inner:
                await self._end_inner()
            self.settle(value, error)
        except BaseException as fault:
            # The net (rule 9): whatever went wrong above, the job ends.
            run.agenda.mend(fault, self, error)
        if error is not None:
            # Its traceback knows this frame, directly or as the caller of the user's, and would
            # keep all that is here alive.
            del self, run, outcome, value, error

    async def _perform_in_foreign_task(self) -> None:
        if not self.ended:
            await self.perform(self.run.clock())

    def _foreign_task_done(self, task: asyncio.Task[None]) -> None:
        """End the job with the task that a task factory has made for it.

        The factory may have wrapped the guard in something that has never begun it, or has dropped
        it on the way.
        """
        failure = failure_of(task)
        try:
            if self.guard is not None:
                self.guard.close()
            self.has_foreign_task = False
            if self.is_settled and not self.ended:
                self.run.retire(self)
            elif self.stopping and self._is_to_begin() and not self.ended:
                self.run.let_go(self)
            elif not self.ended:
                missed = RuntimeError(f"a task factory of the loop did not run {self.name}")
                self.settle(None, missed if failure is None else failure)
        except BaseException as fault:
            self.run.agenda.mend(fault, self, failure)
        is_lost = self.is_settled or self.outcome.state is State.IDLE
        if failure is not None and is_lost and not is_cancellation(failure):
            text = f"the task around {self.name} raised {class_name(failure)}: {line(failure)}"
            self.run.say(log.WARNING, text, self.path)

    async def _end_inner(self) -> None:
        """End the runs that the body has begun and left behind, and wait for them (rule 9)."""
        self.waits_for_inner = sleeper = Sleeper(self.run.loop)
        for run in tuple(self.inner or ()):
            run.end_with_its_job()
        while self.inner:
            if await sleeper.sleep():
                for run in self.inner:
                    run.heed_enclosing_drain()

    def _attended(self, now: float) -> Awaitable[object]:
        """Return the body, when all that goes with it is in place."""
        run = self.run
        job = self.job
        if run.is_noted:
            run.note_start(self)
            now = run.clock()  # observers may have taken their time
        if job.timeout is not None:
            timeout = finite(job.__flow_own_timeout__())
            if timeout is not None:
                self.timer = run.loop.call_at(now + timeout, self.expire)
        if job.forever and not job.__flow_body__.is_generator:
            # Called back when the body has run up to its first suspension.
            run.loop.call_soon(run.service_is_up, self)
        if run.watch is None:
            return self._body()
        name, path = name_of(job), self.path
        self.watched = self._body()
        return run.watch.over(self.watched, name, path)

    def _body(self) -> Awaitable[object]:
        if not self.job.__flow_body__.is_generator:
            return self.job.co_run()
        self.generator = cast("Job[object]", self.job).generator()
        return serve(self.generator, self)

    def expire(self) -> None:
        """Let the body end: it has taken longer than its timeout."""
        if not self.stopping:
            self.expired = True
            self.run.grace.drain([self], self.run.clock() + self.run.limits.grace)

    def settle(self, value: object, error: BaseException | None) -> None:
        """Note how the body has ended."""
        outcome = self.outcome
        if outcome.state is _STUCK:
            if not self.is_left:
                self.is_left = True
                self._ended_after_all(error)
            return
        run = self.run
        is_special = self.is_special
        run.agenda.now = now = run.clock()
        outcome.ended_at = now - run.zero
        if error is not None or (is_special and (self.expired or self.cut_at is not None)):
            self.note_error(error)
        elif is_special and self.job.__flow_body__.is_generator:
            outcome.state = State.CANCELLED if self.stopping else _DONE
        else:
            outcome.state = _DONE
            outcome.value = value
        if is_special and self.has_foreign_task:
            self.is_settled = True
            self.stop_timer()
        else:
            run.retire(self, now)
        if type(value) is CoroutineType:
            text = f"the result of {self.name} is a coroutine; did its body forget an await?"
            run.say(log.WARNING, text, self.path)

    def note_error(self, error: BaseException | None) -> None:
        """Note what the body has ended with, which is not its value."""
        if self.expired and not is_exit(error):
            error = self._expiry(error)
        elif self.cut_at is not None and not is_exit(error):
            error = self._cut_short(error)
        elif is_cancellation(error):
            if self.stopping:
                self.outcome.state = State.CANCELLED
                return
            cancelled = SelfCancelledError(f"{self.name} was cancelled, and not by its run")
            cancelled.__cause__ = error
            error = cancelled
        assert error is not None  # it is one, or the job has expired or was cut short
        self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Note that the job has failed with this."""
        # In this order: what has a state of the end has its exception.
        self.is_special = True
        self._keep(error)
        self.outcome.state = State.FAILED
        self.run.note_failure(self, error)

    def _keep(self, error: BaseException) -> None:
        traceback = traceback_of(error)
        while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(
            locations.OWN
        ):
            traceback = traceback.tb_next  # so that the frames of the library can go
        self.outcome.exception = with_traceback(error, traceback)
        self.outcome.traceback = traceback

    def _expiry(self, error: BaseException | None) -> TimeoutError:
        expiry = TimeoutError(f"{self.name} took longer than {self.job.__flow_own_timeout__():g} s")
        if error is not None and not (is_cancellation(error) and context_of(error) is None):
            # What the body was about to fail with, when the timeout came in its clean-up.
            expiry.__cause__ = error
        return expiry

    def _cut_short(self, error: BaseException | None) -> TimeoutError:
        name, seconds = name_of(self.job), f"{round(self.cut_after, 2):g}"
        late = TimeoutError(f"the teardown of {name} was cut short after {seconds} s")
        late.add_note(f"it stood at {self.cut_at}")
        if error is not None and not is_cancellation(error):
            late.__cause__ = error
        return late

    # Its end, when the run wants it

    def up(self, value: object) -> None:
        """Say that a generator service is ready, and what it gives to others."""
        self.outcome.value = value
        self.run.service_is_up(self)

    async def told_to_stop(self) -> None:
        """Wait until a generator service is to be torn down."""
        if not self.stopping:
            self.release = asyncio.get_running_loop().create_future()
            await self.release

    def stop(self) -> None:
        """Tell the body to end: resume a service that is up, cancel anything else, once."""
        if self.stopping:
            return
        self.stopping = True
        self.stopped_at = self.run.clock()
        if self.release is None:
            self.cancel()
        elif not self.release.done():
            self.release.set_result(None)

    def insist(self) -> None:
        """Cancel the body again, as its time runs out. That is no clean end for a service."""
        if self.job.forever and self.cut_at is None and not self.inner:
            self.cut_at = self._place()
            self.cut_after = self.run.clock() - self.stopped_at
        self.cancel()

    def cancel(self) -> None:
        """Cancel the body.

        One that has not begun needs no cancelling, for it will not begin; but what a task factory
        has put round it may take its time.
        """
        if self.has_foreign_task or not self._is_to_begin():
            assert self.task is not None  # nobody is told to end in the first step of its body
            self.task.cancel()

    def _is_to_begin(self) -> bool:
        """Tell whether it has a task in which the body has not begun."""
        return self.outcome.started_at is None

    def give_up(self) -> None:
        """Declare stuck what has not ended in its time; but runs within it end by themselves."""
        if self.ended:
            return
        inner = self.inner or ()
        for run in inner:
            run.give_up()
        if inner:
            return
        if self.is_settled or self._is_to_begin():
            self._leave_task()
            return
        task = self.task
        assert task is not None  # what has no task has nothing to give up
        place = self._place()
        self.is_left = self.call is not None and self.call.leave(self._ended_after_all)
        abandon(task)
        self.outcome.state = _STUCK
        self.run.stuck.append(self.job)
        if self.job.__flow_body__.is_threaded:
            self.run.threads.give_up_one()
        if self.expired:
            expiry = self._expiry(None)
            self._keep(expiry)
            self.run.note_failure(self, expiry)
        self.run.retire(self)
        text = "is stuck: it did not end although it was cancelled; it stands at"
        self.run.say(log.WARNING, f"{self.name} {text} {place}", self.path)

    def _leave_task(self) -> None:
        """Leave a task behind which goes on though its body has ended, or has never begun."""
        assert self.task is not None  # a task factory has made it
        abandon(self.task)
        if self.is_settled:
            self.run.retire(self)
        else:
            guard = self.guard
            self.run.let_go(self)
            self.guard = guard  # to be closed with the task
        text = f"the task around {self.name}, which a task factory has made, did not end"
        self.run.say(log.WARNING, text, self.path)

    def _ended_after_all(self, error: BaseException | None) -> None:
        if error is None or is_cancellation(error) or type(error) is GeneratorExit:
            self.run.say(log.INFO, f"{self.name}, which was stuck, has ended", self.path)
        else:
            text = f"which was stuck, has failed with {class_name(error)}: {line(error)}"
            self.run.say(log.WARNING, f"{self.name}, {text}", self.path)

    # Its words

    def _place(self) -> str:
        """The line of the user's at which the body stands."""
        if self.call is not None:
            return self.call.place
        assert self.task is not None  # it is at work
        return locations.of_awaitable(
            self.generator or self.watched or self.guard or self.task.get_coro()
        )

    @property
    def around(self) -> Execution | None:
        """The one in whose body the run of this one was begun."""
        return self.run.enclosing

    @property
    def name(self) -> str:
        """The name of the job, in quotation marks."""
        return repr(name_of(self.job))

    @property
    def path(self) -> str:
        """The names of the job and of those that it is inside of, from the outermost."""
        names = [name_of(self.job)]
        around = self.run.enclosing
        while around is not None:
            names.append(name_of(around.job))
            around = around.run.enclosing
        return "/".join(reversed(names))

    def forget_body(self) -> None:
        """Let go of the body; one that was made and never begun is closed."""
        watched, self.watched = self.watched, None
        if type(watched) is CoroutineType:
            close_unstarted(cast("Coroutine[Any, Any, object]", watched))

    def stop_timer(self) -> None:
        """Let its own timeout no longer count."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None  # whose context knows the execution
