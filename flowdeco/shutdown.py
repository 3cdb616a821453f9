"""The hooks that jobs register for the end of a run (rule 10)."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .drain import Drain, Sleeper
from .errors import SelfCancelledError
from .tasks import primed, starting

if TYPE_CHECKING:
    from .job import AbstractJob

__all__ = ["Shutdown"]

logger = logging.getLogger("flowdeco")


class Shutdown:
    """Call `co_shutdown` of many jobs, all at the same time, within a bound.

    Those that have not ended then are cancelled, and left behind if that does not end them.

    Args:
        loop: where to call them.
        context: they run in copies of it.
        timeout: the seconds that they may take.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: contextvars.Context, timeout: float
    ) -> None:
        self.errors: dict[AbstractJob[object], BaseException] = {}
        """What went wrong, by job."""
        self._loop = loop
        self._context = context
        self._timeout = timeout
        self._tasks: dict[AbstractJob[object], asyncio.Task[None]] = {}
        self._late: set[AbstractJob[object]] = set()
        self._drain: Drain[AbstractJob[object]] | None = None
        self._sleeper: Sleeper | None = None

    async def call(self, jobs: Iterable[AbstractJob[object]], sleeper: Sleeper) -> None:
        """Call the hooks, and return when they have ended or the time is over.

        A cancellation that reaches the caller is kept by the sleeper.
        """
        due = list(jobs)
        if not due:
            return
        until = self._loop.time() + self._timeout
        self._drain = Drain(self._loop, due, until, self._cancel, self._give_up, patient=True)
        self._sleeper = sleeper
        for job in due:
            try:
                self._tasks[job] = primed(self._guard(job), self._loop, self._context)
            except Exception as error:  # of a task factory
                self._end(job, error)
        while self._drain.members:
            await sleeper.sleep()
        self._drain = self._sleeper = None

    def hurry(self) -> None:
        """Wait no longer than the hooks need to react to a cancellation."""
        if self._drain is not None:
            self._drain.hurry()

    async def _guard(self, job: AbstractJob[object]) -> None:
        error: BaseException | None = None
        try:
            await starting()
            await job.co_shutdown()
        except BaseException as raised:
            error = raised
        if job in self.errors:
            logger.warning("the shutdown of %r ended late", job.name, exc_info=error)
            return
        if job in self._late:
            late = TimeoutError(
                f"the shutdown of {job.name!r} took longer than {self._timeout:g} s"
            )
            late.__cause__ = error
            error = late
        elif isinstance(error, asyncio.CancelledError):
            cancelled = SelfCancelledError(f"the shutdown of {job.name!r} was cancelled")
            cancelled.__cause__ = error
            error = cancelled
        self._end(job, error)
        if error is not None:
            del self, job, error  # for its traceback knows this frame

    def _cancel(self, job: AbstractJob[object]) -> None:
        self._late.add(job)
        self._tasks[job].cancel()

    def _give_up(self, job: AbstractJob[object]) -> None:
        text = f"the shutdown of {job.name!r} did not end within {self._timeout:g} s"
        logger.warning("%s, although it was cancelled", text)
        self._end(job, TimeoutError(text))

    def _end(self, job: AbstractJob[object], error: BaseException | None) -> None:
        if error is not None:
            self.errors[job] = error
        # The call waits until each hook has come here; one that comes late has an error already.
        assert self._drain is not None
        assert self._sleeper is not None
        self._drain.discard(job)
        if not self._drain.members:
            self._sleeper.wake()
