"""The job that calls."""

from __future__ import annotations

from typing import cast

from .abstract_job import AbstractJob
from .current import current_execution

__all__ = ["current_job"]


def current_job() -> AbstractJob[object] | None:
    """Return the job in whose body this is called (or in a task started there), else None."""
    execution = current_execution.get()
    return None if execution is None else cast("AbstractJob[object]", execution.job)
