"""Guards on every test: what a test leaves behind fails it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest
from slowness import SLOW

hypothesis.settings.register_profile("flowdeco", deadline=None, print_blob=True)
hypothesis.settings.load_profile("flowdeco")

# These files are for the type checkers: they are not run.
collect_ignore = ["typing"]

THREADS_END_WITHIN = 2.0
"""The seconds that a thread has to end after its test."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    # What outlived its test and was lost after it: pytest collects and tells of it at the end.
    gc.unfreeze()


@pytest.fixture(scope="module")
def short_stacks() -> Iterator[None]:
    """Let asyncio keep one line of the stack with each future and handle that is made.

    In debug mode it keeps all of it, for messages: fifty lines of pytest, read from the files. That
    is most of what it costs to run thousands of scenarios, and nothing is checked by it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.constants, "DEBUG_STACK_DEPTH", 1)
        patch.setattr(sys, "tracebacklimit", 1, raising=False)
        yield


class _Errors(logging.Handler):
    """Keep what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Formatted with the traceback, and at once, so that no exception is kept alive.
        self.messages.append(self.format(record))


@pytest.fixture(autouse=True)
def _no_asyncio_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test if asyncio logged an error, unless it is marked `allow_asyncio_errors`."""
    errors = _Errors()
    logger = logging.getLogger("asyncio")
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
    if errors.messages and request.node.get_closest_marker("allow_asyncio_errors") is None:
        pytest.fail("asyncio logged:\n" + "\n".join(errors.messages), pytrace=False)


@pytest.fixture(autouse=True)
def _slowness_not_told() -> Iterator[None]:
    """Keep out of the log, and so of `caplog`, that the loop was held: it may be by the machine."""

    def telling(record: logging.LogRecord) -> bool:
        return SLOW.match(record.getMessage()) is None

    loggers = [logging.getLogger(name) for name in ("asyncio", "flowdeco")]
    for logger in loggers:
        logger.addFilter(telling)
    yield
    for logger in loggers:
        logger.removeFilter(telling)


@pytest.fixture(autouse=True)
def _garbage_collected(_no_asyncio_error: None) -> Iterator[None]:
    """Collect at the end, so that what was never awaited or closed shows in the test it is from."""
    yield
    gc.collect()
    # What is left is pytest's, and grows from test to test. Frozen, it is not looked through again:
    # the guards of a test take a fraction of a millisecond instead of ten.
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_task_left(_garbage_collected: None) -> Iterator[None]:
    """Fail the test if it leaves a task that is pending, in whatever loop, closed ones included.

    A task that nobody holds is destroyed by the collection, which asyncio logs as an error.
    """
    before = {id(task) for task in _pending_tasks()}
    yield
    left = [task for task in _pending_tasks() if id(task) not in before]
    if left:
        pytest.fail(f"tasks are left: {', '.join(map(repr, left))}", pytrace=False)


def _pending_tasks() -> list[asyncio.Task[object]]:
    # What was there before the test is frozen, and not looked through. What a test leaves may raise
    # when `isinstance` asks for its class.
    tasks = (one for one in gc.get_objects() if issubclass(type(one), asyncio.Task))
    return [task for task in tasks if not task.done()]


@pytest.fixture(autouse=True)
def _no_thread_left(_garbage_collected: None) -> Iterator[None]:
    """Fail the test if a thread that it started, daemon or not, does not end."""
    before = set(threading.enumerate())
    yield
    give_up = time.monotonic() + THREADS_END_WITHIN
    for thread in _started_since(before):
        thread.join(max(0.0, give_up - time.monotonic()))
    left = _started_since(before)
    if left:
        pytest.fail(f"threads are left: {', '.join(map(repr, left))}", pytrace=False)


def _started_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]


@pytest.fixture(autouse=True)
def _signal_handlers_kept(_garbage_collected: None) -> Iterator[None]:
    """Fail the test if it changed what SIGINT and SIGTERM do, and put that back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    changed = [number for number in SIGNALS if signal.getsignal(number) is not before[number]]
    for number in changed:
        signal.signal(number, before[number])
    if changed:
        names = ", ".join(number.name for number in changed)
        pytest.fail(f"signal handlers were changed: {names}", pytrace=False)
