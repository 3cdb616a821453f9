"""The job that runs in a context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .job import AbstractJob
    from .threads import ThreadCall

__all__ = ["CurrentExecution", "current_execution", "current_job"]


class CurrentExecution(Protocol):
    """What is known of the job that runs in a context."""

    @property
    def job(self) -> AbstractJob[object]: ...

    @property
    def around(self) -> CurrentExecution | None:
        """The same of the job in whose body the run of this one was begun."""
        ...

    call: ThreadCall[Any] | None
    """Its body, if that is at work in a thread."""


current_execution: ContextVar[CurrentExecution | None] = ContextVar(
    "flowdeco.current_execution", default=None
)


def current_job() -> AbstractJob[object] | None:
    """Return the job in whose body this is called (or in a task started there), else None."""
    execution = current_execution.get()
    return None if execution is None else execution.job
