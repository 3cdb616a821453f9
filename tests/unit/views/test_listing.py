"""Listings: a line a job, before, during and after a run."""

from __future__ import annotations

import asyncio
import io
import os
import queue
import subprocess
import sys
import threading
from types import SimpleNamespace

import attrs
import pytest
from jobs import BoomError, boom, nap, naps, orchestrate
from slowness import without_failures

from flowdeco import (
    AbstractJob,
    Flow,
    Job,
    Observer,
    PrintJob,
    Scheduler,
    service,
    step,
    subflow,
)
from flowdeco.testing import VirtualClockLoop


def listed(capsys, scheduler, **options):
    """The lines that `list` prints."""
    scheduler.list(**options)
    return capsys.readouterr().out.splitlines()


def debriefed(capsys, scheduler, **options):
    """The lines that `debrief` prints."""
    scheduler.debrief(**options)
    return capsys.readouterr().out.splitlines()


async def swallowing():
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


async def waiting():
    """Wait for ever, and end when cancelled."""
    await asyncio.Event().wait()


class At(Observer):
    """Does something at a moment of the run."""

    def __init__(self, moment, callback):
        self.moment = moment
        self.callback = callback

    def run_started(self, scheduler):
        asyncio.get_running_loop().call_later(self.moment, self.callback)


class EveryState(Flow, window=2, grace=1, timeout=5):
    """Has a job of each state in the middle of its run, and of each at its end."""

    @service
    async def beacon(self):
        await waiting()

    @step
    async def done(self):
        return "ok"

    @step
    async def failed(self):
        raise BoomError("boom")

    @step(after=failed)
    async def skipped(self, value):
        return value

    @step(after=done, critical=False)
    async def running(self):
        await waiting()

    @step(after=done)
    async def stuck(self):
        await swallowing()

    @step(after=done, critical=True)
    async def waiting(self):
        await waiting()

    @step(after=(stuck, waiting))
    async def idle(self):
        raise AssertionError


# The format


def test_listing_before_a_run(capsys):
    """Before a run all is idle; the requirements are there already."""
    assert listed(capsys, EveryState()) == [
        "01     ⚐ ∞ <Job `beacon`>",
        "02     ⚐   <Job `done`>",
        "03     ⚐   <Job `failed`>",
        "04     ⚐   <Job `skipped`> - requires {03}",
        "05     ⚐   <Job `running`> - requires {02}",
        "06     ⚐   <Job `stuck`> - requires {02}",
        "07 ⚠   ⚐   <Job `waiting`> - requires {02}",
        "08     ⚐   <Job `idle`> - requires {06, 07}",
    ]


def test_listing_during_a_run(capsys):
    """During a run it shows what runs, what has ended and what waits for a place."""
    flow = EveryState()
    flow.run(observers=[At(1, flow.list)], loop_factory=VirtualClockLoop)

    assert capsys.readouterr().out.splitlines() == [
        "01   ☉ ↺ ∞ <Job `beacon`>",
        "02   ☉ ☓   <Job `done`>[[ -> ok]]",
        "03   ★ ☓   <Job `failed`>!! exception => BoomError:boom!!",
        "04     ⚐   <Job `skipped`> - requires {03} SKIPPED",
        "05   ☉ ↺   <Job `running`> - requires {02}",
        "06   ☉ ↺   <Job `stuck`> - requires {02}",
        "07 ⚠   ⚑   <Job `waiting`> - requires {02}",
        "08     ⚐   <Job `idle`> - requires {06, 07}",
    ]


def test_listing_after_a_run(capsys):
    """Words tell what the marks do not; a service stopped at the end needs none."""
    flow = EveryState()
    flow.run(loop_factory=VirtualClockLoop)

    assert listed(capsys, flow) == [
        "01   ☉ ↺ ∞ <Job `beacon`>",
        "02   ☉ ☓   <Job `done`>[[ -> ok]]",
        "03   ★ ☓   <Job `failed`>!! exception => BoomError:boom!!",
        "04     ⚐   <Job `skipped`> - requires {03} SKIPPED",
        "05   ☉ ↺   <Job `running`> - requires {02} CANCELLED",
        "06   ☉ ↺   <Job `stuck`> - requires {02} STUCK",
        "07 ⚠   ⚐   <Job `waiting`> - requires {02}",
        "08     ⚐   <Job `idle`> - requires {06, 07}",
    ]


