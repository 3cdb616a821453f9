"""Schedulers as sets of jobs: adding, removing, and to whom jobs belong."""

from __future__ import annotations

import asyncio
import gc

import pytest
from jobs import Starts, duration, labels, nap, naps, orchestrate, sleeping

from flowdeco import Job, Scheduler, step
from flowdeco.errors import BusyError, NestingError, OwnershipError


def test_add_returns_the_job():
    """`add` returns the job, so that it can be named where it is added."""
    scheduler = Scheduler()
    a = nap("a")

    assert scheduler.add(a) is a
    assert list(scheduler) == [a]


def test_update_and_remove_return_the_scheduler():
    """`update` and `remove` return the scheduler, so that calls can be chained."""
    scheduler = Scheduler()
    a, b, c = naps("abc")

    assert scheduler.update(job for job in (a, b >> c)) is scheduler
    assert scheduler.remove(b) is scheduler
    assert list(scheduler) == [a, c]


def test_set():
    """A scheduler has a length, knows its members, and iterates in the order of insertion."""
    jobs = [nap(number) for number in (3, 1, 4, 1, 5, 9)]
    scheduler = Scheduler(*jobs[:3]).update(jobs[3:])
    scheduler.add(jobs[0])

    assert len(scheduler) == 6
    assert jobs[5] in scheduler
    assert nap(9) not in scheduler
    assert "9" not in scheduler
    assert list(scheduler) == jobs


def test_order_after_a_removal():
    """A job that is removed and added again comes last."""
    a, b, c = naps("abc")
    scheduler = Scheduler(a, b, c)
    scheduler.remove(a).add(a)

    assert labels(scheduler) == ["b", "c", "a"]


def test_order_of_starts():
    """Jobs that are ready together start in the order of insertion, every time."""
    starts = Starts()
    scheduler = Scheduler(*naps(range(20)))
    orchestrate(scheduler, observers=[starts])

    assert starts.labels == list(range(20))


def test_scheduler_is_true():
    """A scheduler is true, though it may be empty."""
    assert bool(Scheduler()) is True
    assert len(Scheduler()) == 0


def test_iteration_while_changing():
    """Iterating goes through the jobs as they were when it began."""
    scheduler = Scheduler(*naps("abc"))
    for job in scheduler:
        scheduler.remove(job)

    assert len(scheduler) == 0


def test_chains_bring_all_their_jobs():
    """A chain given to a scheduler brings its members, each once."""
    a, b, c, d = naps("abcd")
    whole = a >> [b, c] >> d

    assert labels(Scheduler(whole, a)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, r"a scheduler takes jobs and chains of them, not 3 \(int\)"),
        (False, r"a scheduler takes jobs and chains of them, not False \(bool\)"),
        ("a", r"not '?a'? \(str\)"),
        (sleeping, "a scheduler takes jobs"),
    ],
)
def test_only_jobs_are_added(wrong, message):
    """What is neither job nor chain is refused by constructor, `add` and `update`."""
    scheduler = Scheduler()
    with pytest.raises(TypeError, match=message):
        Scheduler(wrong)
    with pytest.raises(TypeError, match=message):
        scheduler.add(wrong)
    with pytest.raises(TypeError, match=message):
        scheduler.update([nap("a"), wrong])


def test_no_job_among_jobs():
    """None among jobs adds nothing, as it requires nothing: optional jobs need no `if`."""
    a, b = naps("ab")
    scheduler = Scheduler(None, a, None)
    scheduler.update([None, b])

    assert scheduler.add(None) is None
    assert labels(scheduler) == ["a", "b"]


def test_coroutines_are_not_added():
    """A bare coroutine is refused with the line to write, and closed."""
    with pytest.raises(TypeError, match=r"not the coroutine sleeping; write Job\(\.\.\.\)"):
        Scheduler(sleeping(1))


def test_removing_a_stranger():
    """To remove what is not there is a `KeyError` that names both."""
    with pytest.raises(KeyError, match="'a' is not in 'main'"):
        Scheduler(label="main").remove(nap("a"))


def test_removing_keeps_requirements():
    """Requirements on a removed job stay until `sanitize` removes them."""
    a, b = naps("ab")
    scheduler = Scheduler(a >> b).remove(a)

    assert labels(b.required) == ["a"]
    assert scheduler.sanitize() is False
    assert labels(b.required) == []


# Ownership


