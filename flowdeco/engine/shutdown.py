"""The hooks that jobs register for the end of a run (rule 10)."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from asyncio import CancelledError
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from flowdeco.base import log
from flowdeco.base.exceptions import is_cancellation
from flowdeco.base.text import class_name, line
from flowdeco.errors import SelfCancelledError

from .drain import Drain, Sleeper
from .tasks import abandon, failure_of, spawned

if TYPE_CHECKING:
    from flowdeco.jobs.job import AbstractJob

    from .ready_queue import ReadyQueue

__all__ = ["Shutdown"]


class Shutdown:
    """Call `co_shutdown` of many jobs, all at the same time, within a bound.

    Those that have not ended then are cancelled, and left behind if that does not end them.

    Args:
        loop: where to call them.
        context: they run in copies of it.
        timeout: the seconds that they may take.
        flow: the name of what has run, for the log.
        agenda: that of the run, if it is one; it knows whether exceptions are to get out at once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
        timeout: float,
        flow: str,
        agenda: ReadyQueue | None = None,
    ) -> None:
        self.errors: dict[AbstractJob[object], BaseException] = {}
        """What went wrong, by job."""
        self.leaving: BaseException | None = None
        """An exit that the log raised when it was told of that: see `log.write`."""
        self._loop = loop
        self._context = context
        self._timeout = timeout
        self._flow = flow
        self._agenda = agenda
        self._paths: Mapping[AbstractJob[object], str] = {}
        self._tasks: dict[AbstractJob[object], asyncio.Task[None]] = {}
        self._raised: dict[AbstractJob[object], BaseException] = {}
        self._late: set[AbstractJob[object]] = set()
        self._drain: Drain[AbstractJob[object]] | None = None
        self._sleeper: Sleeper | None = None

    async def call(self, due: Mapping[AbstractJob[object], str], sleeper: Sleeper) -> None:
        """Call the hooks, and return when they have ended or the time is over.

        Args:
            due: the jobs that have them, each with its path.
            sleeper: keeps a cancellation that reaches the caller.
        """
        if not due:
            return
        self._paths = due
        until = self._loop.time() + self._timeout
        self._drain = Drain(self._loop, due, until, self._cancel, self._give_up, patient=True)
        self._sleeper = sleeper
        for job in due:
            self._start(job)
        while self._drain.members:
            await sleeper.sleep()
        self._drain = self._sleeper = None

    def _start(self, job: AbstractJob[object]) -> None:
        guard = self._guard(job)
        try:
            task = self._tasks[job] = spawned(guard, self._loop, self._context.copy())
            task.add_done_callback(functools.partial(self._done, job, guard))
        except BaseException as error:  # of a task factory, or a signal
            guard.close()
            if self._agenda is not None and self._agenda.given_up_at_once:
                raise
            self._end(job, _as_failure(job, error))

    def hurry(self) -> None:
        """Wait no longer than the hooks need to react to a cancellation."""
        if self._drain is not None:
            self._drain.hurry()

    async def _guard(self, job: AbstractJob[object]) -> None:
        try:
            await job.co_shutdown()
        except BaseException as error:
            self._raised[job] = error
            del self, job  # for its traceback knows this frame

    def _done(
        self,
        job: AbstractJob[object],
        guard: Coroutine[Any, Any, None],
        task: asyncio.Task[None],
    ) -> None:
        try:
            # Where a task factory wraps what it is given, the task may end without having begun it.
            guard.close()
            self._conclude(job, self._what_came_of(job, task))
        except BaseException as fault:
            # The net, as for jobs (rule 9).
            self._loop.call_soon(self._conclude, job, fault)

    def _conclude(self, job: AbstractJob[object], error: BaseException | None) -> None:
        is_late = job in self.errors
        if not is_late:
            self._end(job, error)
        if is_late or error is not None:
            how = "ended late" if is_late else "has failed"
            self._note(f"the shutdown of {job.name!r} {how}", job, error)

    def _what_came_of(
        self, job: AbstractJob[object], task: asyncio.Task[None]
    ) -> BaseException | None:
        failure = failure_of(task)  # asked for in any case, or asyncio says that nobody did
        error = self._raised.pop(job, failure)
        if job in self._late and job not in self.errors:
            late = TimeoutError(
                f"the shutdown of {job.name!r} took longer than {self._timeout:g} s"
            )
            late.__cause__ = error
            return late
        return error if error is None or job in self.errors else _as_failure(job, error)

    def _cancel(self, job: AbstractJob[object]) -> None:
        self._late.add(job)
        self._tasks[job].cancel()

    def _give_up(self, job: AbstractJob[object]) -> None:
        text = f"the shutdown of {job.name!r} did not end within {self._timeout:g} s"
        abandon(self._tasks[job])
        self._end(job, TimeoutError(text))
        self._say(f"{text}, although it was cancelled", job)

    def _note(self, text: str, job: AbstractJob[object], error: BaseException | None) -> None:
        if error is not None and not issubclass(type(error), (CancelledError, GeneratorExit)):
            text += f", with {class_name(error)}: {line(error)}"
        self._say(text, job)

    def _say(self, text: str, job: AbstractJob[object]) -> None:
        leaving = log.write(log.WARNING, text, self._flow, self._paths[job])
        if self.leaving is None:
            self.leaving = leaving

    def _end(self, job: AbstractJob[object], error: BaseException | None) -> None:
        # The call waits until each hook has come here; one that comes late has an error already.
        assert self._drain is not None
        assert self._sleeper is not None
        self._drain.discard(job)
        if error is not None:
            self.errors[job] = error
        if not self._drain.members:
            self._sleeper.wake()


def _as_failure(job: AbstractJob[object], error: BaseException) -> BaseException:
    """Return what a hook has failed with: of a cancellation, one that says so (rule 13)."""
    if not is_cancellation(error):
        return error
    cancelled = SelfCancelledError(f"the shutdown of {job.name!r} was cancelled")
    cancelled.__cause__ = error
    return cancelled
