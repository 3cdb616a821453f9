"""How the graph of a scheduler is laid out for its runs, and when that is done anew."""

from __future__ import annotations

import pytest
from actors import virtually

from flowdeco import Job, Observer, Scheduler
from flowdeco.errors import CycleError, RequirementError
from flowdeco.jobs.plan import Plan


async def quick():
    pass


def jobs(count):
    return [Job(quick, label=str(number)) for number in range(count)]


def laid_out(*given):
    plan = Plan(dict.fromkeys(given, -1))
    plan.lay_out()
    return plan


def test_each_job_has_a_number_and_knows_who_waits_for_it():
    """Rule 2: those who wait are in the order of declaration."""
    first, second, third, apart = jobs(4)
    second.requires(first)
    third.requires(second, first)

    plan = laid_out(first, second, third, apart)

    assert plan.jobs == [first, second, third, apart]
    assert plan.numbers == {first: 0, second: 1, third: 2, apart: 3}
    assert plan.waiting == [0, 1, 2, 0]
    assert plan.successors == [[1, 2], [2], None, None]
    assert not plan.unordered


def test_jobs_are_laid_out_as_they_come():
    """In the end it is as if all of them had been there at once."""
    first, second, third, fourth = jobs(4)
    second.requires(first)
    fourth.requires(first, third)
    plan = laid_out(first, second)

    plan.add(third)
    plan.add(fourth)
    plan.lay_out()
    plan.lay_out()

    whole = laid_out(first, second, third, fourth)
    assert plan.waiting == whole.waiting == [0, 1, 0, 2]
    assert plan.successors == whole.successors == [[1, 3], None, [3], None]
    assert plan.numbers == whole.numbers


def test_a_job_before_what_it_requires_is_noticed():
    """For then alone there can be a cycle."""
    first, second = jobs(2)
    first.requires(second)

    plan = laid_out(first, second)

    assert plan.unordered
    assert (plan.waiting, plan.successors) == ([1, 0], [None, [0]])


def test_what_requires_a_stranger_leaves_no_plan():
    """It would wait for ever."""
    first, stranger = jobs(2)
    first.requires(stranger)
    plan = Plan({first: -1})

    with pytest.raises(KeyError):
        plan.lay_out()

    assert plan.is_outdated


def test_a_plan_is_kept_from_run_to_run():
    """It is made anew only where the graph has changed; what is added is added to it."""
    first, second, third = jobs(3)
    scheduler = Scheduler(first, second)
    plan = scheduler.__flow_plan__

    for _ in range(2):
        assert virtually(scheduler)
        assert scheduler.__flow_plan__ is plan
    scheduler.add(third)
    assert virtually(scheduler)
    assert scheduler.__flow_plan__ is plan

    second.requires(first)
    assert virtually(scheduler)
    assert scheduler.__flow_plan__ is not plan


class Starts(Observer):
    """The labels of the jobs, in the order in which they start."""

    def __init__(self):
        self.labels = []

    def job_started(self, job):
        self.labels.append(job.label)


def run_of(scheduler):
    starts = Starts()
    assert scheduler.orchestrate(observers=[starts])
    return starts.labels


@pytest.mark.parametrize("first_run", [False, True])
def test_a_graph_that_changes_is_laid_out_anew(first_run):
    """After new requirements, after less of them, after a removal, and after jobs that are new."""
    a, b, c = jobs(3)
    scheduler = Scheduler(a, b, c)

    def check(*expected):
        if first_run:
            assert run_of(scheduler) == list(expected)
        assert list(map(str, expected)) == run_of(scheduler)

    check("0", "1", "2")
    a.requires(c)
    check("1", "2", "0")
    b.requires(a)
    check("2", "0", "1")
    b.requires(a, remove=True)
    check("1", "2", "0")
    a.requires(c, remove=True)
    scheduler.remove(c)
    check("0", "1")
    scheduler.add(c).requires(b)
    a.requires(c)
    check("1", "2", "0")


def test_a_requirement_may_come_into_the_scheduler_later():
    """R03 G07: it is asked for when a run begins, whatever was there when the job was added."""
    first, second, third = jobs(3)
    second.requires(first)
    scheduler = Scheduler(second)
    with pytest.raises(RequirementError):
        scheduler.orchestrate()

    scheduler.update([third, first])

    assert run_of(scheduler) == ["2", "0", "1"]


def test_a_cycle_is_found_each_time():
    """Rule 1: also at the second try, and by whatever edge it was made."""
    first, second = jobs(2)
    scheduler = Scheduler(first >> second)
    assert scheduler.orchestrate()
    first.requires(second)

    for _ in range(2):
        with pytest.raises(CycleError):
            scheduler.orchestrate()

    first.requires(second, remove=True)
    assert scheduler.orchestrate()


def test_a_job_added_twice_is_there_once():
    """A scheduler is a set."""
    first, second = jobs(2)
    scheduler = Scheduler(first, first, second)

    scheduler.add(first)
    scheduler.update([second, first])

    assert len(scheduler) == 2
    assert run_of(scheduler) == ["0", "1"]
