"""Importing flowdeco: what it does not do, and what it costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from slowness import without_slowness


def ended(*arguments):
    """What a fresh interpreter prints; it must end well."""
    run = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, without_slowness(run.stderr)) == (0, "")
    return run.stdout


def test_import_prints_and_starts_nothing():
    """Rule 19: importing prints nothing, starts no thread and no loop, and touches no signal."""
    printed = ended(
        "-c",
        "import asyncio, signal, threading\n"
        "before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]\n"
        "import flowdeco, flowdeco.errors, flowdeco.surgery, flowdeco.testing\n"
        "after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]\n"
        "print(before == after, threading.active_count())\n",
    )

    assert printed == "True 1\n"


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_optimised(flag):
    """Without asserts and docstrings flows run all the same."""
    code = (
        "from flowdeco import Flow, step\n"
        "class A(Flow):\n"
        "    @step\n"
        "    async def a(self): return 1\n"
        "    @step(after=a)\n"
        "    async def b(self, a): return a + 1\n"
        "flow = A()\n"
        "print(bool(flow.run()), flow.b.result())\n"
    )

    assert ended(flag, "-c", code) == "True 2\n"


def test_cost_of_the_import_is_measured():
    """`tests/bench/import_cost.py` prints one line with the figure."""
    printed = ended(str(Path(__file__).parents[1] / "bench" / "import_cost.py"), "1")

    assert re.fullmatch(
        r"Python 3\.\d+\.\d+: flowdeco -?[\d.]+ ms beyond [\d.]+ ms for"
        r" asyncio, attrs, typing_extensions \(median of 1 rounds\)\n",
        printed,
    )
