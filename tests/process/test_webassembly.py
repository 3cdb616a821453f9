"""Python in a browser or in Node.js, where JavaScript has the event loop."""

import asyncio
import sys

import pytest

from flowdeco import Flow, Job, Scheduler, step
from flowdeco.errors import LoopRunningError

pytestmark = pytest.mark.skipif(sys.platform != "emscripten", reason="there is no JavaScript")


class Deploy(Flow):
    """A flow of one step."""

    @step
    async def build(self):
        await asyncio.sleep(1)
        return "wheel"


async def nothing(): ...


CALLS = [
    pytest.param(lambda: Deploy().run(), id="run"),
    pytest.param(lambda: Scheduler(Job(nothing)).orchestrate(), id="orchestrate"),
]


@pytest.mark.parametrize("call", CALLS)
def test_the_loop_of_javascript_cannot_be_run(call, monkeypatch):
    """Who would run a flow in the loop that only JavaScript can run learns what to write."""
    from pyodide.webloop import WebLoop

    monkeypatch.setattr(asyncio, "new_event_loop", lambda: WebLoop.__new__(WebLoop))

    with pytest.raises(LoopRunningError, match=r"await flow\.co_run\(\), or co_orchestrate\(\)"):
        call()


@pytest.mark.parametrize("call", CALLS)
def test_no_loop_can_be_made(call, monkeypatch):
    """Where asyncio can make none, the error says why, and what to write."""

    def refuse():
        raise OSError(138, "Not supported")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)

    with pytest.raises(
        LoopRunningError, match=r"Not supported\); await flow\.co_run\(\)"
    ) as caught:
        call()
    assert isinstance(caught.value.__cause__, OSError)


def test_a_running_loop():
    """Pyodide has a running loop from the start; a flow runs in it."""

    async def main():
        with pytest.raises(LoopRunningError, match=r"await flow\.co_run\(\)"):
            Deploy().run()
        flow = Deploy()
        assert await flow.co_run()
        return flow.build.result()

    assert asyncio.run(main()) == "wheel"
