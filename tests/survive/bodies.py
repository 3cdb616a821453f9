"""What jobs do in the situations, the same for every contender."""

import asyncio
import os
import threading

from survive.situation import note

FOREVER = 30
"""Seconds: what waits as long as that has not ended when its time is up."""


async def quick(name="quick", seconds=0.02):
    """Take a moment."""
    await asyncio.sleep(seconds)
    note(f"{name} ran")


async def fails(error=None, seconds=0.02):
    """Raise, after a moment."""
    await asyncio.sleep(seconds)
    raise ValueError if error is None else error


async def polite(name="server", cleaning=0.02):
    """Wait, and need a moment for the clean-up after a cancellation."""
    note(f"{name} started")
    try:
        await asyncio.sleep(FOREVER)
    finally:
        await asyncio.sleep(cleaning)
        note(f"{name} cleaned up")


async def deaf():
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


async def presses(number, *again):
    """Send a real signal to this process, and more of them some seconds later."""
    await asyncio.sleep(0.05)
    for seconds in again:
        threading.Timer(seconds, os.kill, (os.getpid(), number)).start()
    os.kill(os.getpid(), number)
    await asyncio.sleep(FOREVER)


async def hook(name="hook"):
    """Shut something down, which takes a moment."""
    await asyncio.sleep(0.01)
    note(f"{name} called")
