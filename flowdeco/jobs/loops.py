"""Whether an event loop may be started here."""

from __future__ import annotations

import asyncio

from flowdeco.errors import LoopRunningError

__all__ = ["refuse_running_loop"]


def refuse_running_loop(instead: str) -> None:
    """Raise a clear error where a loop is running, before any coroutine is made.

    Raises:
        LoopRunningError: a loop is running in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise LoopRunningError(
        f"an event loop is running already, as it does in a notebook; use `{instead}`"
    )
