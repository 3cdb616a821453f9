"""Situations of the engine that users have met: see “Seen in the field” in docs/faults.md."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import subprocess
import sys
import textwrap
import threading
import time
import types

import pytest
from actors import quick, sleeps, states, virtually, waits
from slowness import without_failures

from flowdeco import (
    AbstractJob,
    Flow,
    Job,
    Observer,
    Scheduler,
    State,
    each,
    service,
    step,
    subflow,
)
from flowdeco.testing import VirtualClockLoop

SOON = 5
"""Seconds in which something comes for sure, on a busy machine, too."""


def run(program, *options):
    """Run a program; return its output, the rest of its standard error, and its exit code."""
    ended = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.stdout.splitlines(), without_failures(ended.stderr), ended.returncode


def line_of(function, text):
    """The place of the line in a function that has this text."""
    code = function.__code__
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().splitlines()
    number = next(
        number for number, line in enumerate(lines[code.co_firstlineno :], 1) if text in line
    )
    return f"{code.co_filename}:{code.co_firstlineno + number}"


# Times


def test_what_waits_for_a_service_starts_when_that_comes_up():
    """Rules 2 and 5: its timeout counts from there, whatever has ended long before."""

    class Late(Flow, critical=True):
        @service
        async def database(self):
            await asyncio.sleep(10)
            yield "address"

        @service
        async def monitor(self) -> None:
            await asyncio.sleep(1)

        @step
        async def other(self):
            await asyncio.sleep(1)

        @step(after=database, timeout=5)
        async def use(self, address):
            await asyncio.sleep(4)

    flow = Late()
    assert flow.run(loop_factory=VirtualClockLoop)
    assert (flow.use.started_at, flow.use.ended_at) == (10.0, 14.0)


@pytest.mark.parametrize("kind", ["scheduler", "fan-out", "subflow"])
def test_a_run_that_begins_late_begins_then(kind):
    """Rules 2 and 5: the jobs of a run within have the time of their own start."""

    class Inner(Flow):
        @step(timeout=5)
        async def slow(self):
            await asyncio.sleep(4)

    class Late(Flow):
        @step
        async def other(self):
            await asyncio.sleep(1)

        @step
        async def begins(self):
            await asyncio.sleep(10)
            self.job = Job(sleeps(4), timeout=5)
            return await Scheduler(self.job).co_orchestrate()

        @service
        async def ready(self):
            await asyncio.sleep(10)
            yield [4]

        @each(ready, timeout=5)
        async def items(self, seconds):
            await asyncio.sleep(seconds)

        @subflow(after=[ready])
        def inner(self) -> Inner:
            return Inner()

    flow = Late()
    assert flow.run(loop_factory=VirtualClockLoop)
    jobs = {
        "scheduler": lambda: [flow.job],
        "fan-out": lambda: flow.items.children,
        "subflow": lambda: [flow.inner.slow],
    }
    (job,) = jobs[kind]()
    assert (job.state, job.started_at, job.ended_at) == (State.DONE, 10.0, 14.0)


def test_nothing_starts_after_the_deadline_though_a_step_ended_before_it():
    """Rule 2: a body has held the thread in between, so that no timer came."""
    began = []

    async def holds():
        await asyncio.sleep(0.02)
        time.sleep(0.1)  # noqa: ASYNC251  # that is the point
        yield

    async def late():
        began.append("late")

    server = Job(holds, forever=True)
    scheduler = Scheduler(server, Job(sleeps(0.01)), Job(late, required=server))

    assert not scheduler.orchestrate(timeout=0.05)
    assert scheduler.failed_timeout()
    assert began == []


def test_an_observer_that_takes_its_time_takes_none_of_a_job():
    """Rule 5: the timeout of a job counts from the start of its body."""

    class Slow(Observer):
        def job_started(self, job):
            loop.leap(10)

    loop = VirtualClockLoop()
    job = Job(sleeps(4), timeout=5)
    assert Scheduler(job).orchestrate(observers=[Slow()], loop_factory=lambda: loop)
    assert job.state is State.DONE


def test_a_run_that_a_body_has_kept_from_its_deadline_says_so(caplog):
    """Rule 19: that is why it ended so late."""

    async def holds():
        time.sleep(0.3)  # noqa: ASYNC251  # that is the point

    scheduler = Scheduler(Job(holds), label="held")
    assert not scheduler.orchestrate(timeout=0.1)
    assert "a body blocked the loop" in scheduler.why()
    assert "a body blocked the loop" in caplog.text

    caplog.clear()
    assert not virtually(Scheduler(Job(waits)), 1)
    assert "blocked" not in caplog.text


# Children


FORKS = """
    import asyncio, multiprocessing, os, signal, sys, time, warnings
    from flowdeco import Flow, service, step

    warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
    fork = multiprocessing.get_context("fork")

    def work():
        while True:
            time.sleep(60)

    def fork_by_hand():
        child = os.fork()
        if not child:
            try:
                work()
            finally:
                os._exit(7)
        return child

    class Forks(Flow, critical=True, grace=2):
        @service
        async def worker(self):
            process = fork.Process(target=work)
            process.start()
            yield process
            process.terminate()
            process.join()
            print("worker", process.exitcode, flush=True)

        @step(after=[worker])
        async def by_hand(self):
            child = fork_by_hand()
            os.kill(child, signal.SIGTERM)
            _, status = os.waitpid(child, 0)
            print("by hand", os.waitstatus_to_exitcode(status), flush=True)

        @step(after=[by_hand])
        def in_a_thread(self):
            with fork.Pool(1) as pool:
                print("pool", pool.apply(abs, (-3,)), flush=True)

        @step(after=[in_a_thread])
        async def interrupted(self):
            if len(sys.argv) > 1:
                return  # asyncio.run handles it, in its own way
            child = fork_by_hand()
            await asyncio.sleep(0.1)  # Python itself forgets one that comes with the fork
            os.kill(child, signal.SIGINT)
            _, status = os.waitpid(child, 0)
            print("interrupted", os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("own_loop", [True, False])
def test_children_die_of_signals(own_loop):
    """Rule 12: a process that is forked meanwhile has no handler of ours, from its start on."""
    call = "Forks().run(timeout=20)" if own_loop else "asyncio.run(Forks().co_run(20))"
    sys_argv = "" if own_loop else "sys.argv.append('asyncio')"
    out, _, code = run(f"{textwrap.dedent(FORKS)}\n{sys_argv}\nprint(bool({call}))")
    interrupted = ["interrupted 7"] if own_loop else []
    assert out == ["by hand -15", "pool 3", *interrupted, "worker -15", "True"]
    assert code == 0


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_the_parent_of_a_child_still_handles_signals():
    """Rule 12: what the child has put back is the child's."""
    out, err, code = run(
        """
        import asyncio, os, signal, warnings
        from flowdeco import Flow, step

        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads

        class Parent(Flow):
            @step
            async def forks(self):
                child = os.fork()
                if not child:
                    os._exit(0)
                os.waitpid(child, 0)
                os.kill(os.getpid(), signal.SIGTERM)
                try:
                    await asyncio.sleep(60)
                finally:
                    print("cleaned up", flush=True)

        Parent().run()
        """
    )
    assert (out, err, code) == (["cleaned up"], "", 143)


# Teardowns


@pytest.mark.parametrize("critical", [False, True])
def test_a_teardown_that_is_cut_short_is_a_failure(critical, caplog):
    """Rules 7 and 20: it is told of with the line where it stood, critical or not."""

    async def pool():
        yield
        await asyncio.Event().wait()

    server = Job(pool, forever=True, critical=critical, label="db")
    scheduler = Scheduler(server, Job(sleeps(1), required=server), grace=5)

    assert virtually(scheduler) is not critical
    assert server.state is State.FAILED
    assert str(server.raised_exception()) == "the teardown of db was cut short after 4 s"
    place = line_of(pool, "Event().wait()")
    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warnings == [f"the teardown of db was cut short after 4 s; it stood at {place}"]
    assert f"it stood at {place}" in str(scheduler.report)


def test_a_teardown_that_goes_on_after_it_was_cut_short_has_failed_all_the_same():
    """Rule 7: whatever it then does."""

    async def swallows_and_ends():
        yield
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)

    async def raises():
        yield
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("in the end")

    ends, fails_ = Job(swallows_and_ends, forever=True), Job(raises, forever=True)
    assert virtually(Scheduler(ends, fails_, Job(quick)))
    assert states(ends, fails_) == ["FAILED", "FAILED"]
    assert isinstance(fails_.raised_exception(), TimeoutError)
    assert isinstance(fails_.raised_exception().__cause__, OSError)