def test_listing_of_a_critical_failure(capsys):
    """The exception of a critical job has a title of its own; a stuck service is named stuck."""
    scheduler = Scheduler(
        Job(swallowing, label="held", forever=True),
        boom("broken", 1, critical=True),
        grace=0.5,
    )
    orchestrate(scheduler)

    assert listed(capsys, scheduler) == [
        "01   ☉ ↺ ∞ <Job `held`> STUCK",
        "02 ⚠ ★ ☓   <Job `broken`>!! CRIT. EXC. => BoomError:boom!!",
    ]


@pytest.mark.parametrize(("count", "width"), [(9, 2), (99, 2), (100, 3), (1000, 4)])
def test_numbers_are_padded_to_one_width(count, width, capsys):
    """Numbers have two digits at least, and all of a listing have as many."""
    jobs = naps(map(str, range(count)))
    jobs[-1].requires(jobs[0], jobs[4])

    lines = listed(capsys, Scheduler(*jobs))

    numbers = [f"{number + 1:0{width}}" for number in range(count)]
    assert [line.split()[0] for line in lines] == numbers
    assert lines[-1].endswith(f" - requires {{{numbers[0]}, {numbers[4]}}}")


def test_requirements_are_in_the_order_of_their_numbers(capsys):
    """Requirements are told by number, in order, however given; strangers are left out."""
    a, b, c = naps("abc")
    d = nap("d", required={c, b, a}).requires(nap("elsewhere"))

    assert listed(capsys, Scheduler(a, b, c, d))[-1] == (
        "04     ⚐   <Job `d`> - requires {01, 02, 03}"
    )


def test_lines_come_in_topological_order(capsys):
    """A job stands behind what it requires, and else where it was declared (rule 16)."""
    a, b, c = naps("abc")
    a.requires(c)

    assert listed(capsys, Scheduler(a, b, c)) == [
        "01     ⚐   <Job `c`>",
        "02     ⚐   <Job `a`> - requires {01}",
        "03     ⚐   <Job `b`>",
    ]


def test_nested_jobs_are_indented_and_numbered_through(capsys):
    """What is inside of a job follows it, two columns further in a level."""
    deep = Scheduler(*naps("xy"), label="deep")
    inner = Scheduler(nap("a"), deep, label="inner", forever=True, critical=True)
    scheduler = Scheduler(nap("first"), inner, nap("last", required=inner))
    deep.requires(inner.find("a"))

    assert listed(capsys, scheduler) == [
        "01     ⚐   <Job `first`>",
        "02 ⚠   ⚐ ∞ <Scheduler `inner`>",
        "03 ⚠   ⚐     <Job `a`>",
        "04 ⚠   ⚐     <Scheduler `deep`> - requires {03}",
        "05     ⚐       <Job `x`>",
        "06     ⚐       <Job `y`>",
        "07     ⚐   <Job `last`> - requires {02}",
    ]


def test_equal_labels_have_different_numbers(capsys):
    """G19: two jobs may have one label; their numbers tell them apart."""
    a, b = nap("same"), nap("same")
    b.requires(a)

    assert listed(capsys, Scheduler(a, b)) == [
        "01     ⚐   <Job `same`>",
        "02     ⚐   <Job `same`> - requires {01}",
    ]


def test_listing_of_nothing(capsys):
    """G10: an empty scheduler has no line."""
    assert listed(capsys, Scheduler()) == []


