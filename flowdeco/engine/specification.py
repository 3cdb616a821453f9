"""The specification of a run: which jobs, in which order, within which limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from flowdeco.base.limits import Limits
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.hooked_set import DueHook
from flowdeco.jobs.override import Override, Overrides
from flowdeco.jobs.request import Staging

from .record import Record

__all__ = ["Specification"]


class Specification:
    """All that a run knows of the scheduler whose jobs it runs. Nothing changes it.

    Args:
        subject: the scheduler, for observers.
        name: its name.
        is_named: whether it was given that name; a message calls others "the run".
        jobs: the jobs by number, in declaration order; they have been checked (rule 1).
        waiting: the number of requirements of each job.
        successors: the numbers of the jobs that require each job; None for no job.
        critical: whether a job is critical that does not say so itself.
        limits: the bounds of the run.
        overrides: what runs within give jobs in place of their bodies.
        given: the jobs of this run whose ends are given.
        shares_slots: whether a job needs slots of the enclosing runs as well (fan-outs).
        ends_at_first_failure: whether any failure ends the run, as that of a critical job does.
        returns_exceptions: whether exceptions of its jobs are values (fan-outs).
        own_hooks: returns the shutdown hooks of the jobs, given the path of the run, when it has
            ended by itself; from then on they are the caller's to call.
        claim_hooks: does the same when an enclosing run has cut the run short.
        conclude: takes the record when the run is over; returns the report for observers.
    """

    __slots__ = (
        "claim_hooks",
        "conclude",
        "critical",
        "ends_at_first_failure",
        "given",
        "is_named",
        "jobs",
        "limits",
        "name",
        "overrides",
        "own_hooks",
        "returns_exceptions",
        "shares_slots",
        "subject",
        "successors",
        "waiting",
    )

    def __init__(
        self,
        *,
        subject: Any,
        name: str,
        is_named: bool,
        jobs: Sequence[AbstractJob[object]],
        waiting: Sequence[int],
        successors: Sequence[Sequence[int] | None],
        critical: bool,
        limits: Limits,
        shares_slots: bool,
        ends_at_first_failure: bool,
        returns_exceptions: bool,
        own_hooks: Callable[[str], Iterable[DueHook]],
        claim_hooks: Callable[[str], Iterable[DueHook]],
        conclude: Callable[[Record], object],
        overrides: Overrides | None = None,
        given: Mapping[AbstractJob[object], Override] | None = None,
    ) -> None:
        self.subject = subject
        self.name = name
        self.is_named = is_named
        self.jobs = jobs
        self.waiting = waiting
        self.successors = successors
        self.critical = critical
        self.limits = limits
        self.shares_slots = shares_slots
        self.ends_at_first_failure = ends_at_first_failure
        self.returns_exceptions = returns_exceptions
        self.own_hooks = own_hooks
        self.claim_hooks = claim_hooks
        self.conclude = conclude
        self.overrides = overrides
        self.given = given

    @classmethod
    def of(
        cls,
        subject: Any,
        limits: Limits,
        staging: Staging,
        conclude: Callable[[Record], object],
    ) -> Self:
        """Return the specification of a run of a scheduler.

        Args:
            subject: the scheduler.
            limits: the bounds of the run.
            staging: what the run makes of its jobs.
            conclude: takes the record when the run is over.
        """
        return cls(
            subject=subject,
            name=subject.name,
            is_named=subject.label is not None,
            jobs=staging.jobs,
            waiting=staging.waiting,
            successors=staging.successors,
            critical=subject.default_critical,
            limits=limits,
            shares_slots=subject.shares_slots,
            ends_at_first_failure=subject.ends_at_first_failure,
            returns_exceptions=subject.returns_exceptions,
            own_hooks=subject.__flow_own_hooks__,
            claim_hooks=subject.__flow_hooks_at__,
            conclude=conclude,
            overrides=staging.overrides,
            given=staging.given,
        )
