"""The job within which a run begins."""

from __future__ import annotations

import asyncio

from flowdeco.jobs.current import current_execution

from .execution import Execution

__all__ = ["enclosing_execution"]


def enclosing_execution() -> Execution | None:
    """Return the running job in which the caller is, in the loop of the caller; else None."""
    execution = current_execution.get()
    if not isinstance(execution, Execution) or execution.ended:
        return None
    is_here = execution.run.session.loop is asyncio.get_running_loop()
    return execution if is_here else None
