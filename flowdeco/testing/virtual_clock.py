"""Testing scenarios: a clock that does not wait."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import heapq
import selectors
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from typing_extensions import TypeVarTuple

from flowdeco.base import locations
from flowdeco.base.text import line
from flowdeco.engine.execution import Execution
from flowdeco.engine.tasks import context_of
from flowdeco.errors import FlowdecoError
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.current import current_execution

__all__ = ["DeadlockError", "VirtualClockLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

REAL_WAIT = 0.01
"""The real seconds that input and output have, before the virtual clock leaps ahead."""


class DeadlockError(FlowdecoError, RuntimeError):
    """All tasks wait, and nothing is left that could wake one of them.

    `waiting` has, by the name of each task (for a job, its path), the line at which it stands. The
    text says as well which jobs wait for which.
    """

    def __init__(self, message: str, waiting: Mapping[str, str]) -> None:
        self.waiting = dict(waiting)
        super().__init__(message)


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to the next timer instead of waiting for it.

    Hours of sleep pass in milliseconds, and every timer comes at its exact time. Where all tasks
    wait for something that can never come, `DeadlockError` is raised instead of hanging. The clock
    starts at 0. While a thread is at work it stands still: a thread that does not end holds it up.

    Give it as `flow.run(loop_factory=VirtualClockLoop)`.
    """

    def __init__(self) -> None:
        self._virtual_time = 0.0
        self._timers: list[float] = []
        self._in_threads = 0
        super().__init__(_LeapingSelector(self))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._virtual_time

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at that virtual time."""
        heapq.heappush(self._timers, when)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Call a function on an executor; until it returns, the clock does not leap."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._left_thread)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        """Wait until the threads of the default executor have ended."""
        self._in_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._in_threads -= 1

    def _left_thread(self, _: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def leap(self, seconds: float) -> None:
        """Let so much time pass; to the exact time of a timer, if one is meant."""
        target = self._virtual_time + seconds
        while self._timers and self._timers[0] <= self._virtual_time:
            heapq.heappop(self._timers)
        # The loop asks for a difference; added again, its rounding error would miss the timer.
        for when in self._timers[:1]:
            if abs(when - target) <= 1e-9 * max(1.0, abs(when)):
                target = when
        self._virtual_time = max(self._virtual_time, target)

    def waits_for_threads(self) -> bool:
        """Tell whether work is on an executor."""
        return self._in_threads > 0


def _deadlock(loop: asyncio.AbstractEventLoop) -> DeadlockError:
    """Return the error for a loop in which all tasks wait for each other, or for nothing."""
    lines = ["every task waits, no timer is set and no input or output is awaited"]
    waiting: dict[str, str] = {}
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        execution = _execution_of(task)
        place = (
            locations.of_awaitable(task.get_coro()) if execution is None else execution.location()
        )
        if place != locations.UNKNOWN and not place.startswith(locations.OWN):
            waiting[task.get_name()] = place
            followers = "" if execution is None else _followers(execution.job)
            lines.append(f"  {line(task.get_name())} stands at {place}{followers}")
    return DeadlockError("\n".join(lines), waiting)


def _execution_of(task: asyncio.Task[Any]) -> Execution | None:
    """Return the job at work whose task it is."""
    context = context_of(task)
    execution = None if context is None else context.get(current_execution)
    if not isinstance(execution, Execution) or execution.task is not task:
        return None
    return execution


def _followers(job: AbstractJob[object]) -> str:
    """Name the jobs that wait for a job."""
    names = [
        other.name for other in job.__flow_home__ or () if job in other.required and other.is_idle()
    ]
    return f"; {', '.join(names)} wait{'' if len(names) > 1 else 's'} for it" if names else ""


class _LeapingSelector(selectors.DefaultSelector):
    """A selector that lets virtual time pass instead of waiting."""

    def __init__(self, loop: VirtualClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self._loop.waits_for_threads():
            return super().select(timeout)
        files: Mapping[Any, Any] = self.get_map() or {}
        # The loop itself has one file, by which other threads wake it.
        in_use = len(files) > 1
        if timeout is None:
            if not in_use:
                raise _deadlock(self._loop)
            return super().select(None)
        events = super().select(REAL_WAIT if in_use else 0)
        if not events:
            self._loop.leap(timeout)
        return events
