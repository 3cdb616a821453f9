"""The record of a run: all that is left of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flowdeco.errors import StuckError
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.entries import Entry, unrun
from flowdeco.jobs.outcome import Outcome

from .reason import Cause, Reason

__all__ = ["Record"]


class Record:
    """What happened in one run. Reports stand on it; nothing changes it.

    Args:
        name: the name of the scheduler or flow.
        reason: why the run failed; None if it succeeded.
        wall_time: when it began, in seconds since the epoch.
        duration: the seconds that it took, by the clock of its loop.
        jobs: the jobs that it ran.
        outcomes: their outcomes, in the same order.
        nested: the records of the runs inside of a job.
        unrun: what was inside of jobs that did not run.
        failures: the jobs that failed, in that order.
        stuck: the jobs that did not end.
        shutdown_errors: what went wrong in shutdown hooks.
        part: which part has run, if it was not all of it.
    """

    __slots__ = (
        "counts",
        "duration",
        "failures",
        "jobs",
        "name",
        "nested",
        "outcomes",
        "part",
        "reason",
        "returns_exceptions",
        "shutdown_errors",
        "stuck",
        "unrun",
        "wall_time",
    )

    def __init__(
        self,
        *,
        name: str,
        reason: Reason | None,
        wall_time: float,
        duration: float,
        jobs: Sequence[AbstractJob[object]],
        outcomes: Sequence[Outcome],
        nested: Mapping[AbstractJob[object], Sequence[Record]],
        unrun: Mapping[AbstractJob[object], Sequence[Entry]],
        failures: Sequence[AbstractJob[object]],
        stuck: Sequence[AbstractJob[object]],
        shutdown_errors: Mapping[AbstractJob[object], BaseException],
        part: str = "",
    ) -> None:
        self.name = name
        self.reason = reason
        self.wall_time = wall_time
        self.duration = duration
        self.jobs = jobs
        self.outcomes = outcomes
        self.nested = nested
        self.unrun = unrun
        self.failures = failures
        self.stuck = stuck
        self.shutdown_errors = shutdown_errors
        self.part = part
        self.counts: tuple[int, int | None] | None = None
        """Of a fan-out, how many items have ended, and how many there were."""
        self.returns_exceptions = False
        """Whether it is that of a fan-out whose failures are values."""

    def as_part(self, jobs: Iterable[AbstractJob[object]], said: str) -> Record:
        """Return the record of a run that has left out some jobs, with these as well.

        Args:
            jobs: all of them.
            said: which part has run.
        """
        ran = dict(zip(self.jobs, self.outcomes, strict=True))
        outcomes = {job: ran.get(job, job.__flow_outcome__) for job in jobs}
        left_out = {job: unrun(job.children) for job in outcomes if job not in ran}
        return Record(
            name=self.name,
            reason=self.reason,
            wall_time=self.wall_time,
            duration=self.duration,
            jobs=tuple(outcomes),
            outcomes=tuple(outcomes.values()),
            nested=self.nested,
            unrun={**self.unrun, **left_out},
            failures=self.failures,
            stuck=self.stuck,
            shutdown_errors=self.shutdown_errors,
            part=said,
        )

    def raise_for_failure(self, *, unwrap: bool = False) -> None:
        """Raise the exceptions that made the run fail, as a group; nothing if it succeeded.

        Args:
            unwrap: raise a single exception as it is (rule 21).

        Raises:
            BaseExceptionGroup: the exceptions of critical jobs, in the order in which they came.
            StuckError: steps or critical services did not end.
            TimeoutError: the deadline came before the last step ended.
        """
        if self.reason is None:
            return
        errors = self._critical_errors()
        if unwrap and len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{self.name!r} failed: {self.reason}", errors)
        raise self._other_error(self.reason)

    def _critical_errors(self) -> list[BaseException]:
        outcomes = dict(zip(self.jobs, self.outcomes, strict=True))
        jobs = dict.fromkeys(self.failures)
        jobs.update(
            (job, None)
            for job, outcome in outcomes.items()
            if outcome.exception is not None and outcome.skip is None
        )
        errors = (outcomes[job].exception for job in jobs if outcomes[job].critical)
        return [error for error in errors if error is not None]

    def _other_error(self, reason: Reason) -> BaseException:
        stuck = [job for job in self.stuck if not job.forever or job.is_critical()]
        if stuck and reason.cause in (Cause.STUCK, Cause.TIMEOUT):
            return StuckError(stuck)
        assert reason.exception is not None  # only being stuck has none
        return reason.exception
