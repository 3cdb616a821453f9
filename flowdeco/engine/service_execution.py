"""Services at work: up at some moment, and down at the end (rule 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, cast

from flowdeco.base import locations
from flowdeco.base.exceptions import is_cancellation
from flowdeco.jobs.job import Job
from flowdeco.jobs.marks import name_of
from flowdeco.jobs.outcome import MISSING, State

from .attended_execution import AttendedExecution
from .generator_services import serve

__all__ = ["GeneratorServiceExecution", "ServiceExecution"]


class ServiceExecution(AttendedExecution):
    """A service; one that is a coroutine is ready once it has run up to its first suspension."""

    stopped_at: float = 0.0
    """When it was asked to end, by the clock."""
    cut_at: str | None = None
    """The line at which its teardown stood when the grace cut it short."""
    cut_after: float = 0.0
    """How many seconds that was after it had been asked to end."""

    def begin_body(self) -> Awaitable[object]:
        """Call the body; the run learns that it is ready in the next turn of the loop."""
        self.run.session.loop.call_soon(self.note_ready)
        return super().begin_body()

    def note_ready(self) -> None:
        """Note that it is ready; the jobs that have waited for it start."""
        if self.ended:
            return
        self.is_up = True
        if self.outcome.value is MISSING:
            self.outcome.value = None
        try:
            self.run.service_ready(self)
        except BaseException as fault:
            # The net (rule 9).
            self.run.queue.mend(fault, None, None)

    def stop(self) -> None:
        """Ask it to end."""
        self.stopped_at = self.run.clock()
        super().stop()

    def insist(self) -> None:
        """Cancel it again, as its time runs out: that is no clean end."""
        nested = self.run.nested.get(self)
        if not self.is_late and (nested is None or not nested.runs):
            self.is_late = True
            self.cut_at = self.location()
            self.cut_after = self.run.clock() - self.stopped_at
        super().insist()

    @property
    def has_expired(self) -> bool:
        """Whether its own timeout has come."""
        return self.is_late and self.cut_at is None

    def lateness(self, error: BaseException | None) -> TimeoutError:
        """Return the failure of a service whose timeout came, or whose teardown was cut short."""
        if self.cut_at is None:
            return super().lateness(error)
        name, seconds = name_of(self.job), f"{round(self.cut_after, 2):g}"
        late = TimeoutError(f"the teardown of {name} was cut short after {seconds} s")
        late.add_note(f"it stood at {self.cut_at}")
        if error is not None and not is_cancellation(error):
            late.__cause__ = error
        return late


class GeneratorServiceExecution(ServiceExecution):
    """A service that is an asynchronous generator: ready at its yield, and torn down after it."""

    generator: AsyncGenerator[object, None] | None = None
    release: asyncio.Future[None] | None = None
    """Where it waits while it is up."""

    def begin_body(self) -> Awaitable[object]:
        """Call the body."""
        self.generator = cast("Job[object]", self.job).generator()
        return serve(self.generator, self)

    def started(self, value: object) -> None:
        """Note that it is ready, and the value that it gives to its successors."""
        self.outcome.value = value
        self.note_ready()
        self.stop_timer()

    async def stop_requested(self) -> None:
        """Wait until it is asked to end."""
        if not self.stopping:
            self.release = asyncio.get_running_loop().create_future()
            await self.release

    def stop(self) -> None:
        """Ask it to end: resume it at its yield, or cancel it before that."""
        if self.release is None:
            super().stop()
            return
        self.stopped_at = self.run.clock()
        if not self.release.done():
            self.release.set_result(None)

    def note_value(self, value: object) -> None:  # noqa: ARG002
        """Note a good end; its value is what it has yielded."""
        self.outcome.state = State.CANCELLED if self.stopping else State.DONE

    def location(self) -> str:
        """Return the line of the user's at which the body stands."""
        if self.generator is None:
            return super().location()
        generator: Any = self.generator
        return locations.of_awaitable(generator)
