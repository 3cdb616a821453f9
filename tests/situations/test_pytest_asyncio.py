"""The virtual clock as the loop of pytest-asyncio's tests."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import flowdeco

pytest.importorskip("pytest_asyncio")

CONFTEST = """
from flowdeco.testing import VirtualClockLoop


def pytest_asyncio_loop_factories(config, item):
    return {"virtual": VirtualClockLoop}
"""

TESTS = """
import asyncio

import pytest

from flowdeco import Flow, step


class Slow(Flow):
    @step
    async def wait(self) -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()


@pytest.mark.asyncio
async def test_an_hour_passes():
    flow = Slow()
    assert await flow.co_run()
    assert flow.wait.result() >= 3600


@pytest.mark.asyncio
async def test_a_deadlock_is_an_error():
    await asyncio.Event().wait()
"""


def test_hours_pass_in_tests_of_pytest_asyncio(tmp_path):
    """A test of its own runs on the virtual clock, and one that hangs says where it stands."""
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_slow.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        textwrap.dedent("""
            [pytest]
            asyncio_default_fixture_loop_scope = function
        """),
        encoding="utf-8",
    )
    package = str(Path(flowdeco.__file__).parents[1])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "DeadlockError" in done.stdout
    assert "test_slow.py:25" in done.stdout, done.stdout
