"""A job in a run: how its body is performed, and what the run keeps about it until it ends."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from .body import PLAIN
from .errors import SelfCancelledError, SkippedError
from .job import AbstractJob, Job, current_activity
from .limits import finite
from .outcome import MISSING, Outcome, State
from .serving import serve
from .tasks import Task, primed, starting

if TYPE_CHECKING:
    from .drain import Drain
    from .run import Run
    from .window import Window

__all__ = ["Activity", "enclosing_activity", "is_stuck"]

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


_OWN = os.path.dirname(__file__) + os.sep
_ASYNCIO = os.path.dirname(asyncio.__file__)


# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_RUNNING = State.RUNNING
_DONE = State.DONE
_STUCK = State.STUCK


class Activity:
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
    drain: Drain[Activity] | None = None
    """What bounds its end, once it was told to end."""
    release: asyncio.Future[None] | None = None
    """Where a generator service waits while it is up."""
    generator: AsyncGenerator[object, None] | None = None
    """The body of a generator service."""
    watched: Awaitable[object] | None = None
    """The body, where somebody has an eye on its steps."""
    inner: list[Run] | None = None
    """The runs that go on inside of its body."""
    windows: Sequence[Window[Activity]] = ()
    """Those of which it needs a place each, in this order."""
    places: int = 0
    """In how many of them it has one."""
    is_up: bool = False
    """It is a service, and those that wait for it have been told that it is ready."""
    stopping: bool = False
    """The run has told it to end: what it then raises is an answer to that."""
    expired: bool = False
    """It was told so because of its own timeout."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number
        self.job: AbstractJob[object]
        self.job = job = run.jobs[number]
        self.outcome: Outcome = run.outcomes[number]
        self.task: asyncio.Task[None] | None = None
        self.ended = False
        self.is_special: bool = (
            run.all_special or job._traits is not PLAIN or job.forever or job.timeout is not None
        )
        """Whether there is something to see to when it starts or ends, beside its body."""
        run.activities[number] = self
        if self.is_special:
            self._find_windows()

    def _find_windows(self) -> None:
        traits = self.job._traits
        if traits.takes_place and not self.job.forever:
            self.windows = self.run.windows
        if traits.threaded:
            self.windows = (*self.windows, self.run.agenda.threads)

    # Its beginning

    def can_start(self) -> bool:
        """Tell whether it has what it needs to start; else it is skipped, or queues for a place.

        If the run has closed while it has waited, it gives back what it has.
        """
        if self.run.closed:
            self.give_places_back()
            return False
        for before in self.job._traits.takes:
            if before._outcome.value is MISSING:
                self._skip(before)
                return False
        for window in self.windows[self.places :]:
            if not window.take(self):
                return False
            self.places += 1
        return True

    def _skip(self, missing: AbstractJob[object]) -> None:
        """Do not start the body, because a value that it takes does not exist (rule 3)."""
        error = SkippedError(self.job, missing)
        error.__cause__ = missing._outcome.exception
        self.outcome.state = State.SKIPPED
        self.outcome.exception = error
        self.outcome.ended_at = self.run.clock() - self.run.zero
        self.run.note_skip(self, error)
        self.run.retire(self)

    def give_places_back(self) -> None:
        """Give back its places; who waits for one has it from now on."""
        for window in self.windows[: self.places]:
            next_one = window.give_back()
            if next_one is not None:
                # It may belong to another run, which shares these places.
                next_one.places += 1
                self.run.agenda.grant(next_one)

    def launch(self, now: float) -> None:
        """Make a task of it, in a copy of the context of the run, not of its caller (rule 18)."""
        run = self.run
        try:
            if run.is_eager:
                run.agenda.now = None  # for the body may take its time
                task = Task(
                    self.perform(now), loop=run.loop, context=run.context.copy(), eager_start=True
                )
            else:
                task = primed(self.perform(None), run.loop, run.context)
        except Exception as error:  # of a task factory
            self.settle(None, error)
        else:
            if not self.ended:
                self.task = task

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
            current_activity.set(self)
            value = await (self._attended(now) if self.is_special else self.job.co_run())
        except BaseException as raised:
            # No task came of it, which the run learns from who wanted to make one.
            never_began = isinstance(raised, GeneratorExit) and outcome.started_at is None
            if never_began or run.given_up_at_once:
                raise
            error = raised
        self.settle(value, error)
        if error is not None:
            # Its traceback knows this frame, directly or as the caller of the user's, and would
            # keep all that is here alive.
            del self, run, outcome, value, error

    def _attended(self, now: float) -> Awaitable[object]:
        """Return the body, when all that goes with it is in place."""
        run = self.run
        job = self.job
        if job.timeout is not None:
            timeout = finite(job._own_timeout())
            if timeout is not None:
                self.timer = run.loop.call_at(now + timeout, self.expire)
        if job.forever and not job._traits.yields:
            # Called back when the body has run up to its first suspension.
            run.loop.call_soon(run.service_is_up, self)
        if run.is_noted:
            run.note_start(self)
        if run.watch is None:
            return self._body()
        self.watched = self._body()
        return run.watch.over(self.watched, job.name)

    def _body(self) -> Awaitable[object]:
        if not self.job._traits.yields:
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
            self._ended_after_all(error)
            return
        run = self.run
        run.agenda.now = now = run.clock()
        outcome.ended_at = now - run.zero
        if error is not None or (self.is_special and self.expired):
            self._note_error(error)
        elif self.is_special and self.job._traits.yields:
            outcome.state = State.CANCELLED if self.stopping else _DONE
        else:
            outcome.state = _DONE
            outcome.value = value
            if value.__class__ is CoroutineType:
                logger.warning(
                    "the result of %r is a coroutine; did its body forget an await?", self.job.name
                )
        run.retire(self)

    def _note_error(self, error: BaseException | None) -> None:
        if self.expired and not isinstance(error, (SystemExit, KeyboardInterrupt)):
            error = self._expiry(error)
        elif isinstance(error, asyncio.CancelledError):
            if self.stopping:
                self.outcome.state = State.CANCELLED
                return
            cancelled = SelfCancelledError(f"{self.job.name!r} was cancelled, and not by its run")
            cancelled.__cause__ = error
            error = cancelled
        assert error is not None  # it is one, or the job has expired
        self.outcome.state = State.FAILED
        self._keep(error)

    def _keep(self, error: BaseException) -> None:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OWN):
            traceback = traceback.tb_next  # so that the frames of the library can go
        self.outcome.exception = error.with_traceback(traceback)
        self.outcome.traceback = traceback
        self.run.note_failure(self, error)

    def _expiry(self, error: BaseException | None) -> TimeoutError:
        expiry = TimeoutError(f"{self.job.name!r} took longer than {self.job._own_timeout():g} s")
        if not isinstance(error, asyncio.CancelledError) or error.__context__ is not None:
            # What the body was about to fail with, when the timeout came in its clean-up.
            expiry.__cause__ = error
        return expiry

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
        if self.release is None:
            self.cancel()
        elif not self.release.done():
            self.release.set_result(None)

    def cancel(self) -> None:
        """Cancel the body. One that has not begun needs no cancelling: it will not begin."""
        if self.outcome.started_at is not None:
            assert self.task is not None  # nobody is told to end in the first step of its body
            self.task.cancel()

    def give_up(self) -> None:
        """Declare stuck what has not ended in its time; but runs within it end by themselves."""
        if self.ended:
            return
        inner = self.inner or ()
        for run in inner:
            run.give_up()
        if inner:
            return
        task = self.task
        assert task is not None  # what has no task has nothing to give up
        logger.warning(
            "%r is stuck: it did not end although it was cancelled; it stands at %s",
            self.job.name,
            _place(self.generator or self.watched or task.get_coro()),
        )
        _abandoned.add(task)
        task.add_done_callback(_abandoned.discard)
        self.outcome.state = _STUCK
        self.run.stuck.append(self.job)
        if self.job._traits.threaded:
            self.run.threads.give_up_one()
        if self.expired:
            self._keep(self._expiry(None))
        self.run.retire(self)

    def _ended_after_all(self, error: BaseException | None) -> None:
        if error is None or isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            logger.info("%r, which was stuck, has ended", self.job.name)
        else:
            logger.warning("%r, which was stuck, has failed", self.job.name, exc_info=error)


def _place(awaited: object) -> str:
    """Return the line where a body waits: the innermost one that is not asyncio's own."""
    place = "an unknown place"
    while awaited is not None:
        kinds = ("cr", "ag", "gi")
        kind = next((kind for kind in kinds if hasattr(awaited, f"{kind}_frame")), None)
        frame = getattr(awaited, f"{kind}_frame", None)
        if frame is None:
            break
        if not frame.f_code.co_filename.startswith(_ASYNCIO):
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
    return place
