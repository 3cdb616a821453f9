"""The run of a fan-out: its jobs are drawn one by one, as places become free.

    draw -> the source makes a job of the next item -> make_ready -> start -> draw -> ...

So one drawn item waits for its slots at most. Without a window the ready queue bounds how many
start in a turn of the loop. What has ended gives its number to a later one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from flowdeco.base.exceptions import is_exit
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.attempts import RetriedOutcome
from flowdeco.jobs.outcome import Outcome, State

from .execution import Execution
from .failure import is_value
from .item_execution import kind_of_item
from .observers import Watcher
from .phase import Phase
from .reason import Reason
from .record import Record
from .run import Run
from .specification import Specification
from .tasks import spawned

__all__ = ["FanOutRun", "Source"]


class Source(Protocol):
    """What a fan-out draws its jobs from."""

    @property
    def is_exhausted(self) -> bool:
        """Whether there are no more items."""
        ...

    @property
    def is_async(self) -> bool:
        """Whether items are to be waited for."""
        ...

    def draw(self) -> AbstractJob[object] | None:
        """Return the job of the next item; None where there is none."""
        ...

    def pull(self) -> Awaitable[AbstractJob[object] | None]:
        """Do the same, and wait for the item."""
        ...

    def function_of(self, job: AbstractJob[object]) -> Callable[[], Any] | None:
        """Return the body of a job that has nothing but that."""
        ...

    def note_value(self, job: AbstractJob[object], value: object) -> object:
        """Note that a job has ended with a value."""

    def note_end(self, job: AbstractJob[object], outcome: Outcome) -> bool:
        """Note that a job has ended; return whether that was not known."""
        ...

    @property
    def jobs(self) -> Mapping[AbstractJob[object], int]:
        """The jobs that are kept for the report."""
        ...

    @property
    def error(self) -> BaseException | None:
        """What the iteration has failed with."""
        ...

    @property
    def counts(self) -> tuple[int, int | None]:
        """How many items have ended, and how many there are, where that is known."""
        ...


class FanOutRun(Run):
    """The run of a fan-out.

    Args:
        specification: its limits; there are no jobs yet.
        observers: who watches.
        enclosing: the job of the fan-out.
        source: where its jobs come from.
    """

    __slots__ = (
        "_drawn",
        "_free",
        "_is_pulling",
        "_is_wanted",
        "_jobs",
        "_kind",
        "_prefix",
        "_rescue",
        "_source",
        "_successors",
        "_waiting",
    )

    def __init__(
        self,
        specification: Specification,
        observers: Sequence[Watcher],
        enclosing: Execution | None,
        source: Source,
    ) -> None:
        super().__init__(specification, observers, enclosing)
        self._source = source
        self._free: list[int] = []
        """The numbers of jobs that have ended."""
        self._drawn = 0
        self._prefix = f"{self.path}/{specification.name}"
        """The path of an item, without its number."""
        self._kind: Callable[[Any, int], Execution] | None = None
        """Makes the execution of an item; that of the first one is right for all."""
        self._waiting: Execution | None = None
        """The item that was drawn last, which may wait for its start."""
        self._is_wanted = False
        """Whether the task of the fan-out is to wait for an item."""
        self._is_pulling = False
        """Whether it waits for one."""
        self._rescue: asyncio.Task[None] | None = None
        """What ends the run instead of that task, if that is stuck there."""
        self._jobs: list[AbstractJob[object]] = []
        progress = self.progress
        progress.jobs = self._jobs
        self._successors: list[Sequence[int] | None] = []
        progress.successors = self._successors
        progress.has_steps = True
        progress.left = 1  # for the source, as long as there may be more

    # Drawing

    def start_jobs(self) -> None:
        super().start_jobs()
        self.draw()
        self.queue.advance()

    def draw(self) -> None:
        """Take in the next item, if there is one; called when the last one has started."""
        source, waiting = self._source, self._waiting
        if self.phase is not Phase.OPEN or source.is_exhausted or self._is_wanted:
            return
        if waiting is not None and not waiting.ended and waiting.task is None:
            return  # one that was drawn has still to start
        if source.is_async:
            self._is_wanted = True
            self.wake()
            return
        job = source.draw()
        if job is None:
            self._end_of_source()
        else:
            self.make_ready(self._number(job))

    async def wait_for_bodies(self) -> None:
        while not self.bodies_are_to_end():
            if not self._is_wanted:
                if await self.sleeper.sleep():
                    self.cancelled_from_outside()
                continue
            self._is_pulling = True
            try:
                job = await self._source.pull()
            except asyncio.CancelledError as error:
                self._refuse_if_over()
                self._is_wanted = False
                self.sleeper.note(error)
                self.cancelled_from_outside()
                continue
            finally:
                self._is_pulling = False
            self._refuse_if_over()
            self._is_wanted = False
            self._take_in(job)
            self.queue.advance()

    def _refuse_if_over(self) -> None:
        """End the task of the fan-out, if the run has ended without it.

        Raises:
            CancelledError: it has.
        """
        if self._rescue is not None or self.phase is Phase.OVER:
            raise asyncio.CancelledError

    def abandon(self) -> None:
        """End now, even if the task of the fan-out is stuck where it waits for an item."""
        super().abandon()
        if self._is_pulling and self._rescue is None:
            self._rescue = spawned(self._end_alone(), self.session.loop, self.context)

    async def _end_alone(self) -> None:
        try:
            await self.end_bodies()
        finally:
            self.finish()

    def _take_in(self, job: AbstractJob[object] | None) -> None:
        if job is None:
            self._end_of_source()
        elif self.phase is Phase.OPEN:
            self.make_ready(self._number(job))

    def _end_of_source(self) -> None:
        error, around = self._source.error, self.enclosing
        if error is not None and around is not None:
            if is_exit(error):
                around.run.fail(Reason.exit(error, around.job))
            elif self.specification.ends_at_first_failure:
                around.run.fail(Reason.critical(around.job, error))
        self.progress.left -= 1
        if not self.progress.left:
            self.step_ended()

    def _number(self, job: AbstractJob[object]) -> int:
        """Take in a job, with a number that is free."""
        progress = self.progress
        kind = Outcome if job.__flow_body__.retry is None else RetriedOutcome
        job.__flow_outcome__ = outcome = kind((), critical=False)
        name = f"{self._prefix}[{self._drawn}]"
        self._drawn += 1
        body = self._source.function_of(job)
        if self._free:
            number = self._free.pop()
            self._jobs[number] = job
            progress.outcomes[number] = outcome
            progress.bodies[number] = body
            progress.names[number] = name
        else:
            number = len(self._jobs)
            self._jobs.append(job)
            progress.outcomes.append(outcome)
            progress.bodies.append(body)
            progress.names.append(name)
            progress.waiting.append(0)
            progress.executions.append(None)
            self._successors.append(None)
        progress.left += 1
        return number

    def make_ready(self, number: int) -> None:
        """Let an item wait for its start in the ready queue."""
        progress = self.progress
        outcome = progress.outcomes[number]
        outcome.state = State.SCHEDULED
        if self._kind is None:
            job, body = self._jobs[number], progress.bodies[number]
            self._kind = kind_of_item(self, job, has_function=body is not None)
        self._waiting = execution = self._kind(self, number)
        self.queue.add(execution)

    # Ends

    def job_done(self, execution: Execution, value: object) -> None:
        """Note that an item has ended with a value."""
        number = execution.number
        self._source.note_value(self._jobs[number], value)
        self._free.append(number)
        super().job_done(execution, value)

    def forget(self, execution: Execution) -> None:
        """Let go of all that an item has had of the run."""
        executions, number = self.progress.executions, execution.number
        at_work = executions[number]
        super().forget(execution)
        if self._jobs[number] is not execution.job:
            # The net forgets once more what has ended, and the number is another's by now.
            executions[number] = at_work
            return
        outcome = execution.outcome
        if outcome.state is not State.IDLE:
            is_new = self._source.note_end(execution.job, outcome)
            if is_new and outcome.state is not State.STUCK:  # of that there may be more to tell
                self._free.append(execution.number)
            if outcome.started_at is None:  # somebody has cancelled it as it waited for a place
                self.draw()

    def job_failed(self, execution: Execution, error: BaseException) -> None:
        """Note a failure, or a skip; one that is a value has no consequences."""
        is_skipped = execution.outcome.state is State.SKIPPED
        if not is_skipped and is_value(self.specification, error):
            return
        super().job_failed(execution, error)
        if is_exit(error) and self.enclosing is not None:
            # The task of the fan-out may be waiting for an item, and is not to wait any longer.
            self.enclosing.run.fail(Reason.exit(error, self.enclosing.job))

    def look_again(self) -> None:
        """See whether something has come that the run waits for, after an interruption."""
        if not self._source.is_exhausted:
            self.progress.left += 1
            if not any(one.state is State.SCHEDULED for one in self.progress.outcomes):
                self.draw()
        super().look_again()

    def finish(self) -> None:
        """Make the record, and let go of all that was for this run."""
        super().finish()
        self._waiting = self._rescue = None  # they know the run
        self.progress.executions = [None] * len(self._jobs)

    def make_record(self) -> Record:
        progress = self.progress
        progress.jobs = jobs = tuple(self._source.jobs)
        progress.outcomes = [job.__flow_outcome__ for job in jobs]
        record = super().make_record()
        record.counts = self._source.counts
        record.returns_exceptions = self.specification.returns_exceptions
        return record
