"""The bookkeeping of a run: all that its executions tell it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import Context
from types import CoroutineType
from typing import Any

from flowdeco.base import log
from flowdeco.base.exceptions import is_cancellation, is_exit
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.outcome import Outcome, State

from . import run_log
from .attended_execution import AttendedExecution
from .ending import Ending
from .execution import Execution
from .given_execution import GivenExecution
from .nested import NestedRuns
from .observers import Observers, Watcher
from .phase import Phase
from .plain_execution import PlainExecution
from .progress import Progress
from .ready_queue import ReadyQueue
from .reason import Cause, Reason
from .record import Record
from .retried_execution import RetriedExecution
from .service_execution import GeneratorServiceExecution, ServiceExecution
from .session import Session
from .slots import Slots
from .slotted_execution import SlottedExecution
from .specification import Specification
from .tasks import Clock
from .timed_execution import TimedExecution

__all__ = ["Bookkeeping"]

# On Python 3.11 a member of an enumeration is found ten times slower than a global name.
_OPEN = Phase.OPEN
_DONE = State.DONE
_SCHEDULED = State.SCHEDULED


class Bookkeeping(ABC):
    """The part of a run that jobs report to: starts and ends, and what follows from them.

    Args:
        specification: the jobs and limits of the run.
        session: what the run shares with others.
        observers: who watches.
        enclosing: the job within which the run takes place, if any.
        context: jobs run in copies of it.
        slots: the windows that limit its jobs.
        starts_until: the deadline, by the clock of the loop.
    """

    __slots__ = (
        "clock",
        "context",
        "enclosing",
        "ending",
        "is_noted",
        "is_watchful",
        "nested",
        "observers",
        "path",
        "phase",
        "progress",
        "queue",
        "reason",
        "session",
        "slots",
        "specification",
        "starts_until",
        "verdicts",
        "zero",
    )

    def __init__(
        self,
        specification: Specification,
        session: Session,
        observers: Observers,
        enclosing: Execution | None,
        *,
        context: Context,
        slots: tuple[Slots[Any], ...],
        starts_until: float,
    ) -> None:
        self.specification = specification
        self.session = session
        self.observers = observers
        self.enclosing: Execution | None = enclosing
        self.context = context
        self.slots = slots
        self.starts_until = starts_until
        self.queue: ReadyQueue = session.queue
        self.clock: Clock = session.clock
        self.zero: float = session.zero
        self.path: str = "" if enclosing is None else enclosing.path
        self.phase = Phase.OPEN
        self.reason: Reason | None = None
        self.ending: Ending = Ending(session.loop, specification.limits.grace)
        self.nested: dict[object, NestedRuns] = {}
        self.verdicts: dict[object, BaseException] = {}
        self.is_noted: bool = session.is_verbose or bool(observers)
        """Whether starts and ends of jobs are told to observers or the log."""
        self.is_watchful: bool = self.is_noted or bool(slots)
        """Whether there is more to do at the end of a plain job."""
        self.progress: Progress[Execution] = Progress(
            specification,
            self.path,
            all_attended=session.monitor is not None or session.has_factory,
        )

    @abstractmethod
    def may_start(self, now: float) -> bool:
        """Tell whether a body may start at that time; none does after the deadline (rule 2)."""

    @abstractmethod
    def close(self) -> None:
        """Start nothing more."""

    @abstractmethod
    def fail(self, reason: Reason) -> None:
        """End the run because of this, unless there is a reason already that counts more."""

    @property
    def bound(self) -> float | None:
        """When all must be over, by the clock; known once the bodies are stopped."""
        if self.phase < Phase.STOPPING_STEPS:
            return None
        return self.ending.until + self.specification.limits.shutdown_timeout

    def skip_grace(self) -> None:
        """Skip the rest of the grace: a body that does not react to a cancellation is stuck."""
        self.ending.skip()

    def move_to(self, phase: Phase) -> None:
        """Enter a phase, which must be one that can follow."""
        assert phase.follows(self.phase), (self.phase, phase)
        self.phase = phase

    def blame(self, reason: Reason) -> None:
        """Keep the reason for a failure, unless there is one already that counts more."""
        if reason.outranks(self.reason):
            self.reason = reason

    @abstractmethod
    def wake(self) -> None:
        """Let the run see whether something has come that it waits for."""

    @property
    def is_open(self) -> bool:
        """Whether jobs still start."""
        return self.phase is _OPEN

    def records_within(self, job: AbstractJob[object]) -> Sequence[Record]:
        """Return the records of the runs that have ended within a job."""
        return self.progress.records.get(job, ())

    def make_ready(self, number: int) -> None:
        """Let a job wait for its start in the ready queue, with an execution of its kind."""
        progress = self.progress
        outcome = progress.outcomes[number]
        outcome.state = _SCHEDULED
        body = progress.bodies[number]
        if body is None:
            self.queue.add(self._attended(number, outcome))
        elif self.slots:
            self.queue.add(SlottedExecution(self, number, outcome, body))
        else:  # spelt out, as Python is quicker to call a class that it finds by a global name
            self.queue.add(PlainExecution(self, number, outcome, body))

    def _attended(self, number: int, outcome: Outcome) -> Execution:
        """Return the execution of a job that is not plain."""
        progress = self.progress
        job, body = progress.jobs[number], progress.attended.get(number)
        if progress.given is not None and (override := progress.given.get(job)) is not None:
            return GivenExecution(self, number, outcome, override)
        attends_all = progress.all_attended or self.is_noted or self.slots
        if body is not None and self.queue.is_eager and not attends_all:
            return TimedExecution(self, number, outcome, body)
        if job.__flow_body__.retry is not None:
            return RetriedExecution(self, number, outcome, job)
        if not job.forever:
            return AttendedExecution(self, number, outcome, job, body)
        is_generator = job.__flow_body__.is_generator
        kind = GeneratorServiceExecution if is_generator else ServiceExecution
        return kind(self, number, outcome, job)

    def job_started(self, execution: Execution) -> None:
        """Tell the log and the observers of a start; called if `is_noted`."""
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{execution.name} started", execution.path)
        job = execution.job
        self.tell(lambda observer: observer.job_started(job))

    def job_retried(self, execution: Execution, said: str) -> None:
        """Tell the log and the observers that an attempt has failed, and another will follow.

        Args:
            execution: the job.
            said: what has happened, for the log.
        """
        self.session.say(log.INFO, said, execution.path)
        job = execution.job
        self.tell(lambda observer: observer.job_retried(job))

    def service_ready(self, execution: Execution) -> None:
        """Start the jobs that have waited for this service."""
        if self.phase is _OPEN:
            self._release(execution.number)
            self.queue.advance()

    def _release(self, number: int) -> None:
        """Make ready the jobs that have waited for this one alone."""
        waiting = self.progress.waiting
        for successor in self.progress.successors[number] or ():
            waits = waiting[successor] = waiting[successor] - 1
            if not waits:
                self.make_ready(successor)

    def job_done(self, execution: Execution, value: object) -> None:
        """Note that a plain job has ended with a value, and start its successors.

        This is `Execution.settle` and `job_ended` in one, for the course of most jobs.
        """
        outcome, number = execution.outcome, execution.number
        progress = self.progress
        now = self.clock()
        outcome.ended_at = now - self.zero
        # In this order: a job that is done has its value.
        outcome.value = value
        outcome.state = _DONE
        # What forget() does, where there is no more to it.
        execution.ended = True
        if execution.task is not None:
            execution.task = None
            progress.executions[number] = None
        left = progress.left = progress.left - 1
        if not left or self.phase is not _OPEN:
            self.step_ended()
        else:
            successors = progress.successors[number]
            if successors is not None:
                # What _release() does, without the call.
                waiting = progress.waiting
                for successor in successors:
                    waits = waiting[successor] = waiting[successor] - 1
                    if not waits:
                        self.make_ready(successor)
        if self.is_watchful:
            execution.close()
            if self.is_noted:
                self.note_end(execution)
                now = self.clock()  # observers may have taken their time
        queue = self.queue
        if not queue.is_busy and queue.ready:
            queue.advance(now)
        if value is not None and type(value) is CoroutineType:
            execution.warn_of_coroutine()

    def job_failed(self, execution: Execution, error: BaseException) -> None:
        """Note a failure, or a skip; a decisive one ends the run."""
        outcome, job = execution.outcome, execution.job
        if outcome.state is State.SKIPPED:
            self.progress.has_skips = True
            if outcome.critical and outcome.skip is None:
                self.fail(Reason.skipped(job, error))
            return
        self.progress.failures.append(job)
        if is_exit(error):
            self.fail(Reason.exit(error, job))
        elif outcome.critical:
            self.fail(Reason.critical(job, error))
        elif self.specification.ends_at_first_failure and self.enclosing is not None:
            # The job around is the critical one: the run that it is part of ends at once.
            self.fail(Reason.critical(job, error))
            self.enclosing.run.fail(Reason.critical(self.enclosing.job, error))

    def job_stuck(self, execution: Execution) -> None:
        """Note that a job does not end."""
        self.progress.stuck.append(execution.job)

    def job_ended(self, execution: Execution, now: float | None = None) -> None:
        """Let go of a job that has ended, with its outcome in place, and start its successors.

        Args:
            execution: the job.
            now: the time by the clock, if that was read for this.
        """
        self.forget(execution)
        progress = self.progress
        is_service = execution.job.forever
        if not (is_service and progress.has_steps):
            progress.left -= 1
        if not progress.left or self.phase is not _OPEN:
            if is_service:
                self.close()
                self.wake()
            else:
                self.step_ended()
        elif not execution.is_up:
            self._release(execution.number)
        if execution.outcome.exception is not None or self.is_noted:
            self.note_end(execution)
            now = None
        if self.queue.ready and not self.queue.is_busy:
            self.queue.advance(now)

    def step_ended(self) -> None:
        """Note the end of a step that may be the last one."""
        self.progress.last_end = self.clock()
        self.close()
        self.wake()

    def forget(self, execution: Execution) -> None:
        """Let go of all that a job has had of the run."""
        execution.ended = True
        if execution.outcome.state is State.SCHEDULED:
            execution.outcome.state = State.IDLE
        execution.task = None  # whose context knows the execution
        self.progress.executions[execution.number] = None
        if execution.drain is not None:
            execution.drain.discard(execution)
            self.wake()
        execution.close()

    def note_end(self, execution: Execution) -> None:
        """Tell the log and the observers of an end, once."""
        if execution.is_told:
            return
        execution.is_told = True
        session = self.session
        if execution.outcome.state is not _DONE:
            said = run_log.of_end(execution)
            if said is not None:
                session.say(*said, execution.path)
        if session.is_verbose:
            text = f"{execution.name} ended: {execution.outcome.state.value}"
            session.say(log.DEBUG, text, execution.path)
        job = execution.job
        self.tell(lambda observer: observer.job_ended(job))

    def announce_start(self) -> None:
        """Tell the log and the observers that the run has started."""
        if self.enclosing is None:
            subject = self.specification.subject
            self.tell(lambda observer: observer.run_started(subject))
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{self.specification.name!r} started", self.path)

    def announce_end(self, record: Record, report: Any) -> None:
        """Tell the log and the observers that the run has ended."""
        reason, is_outermost = self.reason, self.enclosing is None
        # An exit, or a cancellation from outside, leaves: nobody overlooks it.
        leaves = reason is not None and (
            reason.cause is Cause.EXIT or is_cancellation(reason.exception)
        )
        if is_outermost and reason is not None and not leaves:
            text = run_log.of_failed_run(record.name, record.duration, reason)
            self.session.say(log.ERROR, text)
        if self.session.is_verbose:
            self.session.say(log.DEBUG, f"{record.name!r} ended", self.path)
        if is_outermost:
            self.tell(lambda observer: observer.run_ended(report))

    def tell(self, notify: Callable[[Watcher], object]) -> None:
        self.session.leave(self.observers.tell(notify))
