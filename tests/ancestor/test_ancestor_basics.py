"""What users of asynciojobs rely on: jobs, requirements, sequences, deadlines, windows."""

from __future__ import annotations

import pytest
from jobs import (
    BoomError,
    Nap,
    Ticker,
    boom,
    diamond,
    duration,
    failing,
    labels,
    nap,
    naps,
    orchestrate,
    sleeping,
    ticking,
)

from flowdeco import Chain, Job, PrintJob, Scheduler, State


def required(*jobs):
    return [labels(job.required) for job in jobs]


def test_empty_scheduler_succeeds(capsys):
    """A scheduler without jobs runs, takes no time, and lists nothing."""
    scheduler = Scheduler()

    scheduler.list()
    scheduler.list(details=True)

    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.0
    assert capsys.readouterr().out == ""


def test_jobs_run_as_their_requirements_allow():
    """Each job starts at the moment when the last of what it requires ends."""
    a, b, c = Nap(0.25), Nap(0.5), Nap(0.75)
    d = Nap(1.0, required=(a, b, c))
    e = Nap(1.25, required=d)
    f = Job(sleeping(1.5), required=d)
    g = Job(sleeping(1.75))
    g.requires(e)
    g.requires(f)
    scheduler = Scheduler(a, b, c, d, e, f, g)

    assert scheduler.rain_check() is True
    assert orchestrate(scheduler) is True

    assert [job.started_at for job in scheduler] == [0.0, 0.0, 0.0, 0.75, 1.75, 1.75, 3.25]
    assert [job.result() for job in scheduler] == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert [job.raised_exception() for job in scheduler] == [None] * 7
    assert duration(scheduler) == 5.0


def test_debrief_of_a_success(capsys):
    """After a run `debrief` lists all jobs, or without the done ones, and their count."""
    scheduler = Scheduler(nap("a") >> nap("b"), Ticker(0.1, label="t"))
    orchestrate(scheduler)

    scheduler.debrief()
    full = capsys.readouterr().out
    scheduler.debrief(silence_done_jobs=True)
    short = capsys.readouterr().out

    assert full.splitlines() == [
        "----- NOLABEL: FINE, after 0.500 s",
        "01   ☉ ☓   <Job `a`>[[ -> 0.25]]",
        "02   ☉ ☓   <Job `b`>[[ -> 0.25]] - requires {01}",
        "03   ☉ ↺ ∞ <Ticker `t`>",
        "===== 3 jobs: 2 done, 1 cancelled",
    ]
    assert short.splitlines() == [full.splitlines()[line] for line in (0, 3, 4)]


def test_forever_job_does_not_prolong_a_run():
    """A run ends with its last step, and what runs forever is stopped then."""
    first, second, ticker = Nap(1.0), Nap(1.5), Ticker(0.75)
    second.requires(first)
    scheduler = Scheduler(first, second, ticker)

    assert orchestrate(scheduler) is True

    assert duration(scheduler) == 2.5
    assert ticker.ticks == [0.0, 0.75, 1.5, 2.25]
    assert ticker.state is State.CANCELLED


def test_forever_job_made_of_a_coroutine():
    """`forever=True` is for a coroutine as well; a job stopped in time is not done."""
    ticks = []
    finite = Job(sleeping(0.5), label="finite")
    forever = Job(ticking(ticks, 0.125), forever=True, label="forever")

    assert orchestrate(Scheduler(finite, forever)) is True

    assert finite.is_done()
    assert not forever.is_done()
    assert ticks == [0.0, 0.125, 0.25, 0.375, 0.5]


def test_timeout_in_the_middle_of_a_sequence():
    """At its deadline a run fails: what ran is stopped, and what comes after it never starts."""
    jobs = a, b, c = Nap(0.5), Nap(0.625), Nap(0.75)
    b.requires(a)
    c.requires(b)
    scheduler = Scheduler(*jobs, timeout=1)

    assert orchestrate(scheduler) is False

    assert duration(scheduler) == 1.0
    assert [job.state for job in jobs] == [State.DONE, State.CANCELLED, State.IDLE]
    assert scheduler.failed_timeout()
    assert not scheduler.failed_critical()
    assert scheduler.why() == "the run timed out after 1 s"


def test_timeout_of_parallel_jobs():
    """Jobs that ended before the deadline keep their results."""
    a, b, c = Job(sleeping(1)), Job(sleeping(2)), Job(sleeping(10))
    scheduler = Scheduler(a, b, c, timeout=3)

    assert orchestrate(scheduler) is False

    assert [a.result(), b.result()] == [1, 2]
    assert [job.is_done() for job in (a, b, c)] == [True, True, False]
    assert duration(scheduler) == 3.0


