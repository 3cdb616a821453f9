"""The tests within Pyodide: where nothing can wait, and there is one thread and one process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import selectors
import socket
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

NEEDS = {
    "_thread.start_new_thread": "starts a thread",
    "_thread.start_joinable_thread": "starts a thread",
    "subprocess.Popen": "starts a process",
    "os.fork": "starts a process",
    "socket.__new__": "opens a socket",
    "os.kill": "sends a signal",
    "signal.pthread_kill": "sends a signal",
}
"""What is not there, by the event with which Python audits that somebody asks for it."""

PATIENCE = 60.0
"""The seconds that a test may take."""

LESS_PATIENCE = 1.0
"""Those after it has asked for what is not there: it may wait for that for ever."""


TOO_MANY = ("tests/properties/test_model.py", "tests/properties/test_ticks.py")
"""Files with thousands of scenarios, many of them with threads."""

FEWEST = 2400
"""How many tests pass at least, if all are run."""


class LeftOut:
    """Leave out each test that fails after it asked for what is not there, and say what it was.

    A test that fails without having asked has failed, and one that passes has passed.
    """

    def __init__(self) -> None:
        self.needed: dict[str, None] = {}
        self.give_up = 0.0
        self.passed = 0
        self._of_pages: dict[Path, dict[str, None]] = {}
        self._reasons: Counter[str] = Counter()
        self._of_fixtures: dict[BaseException, dict[str, None]] = {}

    def listen(self, event: str, _: tuple[object, ...]) -> None:
        if event in NEEDS:
            self.needed[NEEDS[event]] = None
            self.give_up = min(self.give_up, time.monotonic() + LESS_PATIENCE)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        # A block of a page shows what the one before it has done.
        self.needed = self._of_pages.setdefault(item.path, {}) if hasattr(item, "example") else {}
        self.give_up = time.monotonic() + PATIENCE
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo is not None:
            error = call.excinfo.value
            # A fixture of several tests fails once, and then again with the same exception.
            needed = self._of_fixtures.get(error, self.needed)
            if call.when == "setup" and needed:
                self._of_fixtures[error] = needed
            if needed:
                path, line, _ = item.location
                report.outcome = "skipped"
                reason = f"it {' and '.join(needed)}"
                report.longrepr = (path, line or 0, f"Skipped: {reason}")
                self._reasons[reason] += 1
        self.passed += report.passed and call.when == "call"
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        # What the left out tests have left behind would tell of that now.
        told, sys.unraisablehook = sys.unraisablehook, lambda _: None
        self._of_fixtures.clear()
        sys.last_exc = sys.last_value = sys.last_traceback = None
        logging.disable()
        with warnings.catch_warnings(action="ignore"):
            gc.unfreeze()
            gc.collect()
        logging.disable(logging.NOTSET)
        sys.unraisablehook = told

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for reason, count in self._reasons.most_common():
            terminalreporter.write_line(f"{count} left out: {reason}")


left_out = LeftOut()


class Selector(selectors.DefaultSelector):
    """A selector that never waits, here, but would look again and again."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if time.monotonic() > left_out.give_up:
            raise RuntimeError("the test takes too long")
        return super().select(0)


class SkippingSelector(Selector):
    """A selector that skips the time for which it should wait."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout)
        if not ready:
            if timeout is None:
                raise RuntimeError("the loop would wait for ever: nothing else is at work")
            self.skipped += max(0.0, timeout)
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """The usual event loop, whose clock skips the time for which it would wait."""

    def __init__(self) -> None:
        self.selector = SkippingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return super().time() + self.selector.skipped


class PipeEnd:
    """A stand-in for one of the two sockets with which an event loop wakes itself."""

    def __init__(self, reading: int, writing: int) -> None:
        self.files = (reading, writing)

    def fileno(self) -> int:
        return self.files[0]

    def setblocking(self, _: bool) -> None:
        pass

    def recv(self, size: int) -> bytes:
        return os.read(self.files[0], size)

    def send(self, data: bytes) -> int:
        return os.write(self.files[1], data)

    def close(self) -> None:
        for file in self.files:
            os.close(file)
        self.files = ()


def socketpair() -> tuple[PipeEnd, PipeEnd]:
    (here, there), (back, forth) = os.pipe(), os.pipe()
    return PipeEnd(here, forth), PipeEnd(back, there)


class Popen(subprocess.Popen):
    """A process that is refused, as all are, but not before it was audited."""

    def __init__(self, *args, **options) -> None:
        sys.audit("subprocess.Popen", *args)
        super().__init__(*args, **options)


def main(options: list[str]) -> int:
    """Run pytest.

    Returns:
        Its exit code.
    """
    sys.addaudithook(left_out.listen)
    subprocess.Popen = Popen
    socket.socketpair = socketpair
    selectors.DefaultSelector = Selector
    asyncio.new_event_loop = asyncio.events.new_event_loop = SkippingLoop
    asyncio._set_running_loop(None)
    print(sys.version)
    fixed = ["-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"]
    # Of linecache, for modules that tests have made: it comes when a failure is shown.
    fixed += ["-W", "ignore:Module globals is missing a __spec__.loader:DeprecationWarning"]
    if not options:
        print(f"left out, for they would take too long: {', '.join(TOO_MANY)}")
        fixed += [f"--ignore={file}" for file in TOO_MANY]
    code = int(pytest.main([*fixed, *options], plugins=[left_out]))
    if not options and left_out.passed < FEWEST:
        print(f"only {left_out.passed} tests have passed; there must be {FEWEST}")
        return code or 1
    return code