def test_classes_and_names(capsys):
    """A line names the class; without a label it has the name of the function, else `NOLABEL`."""

    class Own(AbstractJob[None]):
        pass

    scheduler = Scheduler(Own(), PrintJob("a", 1), PrintJob(), Job(waiting), Scheduler())

    assert [line[11:] for line in listed(capsys, scheduler)] == [
        "<Own `NOLABEL`>",
        "<PrintJob `a 1`>",
        "<PrintJob `NOLABEL`>",
        "<Job `waiting`>",
        "<Scheduler `NOLABEL`>",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (0, "0"),
        ("two\nlines", r"two\nlines"),
        ([1, "a"], "[1, 'a']"),
        ("x" * 1000, "x" * 199 + "…"),
    ],
)
def test_results_are_cut_to_a_line(value, expected, capsys):
    """F19: a result is shown in one line, even a falsy one."""

    async def body():
        return value

    scheduler = Scheduler(Job(body, label="a"))
    orchestrate(scheduler)

    assert listed(capsys, scheduler) == [f"01   ☉ ☓   <Job `a`>[[ -> {expected}]]"]


def test_messages_are_cut_to_a_line(capsys):
    """F16: so is the message of an exception."""

    async def body():
        raise BoomError("two\nlines" + "x" * 1000)

    scheduler = Scheduler(Job(body, label="a"))
    orchestrate(scheduler)

    assert listed(capsys, scheduler) == [
        "01   ★ ☓   <Job `a`>!! exception => BoomError:"
        + (r"two\nlines" + "x" * 1000)[:199]
        + "…!!"
    ]


def test_repr_is_the_line_without_number_and_requirements(capsys):
    """`repr(job)` says how the job fares, in every state."""
    flow = EveryState()
    flow.run(loop_factory=VirtualClockLoop)

    lines = listed(capsys, flow)
    bare = [line[3:].partition(" - requires")[0] for line in lines]
    words = [f" {line.split()[-1]}" if line.endswith(("ED", "CK")) else "" for line in lines]

    assert [repr(job) for job in flow.scheduler] == [
        line + word for line, word in zip(bare, words, strict=True)
    ]


def test_names_of_classes_are_printable():
    """O03: a class may be made with any name, that of an exception above all."""

    async def fail():
        raise type("Evil\x1b[2J\n", (Exception,), {})

    job = type("Job\x1b[2J\n", (Job,), {})(fail)
    orchestrate(Scheduler(job))

    assert repr(job).isprintable()


def test_names_of_functions_are_cut():
    """O06: a callable object may call itself what it likes."""

    class Named:
        __name__ = "x" * 10_000

        def __call__(self):
            return waiting()

    assert len(repr(Job(Named()))) < 1000


# Details


class Detailed(Job[float]):
    """A job that has something to add."""

    def __init__(self, label, text, **options):
        super().__init__(waiting, label=label, **options)
        self.text = text

    def details(self):
        if isinstance(self.text, BaseException):
            raise self.text
        return self.text


def test_details_follow_their_job(capsys):
    """With `details=True` what a job adds follows in lines of its own, below its name."""
    inner = Scheduler(Detailed("b", "third"), label="inner")
    scheduler = Scheduler(Detailed("a", "first\nsecond"), inner, nap("c"))

    assert listed(capsys, scheduler, details=True) == [
        "01     ⚐   <Detailed `a`>",
        "           first",
        "           second",
        "02     ⚐   <Scheduler `inner`>",
        "03     ⚐     <Detailed `b`>",
        "             third",
        "04     ⚐   <Job `c`>",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, []),
        ("", []),
        (3, ["3"]),
        ("\x1b[2J\u202e", [r"\x1b[2J\u202e"]),
        ("{} %s [red]", ["{} %s [red]"]),
        ("x" * 10_000_000, ["x" * 2000]),
        (RuntimeError("no"), ["<details() raised RuntimeError>"]),
    ],
)
def test_details_of_any_kind(text, expected, capsys):
    """O03 O06: whatever `details` does, the listing goes on."""
    lines = listed(capsys, Scheduler(Detailed("a", text), nap("b")), details=True)

    assert [line.strip() for line in lines] == [
        "01     ⚐   <Detailed `a`>",
        *expected,
        "02     ⚐   <Job `b`>",
    ]


def test_details_that_are_asynchronous(capsys):
    """O06: the listing says that they must not be, and leaves nothing un-awaited."""

    class Wrong(Detailed):
        async def details(self):
            return self.text

    lines = listed(capsys, Scheduler(Wrong("a", "text")), details=True)

    assert [line.strip() for line in lines[1:]] == ["<details() must not be async>"]