def test_exception_that_is_not_critical(capsys):
    """A job that is not critical may fail: the run goes on and succeeds, and says what failed."""
    step = Nap(1.0)
    broken = Job(failing(0.5), label="not critical", critical=False)
    scheduler = Scheduler(step, broken)

    assert orchestrate(scheduler) is True
    scheduler.debrief()

    assert duration(scheduler) == 1.0
    assert isinstance(broken.raised_exception(), BoomError)
    shown = capsys.readouterr().out
    assert "===== 1 with an exception, 0 of them critical\nnon-critical: " in shown
    assert "BoomError: boom" in shown


def test_exception_that_is_critical(capsys):
    """The failure of a critical job ends the run at once."""
    step = Nap(1.0)
    broken = Job(failing(0.5), label="critical", critical=True)
    scheduler = Scheduler(step, broken)

    assert orchestrate(scheduler) is False
    scheduler.debrief()

    assert duration(scheduler) == 0.5
    assert step.state is State.CANCELLED
    assert scheduler.failed_critical()
    assert scheduler.why() == "critical job 'critical' failed with BoomError"
    assert "===== 1 with an exception, 1 of them critical\ncritical: " in capsys.readouterr().out


def test_jobs_after_a_failure_run():
    """What requires a job that failed, and was not critical, starts when it has failed."""
    broken, after = boom("broken", 0.5), nap("after")
    scheduler = Scheduler(broken >> after)

    assert orchestrate(scheduler) is True

    assert after.started_at == 0.5
    assert after.is_done()


# Sequences


def test_sequence():
    """A chain runs one job after the other."""
    a, b, c = naps("abc")
    scheduler = Scheduler(a >> b >> c)

    assert required(a, b, c) == [[], ["a"], ["b"]]
    assert labels(scheduler) == ["a", "b", "c"]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


def test_sequence_that_requires_a_job():
    """A chain may come after a job: its first job does."""
    a, b, c = naps("abc")
    chain = (b >> c).requires(a)
    scheduler = Scheduler(a, chain)

    assert required(a, b, c) == [[], ["a"], ["b"]]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


def test_job_that_requires_a_sequence():
    """A job may come after a chain: after its last job."""
    a, b = naps("ab")
    chain = a >> b
    c = nap("c", required=chain)
    scheduler = Scheduler().update((chain, c))

    assert required(a, b, c) == [[], ["a"], ["b"]]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


def test_sequence_of_sequences():
    """Chains are chained like jobs."""
    a, b, c, d = naps("abcd")
    scheduler = Scheduler((a >> b) >> (c >> d))

    assert required(a, b, c, d) == [[], ["a"], ["b"], ["c"]]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 1.0


def test_sequences_that_require_sequences():
    """A chain may come after another: its first job after the other's last one."""
    a, b, c, d, e, f = naps("abcdef")
    first = a >> b
    second = (c >> d).requires(first)
    third = (e >> f).requires(second)
    scheduler = Scheduler(first, second, third)

    assert required(a, b, c, d, e, f) == [[], ["a"], ["b"], ["c"], ["d"], ["e"]]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 1.5


def test_sequence_added_later():
    """`add` takes a chain as it takes a job, and returns it."""
    scheduler = Scheduler()
    chain = Chain(*naps("abc"))

    assert scheduler.add(chain) is chain
    assert labels(scheduler) == ["a", "b", "c"]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


def test_sequence_made_longer():
    """A longer chain is a new one; adding it adds what is not there yet."""
    a, b, c, d = nap("a", 1.0), nap("b", 2.0), nap("c", 3.0), nap("d", 0.5)
    scheduler = Scheduler(a >> b)
    scheduler.add(c).requires(b)
    scheduler.add(Chain(b, d))

    assert labels(scheduler) == ["a", "b", "c", "d"]
    assert required(a, b, c, d) == [[], ["a"], ["b"], ["b"]]
    assert scheduler.rain_check() is True
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 6.0


@pytest.mark.parametrize(
    ("give", "expected"),
    [
        (lambda a, b, c, d, e: None, []),
        (lambda a, b, c, d, e: (None,), []),
        (lambda a, b, c, d, e: [None], []),
        (lambda a, b, c, d, e: a, ["a"]),
        (lambda a, b, c, d, e: (a,), ["a"]),
        (lambda a, b, c, d, e: [a], ["a"]),
        (lambda a, b, c, d, e: (a, b), ["a", "b"]),
        (lambda a, b, c, d, e: [a, b], ["a", "b"]),
        (lambda a, b, c, d, e: [a, (b,), {c: 1, d: 2}.keys(), [[[[[e]]]]]], list("abcde")),
    ],
)
def test_forms_of_required(give, expected):
    """`required` is a job, None, or any nesting of collections of these."""
    job = nap("job", required=give(*naps("abcde")))

    assert expected == labels(job.required)


