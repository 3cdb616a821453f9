"""Jobs whose end is given by an override: they have nothing to do."""

from __future__ import annotations

from flowdeco.base.exceptions import with_traceback
from flowdeco.jobs.outcome import Outcome, State
from flowdeco.jobs.override import Override

from .executing_run import ExecutingRun
from .execution import Execution

__all__ = ["GivenExecution"]


class GivenExecution(Execution):
    """A job whose end is given. It takes no values, needs no slot, and ends where it starts.

    Args:
        run: the run.
        number: the number of the job in the run.
        outcome: its outcome, which is written here.
        override: what it is given.
    """

    __slots__ = ("override",)

    def __init__(
        self, run: ExecutingRun, number: int, outcome: Outcome, override: Override
    ) -> None:
        super().__init__(run, number, outcome)
        self.override = override

    def start(self, now: float) -> None:
        """Start and end the job."""
        run = self.run
        if now >= run.starts_until and not run.may_start(now):
            run.forget(self)
            return
        self.outcome.state = State.RUNNING
        self.outcome.started_at = now - run.zero
        self.own_context().run(self._end)

    def _end(self) -> None:
        if self.run.is_noted:
            self.run.job_started(self)
        error = self.override.raises
        if error is not None:
            with_traceback(error, self.override.traceback)
        self.settle(self.override.returns, error)

    def note_value(self, value: object) -> None:
        """Note the value."""
        self.job.__flow_take_value__(value)
        super().note_value(value)

    def warn_of_coroutine(self) -> None:
        """Say nothing: the value is what somebody wanted."""
