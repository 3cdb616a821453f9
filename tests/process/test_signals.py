"""Real signals to real processes (rule 12; R08 to R10)."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from slowness import without_slowness

CAP = 10
"""Seconds after which a process that should have ended fails the test."""

PRELUDE = """
import asyncio, signal, sys, os
from flowdeco import Flow, Job, Scheduler, service, step

def say(text):
    print(text, flush=True)

async def waits():
    say("ready")
    try:
        await asyncio.Event().wait()
    finally:
        say("cleaned up")

async def swallows():
    say("ready")
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            say("swallowed")

async def slow_to_end():
    say("ready")
    try:
        await asyncio.Event().wait()
    finally:
        say("cleaning")
        await asyncio.sleep(60)

async def hook():
    say("hook")

async def hanging_hook():
    say("hook")
    await asyncio.sleep(60)
"""


class Process:
    """A program that runs, with what it has printed so far."""

    def __init__(self, body, options=("-X", "dev")):
        program = PRELUDE + textwrap.dedent(body)
        self.popen = subprocess.Popen(
            [sys.executable, *options, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect(self, line):
        assert self.popen.stdout.readline().rstrip() == line

    def send(self, number):
        # Python may look at a signal that comes between its last look and the wait of the selector
        # only after that wait; what has just printed is on its way there.
        time.sleep(0.1)
        self.popen.send_signal(number)

    def end(self):
        """The exit code, the rest of the output, and the standard error."""
        try:
            out, err = self.popen.communicate(timeout=CAP)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            pytest.fail(f"still running: {self.popen.communicate()}")
        assert "Task was destroyed" not in err
        assert "never awaited" not in err
        return self.popen.returncode, out.splitlines(), without_slowness(err)


@pytest.fixture
def start():
    started = []

    def start(body, **options):
        process = Process(body, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.popen.kill()
        process.popen.wait()
        process.popen.stdout.close()
        process.popen.stderr.close()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_the_first_signal_ends_the_run_as_a_cancel_would(start, number, code):
    """R08 R10: clean-up and hooks, then `KeyboardInterrupt` or `SystemExit(143)`."""
    process = start("Scheduler(Job(waits, shutdown=hook)).orchestrate()")
    process.expect("ready")
    process.send(number)
    assert process.end()[:2] == (code, ["cleaned up", "hook"])


def test_a_flow_tears_its_services_down_on_a_signal(start):
    """R08: the service is resumed after its yield."""
    process = start(
        """
        class Deploy(Flow):
            @service
            async def server(self):
                yield 1
                await asyncio.sleep(0.05)
                say("down")

            @step(after=server)
            async def work(self):
                await waits()

        try:
            Deploy().run()
        except KeyboardInterrupt:
            say("interrupted")
        """
    )
    process.expect("ready")
    process.send(signal.SIGINT)
    assert process.end() == (0, ["cleaned up", "down", "interrupted"], "")


def test_a_job_that_swallows_cancels_does_not_hang_on_a_signal(start):
    """R09 X08: the first signal is bounded by the grace."""
    process = start("Scheduler(Job(swallows, shutdown=hook), grace=0.5).orchestrate()")
    process.expect("ready")
    process.send(signal.SIGINT)
    code, out, err = process.end()
    assert (code, out[0], out[-1]) == (-signal.SIGINT, "swallowed", "hook")
    assert "is stuck" in err


def test_the_second_signal_skips_the_rest_of_the_grace(start):
    """R09: the hooks are called all the same."""
    process = start("Scheduler(Job(slow_to_end, shutdown=hook), grace=60).orchestrate()")
    process.expect("ready")
    process.send(signal.SIGINT)
    process.expect("cleaning")
    process.send(signal.SIGINT)
    assert process.end()[:2] == (-signal.SIGINT, ["hook"])


def test_the_third_signal_raises_where_the_code_stands(start):
    """R09: it skips the hooks that have not ended."""
    process = start(
        "Scheduler(Job(slow_to_end, shutdown=hanging_hook), grace=60, shutdown_timeout=60)"
        ".orchestrate()"
    )
    process.expect("ready")
    process.send(signal.SIGTERM)
    process.expect("cleaning")
    process.send(signal.SIGTERM)
    process.expect("hook")
    process.send(signal.SIGTERM)
    assert process.end()[:2] == (143, [])


def test_a_third_signal_gets_out_of_a_job_that_blocks_the_thread(start):
    """Nothing else can: the loop has no turn."""
    process = start(
        """
        async def blocks():
            say("ready")
            while True:
                pass

        Scheduler(Job(blocks)).orchestrate()
        """
    )
    process.expect("ready")
    for _ in range(3):
        process.send(signal.SIGINT)
        time.sleep(0.2)  # signals that come at once are one signal
    assert process.end()[0] == -signal.SIGINT


def test_an_exit_code_of_a_job_is_that_of_the_process(start):
    """F12: after the clean-up."""
    process = start(
        """
        async def exits():
            await asyncio.sleep(0.05)
            sys.exit(3)

        Scheduler(Job(waits), Job(exits, shutdown=hook)).orchestrate()
        """
    )
    process.expect("ready")
    assert process.end() == (3, ["cleaned up", "hook"], "")


def test_handlers_of_the_user_are_left_alone(start):
    """R10: a run in the main thread takes only the default ones."""
    process = start(
        """
        signal.signal(signal.SIGTERM, lambda *_: say("mine"))

        async def sends():
            os.kill(os.getpid(), signal.SIGTERM)

        say(str(Scheduler(Job(sends)).orchestrate()))
        """
    )
    assert process.end() == (0, ["mine", "True"], "")


def test_a_run_in_another_thread_works_and_touches_no_handler(start):
    """R05: and two of them side by side."""
    process = start(
        """
        import threading

        before = signal.getsignal(signal.SIGINT)
        results = []

        async def body():
            await asyncio.sleep(0.05)
            results.append(signal.getsignal(signal.SIGINT) is before)

        threads = [
            threading.Thread(target=lambda: Scheduler(Job(body)).orchestrate()) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        say(str(results))
        """
    )
    assert process.end() == (0, ["[True, True, True]"], "")


def test_output_that_nobody_reads_breaks_nothing(start):
    """R11: a closed pipe is the reader's affair."""
    read, write = os.pipe()
    os.close(read)
    program = PRELUDE + textwrap.dedent(
        """
        async def work():
            await asyncio.sleep(0)

        scheduler = Scheduler(*(Job(work) for _ in range(2000)))
        assert scheduler.orchestrate()
        scheduler.list()
        scheduler.debrief()
        assert all(job.is_done() for job in scheduler)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        """
    )
    with os.fdopen(write, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=CAP * 3,
            check=False,
        )
    assert (done.returncode, without_slowness(done.stderr)) == (0, "")
