"""What the jobs do: for each kind a function that makes the bodies of so many jobs.

A body is an async function that needs no argument, and ignores one: it can be a method of a flow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["BODIES", "NAP", "Body", "recording"]

Body = Callable[..., Coroutine[Any, Any, None]]

NAP = 0.1
"""The seconds that a sleeping job sleeps."""


async def noop(_=None):
    """Return at once."""


async def turn(_=None):
    """Let the loop make one turn."""
    await asyncio.sleep(0)


async def nap(_=None):
    """Sleep a little."""
    await asyncio.sleep(NAP)


def batons(size: int) -> list[Body]:
    """Bodies that all wait, until the last has started; then they end one by one."""
    started: list[asyncio.Future[None]] = []

    async def body(_=None):
        baton = asyncio.get_running_loop().create_future()
        place = len(started)
        started.append(baton)
        if place == size - 1:
            started[0].set_result(None)
        await baton
        if place < size - 1:
            started[place + 1].set_result(None)

    return [body] * size


def recording(bodies: list[Body]) -> tuple[list[Body], list[int]]:
    """The same bodies, which note their number when they have ended in the list returned."""
    ended: list[int] = []

    def noting(job: int, body: Body) -> Body:
        async def perform(_=None):
            await body()
            ended.append(job)

        return perform

    return [noting(job, body) for job, body in enumerate(bodies)], ended


BODIES: dict[str, Callable[[int], list[Body]]] = {
    "noop": lambda size: [noop] * size,
    "yield": lambda size: [turn] * size,
    "sleep": lambda size: [nap] * size,
    "baton": batons,
}