def test_details_whose_text_raises(capsys):
    """O06: `details` may return an object that cannot be shown."""

    class Broken:
        def __str__(self):
            raise RuntimeError

    lines = listed(capsys, Scheduler(Detailed("a", Broken()), nap("b")), details=True)

    assert lines[-1] == "02     ⚐   <Job `b`>"


# Streams


SHOW = """
import asyncio
from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop

async def work():
    return "é ∞ \\ud800"

async def broken():
    raise ValueError("☠")

async def serve():
    await asyncio.Event().wait()

first = Job(work, label="première ⚠")
scheduler = Scheduler(first, Job(broken, critical=False, required=first), label="été")
scheduler.add(Job(serve, forever=True, critical=True))
scheduler.list()
scheduler.orchestrate(loop_factory=VirtualClockLoop)
scheduler.list()
scheduler.debrief()
print("=" * 9)
print(scheduler.report)
"""


def shown_in(encoding):
    """What the program above prints on a stream of this encoding."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHOW],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert (ended.returncode, without_failures(ended.stderr.decode(encoding))) == (0, "")
    return ended.stdout.decode(encoding).splitlines()


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_listing_on_a_stream_that_cannot_encode_it(encoding):
    """O03: marks are replaced by ASCII, other characters that are missing are escaped."""
    e_acute = "\\xe9" if encoding == "ascii" else "é"
    e_grave = "\\xe8" if encoding == "ascii" else "è"
    first = f"<Job `premi{e_grave}re !`>"

    lines = shown_in(encoding)

    assert lines[:6] == [
        f"01     .   {first}",
        "02     .   <Job `broken`> - requires {01}",
        "03 !   . 8 <Job `serve`>",
        f"01   o #   {first}[[ -> {e_acute} 8 \\ud800]]",
        "02   * #   <Job `broken`>!! exception => ValueError:\\u2620!! - requires {01}",
        "03 ! o ~ 8 <Job `serve`>",
    ]
    assert f"----- {e_acute}t{e_acute}: FINE, after 0.000 s" in lines


@pytest.mark.process
def test_listing_on_a_stream_that_can_encode_it():
    """O03: on UTF-8 all is as it is, but lone surrogates."""
    assert shown_in("utf-8")[3] == "01   ☉ ☓   <Job `première ⚠`>[[ -> é ∞ \\ud800]]"


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_report_on_a_stream_that_cannot_encode_it(encoding):
    """O03: `print(report)` prints on any stream what `debrief()` prints there."""
    lines = shown_in(encoding)
    end = lines.index("=" * 9)

    assert lines[end + 1 :] == lines[6:end]


ODD_STREAMS = {
    "none": None,
    "no stream": object(),
    "no encoding": SimpleNamespace(write=lambda text: None, flush=lambda: None),
    "unknown encoding": SimpleNamespace(write=lambda text: None, encoding="no-such-encoding"),
    "not an encoding": SimpleNamespace(write=lambda text: None, encoding=3),
    "in memory": io.StringIO(),
}


@pytest.mark.parametrize("stream", ODD_STREAMS.values(), ids=ODD_STREAMS)
def test_report_with_an_odd_standard_output(stream, monkeypatch):
    """R11: where it is not said how it encodes, nothing is escaped, and nothing is raised."""
    scheduler = Scheduler(nap("été", critical=True), label="∞")
    orchestrate(scheduler)
    monkeypatch.setattr("sys.stdout", stream)

    scheduler.list()
    scheduler.debrief()
    assert str(scheduler.report).splitlines()[1] == "01 ⚠ ☉ ☓   <Job `été`>[[ -> 0.25]]"


def test_report_without_a_standard_output(monkeypatch):
    """R11: even if somebody has deleted it."""
    scheduler = Scheduler(nap("a"))
    orchestrate(scheduler)
    monkeypatch.delattr("sys.stdout")

    scheduler.list()
    scheduler.debrief()
    assert "☓" in str(scheduler.report)


def test_report_on_a_closed_standard_output(monkeypatch):
    """R11: nor does one that is closed raise."""
    scheduler = Scheduler(nap("a"))
    orchestrate(scheduler)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream.close()
    monkeypatch.setattr("sys.stdout", stream)

    scheduler.list()
    scheduler.debrief()
    assert "01   o #" in str(scheduler.report)


def test_listing_on_a_stream_that_does_not_encode_as_it_says(monkeypatch):
    """O03: what it refuses is printed in ASCII."""

    class Lying(io.StringIO):
        encoding = "utf-8"

        def write(self, text):
            text.encode("ascii")
            return super().write(text)

    stream = Lying()
    monkeypatch.setattr("sys.stdout", stream)
    Scheduler(nap("é", critical=True)).list()

    assert stream.getvalue() == "01 !   .   <Job `\\xe9`>\n"


def test_lines_that_ascii_can_encode_are_left_alone(monkeypatch):
    """Only lines that the stream cannot encode are rewritten."""
    with io.TextIOWrapper(io.BytesIO(), encoding="latin-1") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        Scheduler(nap("été", critical=True), PrintJob("∞")).debrief()
        stream.seek(0)
        lines = stream.read().splitlines()

    assert lines == [
        "----- NOLABEL: NOT RUN",
        "01 !   .   <Job `été`>",
        "02     .   <PrintJob `8`>",
        "===== 2 jobs: 2 idle",
    ]


class Gone(io.StringIO):
    """A stream that nobody reads any more."""

    error = BrokenPipeError

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError, RuntimeError, MemoryError])
def test_listing_on_a_broken_stream(error, monkeypatch):
    """R11: a stream that cannot be written to is no error of the listing."""
    monkeypatch.setattr(Gone, "error", error)
    monkeypatch.setattr("sys.stdout", Gone())

    Scheduler(nap("a")).list()
    Scheduler(nap("a")).debrief()


def test_listing_on_a_closed_stream(monkeypatch):
    """R11: nor is one that is closed."""
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr("sys.stdout", stream)

    Scheduler(nap("a")).list()


def test_listing_without_a_stream(monkeypatch):
    """R11: nor that there is none, as in a program without a console."""
    monkeypatch.setattr("sys.stdout", None)

    Scheduler(nap("a")).list()


# Odd graphs and odd moments


def test_listing_when_there_is_no_more_memory(capsys, monkeypatch):
    """F19: what can be laid out is printed, and what was in the way of the rest."""

    class Exhausting(Job[None]):
        @property
        def forever(self):
            if exhausted:
                raise MemoryError
            return False

        @forever.setter
        def forever(self, value):
            pass

    exhausted = False
    scheduler = Scheduler(nap("first"), Exhausting(waiting))
    exhausted = True
    scheduler.list()
    scheduler.debrief()

    first = "01     ⚐   <Job `first`>"
    assert capsys.readouterr().out.splitlines() == [
        *(first, "<the rest raised MemoryError>"),
        *("----- NOLABEL: NOT RUN", first, "<the rest raised MemoryError>"),
    ]


class Pair(Flow):
    """Two steps, one after the other."""

    @step
    async def a(self):
        pass

    @step(after=[a])
    async def b(self):
        pass


class Itself(Flow):
    """Has itself inside, which no run gets through."""

    @subflow
    def me(self):
        return self

    @step
    async def work(self):
        pass


def test_listing_of_a_flow_that_is_inside_itself(capsys):
    """Listings, drawings and searches of it end."""
    flow = Itself()
    flow.run(loop_factory=VirtualClockLoop)

    assert "`work`" in "".join(listed(capsys, flow))
    assert "`work`" in "".join(debriefed(capsys, flow))
    assert "work" in flow.to_dot()
    assert flow.scheduler.find("work") is flow.work
    with pytest.raises(LookupError):
        flow.scheduler.find("nothing")


def test_listing_of_one_flow_in_two_subflows(capsys):
    """X18: jobs that are there twice have two numbers, and require what stands beside them."""

    class Twice(Flow):
        inner: Pair = attrs.field(factory=Pair)

        @subflow
        def first(self):
            return self.inner

        @subflow(after=[first])
        def again(self):
            return self.inner

    flow = Twice()
    flow.run(loop_factory=VirtualClockLoop)

    assert listed(capsys, flow) == [
        "01   ☉ ☓   <Job `first`>[[ -> Pair()]]",
        "02   ☉ ☓     <Scheduler `Pair`>[[ -> True]]",
        "03   ☉ ☓       <Job `a`>[[ -> None]]",
        "04   ☉ ☓       <Job `b`>[[ -> None]] - requires {03}",
        "05   ☉ ☓   <Job `again`>[[ -> Pair()]] - requires {01}",
        "06   ☉ ☓     <Scheduler `Pair`>[[ -> True]]",
        "07   ☉ ☓       <Job `a`>[[ -> None]]",
        "08   ☉ ☓       <Job `b`>[[ -> None]] - requires {07}",
    ]


def test_listing_of_a_nested_cycle(capsys):
    """G01: jobs that wait for each other are listed in the order of declaration."""
    a, b = naps("ab")
    a.requires(b)
    b.requires(a)
    scheduler = Scheduler(nap("first"), Scheduler(a, b, nap("c", required=b), label="inner"))

    assert listed(capsys, scheduler) == [
        "01     ⚐   <Job `first`>",
        "02     ⚐   <Scheduler `inner`>",
        "03     ⚐     <Job `a`> - requires {04}",
        "04     ⚐     <Job `b`> - requires {03}",
        "05     ⚐     <Job `c`> - requires {04}",
    ]


def test_listing_from_another_thread_during_a_run(capsys):
    """O08: a listing of a run that goes on in another thread is a snapshot, never an error."""
    loops, seen = queue.SimpleQueue(), asyncio.Event()
    listings, errors = [], []

    async def body():
        for _ in range(5):
            await asyncio.sleep(0)

    async def hold():
        loops.put(asyncio.get_running_loop())
        await seen.wait()

    inner = Scheduler(*(Job(body) for _ in range(100)), window=3)
    scheduler = Scheduler(Job(hold), inner, *(Job(body) for _ in range(200)), window=5)

    def look():
        loop = loops.get(timeout=60)
        try:
            for _ in range(10):
                scheduler.list()
                scheduler.debrief()
                listings.append(scheduler.to_dot())
        except BaseException as error:
            errors.append(error)
        finally:
            loop.call_soon_threadsafe(seen.set)

    thread = threading.Thread(target=look)
    thread.start()
    verdict = scheduler.orchestrate()
    thread.join()

    assert (errors, verdict) == ([], True)
    assert len(listings) == 10
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


# Debriefs


def three_failures():
    """A scheduler in which a non-critical job fails first, then two critical ones at once."""
    return Scheduler(
        boom("early", 0.25),
        nap("fine", 0.25),
        boom("one", 0.5, critical=True),
        boom("two", 0.5, critical=True),
        nap("long", 9),
        label="main",
    )


def test_debrief_tells_verdict_counts_and_critical_failures_first(capsys):
    """F03: the verdict, each job, the counts by state, and every failure, critical ones first."""
    scheduler = three_failures()
    orchestrate(scheduler)

    lines = debriefed(capsys, scheduler)

    assert lines[:8] == [
        "----- main: critical job 'one' failed with BoomError, after 0.500 s",
        "01   ★ ☓   <Job `early`>!! exception => BoomError:boom!!",
        "02   ☉ ☓   <Job `fine`>[[ -> 0.25]]",
        "03 ⚠ ★ ☓   <Job `one`>!! CRIT. EXC. => BoomError:boom!!",
        "04 ⚠ ★ ☓   <Job `two`>!! CRIT. EXC. => BoomError:boom!!",
        "05   ☉ ↺   <Job `long`> CANCELLED",
        "===== 5 jobs: 1 done, 3 failed, 1 cancelled",
        "===== 3 with an exception, 2 of them critical",
    ]
    assert [line for line in lines[8:] if not line.startswith(" ")] == [
        "critical: ⚠ ★ ☓   <Job `one`>!! CRIT. EXC. => BoomError:boom!!",
        "critical: ⚠ ★ ☓   <Job `two`>!! CRIT. EXC. => BoomError:boom!!",
        "non-critical:   ★ ☓   <Job `early`>!! exception => BoomError:boom!!",
    ]


def test_debrief_has_tracebacks_from_the_frame_of_the_user_on(capsys):
    """F01: the first frame of a traceback is the user's."""

    async def outermost():
        await inner()

    async def inner():
        raise BoomError("deep")

    scheduler = Scheduler(Job(outermost))
    orchestrate(scheduler)

    lines = [line.strip() for line in debriefed(capsys, scheduler)]

    start = lines.index("Traceback (most recent call last):")
    frames = [line.rpartition(" in ")[2] for line in lines[start:] if line.startswith("File ")]
    assert frames == ["outermost", "inner"]
    assert lines[-1].endswith("BoomError: deep")


