"""Requirements of jobs: how they are given, changed, and refused."""

from __future__ import annotations

import pytest
from jobs import labels, nap, naps, orchestrate, sleeping

from flowdeco import Chain, Job, Scheduler
from flowdeco.errors import BusyError


def test_requires_returns_the_job():
    """`requires` returns its job, so that calls nest."""
    a, b, c = naps("abc")

    assert c.requires(b.requires(a)) is c
    assert [labels(job.required) for job in (a, b, c)] == [[], ["a"], ["b"]]


def test_requires_adds_up():
    """Requirements add up, each once, in the order in which they were said."""
    a, b, c, d = naps("abcd")
    d.requires(b).requires(c, a).requires(b)

    assert labels(d.required) == ["b", "c", "a"]
    assert d.required == {a, b, c}
    assert len(d.required) == 3
    assert a in d.required


@pytest.mark.parametrize(
    ("give", "expected"),
    [
        pytest.param(lambda a, b, c: (), "", id="nothing"),
        pytest.param(lambda a, b, c: (None, [None, (None,)], []), "", id="None"),
        pytest.param(lambda a, b, c: (a, [b, [c]]), "abc", id="lists"),
        pytest.param(lambda a, b, c: ((a, (b,)), None, c), "abc", id="tuples"),
        pytest.param(lambda a, b, c: ({a}, frozenset({b})), "ab", id="sets"),
        pytest.param(lambda a, b, c: ((job for job in (a, b, c)),), "abc", id="generator"),
        pytest.param(lambda a, b, c: (map(lambda *jobs: jobs, (a, b)),), "ab", id="map"),
        pytest.param(lambda a, b, c: ({a: 1, b: 2}, {1: c}.values()), "abc", id="mappings"),
        pytest.param(lambda a, b, c: (a >> b,), "b", id="chain"),
        pytest.param(lambda a, b, c: ([a >> [b, c], None],), "bc", id="chain in a list"),
        pytest.param(lambda a, b, c: (Chain(), b), "b", id="empty chain"),
    ],
)
def test_requires_accepts(give, expected):
    """G27: jobs, chains, None and nested collections of them are requirements."""
    job = nap("job").requires(*give(*naps("abc")))

    assert "".join(labels(job.required)) == expected


def test_a_requirement_that_stands_twice():
    """It is there once, for whoever asks, and the job runs when it has ended."""
    a = Job(lambda: sleeping(1), label="a")
    job = Job(lambda: sleeping(1), label="job", required=[a, a])
    scheduler = Scheduler(a, job)

    assert labels(job.required) == ["a"]
    assert scheduler.requirements() == {a: [], job: [a]}
    assert orchestrate(scheduler)
    assert scheduler.report.jobs[1].requirements == ("a",)
    assert job.started_at == a.ended_at


def test_requires_a_deep_nesting():
    """Collections may be nested ten thousand deep."""
    nested = nap("a")
    for _ in range(10_000):
        nested = [nested]

    assert labels(nap("b").requires(nested).required) == ["a"]


def test_requires_a_scheduler():
    """A scheduler is one requirement: it is a job, not a collection of them."""
    inner = Scheduler(*naps("ab"), label="inner")

    assert labels(nap("job").requires(inner).required) == ["inner"]


def test_remove_requirements():
    """With `remove=True` requirements are forgotten; those that are not there do not matter."""
    a, b, c, d = naps("abcd")
    d.requires(a, b, c)

    assert d.requires([a, (b,)], nap("x"), None, remove=True) is d
    assert labels(d.required) == ["c"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("a", "a requirement is a job, not its name 'a'"),
        (b"a", "a requirement is a job, not its name b'a'"),
        (["a"], "not its name 'a'"),
        (3, r"a requirement is a job or a chain, not 3 \(int\)"),
        (sleeping, r"make one with Job\(\.\.\.\)"),
        (lambda: None, r"make one with Job\(\.\.\.\)"),
    ],
)
@pytest.mark.parametrize("remove", [False, True])
def test_wrong_requirements(wrong, message, remove):
    """G22: what is neither job nor chain is refused, and nothing is changed: strings above all."""
    a, b = naps("ab")
    b.requires(a)

    with pytest.raises(TypeError, match=message):
        b.requires([nap("c"), wrong], remove=remove)
    with pytest.raises(TypeError, match=message):
        nap("d", required=wrong)

    assert labels(b.required) == ["a"]


def test_requirement_on_itself():
    """G04: a job that would require itself is refused, and nothing is changed."""
    a, b = naps("ab")

    with pytest.raises(ValueError, match="'a' cannot require itself"):
        a.requires(b, [a])

    assert labels(a.required) == []


def test_requirements_change_between_runs_only():
    """R07: during a run the requirements of its jobs cannot be changed."""
    errors = []
    a, b = naps("ab")
    scheduler = Scheduler(a, b, label="main")

    async def change():
        for options in ({}, {"remove": True}):
            try:
                b.requires(a, **options)
            except BusyError as error:
                errors.append(str(error))

    scheduler.add(Job(change))

    assert orchestrate(scheduler) is True
    assert errors == ["cannot change the requirements of 'b' while 'main' is running"] * 2
    assert labels(b.requires(a).required) == ["a"]
