"""Jobs with a timeout of their own (rule 5)."""

from __future__ import annotations

from flowdeco.base.exceptions import context_of, is_cancellation, is_exit
from flowdeco.base.limits import finite

from .execution import Execution
from .plain_execution import PlainExecution

__all__ = ["Timed", "TimedExecution"]


class Timed(Execution):
    """What an execution does about the timeout of its job."""

    expires_at: float | None = None
    """When that timeout comes, by the clock."""
    is_late: bool = False
    """Its own timeout has come."""

    def expect_end(self, now: float) -> None:
        """Let the timeout of the job count, from now on.

        Args:
            now: the time by the clock.
        """
        timeout = finite(self.job.__flow_own_timeout__())
        if timeout is not None:
            self.expires_at = now + timeout
            self.run.session.set_timers_soon(self)

    def set_timer(self) -> None:
        """Set the timer of its own timeout, unless the body has ended."""
        if not self.ended and self.timer is None and self.expires_at is not None:
            run = self.run
            # Not in the context of this call, which knows another job.
            self.timer = run.session.loop.call_at(self.expires_at, self.expire, context=run.context)

    def expire(self) -> None:
        """Stop the body: it has taken longer than its timeout."""
        if not self.stopping:
            self.is_late = True
            self.run.ending.drain_alone(self)

    @property
    def has_expired(self) -> bool:
        """Whether its own timeout has come."""
        return self.is_late

    def stop_timer(self) -> None:
        """Let its own timeout no longer count."""
        self.expires_at = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None  # whose context knows the execution

    def close(self) -> None:
        """Let go of all that the body has had."""
        self.stop_timer()

    def note_error(self, error: BaseException | None) -> None:
        """Note a bad end."""
        if self.is_late and not is_exit(error):
            self.fail(self.lateness(error))
        else:
            super().note_error(error)

    def lateness(self, error: BaseException | None) -> TimeoutError:
        """Return the failure of a body that was late, whatever else it has ended with."""
        seconds = self.job.__flow_own_timeout__()
        late = TimeoutError(f"{self.name} took longer than {seconds:g} s")
        if error is not None and not (is_cancellation(error) and context_of(error) is None):
            # What the body was about to fail with, when the timeout came in its clean-up.
            late.__cause__ = error
        return late

    def note_stuck(self) -> None:
        """Note that a job that was late has failed, though it is stuck as well."""
        super().note_stuck()
        if self.has_expired and self.outcome.exception is None:
            late = self.lateness(None)
            self.keep(late)
            self.run.job_failed(self, late)


class TimedExecution(Timed, PlainExecution):
    """A job that has nothing but a body, which starts at once, and a timeout."""

    def start(self, now: float) -> None:
        """Make a task of it; its timeout counts from now on."""
        # First, as for other executions: what is due at the same time is so in the same order.
        self.expect_end(now)
        super().start(now)
