"""What is around a run: the clock of the machine, the collector, other threads, processes."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from actors import quick, sleeps, virtually, waits
from slowness import without_failures, without_slowness
from ticks import SITUATIONS, TickLoop

from flowdeco import Flow, Job, Scheduler, each, service, step

CAP = 30
"""Seconds after which a process that should have ended fails the test."""


class Small(Flow):
    """A service, a value, items and a thread."""

    number: int = 1

    @service
    async def server(self):
        yield self.number

    @step(after=server)
    async def items(self, number):
        await asyncio.sleep(0.01)
        return list(range(number))

    @each(items)
    async def doubled(self, item):
        await asyncio.sleep(0.01)
        return 2 * item

    @step(after=doubled)
    def summed(self, doubled):
        return sum(doubled)


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_of_the_machine_that_jumps_is_not_looked_at(jump, monkeypatch):
    """T04: durations and deadlines are those of the loop; only the date of the start is not."""
    real = time.time

    async def jumps():
        await asyncio.sleep(1)
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        await asyncio.sleep(1)

    scheduler = Scheduler(Job(jumps), timeout=3)
    assert virtually(scheduler)
    assert scheduler.report.duration == 2.0
    assert abs(scheduler.report.started_at.timestamp() - real()) < 60


@pytest.mark.parametrize("make", SITUATIONS, ids=lambda make: make.__name__)
def test_a_collection_at_every_turn_loses_no_task(make):
    """R21: the loop holds tasks weakly, the run holds them fast, until they have ended."""
    collected = []
    situation = make().perform(at_every_turn=lambda: collected.append(gc.collect()))

    assert situation.problems() == []
    assert len(collected) == situation.ticks == make().perform().ticks


def test_a_main_that_leaves_at_once_after_a_run_finds_nothing_of_it_in_its_loop():
    """R13: no callback, no timer and no task is left there."""
    loop = TickLoop()

    async def main():
        assert await Scheduler(Job(sleeps(1), timeout=60), Job(waits, forever=True)).co_orchestrate(
            timeout=3600
        )
        return len(asyncio.all_tasks())

    try:
        assert loop.run_until_complete(main()) == 1
        ticks = loop.ticks
        loop.run_until_complete(quick())
        # Were something of the run left, it would take turns or time now.
        assert loop.ticks <= ticks + 2
        assert loop.time() == 1.0
    finally:
        loop.close()


def test_runs_in_four_threads_do_not_touch_each_other():
    """R25: a loop in each thread; they share neither threads nor places nor outcomes."""
    totals = {}

    def run(number):
        flow = Small(number=number)
        assert [bool(flow.run()) for _ in range(3)] == [True] * 3
        totals[number] = flow.summed.result()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CAP)

    assert totals == {number: sum(range(number)) * 2 for number in range(1, 5)}


def process(program, *options):
    """What a program prints on standard output and error, and how it ended."""
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=CAP,
        check=False,
    )


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_process_forked_in_a_step_does_not_shut_the_run_down():
    """R17: of parent and child the parent alone calls hooks, and what is registered for exit."""
    ended = process(
        """
        import asyncio, atexit, multiprocessing, os, warnings
        from flowdeco import Flow, step

        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads

        class Forks(Flow):
            @step
            async def raw(self):
                child = os.fork()
                if not child:
                    os._exit(7)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

            @step(after=raw)
            async def nice(self, code):
                child = multiprocessing.get_context("fork").Process(target=os.getpid)
                child.start()
                child.join()
                return code, child.exitcode

            @nice.shutdown
            async def close_nice(self):
                print("hook", flush=True)

        if __name__ == "__main__":
            atexit.register(print, "exit", flush=True)
            flow = Forks()
            print(bool(flow.run()), flow.nice.result(), flush=True)
        """
    )
    assert ended.stdout.splitlines() == ["hook", "True (7, 0)", "exit"]
    assert (without_slowness(ended.stderr), ended.returncode) == ("", 0)


@pytest.mark.process
@pytest.mark.parametrize("options", [("-X", "dev"), ("-X", "dev", "-W", "error"), ("-O",)])
def test_a_run_under_the_checks_of_python_says_nothing(options):
    """R24: debug mode of asyncio, warnings as errors, and no assertions."""
    ended = process(
        """
        import asyncio
        from flowdeco import Flow, each, service, step, subflow

        class Inner(Flow):
            @step
            async def one(self):
                await asyncio.sleep(0.001)

        class Outer(Flow, window=2):
            @service
            async def server(self):
                yield 3
            @step(after=server)
            async def items(self, number):
                return range(number)
            @each(items)
            async def doubled(self, item):
                await asyncio.sleep(0.001)
            @subflow(after=items)
            def nested(self, items) -> Inner:
                return Inner()
            @step(after=doubled)
            def threaded(self, doubled): ...
            @step(timeout=0.001)
            async def slow(self):
                await asyncio.sleep(60)
            @step
            async def broken(self):
                raise ValueError

        print(bool(Outer().run()), bool(Outer().run(timeout=0)))
        """,
        *options,
    )
    assert (ended.stdout, ended.returncode) == ("True False\n", 0)
    assert without_failures(ended.stderr) == ""
