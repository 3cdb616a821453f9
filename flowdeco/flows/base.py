"""The base of flows: what their declarations, and the bodies of their jobs, ask of them."""

from __future__ import annotations

from typing import Any, ClassVar

from flowdeco.jobs.job import Job
from flowdeco.scheduler import Scheduler

__all__ = ["FlowBase"]


class FlowBase:
    """A flow, as modules know it that flows stand on."""

    __flow_definition__: ClassVar[Any]
    """What the class declares."""
    __flow_critical__: ClassVar[bool] = False
    """Whether its steps are critical that do not say so themselves."""

    @property
    def __flow_scheduler__(self) -> Scheduler:
        raise NotImplementedError

    def __flow_begin__(self) -> None:
        """Look at the class before a run, and warn where there is nothing to run."""
        raise NotImplementedError

    def __flow_job__(self, declared: Any) -> Job[object]:
        """Return the job of a declaration."""
        raise NotImplementedError