def test_job_in_two_schedulers():
    """R03: a job is in one living scheduler at most; the error names all three."""
    a = nap("a")
    first = Scheduler(a, label="first")
    second = Scheduler(label="second")

    with pytest.raises(OwnershipError, match="'a' cannot be added to 'second': it is in 'first'"):
        second.add(a)

    assert a not in second
    assert labels(first) == ["a"]
    assert first.add(a) is a


def test_job_moves_after_a_removal():
    """A job that was removed may go to another scheduler."""
    a = nap("a")
    first = Scheduler(a)
    first.remove(a)

    assert a in Scheduler(a)


def test_job_moves_after_the_death_of_its_scheduler():
    """A job whose scheduler is gone may go to another, even after a run."""
    a = nap("a")
    first = Scheduler(a)
    orchestrate(first)
    del first
    gc.collect()

    second = Scheduler(a)
    assert orchestrate(second) is True
    assert a.result() == 0.25


def test_nested_scheduler_in_two_schedulers():
    """R03: schedulers are owned like other jobs."""
    inner = Scheduler(label="inner")
    outer = Scheduler(inner, label="outer")

    with pytest.raises(OwnershipError, match=r"'inner'.*'outer'"):
        Scheduler(inner)
    assert list(outer) == [inner]


def test_scheduler_in_itself():
    """A scheduler cannot be added to itself."""
    scheduler = Scheduler(label="main")

    with pytest.raises(NestingError, match="'main' cannot be added to itself"):
        scheduler.add(scheduler)


def test_schedulers_in_a_circle():
    """Schedulers that would be inside each other are refused when the second is added."""
    first, second, third = (Scheduler(label=name) for name in ("first", "second", "third"))
    first.add(second)
    second.add(third)

    with pytest.raises(NestingError, match="'first' cannot be added to 'third', which is inside"):
        third.add(first)
    assert first.rain_check()


# Edits during a run


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s, job: s.add(nap("new")), "cannot add a job to 'main' while it is running"),
        (lambda s, job: s.update([nap("new")]), "cannot add a job to 'main'"),
        (lambda s, job: s.remove(job), "cannot remove a job from 'main'"),
        (lambda s, job: s.sanitize(), "cannot sanitize 'main'"),
        (lambda s, job: job.requires(nap("x")), "cannot change the requirements of 'job'"),
        (lambda s, job: job.requires(nap("x"), remove=True), "cannot change the requirements"),
        (lambda s, job: nap("x") >> job, "cannot change the requirements of 'job'"),
    ],
)
def test_no_edit_during_a_run(edit, message):
    """R07: what would change a scheduler that is running is a `BusyError`, and the run goes on."""
    caught = []
    job = nap("job")
    scheduler = Scheduler(job, label="main")

    async def editing():
        with pytest.raises(BusyError, match=message) as error:
            edit(scheduler, job)
        caught.append(error)

    scheduler.add(Job(editing, critical=True))

    assert orchestrate(scheduler) is True
    assert len(caught) == 1
    assert len(scheduler) == 2
    edit(scheduler, job)


def test_no_edit_of_a_nested_scheduler_during_a_run():
    """A nested scheduler cannot be changed either while it runs."""
    inner = Scheduler(nap("a", 1.0), label="inner")
    outer = Scheduler(inner)

    async def editing():
        await asyncio.sleep(0.5)
        inner.add(nap("new"))

    editor = outer.add(Job(editing))
    assert orchestrate(outer) is True
    assert isinstance(editor.raised_exception(), BusyError)


def test_second_run_while_running():
    """A scheduler that runs cannot be run a second time; the first run is not disturbed."""
    caught = []
    scheduler = Scheduler(nap("a"), label="main")

    async def again():
        with pytest.raises(BusyError, match="cannot run 'main' while it is running") as error:
            await scheduler.co_orchestrate()
        caught.append(error)

    scheduler.add(Job(again, critical=True))

    assert orchestrate(scheduler) is True
    assert len(caught) == 1
    assert duration(scheduler) == 0.25


def test_a_chain_of_what_is_no_job_is_refused_as_a_whole():
    """A chain of declarations belongs into a flow class."""

    async def body(self):
        pass

    scheduler = Scheduler()

    with pytest.raises(TypeError, match="takes jobs and chains of them, not"):
        scheduler.add(step(body) >> step(body))

    assert len(scheduler) == 0
