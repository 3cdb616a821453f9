"""Why a run did not succeed."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from .text import class_name

if TYPE_CHECKING:
    from .job import AbstractJob

__all__ = ["Cause", "Reason"]


class Cause(enum.IntEnum):
    """The kinds of reasons; of two that meet, the lower one counts (rule 15)."""

    EXIT = 1
    """`SystemExit` or `KeyboardInterrupt`, raised in a job or by a signal."""
    CANCELLED = 2
    """The task that runs the flow was cancelled from outside."""
    CRITICAL = 3
    """A critical job failed or was skipped."""
    TIMEOUT = 4
    """The deadline of the run came before the last step ended."""
    STUCK = 5
    """A step, or a critical service, did not end although it was cancelled."""


@attrs.frozen(eq=False)
class Reason:
    """Why a run failed: its cause, the job (where it is one), and the exception.

    As text it is an English phrase.
    """

    cause: Cause
    text: str
    exception: BaseException | None = None
    job: AbstractJob[object] | None = None

    @classmethod
    def exit(cls, error: BaseException, job: AbstractJob[object] | None = None) -> Reason:
        where = "" if job is None else f" in {job.name!r}"
        return cls(Cause.EXIT, f"{class_name(error)}{where}", error, job)

    @classmethod
    def cancelled(cls, error: BaseException) -> Reason:
        return cls(Cause.CANCELLED, "cancelled from outside", error)

    @classmethod
    def critical(cls, job: AbstractJob[object], error: BaseException) -> Reason:
        text = f"critical job {job.name!r} failed with {class_name(error)}"
        return cls(Cause.CRITICAL, text, error, job)

    @classmethod
    def skipped(cls, job: AbstractJob[object], error: BaseException) -> Reason:
        return cls(Cause.CRITICAL, f"critical job {job.name!r} was skipped", error, job)

    @classmethod
    def timeout(cls, name: str, seconds: float) -> Reason:
        text = f"{name} timed out after {seconds:g} s"
        return cls(Cause.TIMEOUT, text, TimeoutError(text))

    @classmethod
    def stuck(cls, jobs: Sequence[AbstractJob[object]]) -> Reason:
        return cls(Cause.STUCK, "stuck: " + ", ".join(repr(job.name) for job in jobs))

    def outranks(self, other: Reason | None) -> bool:
        """Tell whether this one is to replace the other."""
        return other is None or (
            self.cause < other.cause and self.cause in (Cause.EXIT, Cause.CANCELLED)
        )

    def __str__(self) -> str:
        return self.text
