"""Who holds the thread of the loop, in asyncio's debug mode (rule 19)."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import sys
import threading
import time
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, TypeVar

R = TypeVar("R")

__all__ = ["Watch"]

logger = logging.getLogger("flowdeco")

_OWN: Final = os.path.dirname(__file__) + os.sep
_STANDARD: Final = os.path.dirname(os.__file__) + os.sep


class _Step:
    """A stretch of a body between two suspensions."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.inner = 0.0
        """The seconds that other bodies have taken within, each of which has its own step."""
        self.place: str | None = None


class Watch:
    """Log who holds the thread longer than `loop.slow_callback_duration`, and where.

    A thread looks where the thread of the loop stands while that happens. It ends with `close`.

    Args:
        loop: the running loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._limit: float = getattr(loop, "slow_callback_duration", 0.1)
        self._loop_thread = threading.get_ident()
        self._step: _Step | None = None
        self._over = threading.Event()
        threading.Thread(target=self._keep_looking, name="watch of flowdeco", daemon=True).start()

    def close(self) -> None:
        """Stop watching."""
        self._over.set()

    @types.coroutine
    def over(self, body: Awaitable[R], name: str) -> Generator[Any, Any, R]:
        """Await a body, with an eye on each of its steps."""
        steps = body.__await__()
        resume: Callable[[], Any] = functools.partial(next, steps)
        try:
            while True:
                waits_for = self._timed(resume, name)
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

    def _timed(self, resume: Callable[[], Any], name: str) -> Any:
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
                place = "a place that could not be seen" if step.place is None else step.place
                logger.warning("%r blocked the loop for %.3f s, at %s", name, own, place)

    def _keep_looking(self) -> None:
        while not self._over.wait(self._limit / 4):
            self.look()

    def look(self) -> None:
        """Note where the thread of the loop stands, if a step has taken long already."""
        step = self._step
        if step is None or step.place is not None:
            return
        if time.monotonic() - step.began > self._limit / 2:
            step.place = _place(sys._current_frames().get(self._loop_thread))


def _place(frame: types.FrameType | None) -> str | None:
    """The innermost line that is neither of the standard library nor of this one."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_OWN, _STANDARD, "<")):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return None
