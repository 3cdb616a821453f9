"""The clock that does not wait."""

import asyncio
import socket
import threading

import pytest
from actors import waits

from flowdeco.testing import DeadlockError, VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


@pytest.fixture
def pair():
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


def test_hours_pass_at_once(loop):
    """Every timer comes at its exact time."""
    loop.run_until_complete(asyncio.sleep(3600.1))
    assert loop.time() == 3600.1


def test_a_deadlock_raises_instead_of_hanging(loop):
    """What waits for something that can never come is told so, and can still be cancelled."""
    task = loop.create_task(waits())
    with pytest.raises(DeadlockError, match="no timer is set and no input or output is awaited"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_input_is_waited_for(loop, pair):
    """With no timer set, for as long as it takes."""
    reader, writer = pair
    sender = threading.Timer(0.02, writer.send, [b"x"])
    sender.start()
    assert loop.run_until_complete(loop.sock_recv(reader, 1)) == b"x"
    assert loop.time() == 0.0
    sender.join()


def test_input_that_is_there_comes_before_time_passes(loop, pair):
    """No timer overtakes it."""
    reader, writer = pair

    async def receives():
        received = asyncio.ensure_future(loop.sock_recv(reader, 1))
        await asyncio.sleep(0)  # it waits for input from now on
        loop.call_soon(writer.send, b"x")
        async with asyncio.timeout(60):
            return await received

    assert loop.run_until_complete(receives()) == b"x"
    assert loop.time() == 0.0


def test_time_passes_although_input_is_awaited(loop, pair):
    """A timeout round something that does not come is over at its exact time."""
    reader, _ = pair

    async def receives():
        async with asyncio.timeout(60):
            await loop.sock_recv(reader, 1)

    with pytest.raises(TimeoutError):
        loop.run_until_complete(receives())
    assert loop.time() == 60.0
