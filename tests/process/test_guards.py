"""The guards on every test (tests/conftest.py) see what they are there for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CAP = 60
"""Seconds after which the tests that are run here should have ended."""

BAD = """
import asyncio, gc, logging, signal, sys, threading, time, warnings
import pytest

kept = []
let_go = threading.Event()


async def forgotten():
    await asyncio.sleep(60)


def test_good():
    asyncio.run(asyncio.sleep(0))


def test_warning():
    warnings.warn("careless")


def test_unraisable():
    class Broken:
        def __del__(self):
            raise ValueError("in a finalizer")
    broken = Broken()
    broken.itself = broken


def test_not_awaited():
    coroutine = forgotten()
    cycle = [coroutine]
    cycle.append(cycle)


def test_asyncio_logs():
    async def main():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
    asyncio.run(main())


def test_exception_never_retrieved():
    async def fails():
        raise ValueError("lost")
    async def main():
        asyncio.ensure_future(fails())
        await asyncio.sleep(0)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


def test_task_destroyed():
    loop = asyncio.new_event_loop()
    loop.create_task(forgotten())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_task_left_in_a_closed_loop():
    loop = asyncio.new_event_loop()
    kept.append(loop.create_task(forgotten()))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_loop_not_closed():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))


def test_generator_not_closed():
    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
    async def main():
        async for _ in numbers():
            break
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


def test_thread_left():
    threading.Thread(target=let_go.wait, daemon=True).start()


def test_thread_raises():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


def test_signal_handler():
    signal.signal(signal.SIGTERM, lambda *_: None)


def test_signal_handler_was_put_back():
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
"""

GOOD = {"test_good", "test_signal_handler_was_put_back"}

LATE = """
async def forgotten():
    pass

kept = []


def test_keeps():
    cycle = [forgotten()]
    cycle.append(cycle)
    kept.append(cycle)


def test_loses():
    kept.clear()
"""


def guarded(place, tests):
    """Run tests under the guards and the options of this suite."""
    for name in ("conftest.py", "support/slowness.py"):
        shutil.copy(ROOT / "tests" / name, place)
    (place / "test_bad.py").write_text(tests, "utf-8")
    options = ["-c", ROOT / "pyproject.toml", "--rootdir", place, "-p", "no:randomly", "-rA"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, place / "test_bad.py"],
        capture_output=True,
        text=True,
        timeout=CAP,
        check=False,
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """How each of the bad tests ended."""
    ended = guarded(tmp_path_factory.mktemp("guarded"), BAD)
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*::(\w+)", ended.stdout, re.MULTILINE)
    # A test whose body passes and whose guard fails has both.
    return {
        name: {outcome for outcome, other in found if other == name} for _, name in found
    }, ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", re.findall(r"^def (test_\w+)", BAD, re.MULTILINE))
def test_a_guard_fails_what_leaves_something_behind(name, outcomes):
    """And nothing else."""
    found, text = outcomes
    assert (found[name] == {"PASSED"}) is (name in GOOD), text


def test_what_is_lost_after_its_test_fails_the_session(tmp_path):
    """What a test left to pytest is not looked through after each further test, but at the end."""
    ended = guarded(tmp_path, LATE)

    assert " 2 passed" in ended.stdout
    assert ended.returncode == 1
    assert "'forgotten' was never awaited" in ended.stderr
