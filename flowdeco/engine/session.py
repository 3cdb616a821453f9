"""A session: everything that an outermost run shares with all runs within it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

from flowdeco.base import log
from flowdeco.jobs.threads import MOST_THREADS, DaemonThreads

from .block_monitor import BlockMonitor
from .ready_queue import ReadyQueue, Rescue
from .reason import Reason
from .slots import Slots
from .tasks import clock_of

__all__ = ["Expiring", "Root", "Session"]


class Root(Protocol):
    """The outermost run."""

    def fail(self, reason: Reason) -> object:
        """End because of this."""


class Expiring(Protocol):
    """A body with a timeout of its own."""

    def set_timer(self) -> object:
        """Set the timer, unless the body has ended."""


class Session:
    """The loop and everything that the runs in it have in common.

    Args:
        root: the outermost run.
        flow: its name, for the log.
        rescue: the net of its jobs.
    """

    __slots__ = (
        "_expiring",
        "clock",
        "flow",
        "has_factory",
        "is_verbose",
        "loop",
        "monitor",
        "queue",
        "readers",
        "root",
        "thread_slots",
        "threads",
        "wall_zero",
        "zero",
    )

    def __init__(self, root: Root, flow: str, rescue: Rescue) -> None:
        self.root: Root | None = root
        self.flow = flow
        self.loop = asyncio.get_running_loop()
        self.clock = clock_of(self.loop)
        self.zero = self.clock()
        """The beginning of the outermost run, by the clock of the loop."""
        self.wall_zero = time.time()
        """The same, in seconds since the epoch."""
        self.has_factory = self.loop.get_task_factory() is not None
        """Whether a task factory makes the tasks."""
        self.is_verbose = log.is_enabled(log.DEBUG)
        self.queue = ReadyQueue(self.loop, self.clock, rescue)
        self.threads = DaemonThreads()
        self.thread_slots: Slots[Any] = Slots(MOST_THREADS)
        """One for each thread that all runs together may use."""
        debug = self.loop.get_debug()
        self.monitor = BlockMonitor(self.loop, flow) if debug else None
        """Looks for bodies that block the loop, in debug mode."""
        self._expiring: list[Expiring] = []
        self.readers: dict[int, tuple[str, object]] = {}
        """The iterators that fan-outs go over, by identity, each with the name of its reader."""

    def say(
        self, level: int, text: str, path: str = "", error: BaseException | None = None
    ) -> None:
        """Write to the log; an exit that a handler or a signal raises meanwhile ends the run."""
        self.leave(log.write(level, text, self.flow, path, error))

    def leave(self, error: BaseException | None) -> None:
        """End the outermost run with an exit, if it is one."""
        if error is not None and self.root is not None:
            self.root.fail(Reason.exit(error))

    def set_timers_soon(self, execution: Expiring) -> None:
        """Let a body set its timer in two turns of the loop.

        Most bodies have ended by then, or at least many, and a timer costs more than a body that
        does nothing.
        """
        if not self._expiring:
            self.loop.call_soon(self.loop.call_soon, self._set_timers)
        self._expiring.append(execution)

    def _set_timers(self) -> None:
        expiring, self._expiring = self._expiring, []
        for execution in expiring:
            execution.set_timer()

    def close(self) -> None:
        """Let go of all that it has, as the outermost run has ended."""
        self.root = None
        self._expiring.clear()
        self.readers.clear()
        self.queue.close()
        self.threads.shutdown()
        if self.monitor is not None:
            self.monitor.close()