def test_a_coroutine_service_is_cut_short_by_its_second_cancellation():
    """Rule 7: the first one is how it is stopped."""

    async def cleans_up_long():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(60)

    async def cleans_up():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(3)

    long, short = Job(cleans_up_long, forever=True), Job(cleans_up, forever=True)
    assert virtually(Scheduler(long, short, Job(quick), grace=5))
    assert states(long, short) == ["FAILED", "CANCELLED"]


# Nested runs


def left_behind(body, **options):
    """Run a flow whose step begins a run as `body` does; return the scheduler of that run."""
    hooks = []

    async def close():
        hooks.append("closed")

    inner = Scheduler(Job(waits, label="endless", shutdown=close), label="inner")

    class Outer(Flow, grace=1):
        @step
        async def begins(self):
            return await body(self, inner)

        @step(after=[begins])
        async def after(self):
            self.state = inner.find("endless").state

    flow = Outer()
    report = flow.run(loop_factory=VirtualClockLoop, **options)
    assert hooks == ["closed"]
    assert inner.is_busy() is False
    assert inner.find("endless").state is State.CANCELLED
    assert any(record.path.endswith("endless") for record in report.jobs)
    return flow, report


def test_a_run_that_a_body_leaves_behind_ends_with_its_job(caplog):
    """Rule 9: it is reported, and what comes after the job starts when it is over."""

    async def forgets(flow, inner):
        flow.task = asyncio.create_task(inner.co_orchestrate())
        await asyncio.sleep(1)
        return "value"

    flow, report = left_behind(forgets)
    assert report
    assert flow.begins.result() == "value"
    assert flow.state is State.CANCELLED
    assert flow.task.result() is False
    assert "left the run of 'inner' behind" in caplog.text


