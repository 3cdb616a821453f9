"""What users of asynciojobs rely on: looking around in a graph, and cutting parts out of it."""

from __future__ import annotations

import pytest
from jobs import duration, labels, nap, naps, noting, orchestrate

from flowdeco import Job, Scheduler
from flowdeco.errors import BusyError
from flowdeco.surgery import (
    bypass_and_remove,
    keep_only,
    keep_only_between,
    predecessors,
    successors,
)


def downstream(scheduler, job):
    return sorted(labels(successors(scheduler, job, closure=True)))


def upstream(scheduler, job):
    return sorted(labels(predecessors(scheduler, job, closure=True)))


def diamonds(count):
    """Diamonds in a row, the end of one being the start of the next, of the jobs a, b, c..."""
    jobs = naps("abcdefghij"[: 3 * count + 1])
    for start in range(0, 3 * count, 3):
        first, left, right, last = jobs[start : start + 4]
        left.requires(first)
        right.requires(first)
        last.requires(left, right)
    return Scheduler(*jobs), jobs


def test_bypass_in_a_line():
    """What came after a bypassed job comes after what that job required."""
    a, b, c, d, e = jobs = naps("abcde")
    scheduler = Scheduler(*jobs)
    e.requires(d.requires(c.requires(b.requires(a))))
    assert downstream(scheduler, a) == ["b", "c", "d", "e"]
    assert upstream(scheduler, e) == ["a", "b", "c", "d"]

    bypass_and_remove(scheduler, c)

    assert scheduler.sanitize() is True
    assert c not in scheduler
    assert labels(d.required) == ["b"]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 1.0


def test_bypass_of_a_job_that_requires_two():
    """All that the bypassed job required is passed on."""
    a, b, c, d, e = jobs = naps("abcde")
    scheduler = Scheduler(*jobs)
    e.requires(d.requires(c.requires(a), b.requires(a)))
    assert downstream(scheduler, b) == downstream(scheduler, c) == ["d", "e"]
    assert upstream(scheduler, d) == ["a", "b", "c"]

    bypass_and_remove(scheduler, d)

    assert scheduler.sanitize() is True
    assert labels(e.required) == ["c", "b"]
    assert downstream(scheduler, a) == ["b", "c", "e"]
    assert upstream(scheduler, e) == ["a", "b", "c"]


def test_bypass_in_diamonds():
    """Joints, starts and ends of a graph can be bypassed, one after the other."""
    scheduler, (a, b, c, d, e, f, g) = diamonds(2)
    assert [downstream(scheduler, job) for job in (a, d, g)] == [list("bcdefg"), list("efg"), []]
    assert [upstream(scheduler, job) for job in (a, d, g)] == [[], list("abc"), list("abcdef")]

    bypass_and_remove(scheduler, d)
    assert scheduler.sanitize() is True
    assert [labels(job.required) for job in (e, f)] == [["b", "c"], ["b", "c"]]
    assert downstream(scheduler, a) == list("bcefg")
    assert downstream(scheduler, c) == list("efg")
    assert upstream(scheduler, f) == list("abc")
    assert upstream(scheduler, g) == list("abcef")

    bypass_and_remove(scheduler, a)
    assert scheduler.sanitize() is True
    assert [labels(job.required) for job in (b, c)] == [[], []]
    assert upstream(scheduler, g) == list("bcef")

    bypass_and_remove(scheduler, g)
    assert scheduler.sanitize() is True
    assert successors(scheduler, [e, f]) == set()
    assert labels(scheduler) == list("bcef")
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.5


def test_bypass_in_a_chain():
    """What a chain made can be bypassed like any other job."""
    a, b, c, d, e = naps("abcde")
    scheduler = Scheduler(a >> b >> c >> d >> e)

    bypass_and_remove(scheduler, c)

    assert scheduler.sanitize() is True
    assert labels(d.required) == ["b"]
    after = {job.label: "".join(downstream(scheduler, job)) for job in scheduler}
    before = {job.label: "".join(upstream(scheduler, job)) for job in scheduler}
    assert after == {"a": "bde", "b": "de", "d": "e", "e": ""}
    assert before == {"a": "", "b": "a", "d": "ab", "e": "abd"}


def test_keep_what_is_between():
    """Of two diamonds in a row, what lies between the middles of both."""
    scheduler, (_, b, c, _, e, f, _) = diamonds(2)

    keep_only_between(scheduler, starts=[b, c], ends=[e, f])

    assert labels(scheduler) == list("bcdef")
    assert scheduler.sanitize() is True
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


def test_keep_from_a_start():
    """Without ends all that is downstream stays, the start with it."""
    scheduler, jobs = diamonds(2)

    keep_only_between(scheduler, starts=[jobs[3]])

    assert labels(scheduler) == list("defg")
    assert labels(jobs[3].required) == []


def test_keep_after_a_start():
    """The start itself can be left out."""
    scheduler, jobs = diamonds(2)

    keep_only_between(scheduler, starts=[jobs[3]], keep_starts=False)

    assert labels(scheduler) == list("efg")
    assert labels(jobs[4].required) == []


def test_keep_up_to_an_end():
    """Without starts all that is upstream stays, the end with it or without."""
    scheduler, jobs = diamonds(2)
    keep_only_between(scheduler, ends=[jobs[3]])
    assert labels(scheduler) == list("abcd")

    keep_only_between(scheduler, ends=[jobs[3]], keep_ends=False)
    assert labels(scheduler) == list("abc")


