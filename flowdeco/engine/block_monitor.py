"""Who holds the thread of the loop, in asyncio's debug mode (rule 19)."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import time
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, TypeVar

from flowdeco.base import locations, log
from flowdeco.base.text import line

from .tasks import steps_of

R = TypeVar("R")

__all__ = ["BlockMonitor"]

SHORTEST_LOOK: Final = 0.005
"""Seconds between two looks at the least, however short a callback is too long already."""


class _Step:
    """A stretch of a body between two suspensions."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.inner = 0.0
        """The seconds that other bodies have taken within, each of which has its own step."""
        self.place: str | None = None


class BlockMonitor:
    """Log who holds the thread longer than `loop.slow_callback_duration`, and where.

    A thread looks where the thread of the loop stands while that happens. It ends with `close`.
    Where the system has no thread to give, the places are not known.

    Args:
        loop: the running loop.
        flow: the name of what runs, for the log.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, flow: str) -> None:
        self._limit: float = getattr(loop, "slow_callback_duration", 0.1)
        self._flow = flow
        self._loop_thread = threading.get_ident()
        self._step: _Step | None = None
        self._over = threading.Event()
        thread = threading.Thread(target=self._keep_looking, name="watch of flowdeco", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            text = f"nobody sees where the loop is blocked, for want of a thread: {line(error)}"
            log.write(log.WARNING, text, flow)

    def close(self) -> None:
        """Stop watching."""
        self._over.set()

    @types.coroutine
    def over(self, body: Awaitable[R], name: str, path: str) -> Generator[Any, Any, R]:
        """Await the body of a job, with an eye on each of its steps."""
        steps = steps_of(body)
        tell = functools.partial(self._tell, name, path)
        resume: Callable[[], Any] = functools.partial(next, steps)
        try:
            while True:
                waits_for = self._timed(resume, tell)
                try:
                    sent = yield waits_for
                except BaseException as error:
                    resume = functools.partial(steps.throw, error)
                else:
                    resume = functools.partial(steps.send, sent)
        except StopIteration as end:
            value: R = end.value
            return value
        finally:
            del resume  # which may have the error that leaves, whose traceback knows this frame

    def _timed(self, resume: Callable[[], Any], tell: Callable[[float, str], None]) -> Any:
        around, step = self._step, _Step()
        self._step = step
        try:
            return resume()
        finally:
            del resume  # as above
            self._step = around
            took = time.monotonic() - step.began
            if around is not None:
                around.inner += took
            own = took - step.inner
            if own >= self._limit:
                tell(own, step.place or "a place that could not be seen")

    def _tell(self, name: str, path: str, seconds: float, place: str) -> None:
        text = f"{name!r} blocked the loop for {seconds:.3f} s, at {place}"
        leaving = log.write(log.WARNING, text, self._flow, path)
        if leaving is not None:
            raise leaving  # as if the body had raised it

    def _keep_looking(self) -> None:
        while not self._over.wait(max(self._limit / 4, SHORTEST_LOOK)):
            self.look()

    def look(self) -> None:
        """Note where the thread of the loop stands, if a step has taken long already."""
        step = self._step
        if step is None or step.place is not None:
            return
        if time.monotonic() - step.began > self._limit / 2:
            step.place = locations.of_frame(sys._current_frames().get(self._loop_thread))  # pyright: ignore[reportPrivateUsage]  # has no public name