def test_a_run_that_a_failing_body_leaves_behind_ends_with_its_job():
    """Rule 9: however the body ends."""

    async def fails_(flow, inner):
        flow.task = asyncio.create_task(inner.co_orchestrate())
        await asyncio.sleep(1)
        raise OSError("broken")

    flow, _ = left_behind(fails_)
    assert isinstance(flow.begins.raised_exception(), OSError)


@pytest.mark.parametrize("timeout", [2, None])
def test_a_run_that_is_shielded_ends_with_its_job(timeout):
    """Rules 8 and 10: within the grace, and its hooks are called once."""

    async def shields(flow, inner):
        task = asyncio.ensure_future(inner.co_orchestrate())
        if timeout is None:
            asyncio.get_running_loop().call_later(2, asyncio.current_task().cancel)
        await asyncio.shield(task)

    flow, report = left_behind(shields, timeout=timeout)
    assert report.ok is (timeout is None)
    assert flow.begins.state is (State.FAILED if timeout is None else State.CANCELLED)
    assert report.duration <= 2 + 1 + 1


def test_runs_that_are_left_behind_on_several_levels_end():
    """Rule 9: each with its job, and that with the run around."""
    ended = []

    async def leaf():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("leaf")

    async def middle():
        middle.task = asyncio.create_task(Scheduler(Job(leaf)).co_orchestrate())
        await asyncio.sleep(1)

    async def top():
        top.task = asyncio.create_task(Scheduler(Job(middle), Job(waits)).co_orchestrate())
        await asyncio.sleep(2)

    assert virtually(Scheduler(Job(top), grace=3))
    assert ended == ["leaf"]


