"""Chains of jobs: what `>>` makes, and what can be done with it."""

from __future__ import annotations

import gc
import time

import pytest
from jobs import duration, labels, nap, naps, noting, orchestrate

from flowdeco import Chain, Flow, Scheduler, step
from flowdeco.errors import BusyError


def required(*jobs):
    return ["".join(labels(job.required)) for job in jobs]


def ends(chain):
    return "".join(labels(chain.heads)), "".join(labels(chain.tails))


def test_chain_of_two():
    """`a >> b` makes b come after a, and is a chain of both."""
    a, b = naps("ab")

    chain = a >> b

    assert isinstance(chain, Chain)
    assert required(a, b) == ["", "a"]
    assert ends(chain) == ("a", "b")
    assert list(chain) == [a, b]


def test_chain_as_a_call():
    """`Chain(a, [b, c], d)` is `a >> [b, c] >> d`."""
    a, b, c, d = naps("abcd")

    chain = Chain(a, [b, c], d)

    assert required(a, b, c, d) == ["", "a", "a", "bc"]
    assert ends(chain) == ("a", "d")
    assert labels(chain) == ["a", "b", "c", "d"]


def test_list_on_the_right():
    """All jobs of a list come after what stands before it, and not after each other."""
    a, b, c = naps("abc")

    chain = a >> [b, c]

    assert required(a, b, c) == ["", "a", "a"]
    assert ends(chain) == ("a", "bc")


def test_list_on_the_left():
    """What stands behind a list comes after all jobs of it."""
    a, b, c = naps("abc")

    chain = [a, b] >> c

    assert required(a, b, c) == ["", "", "ab"]
    assert ends(chain) == ("ab", "c")


def test_tuples_are_like_lists():
    """A stage may be a tuple, on either side."""
    a, b, c, d, e = naps("abcde")

    assert ends((a, b) >> c >> (d, e)) == ("ab", "de")
    assert required(c, d, e) == ["ab", "c", "c"]


def test_list_behind_a_list():
    """`Chain([a, b]) >> [c, d]` makes each of the second list come after all of the first."""
    a, b, c, d = naps("abcd")

    chain = Chain([a, b]) >> [c, d]

    assert required(a, b, c, d) == ["", "", "ab", "ab"]
    assert ends(chain) == ("ab", "cd")


def test_chains_in_a_list():
    """A list may hold chains: they run in parallel."""
    a, b, c, d, e, f = naps("abcdef")

    chain = a >> [b >> c, d >> e] >> f

    assert required(a, b, c, d, e, f) == ["", "a", "b", "a", "d", "ce"]
    assert labels(chain) == list("abcdef")
    assert orchestrate(Scheduler(chain)) is True


def test_chain_of_chains():
    """Chains are chained by their ends, whichever way the parentheses are."""
    a, b, c, d = naps("abcd")
    e, f, g, h = naps("efgh")

    left = ((a >> b) >> c) >> d
    right = e >> (f >> (g >> h))

    assert required(a, b, c, d) == ["", "a", "b", "c"]
    assert required(e, f, g, h) == ["", "e", "f", "g"]
    assert ends(left) == ("a", "d")
    assert ends(right) == ("e", "h")
    assert labels(left >> right) == list("abcdefgh")
    assert required(e) == ["d"]


def test_empty_stage():
    """A stage without members counts as if it were not there."""
    a, b, c = naps("abc")

    chain = a >> [] >> b >> Chain() >> () >> c

    assert required(a, b, c) == ["", "a", "b"]
    assert ends(chain) == ("a", "c")


def test_empty_stages_at_the_ends():
    """Empty stages at the start or the end change nothing."""
    a, b = naps("ab")

    assert ends([] >> a >> b >> []) == ("a", "b")
    assert required(a, b) == ["", "a"]


def test_empty_chain():
    """A chain of nothing has no members, no ends, and may be used all the same."""
    empty = Chain()
    a = nap("a", required=empty)

    assert list(empty) == []
    assert ends(empty) == ("", "")
    assert required(a) == [""]
    assert list(Scheduler(empty)) == []
    assert empty.requires(a) is empty
    assert repr(Chain([], Chain())) == "<Chain of 0>"


def test_list_of_empty_chains():
    """A list that holds nothing but empty chains is an empty stage."""
    a, b = naps("ab")

    assert ends(a >> [Chain(), Chain()] >> b) == ("a", "b")
    assert required(b) == ["a"]


def test_job_that_comes_twice():
    """A job that is in several branches is one member of the chain."""
    a, b, c, d = naps("abcd")

    chain = a >> [b >> d, c >> d]

    assert labels(chain) == ["a", "b", "d", "c"]
    assert ends(chain) == ("a", "d")
    assert required(d) == ["bc"]


def test_chain_behind_itself():
    """A job behind itself is refused where it is written."""
    a = nap("a")

    with pytest.raises(ValueError, match="'a' cannot require itself"):
        a >> a


