"""Running in an event loop of one's own: signals, and a close that is bounded (rules 8, 12).

Not `asyncio.Runner`: its close waits for cancelled tasks, asynchronous generators and threads
however long they take.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, ClassVar

from flowdeco.base import log
from flowdeco.base.text import class_name, line
from flowdeco.errors import LoopRunningError

from .ending import Drain
from .reason import Reason
from .run import Run
from .tasks import context_of, is_abandoned

__all__ = ["execute"]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def execute(make: Callable[[], Run], loop_factory: LoopFactory | None) -> Run:
    """Make a run, execute it in a loop of its own, and close that loop within a bound.

    Args:
        make: makes the run; it is called in the loop.
        loop_factory: makes the loop.

    Returns:
        The run, which is over.

    Raises:
        LoopRunningError: no loop of its own can run here.
        BaseException: what `make` raises, and what `Run.raise_exit` does.
    """
    loop = _new_loop() if loop_factory is None else loop_factory()
    owner = _Owner(loop, make)
    try:
        with _Signals(owner):
            try:
                owner.execute()
            finally:
                owner.close()
    finally:
        loop.close()
    assert owner.run is not None  # or an exception has left
    owner.end_run()
    owner.run.raise_exit()
    return owner.run


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform != "emscripten":
        return asyncio.new_event_loop()
    try:
        loop = asyncio.new_event_loop()
    except Exception as error:
        problem = f"no event loop can be made here ({line(error)}); {_INSTEAD}"
        raise LoopRunningError(problem) from error
    if not isinstance(loop, asyncio.BaseEventLoop):
        # Its run_forever returns at once: JavaScript calls back when nothing else runs.
        raise LoopRunningError(f"the only event loop here is that of JavaScript; {_INSTEAD}")
    return loop


_INSTEAD = "await flow.co_run(), or co_orchestrate() of a scheduler, in a coroutine"


class _Owner:
    """A loop, and the one run for which it was made."""

    def __init__(self, loop: asyncio.AbstractEventLoop, make: Callable[[], Run]) -> None:
        self.loop = loop
        self.run: Run | None = None
        self.signals = 0
        self._make = make
        self._main: asyncio.Task[None] | None = None
        self._leaving: BaseException | None = None
        """What a signal, or an exit outside of the jobs, raises in the end."""
        self._until: float
        """When the close is to be over, by the clock of the loop."""
        self._drain: Drain[_Leftover] | None = None
        """That of the tasks which jobs have left behind."""

    async def _execute(self) -> None:
        self.run = self._make()
        self.end_run()
        await self.run.execute()

    def execute(self) -> None:
        main = self._main = self.loop.create_task(self._execute())
        main.add_done_callback(self._stop)
        while not main.done():
            # It comes back early when a job stops the loop, and goes on.
            self._run_loop()
        main.result()

    def _run_loop(self) -> None:
        try:
            self.loop.run_forever()
        except (KeyboardInterrupt, SystemExit) as error:
            if self.signals > 2:
                raise
            # From a task that is not the run's, or a callback: as if a job had raised it.
            self._keep(error)
            self.end_run()

    def _stop(self, _: asyncio.Task[None]) -> None:
        self.loop.stop()

    def _keep(self, error: BaseException) -> None:
        if self._leaving is None:
            self._leaving = error

    def end_run(self) -> None:
        """Let the run end because of what is to leave, if there is such a thing."""
        if self.run is not None and self._leaving is not None:
            self.run.fail(Reason.exit(self._leaving))

    def signalled(self, error: BaseException) -> None:
        """React to a signal; this is called wherever the code stands."""
        self.signals += 1
        self._keep(error)
        if self.signals == 1:
            self.loop.call_soon_threadsafe(self.end_run)
        elif self.signals == 2:
            self.loop.call_soon_threadsafe(self._hurry)
        else:
            if self.run is not None:
                self.run.queue.is_forced = True
            self.loop.set_exception_handler(_note)  # tasks that are left now would complain
            raise error

    def _hurry(self) -> None:
        if self.run is not None:
            self.run.skip_grace()
        self._until = self.loop.time()
        if self._drain is not None:
            self._drain.skip()
        self.loop.stop()  # which lets what is waited for see that there is less time

    def close(self) -> None:
        """End what jobs have left behind, in what is left of the time of the run."""
        self._until = self.loop.time()
        if self.run is not None and self.run.bound is not None and self.signals < 2:
            self._until = self.run.bound
        loop = self.loop
        # After a third signal the run itself is not to go on: it would call the hooks.
        main = self._main if self.signals > 2 else None
        stuck = {task for task in asyncio.all_tasks(loop) if is_abandoned(task) or task is main}
        if stuck:
            self._complete(_close_coroutines(stuck))
        tasks = asyncio.all_tasks(loop)
        if tasks:
            self._complete(self._end_tasks(tasks))
        self._complete(loop.shutdown_asyncgens())
        if not self._complete(loop.shutdown_default_executor()):
            self._say("threads of the default executor of the loop are still at work")
        leftover = asyncio.all_tasks(loop) - _parked
        if leftover:
            self._complete(_close_coroutines(leftover))

    def _complete(self, coroutine: Coroutine[Any, Any, None]) -> bool:
        """Run a coroutine for as long as there is time; whether it has completed."""
        task = asyncio.Task(coroutine, loop=self.loop)  # whatever a task factory may do
        task.add_done_callback(self._stop)
        began = self.loop.time()
        # Each has its last turns: the one before may have used up all of the time.
        while not task.done() and self.loop.time() < self._last(began):
            self.loop.call_at(self._last(began), self.loop.stop)
            self._run_loop()
        if not task.done():
            _parked.add(task)
            task.add_done_callback(_parked.discard)
            self.loop.set_exception_handler(_note)
        elif not task.cancelled() and task.exception() is not None:
            self._say("closing the loop raised", task.exception())
        return task.done()

    def _say(self, text: str, error: BaseException | None = None) -> None:
        leaving = _warn(text, error, "" if self.run is None else self.run.session.flow)
        if leaving is not None:
            self._keep(leaving)

    def _last(self, began: float) -> float:
        return max(began, self._until) + _LAST_TURNS

    async def _end_tasks(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Cancel tasks, and in the end close what does not react, so that it ends all the same."""
        leftovers = [_Leftover(task) for task in tasks]
        ended = asyncio.Event()
        drain = self._drain = Drain(self.loop, leftovers, self._until)

        def done(leftover: _Leftover, task: asyncio.Task[Any]) -> None:
            drain.discard(leftover)
            if not drain.members:
                ended.set()
            if not task.cancelled() and task.exception() is not None and not leftover.is_closed:
                self._say("a task that was left behind raised", task.exception())

        for leftover in leftovers:
            leftover.task.add_done_callback(functools.partial(done, leftover))
            leftover.insist()
        await ended.wait()