# Threads


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.mark.parametrize("own_loop", [True, False])
def test_of_a_stuck_thread_the_line_is_told_and_what_it_raises_later(own_loop, gate, caplog):
    """Rules 8 and 14: the line is the user's, and no exception is lost."""

    class Blocked(Flow, grace=0.02, shutdown_timeout=0.02):
        @step
        def blocks(self):
            gate.wait(SOON)
            raise ValueError("late")

    async def perform():
        await flow.co_run(timeout=0.02)
        before_end = list(caplog.messages)
        gate.set()
        while len(caplog.messages) == len(before_end):
            await asyncio.sleep(0.01)

    flow = Blocked()
    if own_loop:
        flow.run(timeout=0.02)
        gate.set()
        give_up = time.monotonic() + SOON
        while "late" not in caplog.text and time.monotonic() < give_up:
            time.sleep(0.01)
    else:
        asyncio.run(asyncio.wait_for(perform(), SOON))

    assert f"it stands at {line_of(Blocked.blocks.body, 'gate.wait')}" in caplog.text
    assert caplog.text.count("'blocks', which was stuck, has failed with ValueError: late") == 1
    assert flow.blocks.state is State.STUCK


def test_where_there_are_few_threads_the_rest_wait_for_them(monkeypatch):
    """Section 8: a system that gives no more threads is no failure where one is there."""
    started = []
    start = threading.Thread.start

    def some(thread):
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    class Fan(Flow):
        @step
        async def items(self):
            return range(20)

        @each(items)
        def work(self, item):
            return item * 2

    flow = Fan()
    monkeypatch.setattr(threading.Thread, "start", some)
    assert flow.run()
    assert flow.work.result() == [item * 2 for item in range(20)]


def test_where_there_is_no_thread_at_all_plain_steps_fail_and_the_rest_goes_on(monkeypatch):
    """Section 8: degraded, never wrong; and nobody watches the loop in debug mode."""

    def none(thread):
        raise RuntimeError("can't start new thread")

    class Mixed(Flow):
        @step
        def plain(self): ...

        @step(after=[plain])
        async def after(self):
            return "after"

    def debugging():
        loop = asyncio.new_event_loop()
        loop.set_debug(True)
        return loop

    flow = Mixed()
    monkeypatch.setattr(threading.Thread, "start", none)
    assert flow.run(loop_factory=debugging)
    assert "can't start new thread" in str(flow.plain.raised_exception())
    assert flow.after.result() == "after"


