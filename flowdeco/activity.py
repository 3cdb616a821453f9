"""A job in a run: what the run keeps about it until it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

import attrs

from .job import AbstractJob
from .outcome import Outcome

if TYPE_CHECKING:
    from .drain import Drain
    from .run import Run
    from .window import Window

__all__ = ["Activity"]


_ASYNCIO = os.path.dirname(asyncio.__file__)


@attrs.define(eq=False, repr=False)
class Activity:
    """One job in one run. Jobs know their outcome alone; all that is for the run is here."""

    job: AbstractJob[object]
    run: Run
    outcome: Outcome
    waiting: int
    """How many of its requirements have not ended (or, services, come up)."""
    successors: Sequence[Activity] = ()
    """Who waits for it; emptied when they have been told."""
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    """The one of its own timeout."""
    drain: Drain[Activity] | None = None
    """What bounds its end, once it was told to end."""
    release: asyncio.Future[None] | None = None
    """Where a generator service waits while it is up."""
    generator: AsyncGenerator[object, None] | None = None
    """The body of a generator service."""
    inner: list[Run] | None = None
    """The runs that go on inside of its body."""
    windows: Sequence[Window[Activity]] = ()
    """Those of which it needs a place each, in this order."""
    places: int = 0
    """In how many of them it has one."""
    is_up: bool = False
    """A service others need not wait for any more."""
    stopping: bool = False
    """The run has told it to end: what it then raises is an answer to that."""
    expired: bool = False
    """It was told so because of its own timeout."""
    ended: bool = False

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
        if self.outcome.started_at is not None and self.task is not None:
            self.task.cancel()

    @property
    def place(self) -> str:
        """The line where the body waits: the innermost one that is not asyncio's own."""
        awaited: object = self.generator
        if awaited is None and self.task is not None:
            awaited = self.task.get_coro()
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
