"""Jobs that have nothing but a body: what most jobs are."""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any, cast

from flowdeco.jobs.current import current_execution
from flowdeco.jobs.job import Job
from flowdeco.jobs.outcome import Outcome, State

from .executing_run import ExecutingRun
from .execution import Execution

__all__ = ["PlainExecution"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_RUNNING = State.RUNNING

_COROUTINE: Any = CoroutineType  # not for checkers, which would know less of what is awaited
_set_current = current_execution.set


class PlainExecution(Execution):
    """A job that has nothing but a body: what most jobs are.

    Args:
        run: the run.
        number: the number of the job in the run.
        outcome: its outcome, which is written here.
        body: a function without arguments.
    """

    __slots__ = ("body",)

    def __init__(
        self, run: ExecutingRun, number: int, outcome: Outcome, body: Callable[[], Any]
    ) -> None:
        # By hand: a call of the base takes as long as all of it.
        self.run = run
        self.number = number
        self.outcome = outcome
        self.body = body
        self.task = self.drain = self.timer = None
        self.ended = self.is_told = False

    async def execute(self, now: float | None) -> None:
        """Do as any execution, the usual course in few lines."""
        run = self.run
        outcome = self.outcome
        value: object = None
        error: BaseException | None = None
        try:
            if now is None:
                now = run.clock()
                if now >= run.starts_until and not run.may_start(now):
                    run.forget(self)
                    return
            outcome.state = _RUNNING
            outcome.started_at = now - run.zero
            _set_current(self)
            if run.is_noted:
                run.job_started(self)
            begun: Any = self.body()
            if type(begun) is not _COROUTINE:
                begun = cast("Job[object]", self.job).__flow_awaitable__(begun)
            value = await begun
        except BaseException as raised:
            never_began = type(raised) is GeneratorExit and outcome.started_at is None
            if never_began or run.queue.is_forced:
                raise
            error = raised
        try:
            if error is None and self.drain is None and self.timer is None and not run.nested:
                run.job_done(self, value)
                return
            if run.nested:
                await self.end_nested()
            self.settle(value, error)
        except BaseException as fault:
            run.queue.mend(fault, self, error)
        if error is not None:
            del self, run, outcome, value, error
