"""Shutdown hooks at work: `co_shutdown` of jobs, at the end of a run (rule 10)."""

from __future__ import annotations

import asyncio
import functools
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from flowdeco.base import log
from flowdeco.base.text import class_name, line
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.hooked_set import DueHook
from flowdeco.jobs.outcome import Outcome

from .ending import Drain, Sleeper
from .executing_run import ExecutingRun
from .execution import Execution
from .failure import own_failure
from .tasks import abandon, failure_of, name_current_task, spawned

__all__ = ["Hook", "Hooks"]


class Hook(Execution):
    """An execution whose body is the `co_shutdown` of a job.

    It has no guard as other executions: nothing starts after it, so a done callback, which costs a
    turn of the loop, sees to however its task ends.

    Args:
        run: the run that calls it.
        job: the job.
        path: the path of the job.
        seconds: the time that hooks have, for messages.
        tell: called when it has ended, or was left behind.
    """

    __slots__ = ("_job", "_path", "_raised", "_seconds", "_tell", "is_cut")

    def __init__(
        self,
        run: ExecutingRun,
        job: AbstractJob[object],
        path: str,
        seconds: float,
        tell: Callable[[Hook], object],
    ) -> None:
        super().__init__(run, -1, Outcome())
        self._job = job
        self.is_cut = False
        """Its time was over before it had ended."""
        self._path = path
        self._seconds = seconds
        self._tell = tell
        self._raised: BaseException | None = None

    @property
    def job(self) -> AbstractJob[object]:
        """The job."""
        return self._job

    @property
    def path(self) -> str:
        """The names of the job and of all jobs that it is inside of, from the outermost."""
        return self._path

    @property
    def error(self) -> BaseException | None:
        """What went wrong."""
        return self.outcome.exception

    def start(self, now: float = 0.0) -> None:  # noqa: ARG002
        """Make a task of it."""
        session = self.run.session
        guard = self._execute()
        try:
            task = self.task = spawned(guard, session.loop, self.run.context.copy())
            task.add_done_callback(functools.partial(self._done, guard))
        except BaseException as error:  # of a task factory, or a signal
            guard.close()
            if self.run.queue.is_forced:
                raise
            self._end(self._as_failure(error))

    async def _execute(self) -> None:
        name_current_task(self._path)
        try:
            await self.job.co_shutdown()
        except BaseException as error:
            self._raised = error
            del self  # for its traceback knows this frame

    def _done(self, guard: Coroutine[Any, Any, None], task: asyncio.Task[None]) -> None:
        try:
            # Where a task factory wraps what it is given, the task may end without having begun it.
            guard.close()
            self._settle(self._failure(task))
        except BaseException as fault:
            # The net, as for jobs (rule 9).
            self.run.session.loop.call_soon(self._settle, fault)

    def _settle(self, error: BaseException | None) -> None:
        had_ended = self.ended
        if not had_ended:
            self._end(error)
        if had_ended or error is not None:
            how = "ended late" if had_ended else "has failed"
            text = f"the shutdown of {self.job.name!r} {how}"
            if error is not None and not issubclass(type(error), (CancelledError, GeneratorExit)):
                text += f", with {class_name(error)}: {line(error)}"
            self._say(text)

    def _failure(self, task: asyncio.Task[None]) -> BaseException | None:
        failure = failure_of(task)  # asked for in any case, or asyncio says that nobody did
        error, self._raised = self._raised, None
        if error is None:
            error = failure
        if self.is_cut and not self.ended:
            late = TimeoutError(
                f"the shutdown of {self.job.name!r} took longer than {self._seconds:g} s"
            )
            late.__cause__ = error
            return late
        return error if error is None or self.ended else self._as_failure(error)

    def insist(self) -> None:
        """Cancel it, as its time is over."""
        self.is_cut = True
        if self.task is not None:
            self.task.cancel()

    def abandon(self) -> None:
        """Leave it behind, as it does not end."""
        text = f"the shutdown of {self.job.name!r} did not end within {self._seconds:g} s"
        if self.task is not None:
            abandon(self.task)
        self._end(TimeoutError(text))
        self._say(f"{text}, although it was cancelled")

    def _say(self, text: str) -> None:
        self.run.session.say(log.WARNING, text, self._path)

    def _end(self, error: BaseException | None) -> None:
        self.outcome.exception = error
        self._tell(self)
        self.ended = True  # the last: after an interruption all of this is done again

    def _as_failure(self, error: BaseException) -> BaseException:
        """Return what the hook has failed with: of a cancellation, one that says so (rule 13)."""
        return own_failure(error, f"the shutdown of {self.job.name!r} was cancelled")


class Hooks:
    """The shutdown hooks of a run, which are called all at once when its bodies have ended.

    Args:
        sleeper: the place where the run sleeps.
    """

    __slots__ = ("_drain", "_handed_over", "_sleeper", "errors")

    def __init__(self, sleeper: Sleeper) -> None:
        self._sleeper = sleeper
        self._handed_over: dict[AbstractJob[object], str] = {}
        """The hooks of runs within this one that it has cut short, with their paths."""
        self._drain: Drain[Hook] | None = None
        self.errors: dict[AbstractJob[object], BaseException] = {}
        """What went wrong."""

    def take_over(self, due: Iterable[DueHook]) -> None:
        """Take hooks that are to be called with those of this run."""
        self._handed_over.update(due)

    def hand_over(self, due: Iterable[DueHook], outer: Hooks) -> None:
        """Leave the hooks to the run around, which has cut this one short (rule 10)."""
        outer.take_over(self._handed_over.items())
        outer.take_over(due)

    async def call(self, run: ExecutingRun, due: Iterable[DueHook]) -> None:
        """Call the hooks, and sleep until all have ended or their time is over."""
        wanted = dict(due)
        wanted.update(self._handed_over)
        if not wanted:
            return
        loop, seconds = run.session.loop, run.specification.limits.shutdown_timeout
        hooks = [Hook(run, job, path, seconds, self._ended) for job, path in wanted.items()]
        self._drain = drain = Drain(loop, hooks, loop.time() + seconds, patient=True)
        for hook in hooks:
            hook.start()
        while drain.members:
            await self._sleeper.sleep()

    def _ended(self, hook: Hook) -> None:
        assert self._drain is not None  # it was started
        self._drain.discard(hook)
        if hook.error is not None:
            self.errors[hook.job] = hook.error
        if not self._drain.members:
            self._sleeper.wake()

    def skip(self) -> None:
        """Give the hooks that are at work no more time."""
        if self._drain is not None:
            self._drain.skip()

    def forget(self) -> None:
        """Let go of the hooks, which know the run."""
        self._drain = None