def test_sequence_that_requires_two_jobs():
    """`chain.requires` takes several jobs at once; only the first job of the chain waits."""
    a, b, c, d, e = naps("abcde")
    chain = c >> d >> e

    assert chain.requires([a, b]) is chain
    assert required(a, b, c, d, e) == [[], [], ["a", "b"], ["c"], ["d"]]


# Windows


@pytest.mark.parametrize(("window", "expected"), [(3, 1.25), (None, 0.25), (15, 0.25), (1, 3.75)])
def test_window_bounds_how_many_run_at_once(window, expected):
    """With a window of 3, fifteen jobs take as long as five in a row."""
    jobs = [PrintJob("working", sleep=0.25) for _ in range(15)]
    scheduler = Scheduler(*jobs, window=window)

    assert orchestrate(scheduler) is True

    assert expected == duration(scheduler)


def test_window_is_filled_in_order():
    """Places are given in the order of declaration; who waits for one is scheduled."""
    seen = []
    jobs = naps("abc")
    watcher = Job(lambda: sleeping(0.125), label="watcher")
    scheduler = Scheduler(*jobs, watcher, window=2)

    async def look():
        seen.append([job.state for job in (*jobs, watcher)])

    scheduler.add(Job(look, forever=True))
    orchestrate(scheduler)

    assert seen == [[State.RUNNING, State.RUNNING, State.SCHEDULED, State.SCHEDULED]]
    assert [job.started_at for job in (*jobs, watcher)] == [0.0, 0.0, 0.25, 0.25]


# Listings


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("forever", [False, True])
def test_marks_of_every_state(critical, forever, capsys):
    """A line of a listing has four marks: critical, started or raised, progress, forever."""
    options = {"critical": critical, "forever": forever}
    jobs = {
        "done": Job(lambda: sleeping(0, "ok"), label="done", **options),
        "running": nap("running", 9, **options),
        "raised": boom("raised", 1, **options),
        "idle": nap("idle", **options),
    }
    if not forever:
        jobs["idle"].requires(jobs["running"])
    scheduler = Scheduler(*jobs.values())
    if forever:
        jobs["idle"].requires(scheduler.add(nap("before", 9)))
    scheduler.add(Job(lambda: sleeping(1.5), critical=False))
    # A critical failure ends the run, so that the listing is that of the end.
    orchestrate(scheduler, timeout=1.25)

    scheduler.list()

    lines = {line.split("`")[1]: line[3:] for line in capsys.readouterr().out.splitlines()}
    first, last = "⚠" if critical else " ", "∞" if forever else " "
    stopped = "" if forever else " CANCELLED"
    title = "CRIT. EXC." if critical else "exception"
    assert f"{first} ☉ ☓ {last} <Job `done`>[[ -> ok]]" == lines["done"]
    assert f"{first} ☉ ↺ {last} <Job `running`>{stopped}" == lines["running"]
    assert f"{first} ★ ☓ {last} <Job `raised`>!! {title} => BoomError:boom!!" == lines["raised"]
    assert lines["idle"].startswith(f"{first}   ⚐ {last} <Job `idle`> - requires {{")


def test_marks_of_jobs_that_wait_and_run(capsys):
    """During a run a listing shows what runs, what waits for a place, and what has not begun."""
    running, waiting, idle = naps(["running", "waiting", "idle"])
    idle.requires(running)
    scheduler = Scheduler(running, waiting, idle, window=1)

    async def show():
        scheduler.list()

    scheduler.add(Job(show, forever=True, label="show"))
    orchestrate(scheduler)

    assert capsys.readouterr().out.splitlines() == [
        "01   ☉ ↺   <Job `running`>",
        "02     ⚑   <Job `waiting`>",
        "03     ⚐   <Job `idle`> - requires {01}",
        "04   ☉ ↺ ∞ <Job `show`>",
    ]


def test_iterate_over_nested_jobs():
    """`iterate_jobs` goes through all levels, with the schedulers if it is asked for them."""
    scheduler = Scheduler(nap("1") >> diamond(1.0, "2") >> diamond(1.0, "3") >> nap("4"))

    jobs = list(scheduler.iterate_jobs())
    everything = list(scheduler.iterate_jobs(scan_schedulers=True))

    assert labels(jobs) == [
        "1",
        *("top2", "left2", "right2", "bottom2"),
        *("top3", "left3", "right3", "bottom3"),
        "4",
    ]
    assert len(everything) == 13
    assert everything[0] is scheduler