def test_keep_between_drops_what_is_beside():
    """A job that leads past the ends is on no way to them."""
    scheduler, (_, b, c, _, e, f, g, *_) = diamonds(3)
    beside = scheduler.add(nap("beside"))
    g.requires(beside.requires(b))

    keep_only_between(scheduler, starts=[b, c], ends=[e, f])

    assert labels(scheduler) == list("bcdef")
    assert beside not in scheduler


def test_keep_between_keeps_all_ways():
    """A second way between starts and ends is kept; the ends can be left out."""
    scheduler, (_, b, c, _, _, _, g, h, i, _) = diamonds(3)
    g.requires(scheduler.add(nap("beside")).requires(b))

    keep_only_between(scheduler, starts=[b, c], ends=[h, i], keep_ends=False)

    assert labels(scheduler) == [*"bcdefg", "beside"]


def test_keep_between_without_a_way():
    """Starts and ends are kept though no way leads from one to the other."""
    scheduler, (a, *_) = diamonds(1)
    alone = scheduler.add(nap("alone"))

    keep_only_between(scheduler, starts=[alone], ends=[a])

    assert labels(scheduler) == ["a", "alone"]


def test_keep_between_of_nothing_changes_nothing():
    """Neither starts nor ends: no restriction."""
    scheduler, _ = diamonds(1)

    keep_only_between(scheduler)

    assert labels(scheduler) == list("abcd")


def test_keep_only_neighbours():
    """The requirements among what is kept stay as they are."""
    scheduler, (a, b, c, d, *_) = diamonds(3)

    keep_only(scheduler, [a, b, c, d])

    assert labels(scheduler) == list("abcd")
    assert labels(successors(scheduler, a)) == ["b", "c"]
    assert labels(predecessors(scheduler, a)) == []
    assert labels(successors(scheduler, b)) == ["d"]
    assert labels(predecessors(scheduler, b)) == ["a"]
    assert labels(successors(scheduler, d)) == []
    assert labels(predecessors(scheduler, d)) == ["b", "c"]


def test_keep_only_what_is_apart():
    """The requirements on what was removed go with it; nothing is put in their place."""
    scheduler, (a, _, _, d, _, _, g, *_) = diamonds(3)

    keep_only(scheduler, iter([g, a, d]))

    assert labels(scheduler) == list("adg")
    assert [labels(job.required) for job in (a, d, g)] == [[], [], []]
    assert scheduler.sanitize() is True


def test_several_starts_in_order():
    """Neighbours of several jobs come in order and each once, as an ordered set."""
    scheduler, (a, b, c, d, e, f, g) = diamonds(2)

    assert labels(successors(scheduler, [d, a])) == ["e", "f", "b", "c"]
    assert labels(predecessors(scheduler, [d, g, d])) == ["b", "c", "e", "f"]
    assert successors(scheduler, a) == {b, c}
    assert successors(scheduler, (job for job in (a, b, c))) == {b, c, d}
    assert predecessors(scheduler, [e, f], closure=True) == {a, b, c, d}
    assert successors(scheduler, []) == set()


def test_cycle_has_a_closure():
    """In a cycle a job is upstream and downstream of itself."""
    a, b = naps("ab")
    scheduler = Scheduler(a >> b)
    a.requires(b)

    assert downstream(scheduler, a) == upstream(scheduler, a) == ["a", "b"]


def test_removed_jobs_are_free():
    """What surgery removed can be given to another scheduler."""
    scheduler, (a, b, *_) = diamonds(1)
    bypass_and_remove(scheduler, b)
    keep_only(scheduler, [])

    assert labels(Scheduler(a, b)) == ["a", "b"]


@pytest.mark.parametrize(
    "operate",
    [
        predecessors,
        lambda scheduler, job: successors(scheduler, [job], closure=True),
        bypass_and_remove,
        lambda scheduler, job: keep_only(scheduler, [job]),
        lambda scheduler, job: keep_only_between(scheduler, starts=[job]),
        lambda scheduler, job: keep_only_between(scheduler, ends=[job]),
    ],
)
def test_strange_job_is_refused(operate):
    """A job of elsewhere is a `KeyError` that names both, and nothing is changed."""
    scheduler = Scheduler(nap("a") >> nap("b"), label="here")

    with pytest.raises(KeyError, match="'strange' is not in 'here'"):
        operate(scheduler, nap("strange"))

    assert labels(scheduler) == ["a", "b"]


def test_no_surgery_during_a_run():
    """A scheduler cannot be cut while it runs, and the run goes on."""
    errors, log = [], []
    scheduler = Scheduler(noting(log, "a") >> noting(log, "b"))
    a, b = scheduler

    async def operate():
        for cut in (lambda: bypass_and_remove(scheduler, b), lambda: keep_only(scheduler, [a])):
            try:
                cut()
            except BusyError as error:
                errors.append(error)

    surgeon = scheduler.add(Job(operate, critical=True))

    assert orchestrate(scheduler) is True
    assert surgeon.raised_exception() is None
    assert len(errors) == 2
    assert log == ["a", "b"]
    assert labels(b.required) == ["a"]