def test_chain_requires():
    """`chain.requires(x)` makes its first jobs come after x, and returns the chain."""
    a, b, c, d, x, y, z = naps("abcdxyz")
    chain = [a, b] >> c >> d

    assert chain.requires(x, [y, z]) is chain

    assert required(a, b, c, d) == ["xyz", "xyz", "ab", "c"]
    assert list(chain) == [a, b, c, d]


def test_jobs_and_declarations_do_not_mix():
    """Neither can come after the other, whichever stands first."""

    class Declared(Flow):
        @step
        async def work(self): ...

    job = nap("a")
    with pytest.raises(TypeError, match=r"a declaration and .* is not: they cannot be chained"):
        job >> Declared.work
    with pytest.raises(TypeError, match="a requirement is a job"):
        Declared.work >> job


def test_chain_requires_a_chain():
    """A chain stands for its last jobs where it is required."""
    a, b, c, d = naps("abcd")

    (c >> d).requires(a >> b)

    assert required(c) == ["b"]


def test_job_requires_a_chain():
    """A job that requires a chain comes after its last jobs, in any collection."""
    a, b, c = naps("abc")
    chain = a >> [b, c]

    assert required(nap("x", required=chain)) == ["bc"]
    assert required(nap("y").requires([{chain}])) == ["bc"]


def test_schedulers_are_chained_like_jobs():
    """A nested scheduler is a member of a chain like any other job."""
    inner = Scheduler(nap("x"), label="inner")
    a, b = naps("ab")
    scheduler = Scheduler(a >> inner >> b)

    assert required(inner, b) == ["a", "inner"]
    assert orchestrate(scheduler) is True
    assert duration(scheduler) == 0.75


@pytest.mark.parametrize("wrong", [3, None, "b", {"b"}, 1.5, print])
def test_wrong_operand(wrong):
    """`>>` with anything else is Python's own `TypeError`, on either side."""
    a, b = naps("ab")

    with pytest.raises(TypeError, match="unsupported operand"):
        a >> wrong
    with pytest.raises(TypeError, match="unsupported operand"):
        wrong >> a
    with pytest.raises(TypeError, match="unsupported operand"):
        (a >> b) >> wrong


@pytest.mark.parametrize("wrong", [3, None, "b", ["nested"]])
def test_wrong_member_of_a_list(wrong):
    """A list with anything but jobs and chains in it is refused, and says what it found."""
    a, b = naps("ab")

    with pytest.raises(TypeError, match="a chain is made of jobs"):
        a >> [b, wrong]
    assert required(b) == [""]


@pytest.mark.parametrize(
    "stages", [lambda a, b: (a, None, b), lambda a, b: (None, a, [b]), lambda a, b: (a, b, None)]
)
def test_no_job_at_a_stage(stages):
    """None among the stages of a chain counts as if it was not there, as in `requires`."""
    a, b = naps("ab")
    chain = Chain(*stages(a, b), None)

    assert list(chain) == [a, b]
    assert (chain.heads, chain.tails) == ((a,), (b,))
    assert required(b) == ["a"]
    assert labels(Scheduler(chain)) == ["a", "b"]
    assert list(Chain(None)) == []


@pytest.mark.parametrize("wrong", [3, "b"])
def test_chain_requires_what_is_no_job(wrong):
    """`chain.requires` refuses what is neither job nor chain."""
    with pytest.raises(TypeError, match="a chain is made of jobs"):
        Chain(nap("a")).requires(wrong)


def test_chain_is_short_in_text():
    """The text of a chain tells its length and not its members."""
    assert repr(nap("a") >> naps("bc")) == "<Chain of 3>"


def test_chain_during_a_run():
    """A chain changes requirements, so it cannot be made of jobs that are running."""
    refused = []
    a, b = naps("ab")

    async def chaining():
        try:
            b >> a
        except BusyError as error:
            refused.append(str(error))

    scheduler = Scheduler(a, b, label="main")
    scheduler.add(nap("other")).body = chaining
    orchestrate(scheduler)

    assert refused == ["cannot change the requirements of 'a' while 'main' is running"]


LENGTH = 10_000


def test_long_chain():
    """A chain of 10 000 jobs is made, listed and run without recursion, in linear time."""
    log = []
    chain = Chain()
    for number in range(LENGTH):
        chain = chain >> noting(log, number)

    assert len(list(chain)) == LENGTH
    assert [len(job.required) for job in chain] == [0] + [1] * (LENGTH - 1)
    assert orchestrate(Scheduler(chain)) is True
    assert log == list(range(LENGTH))


def test_long_chain_from_the_right():
    """The same holds for `a >> (b >> (c >> ...))`."""
    chain = Chain()
    for number in reversed(range(LENGTH)):
        chain = nap(number) >> chain

    assert [job.label for job in chain] == list(range(LENGTH))
    assert len(Scheduler(chain)) == LENGTH


def test_long_chains_take_linear_time():
    """Eight times as many jobs take about eight times as long to chain."""

    def seconds(count):
        jobs = naps(range(count))
        gc.collect()
        start = time.process_time()
        chain = Chain()
        for job in jobs:
            chain = chain >> job
        list(chain)
        return time.process_time() - start

    short, long = (min(seconds(count) for _ in range(3)) for count in (2_000, 16_000))

    assert long < 8 * short * 3