class _Leftover:
    """A task that jobs have left behind."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.is_closed = False

    def insist(self) -> None:
        """Cancel it."""
        self.task.cancel()

    def abandon(self) -> None:
        """Close it by force, so that it ends all the same."""
        self.is_closed = True
        _close(self.task)


_LAST_TURNS = 0.05
"""Seconds beyond the bound in which what was closed by force can be seen to have ended."""

_parked: set[asyncio.Task[None]] = set()
"""What waits for threads that do not end; as garbage it would complain, or wait for them."""


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.write(log.DEBUG, f"after the loop was closed: {line(context.get('message'))}")


def _warn(text: str, error: BaseException | None, flow: str = "") -> BaseException | None:
    if error is not None:
        text = f"{text}: {class_name(error)}: {line(error)}".removesuffix(": ")
    return log.write(log.WARNING, text, flow)


def _close(task: asyncio.Task[Any]) -> None:
    """Close the coroutine of a task that ignores cancellation, so that the task ends.

    That is done in the context of the task, so that a `finally` can reset its variables.
    """
    coroutine: Any = task.get_coro()
    context = context_of(task)
    try:
        if context is None:
            coroutine.close()
        else:
            context.run(coroutine.close)
    except BaseException as error:
        _warn("a task could not be closed", error)
    task.cancel()


async def _close_coroutines(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        _close(task)
    ended, _ = await asyncio.wait(tasks, timeout=_LAST_TURNS)
    # Their exceptions are those of closed coroutines, and tell nothing.
    await asyncio.gather(*ended, return_exceptions=True)


class _Signals:
    """SIGINT and SIGTERM end the run, in the main thread and where nobody else handles them."""

    exits: ClassVar[dict[int, Callable[[], BaseException]]] = {
        signal.SIGINT: KeyboardInterrupt,
        signal.SIGTERM: lambda: SystemExit(143),
    }

    def __init__(self, owner: _Owner) -> None:
        self._owner = owner
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        _watch_forks()
        _in_use[self] = None
        for number in self.exits:
            handler = signal.getsignal(number)
            if handler in (signal.default_int_handler, signal.SIG_DFL):
                try:
                    signal.signal(number, self._handle)
                except ValueError:
                    return  # in a sub-interpreter, which has no signals
                self._previous[number] = handler

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._owner.signalled(self.exits[number]())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.put_back()

    def put_back(self) -> None:
        """Put back the handlers that were there, where ours still are."""
        _in_use.pop(self, None)
        for number, handler in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)


_in_use: dict[_Signals, None] = {}
"""Those that have handlers at present."""

_fork = threading.local()
"""Which signals were blocked in the thread that forks, before it did."""


@functools.cache
def _watch_forks() -> None:
    """See to it, once, that processes which are forked meanwhile die of signals as any other.

    A handler would only note something for a loop that does not run there. And a handler in Python
    waits until the interpreter comes round to it, which the default action does not.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_block_signals,
            after_in_parent=_unblock_signals,
            after_in_child=_put_back_in_child,
        )


def _block_signals() -> None:
    # Python forgets in a child what has come before it is ready there; what is blocked waits.
    if _in_use:
        _fork.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _Signals.exits)


def _unblock_signals() -> None:
    blocked = vars(_fork).pop("blocked", None)
    if blocked is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _put_back_in_child() -> None:
    for signals in tuple(_in_use):
        signals.put_back()
    _unblock_signals()
