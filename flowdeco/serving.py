"""Generator services: up at their yield, down after it (section on services of the rules)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

R = TypeVar("R")

__all__ = ["Serving", "serve"]


class Serving(Protocol):
    """What a service needs of the run that it is part of."""

    def up(self, value: object) -> None:
        """Say that the service is ready, and what it gives to others."""

    async def told_to_stop(self) -> None:
        """Wait until the service is to be torn down."""


async def serve(generator: AsyncGenerator[object, None], run: Serving) -> None:
    """Start a generator service, keep it up until the run says otherwise, and tear it down.

    Both halves run in the task and the context of the caller. A cancellation that arrives while
    the service is up is thrown into it at its yield, so that a `TaskGroup` or a timeout written
    round the yield sees it.

    Raises:
        RuntimeError: the generator yields not once.
        BaseException: what the generator raises.
    """
    try:
        value = await anext(generator)
    except StopAsyncIteration:
        raise RuntimeError(
            "a service must yield once, when it is ready, and this one ended without a yield"
        ) from None
    run.up(value)
    try:
        await run.told_to_stop()
    except asyncio.CancelledError as error:
        resumed = generator.athrow(error)
    else:
        resumed = anext(generator)
    try:
        await resumed
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise RuntimeError("a service must yield once, when it is ready, and this one yielded again")
