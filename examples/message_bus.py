"""A message bus: steps send, and a service beside them receives for as long as they last.

Prints:

    received: alice says hello
    received: bob says hello
    received: alice says bye
    received: bob says bye
    received: everybody has left
    the bus is closed, with 0 messages on it
    all went well: True
"""

import asyncio
from collections.abc import AsyncIterator

from flowdeco import Flow, service, step


async def talk(queue: asyncio.Queue[str], name: str) -> None:
    await queue.put(f"{name} says hello")
    await asyncio.sleep(0.01)
    await queue.put(f"{name} says bye")


class Chat(Flow):
    # Up at its `yield`, which is when the others may start; it goes on after them.
    @service
    async def bus(self) -> AsyncIterator[asyncio.Queue[str]]:
        queue = asyncio.Queue[str]()
        yield queue
        print(f"the bus is closed, with {queue.qsize()} messages on it")

    # Without a `yield`, a service is cancelled at the end: before the bus, which it comes after.
    @service(after=bus)
    async def receive(self, queue: asyncio.Queue[str]) -> None:
        while True:
            print(f"received: {await queue.get()}")

    @step(after=bus)
    async def alice(self, queue: asyncio.Queue[str]) -> None:
        await talk(queue, "alice")

    @step(after=bus)
    async def bob(self, queue: asyncio.Queue[str]) -> None:
        await talk(queue, "bob")

    # Nobody waits for the last message to be received: services are stopped late enough for that.
    @step(after=bus)
    async def last(self, queue: asyncio.Queue[str]) -> None:
        await queue.put("everybody has left")

    order = [alice, bob] >> last


if __name__ == "__main__":
    report = Chat().run(timeout=10)
    print(f"all went well: {report.ok}")
