"""The job that runs in a context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from flowdeco.base.protocols import JobLike

__all__ = ["CurrentExecution", "current_execution"]


class CurrentExecution(Protocol):
    """The job that runs in a context, as far as it is known there."""

    @property
    def job(self) -> JobLike: ...

    @property
    def path(self) -> str:
        """The names of the job and of all jobs that it is inside of."""
        ...

    @property
    def around(self) -> CurrentExecution | None:
        """The job within which its run goes on."""
        ...

    def runs_in_thread(self, call: Any) -> object:
        """Note that its body is at work in a thread."""


current_execution: ContextVar[CurrentExecution | None] = ContextVar(
    "flowdeco.current_execution", default=None
)