def test_many_threads_that_use_a_flow_first_see_one_set_of_jobs():
    """Section 2: whoever comes first, the jobs are those that run."""
    several = 8
    wait = threading.Barrier(several)
    switch = sys.getswitchinterval()

    class Wide(Flow):
        pass

    namespace = {f"s{number}": step(_numbered(number)) for number in range(100)}
    wide = types.new_class("Wide100", (Flow,), {}, lambda body: body.update(namespace))

    def look(flow, seen):
        wait.wait(SOON)
        seen.append((flow.s0, flow.scheduler))

    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            flow, seen = wide(), []
            threads = [threading.Thread(target=look, args=(flow, seen)) for _ in range(several)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert {id(job) for job, _ in seen} == {id(flow.s0)}
            assert {id(scheduler) for _, scheduler in seen} == {id(flow.scheduler)}
    finally:
        sys.setswitchinterval(switch)


def _numbered(number):
    async def body(self):
        return number

    body.__name__ = f"s{number}"
    return body


# What is left behind


def test_a_hook_that_was_given_up_is_kept_until_it_ends():
    """Rule 9: the collector finds no task that is pending."""

    async def hook():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.get_running_loop().create_future()

    async def main():
        scheduler = Scheduler(Job(quick, shutdown=hook), shutdown_timeout=1)
        assert await scheduler.co_orchestrate()
        del scheduler
        for _ in range(3):
            gc.collect()
            await asyncio.sleep(1)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(left) == 1, "the collector has taken it"
        for task in left:
            task.get_coro().close()
            task.cancel()
        await asyncio.wait(left)

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(main())


@pytest.mark.parametrize("kind", ["step", "service", "forgotten"])
def test_what_is_closed_by_force_is_closed_in_its_own_context(kind):
    """Rule 8: a `finally` can reset its variables, and goes on to its end."""
    variable = contextvars.ContextVar("variable", default="outside")
    seen = []

    async def deaf():
        token = variable.set("mine")
        try:
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass
        finally:
            seen.append(variable.get())
            variable.reset(token)
            seen.append(variable.get())

    async def server():
        yield
        await deaf()

    async def forgets():
        forgets.task = asyncio.create_task(deaf())
        await asyncio.sleep(0)

    body = {"step": deaf, "service": server, "forgotten": forgets}[kind]
    job = Job(body, forever=kind == "service")
    virtually(Scheduler(job, Job(sleeps(1)), grace=1), timeout=None if kind != "step" else 3)
    assert seen == ["mine", "outside"]


# Other surroundings


SMALL = """
from flowdeco import Flow, step

class Small(Flow):
    @step
    async def small(self):
        print("in small", flush=True)

print(bool(Small().run(timeout=20)), flush=True)
"""

SUB = f"""
import sys

if sys.version_info >= (3, 13):
    import _interpreters
    print(_interpreters.exec(_interpreters.create("legacy"), {SMALL!r}), flush=True)
else:
    import _xxsubinterpreters
    _xxsubinterpreters.run_string(_xxsubinterpreters.create(isolated=False), {SMALL!r})
    print(None)
"""


@pytest.mark.process
def test_a_run_in_a_sub_interpreter():
    """Rule 12: no handler can be set there, and it runs without."""
    out, _, code = run(SUB)
    assert (out, code) == (["in small", "True", "None"], 0)


@pytest.mark.parametrize("debug", [False, True])
def test_a_generator_can_be_the_body_of_an_own_job_class(debug):
    """Section 4: what `types.coroutine` makes can be awaited, in debug mode, too."""

    class Own(AbstractJob[int]):
        @types.coroutine
        def co_run(self):
            yield
            return 1

    def looping():
        loop = asyncio.new_event_loop()
        loop.set_debug(debug)
        return loop

    job = Own()
    assert Scheduler(job).orchestrate(loop_factory=looping)
    assert job.result() == 1


@pytest.mark.process
def test_a_run_goes_on_where_a_step_leaves_little_of_the_stack():
    """Rule 9: jobs may fail for it, and the run ends."""
    out, _, code = run(
        """
        import asyncio, sys
        from flowdeco import Job, Scheduler

        async def lowers():
            sys.setrecursionlimit(30)

        async def after():
            await asyncio.sleep(0.01)

        first = Job(lowers, label="lowers")
        second = Job(after, label="after", required=first)
        scheduler = Scheduler(first, second)
        try:
            scheduler.orchestrate(timeout=5)
        finally:
            sys.setrecursionlimit(1000)
        print(scheduler.why(), all(job.is_done() for job in scheduler))
        """
    )
    assert (out, code) == (["FINE True"], 0)


# The log


def test_records_of_the_log_carry_flow_and_job(caplog):
    """Rule 19: the names of the outermost flow, and the path of the job."""

    class Inner(Flow):
        @step
        async def breaks(self):
            raise OSError("broken")

    class Outer(Flow):
        @subflow
        def inner(self) -> Inner:
            return Inner()

        @step
        async def items(self):
            return [1, 2, 3]

        @each(items)
        async def odd(self, item):
            if item % 2:
                raise ValueError(item)

    Outer().run(loop_factory=VirtualClockLoop)
    told = [(one.levelname, one.flow, one.job, one.getMessage()) for one in caplog.records]
    assert sorted(told) == [
        ("WARNING", "Outer", "inner/Inner/breaks", "'breaks' failed with OSError: broken"),
        (
            *("WARNING", "Outer", "odd"),
            "'odd' failed, as 2 items failed with ValueError: 1, ValueError: 3",
        ),
    ]


def test_a_failure_is_told_once_where_it_arose(caplog):
    """Rule 19: not again by what fails because of it, and not where it ends the whole run."""

    async def breaks():
        raise OSError("broken")

    def nested(depth, **options):
        inner = Job(breaks, label="breaks", critical=True)
        for level in range(depth):
            inner = Scheduler(inner, label=f"level{level}", **options)
        return Scheduler(inner, label="top")

    assert virtually(nested(3))
    assert [(one.levelname, one.job) for one in caplog.records] == [
        ("WARNING", "level2/level1/level0/breaks")
    ]

    caplog.clear()
    assert not virtually(nested(3, critical=True))
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert "OSError: broken" in caplog.text


def test_what_is_caught_and_replaced_is_a_failure_of_its_own(caplog):
    """Rule 19: a body that raises something else because of a run within it has failed anew."""

    async def breaks():
        raise OSError("broken")

    async def replaces():
        inner = Scheduler(Job(breaks, label="breaks", critical=True))
        if not await inner.co_orchestrate():
            raise LookupError("nothing found")

    virtually(Scheduler(Job(replaces, label="replaces"), label="top"))
    assert [(one.job, one.getMessage()) for one in caplog.records] == [
        ("replaces/breaks", "'breaks' failed with OSError: broken"),
        ("replaces", "'replaces' failed with LookupError: nothing found"),
    ]


def test_a_skip_is_told_at_info(caplog):
    """Rule 19: with what was missing."""

    class Skips(Flow):
        @step
        async def breaks(self):
            raise OSError("broken")

        @step(after=breaks)
        async def takes(self, value): ...

    with caplog.at_level(logging.INFO, "flowdeco"):
        Skips().run(loop_factory=VirtualClockLoop)
    assert [(one.levelname, one.job) for one in caplog.records] == [
        ("WARNING", "breaks"),
        ("INFO", "takes"),
    ]


@pytest.mark.parametrize("error", [OSError("away"), KeyboardInterrupt(), SystemExit(3)])
def test_a_log_that_raises_at_the_end_of_a_run(error):
    """Rules 9 and 12: an exit leaves, anything else is no business of the run."""

    class Raises(logging.Handler):
        def emit(self, record):
            raise error

    handler = Raises()
    logger = logging.getLogger("flowdeco")
    logger.addHandler(handler)
    hooks = []

    async def close():
        hooks.append("closed")

    scheduler = Scheduler(Job(sleeps(1, 3), shutdown=close), Job(_breaks, critical=True))
    try:
        if isinstance(error, Exception):
            assert virtually(scheduler) is False
        else:
            with pytest.raises(type(error)):
                virtually(scheduler)
    finally:
        logger.removeHandler(handler)
    assert hooks == ["closed"]
    assert scheduler.is_busy() is False


async def _breaks():
    await asyncio.sleep(0.5)
    raise ValueError("broken")


@pytest.mark.process
def test_a_program_without_logging_shows_on_standard_error_that_something_failed():
    """Rule 19: though it ignores its report."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                """
                from flowdeco import Flow, step

                class Deploy(Flow, critical=True):
                    @step(critical=False)
                    async def smoke(self):
                        raise ConnectionError("no answer")
                    @step(after=[smoke])
                    async def migrate(self):
                        raise LookupError("no table\\x1b[31m")

                Deploy().run()
                """
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second = ended.stderr.splitlines()
    assert first == "'smoke' failed with ConnectionError: no answer"
    assert second.startswith("'Deploy' failed after 0.")
    assert second.endswith(r"critical job 'migrate' failed with LookupError: no table\x1b[31m")
    assert ended.stdout == ""


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_that_comes_back_from_a_plain_step_ends():
    """Section 8: it is no part of the run, and waits for no other call."""
    out, _, code = run(
        """
        import os, warnings
        from flowdeco import Flow, step

        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads

        class Forks(Flow, critical=True):
            @step
            def forks(self):
                self.child = os.fork()

            @step(after=[forks])
            def waits(self):
                os.waitpid(self.child, 0)

        print(bool(Forks().run(timeout=20)))
        """
    )
    assert (out, code) == (["True"], 0)