def test_debrief_has_causes_without_own_frames(capsys):
    """F21: what comes through nested runs shows no frame of the library, nor twice a traceback."""

    async def fail():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise BoomError("second") from error

    inner = Scheduler(Job(fail, critical=True), label="inner", critical=True)
    scheduler = Scheduler(Scheduler(inner, label="middle", critical=True), label="outer")
    orchestrate(scheduler)

    text = "\n".join(debriefed(capsys, scheduler))

    assert text.count("BoomError: second") == 1
    assert text.count("KeyError: 'first'") == 1
    assert "flowdeco" + os.sep + "run.py" not in text


def test_debrief_without_the_done_jobs(capsys):
    """`silence_done_jobs` leaves out the lines of jobs that are done; numbers and counts stay."""
    scheduler = three_failures()
    orchestrate(scheduler)

    lines = debriefed(capsys, scheduler, silence_done_jobs=True)

    assert [line[:2] for line in lines[1:5]] == ["01", "03", "04", "05"]
    assert lines[5] == "===== 5 jobs: 1 done, 3 failed, 1 cancelled"


def test_debrief_with_details(capsys):
    """`details` works as in a listing."""
    scheduler = Scheduler(Detailed("a", "more"), label="main", timeout=1)
    orchestrate(scheduler)

    assert debriefed(capsys, scheduler, details=True) == [
        "----- main: 'main' timed out after 1 s, after 1.000 s",
        "01   ☉ ↺   <Detailed `a`> CANCELLED",
        "           more",
        "===== 1 jobs: 1 cancelled",
    ]


