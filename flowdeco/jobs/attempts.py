"""The attempts of a job in one run: most have one, those with a `Retry` perhaps several."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

import attrs

from .outcome import Outcome

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike

__all__ = ["Attempt", "RetriedOutcome", "attempts_of"]


@attrs.frozen
class Attempt:
    """One execution of the body of a job. Times are seconds since the start of the run."""

    started_at: float
    ended_at: float | None
    """None as long as it goes on."""
    exception: BaseException | None
    """What it has failed with."""

    @property
    def duration(self) -> float | None:
        """The seconds that it took; None as long as it goes on."""
        return None if self.ended_at is None else self.ended_at - self.started_at


class RetriedOutcome(Outcome):
    """The outcome of a job that may be tried again."""

    __slots__ = ("began_at", "earlier")

    def __init__(
        self, required: Collection[JobLike] | None = None, critical: bool | None = None
    ) -> None:
        super().__init__(required, critical)
        self.earlier: list[Attempt] = []
        """The attempts that have failed, and were not the last one."""
        self.began_at: float | None = None
        """The start of the present attempt, or of the last one; None in the wait before it."""

    @classmethod
    def like(cls, outcome: Outcome) -> Self:
        """Return a new one, with what was known of the job before it began."""
        return cls(outcome.required, outcome.critical)

    def begin(self) -> None:
        """Note that an attempt has begun, at the time that has just become that of the job."""
        self.began_at = self.started_at
        if self.earlier:
            self.started_at = self.earlier[0].started_at

    def end(self, error: BaseException, now: float) -> None:
        """Note that an attempt has failed, which will not be the last one."""
        assert self.began_at is not None  # it has begun
        self.earlier.append(Attempt(self.began_at, now, error))
        self.began_at = None


def attempts_of(outcome: Outcome) -> tuple[Attempt, ...]:
    """Return the attempts of a job, the present one included."""
    earlier: list[Attempt] = []
    began_at = outcome.started_at
    if isinstance(outcome, RetriedOutcome):
        earlier, began_at = outcome.earlier, outcome.began_at
    if began_at is None:
        return tuple(earlier)
    return (*earlier, Attempt(began_at, outcome.ended_at, outcome.exception))
