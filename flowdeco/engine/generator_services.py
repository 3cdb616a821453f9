"""Generator services: up at their yield, down after it (rule 7)."""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncGenerator, Awaitable, Generator
from typing import Any, Protocol, TypeVar

R = TypeVar("R")

__all__ = ["ServiceHost", "serve"]


class ServiceHost(Protocol):
    """The side of a run that a service talks to."""

    def started(self, value: object) -> None:
        """Note that the service is ready, and the value that it gives to its successors."""

    async def stop_requested(self) -> None:
        """Wait until the service is to be torn down."""


async def serve(generator: AsyncGenerator[object, None], host: ServiceHost) -> None:
    """Start a generator service, keep it up until it is asked to stop, and tear it down.

    Both halves run in the task and the context of the caller. A cancellation that arrives while
    the service is up is thrown into it at its yield, so that a `TaskGroup` or a timeout written
    round the yield sees it.

    Raises:
        RuntimeError: the generator yields not once.
        BaseException: what the generator raises.
    """
    try:
        value = await _closable(anext(generator))
    except StopAsyncIteration:
        raise RuntimeError(
            "a service must yield once, when it is ready, and this one ended without a yield"
        ) from None
    host.started(value)
    try:
        await host.stop_requested()
    except asyncio.CancelledError as error:
        resumed = generator.athrow(error)
    else:
        resumed = anext(generator)
    del host  # or the traceback of a failure would keep it alive
    try:
        await _closable(resumed)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise RuntimeError("a service must yield once, when it is ready, and this one yielded again")


@types.coroutine
def _closable(awaitable: Awaitable[R]) -> Generator[Any, Any, R]:
    """Await a step of an asynchronous generator so that closing reaches the generator.

    Closing the awaitable itself leaves the generator as it stands, up to Python 3.12; what is
    closed by force here is thrown into it, so that its clean-up runs and it has ended.
    """
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:
                waits_for = steps.throw(error)
            else:
                waits_for = steps.send(sent)
    except StopIteration as end:
        value: R = end.value
        return value
