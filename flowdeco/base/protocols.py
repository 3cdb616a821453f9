"""Jobs and sets of jobs, as modules know them that jobs themselves stand on."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

__all__ = ["Declared", "JobLike", "JobSetLike", "ReasonLike", "ReportLike"]


class JobLike(Protocol):
    """A job, as errors and outcomes speak of it: an `AbstractJob`."""

    label: str | None
    critical: bool | None
    forever: bool
    timeout: float | None

    @property
    def name(self) -> str: ...

    @property
    def required(self) -> Iterable[JobLike]: ...

    def is_critical(self) -> bool: ...

    def is_idle(self) -> bool: ...

    def is_running(self) -> bool: ...

    def is_done(self) -> bool: ...

    def result(self) -> object: ...

    def raised_exception(self) -> BaseException | None: ...

    def details(self) -> str | None: ...

    @property
    def __flow_home__(self) -> JobSetLike | None:
        """The set of jobs that it is in."""
        ...

    def __flow_output__(self) -> object:
        """The value for bodies that take it."""
        ...

    def __flow_called__(self) -> str:
        """The name for an error."""
        ...

    def __flow_source_name__(self) -> str:
        """The name by which the user's code is likely to know it."""
        ...

    def __flow_declared__(self) -> bool:
        """Whether it has a declaration, which can be given `after=`."""
        ...


class Declared(Protocol):
    """A declaration, as overrides and parts speak of it."""

    @property
    def name(self) -> str: ...

    def __flow_declares__(self, job: Any, /) -> bool:
        """Whether a job is that of this declaration, or of one that redefines it."""
        ...


class ReasonLike(Protocol):
    """Why a run failed; as text an English phrase."""

    @property
    def cause(self) -> enum.Enum: ...


class ReportLike(Protocol):
    """The report of a run."""

    @property
    def reason(self) -> ReasonLike | None: ...


class JobSetLike(Protocol):
    """What a job must know of the set of jobs that it is in: a `Scheduler`."""

    @property
    def name(self) -> str: ...

    @property
    def default_critical(self) -> bool: ...

    @property
    def report(self) -> ReportLike | None: ...

    @property
    def __flow_home__(self) -> JobSetLike | None: ...

    def is_busy(self) -> bool: ...

    def __flow_cancel__(self, job: Any, error: BaseException, /) -> bool:
        """Cancel a job of the run that goes on; return whether there is anything to cancel."""
        ...

    def __flow_called__(self) -> str: ...

    def __flow_graph_changed__(self) -> object:
        """Take note that a job has other requirements now."""

    def __iter__(self) -> Iterator[JobLike]: ...

    def __contains__(self, job: object) -> bool: ...
