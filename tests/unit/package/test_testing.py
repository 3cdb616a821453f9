"""The clock that does not wait."""

import asyncio
import socket
import threading

import pytest
from actors import quick, waits

from flowdeco import Job, Scheduler
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


def test_a_deadlock_says_who_waits_for_whom():
    """The line of each body that waits, and the jobs that wait for it; nothing of the library's."""

    async def stands():
        await waits()

    async def others():
        await asyncio.gather(stands())

    first = Job(stands, label="first")
    inner = Scheduler(Job(others, label="others"), label="inner")
    later = [Job(quick, label=name, required=first) for name in ("second", "third")]
    last = Job(quick, label="last", required=[*later, inner])

    with pytest.raises(DeadlockError) as caught:
        Scheduler(first, inner, *later, last).orchestrate(loop_factory=VirtualClockLoop)

    error = caught.value
    text = str(error)
    assert list(error.waiting)[-2:] == ["first", "inner/others"]
    assert error.waiting["inner/others"].endswith(
        f"{__file__}:{others.__code__.co_firstlineno + 1}"
    )
    lines = {line.split(" stands at ")[0].strip(): line for line in text.splitlines()[1:]}
    assert lines["first"].endswith("; second, third wait for it")
    assert lines["inner/others"].endswith(error.waiting["inner/others"])
    assert "/flowdeco/engine/" not in text
    assert "every task waits" in text.splitlines()[0]


def test_a_deadlock_names_one_job_that_waits():
    """And of a task that a body has made its own line alone."""
    first = Job(waits, label="first")
    with pytest.raises(DeadlockError, match=r"first stands at .*; second waits for it"):
        Scheduler(first, Job(quick, label="second", required=first)).orchestrate(
            loop_factory=VirtualClockLoop
        )


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
