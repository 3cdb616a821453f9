"""Jobs that are tried again when they fail.

    start -> task -> execute -> begin -> body fails -> settle: is there to be another attempt?
               ^                                          yes: paused, with a timer
               |______________ _begin_again _____________________/

Each attempt has a task of its own, for one that was cancelled is not sound afterwards, and all of
them run in one context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import Context

from flowdeco.base.exceptions import context_of, is_cancellation, is_exit
from flowdeco.jobs.attempts import RetriedOutcome
from flowdeco.jobs.outcome import State
from flowdeco.jobs.retry import Retry

from . import tasks
from .attended_execution import AttendedExecution
from .failure import raised

__all__ = ["RetriedExecution"]


class RetriedExecution(AttendedExecution):
    """A job with a `Retry`. It is at work from its first attempt to its last, the waits included.

    It keeps its slots all that time.
    """

    outcome: RetriedOutcome

    pause: asyncio.TimerHandle | None = None
    """The timer of the next attempt, in the wait before it."""
    wait: float | None = None
    """The seconds of that wait, from the end of an attempt until the task of the next one."""

    @property
    def is_between(self) -> bool:
        """Whether an attempt has failed and the next one has not begun."""
        return self.outcome.began_at is None and bool(self.outcome.earlier)

    @property
    def retry(self) -> Retry:
        """When there is another attempt."""
        retry = self.job.__flow_body__.retry
        assert retry is not None  # or it would be another execution
        return retry

    # One attempt after the other

    async def execute(self, now: float | None) -> None:
        """Do as any execution; in a later attempt, unless the run has been closed meanwhile."""
        if self.is_between and (self.ended or not self.run.may_start(self.run.clock())):
            return
        await super().execute(now)

    def begin(self, now: float) -> Awaitable[object]:
        """Call the body, as that of any job; its start is told once."""
        is_first = not self.outcome.earlier
        self.outcome.begin()
        return super().begin(now) if is_first else self.begin_attempt(now)

    def settle(self, value: object, error: BaseException | None) -> None:
        """Note how an attempt has ended; if there is no other one, that is the end of the job."""
        try:
            failed = self._to_be_retried(error)
        except BaseException as raised_by_function:
            self.is_late = False
            if context_of(raised_by_function) is None:
                raised_by_function.__context__ = error
            super().settle(None, raised_by_function)
            return
        if failed is None:
            super().settle(value, error)
        else:
            self._end_attempt(failed)

    def _to_be_retried(self, error: BaseException | None) -> BaseException | None:
        """Return what an attempt has failed with, if there is to be another one."""
        outcome = self.outcome
        has_failed = outcome.began_at is not None and outcome.state is State.RUNNING
        if not (has_failed and self.run.is_open) or (self.stopping and not self.is_late):
            return None
        if self.is_late and not is_exit(error):
            error = self.lateness(error)
        if error is None or is_cancellation(error):
            return None
        return error if self.retry.wants(error, len(outcome.earlier) + 1) else None

    def _end_attempt(self, error: BaseException) -> None:
        """Let go of all that an attempt has had, and wait for the next one."""
        run, outcome, retry = self.run, self.outcome, self.retry
        self.let_go_of_body()
        if self.drain is not None:  # its own timeout has come
            self.drain.discard(self)
            self.drain, self.is_late = None, False
        self.keep(error)
        outcome.end(error, run.clock() - run.zero)
        outcome.exception = outcome.traceback = None
        self.wait = wait = retry.wait_after(len(outcome.earlier))
        of_all = "" if retry.attempts is None else f" of {retry.attempts}"
        run.job_retried(
            self,
            f"{self.name} failed with {raised(error)}, in attempt {len(outcome.earlier)}{of_all};"
            f" it is tried again in {wait:g} s",
        )
        if not self.is_foreign:
            self._pause(wait)

    def _pause(self, wait: float) -> None:
        loop = self.run.session.loop
        # Not in the context of this call, which knows another job.
        self.pause = loop.call_later(wait, self._begin_again, context=self.run.context)

    def _begin_again(self) -> None:
        run = self.run
        self.pause = None
        try:
            if not run.may_start(run.clock()):
                return  # the run ends, and stops it
            self.wait = None
            if run.session.has_factory:
                self.start_foreign()
            else:
                context = self.own_context()
                self.task = tasks.deferred(self, run.session.loop, context, self.path)
        except BaseException as fault:
            # The net (rule 9).
            run.queue.mend(fault, self, None)

    @property
    def base_context(self) -> Context:
        """The context in a copy of which a task factory makes its task: that of the last one."""
        return self.own_context() if self.outcome.earlier else super().base_context

    def end_with_foreign_task(self, failure: BaseException | None) -> None:
        """End the job with its foreign task, or wait for the next attempt."""
        if self.ended or not self.is_between:
            super().end_with_foreign_task(failure)
        elif self.stopping:
            self.close_guard()
            self._give_up()
        elif self.wait is not None:
            self.close_guard()
            self._pause(self.wait)
        else:  # the factory has not run it
            super().end_with_foreign_task(failure)

    # Its end, between two attempts

    def cancelled_early(self) -> None:
        """End the job if an attempt has not begun, for now it never will."""
        if not self.is_between:
            super().cancelled_early()
        elif not self.ended:
            self.settle(None, asyncio.CancelledError())

    def stop(self) -> None:
        """Ask the body to end; between two attempts the job has failed as the last one has."""
        if self.is_between and not self.is_foreign:
            self.own_context().run(self._give_up)
        else:
            super().stop()

    def close(self) -> None:
        """Let go of all that the job has had."""
        if self.pause is not None:
            self.pause.cancel()
            self.pause = None
        super().close()

    def _give_up(self) -> None:
        run = self.run
        now = run.clock()
        self.outcome.ended_at = now - run.zero
        last = self.outcome.earlier[-1].exception
        error = run.verdicts.pop(self, last)
        assert error is not None  # it was to be retried
        self.fail(error)
        run.job_ended(self, now)