def test_debrief_before_and_during_a_run(capsys):
    """Before a run and during one the debrief says so."""
    scheduler = Scheduler(nap("a"), label="main")
    before = debriefed(capsys, scheduler)

    orchestrate(scheduler, observers=[At(0.125, scheduler.debrief)])

    assert before == ["----- main: NOT RUN", "01     ⚐   <Job `a`>", "===== 1 jobs: 1 idle"]
    assert capsys.readouterr().out.splitlines() == [
        "----- main: RUNNING",
        "01   ☉ ↺   <Job `a`>",
        "===== 1 jobs: 1 running",
    ]


def test_debrief_during_a_second_run_says_that_it_runs(capsys):
    """R01: during a second run the debrief is not that of the first."""
    scheduler = Scheduler(nap("a"), label="main")
    orchestrate(scheduler)

    orchestrate(scheduler, observers=[At(0.125, scheduler.debrief)])

    assert capsys.readouterr().out.splitlines()[0] == "----- main: RUNNING"


def test_debrief_has_the_errors_of_shutdown_hooks(capsys):
    """S01: what went wrong in a hook is in the debrief, though it changes no verdict."""

    async def hook():
        raise BoomError("not\nclosed")

    scheduler = Scheduler(nap("a", shutdown=hook), label="main")
    orchestrate(scheduler)

    lines = debriefed(capsys, scheduler)

    assert lines[0] == "----- main: FINE, after 0.250 s"
    assert lines[-1] == r"shutdown of a: BoomError: not\nclosed"


def test_debrief_of_a_hook_whose_error_has_no_text(capsys):
    """F16 S01: an error that cannot be shown does not break the debrief."""

    class Broken(Exception):
        def __str__(self):
            raise RuntimeError

    async def hook():
        raise Broken

    scheduler = Scheduler(nap("a", shutdown=hook), label="main")
    orchestrate(scheduler)

    assert "shutdown of a: Broken" in "\n".join(debriefed(capsys, scheduler))
