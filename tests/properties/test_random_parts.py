"""Random parts of random flows, with some of the jobs overridden, against the definition."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from flowdeco import Job, Override, Scheduler, State
from flowdeco.errors import PartError
from flowdeco.jobs.bodies import MethodBody
from flowdeco.testing import VirtualClockLoop


@attrs.frozen
class Plan:
    """What each job requires, takes and is; which part is wanted; which jobs are overridden."""

    required: tuple[tuple[int, ...], ...]
    takes: tuple[bool, ...]
    services: tuple[bool, ...]
    start: tuple[int, ...] | None
    until: tuple[int, ...] | None
    given: frozenset[int]


@st.composite
def plans(draw):
    count = draw(st.integers(1, 7))
    places = st.integers(0, count - 1)
    some = st.none() | st.lists(places, min_size=1, max_size=2, unique=True).map(tuple)
    return Plan(
        required=tuple(
            tuple(sorted(draw(st.sets(st.integers(0, place - 1), max_size=3)))) if place else ()
            for place in range(count)
        ),
        takes=tuple(draw(st.booleans()) for _ in range(count)),
        services=tuple(draw(st.sampled_from([False, False, True])) for _ in range(count)),
        start=draw(some),
        until=draw(some),
        given=draw(st.frozensets(places, max_size=3)),
    )


def reachable(edges, starts):
    """What can be reached, the starts included."""
    found, left = set(starts), list(starts)
    while left:
        for other in edges[left.pop()]:
            if other not in found:
                found.add(other)
                left.append(other)
    return found


def expected(plan):
    """The places of the jobs that run; None where a value is missing, or nothing would run."""
    places = range(len(plan.required))
    taken = {one for place in places if plan.takes[place] for one in plan.required[place]}
    up = {
        place: () if place in plan.given and place in taken else plan.required[place]
        for place in places
    }
    down = {place: [one for one in places if place in plan.required[one]] for place in places}
    kept = set(places)
    if plan.until is not None:
        kept &= reachable(up, plan.until)
    if plan.start is not None:
        kept &= reachable(down, plan.start)
    if not kept or (plan.until is not None and all(plan.services[one] for one in kept)):
        return None
    if plan.start is not None:
        asked = list(kept)
        while asked:
            for one in plan.required[asked.pop()]:
                if plan.services[one] and one not in kept:
                    kept.add(one)
                    if one not in plan.given:
                        asked.append(one)
    for place in sorted(kept):
        if plan.takes[place] and place not in plan.given:
            for one in plan.required[place]:
                if one not in kept and one not in plan.given:
                    return None
                kept.add(one)
    return kept


def jobs_of(plan, ran):
    """Make the jobs; those that run note it."""
    made = []
    for place, required in enumerate(plan.required):
        before = [made[one] for one in required]

        async def method(flow, *values, place=place):
            assert all(one.state is not State.IDLE for one in made[place].__flow_body__.inputs)
            ran.append(place)
            return place

        body = MethodBody(method, plan, f"job{place}")
        body.inputs = before if plan.takes[place] else ()
        made.append(Job(body, required=before, forever=plan.services[place]))
    return made


@given(plans())
def test_a_part_is_what_the_definition_says(plan):
    """Section 2: exactly these jobs run, each after those that it requires, and no other."""
    ran = []
    jobs = jobs_of(plan, ran)
    scheduler = Scheduler(*jobs)
    options = {
        "start": None if plan.start is None else [jobs[place] for place in plan.start],
        "until": None if plan.until is None else [jobs[place] for place in plan.until],
        "overrides": [Override(jobs[place], returns=place) for place in sorted(plan.given)],
    }
    kept = expected(plan)
    if kept is None and not (plan.start is plan.until is None):
        try:
            scheduler.orchestrate(loop_factory=VirtualClockLoop, **options)
        except PartError:
            assert ran == []
            return
        raise AssertionError("it has run")
    assert scheduler.orchestrate(loop_factory=VirtualClockLoop, **options)
    kept = set(range(len(jobs))) if kept is None else kept
    left_out = {place for place, record in enumerate(records(scheduler, jobs)) if record.left_out}
    assert left_out == set(range(len(jobs))) - kept
    assert len(ran) == len(set(ran))
    steps = {place for place in kept if not plan.services[place]}
    assert steps - plan.given <= set(ran) <= kept - plan.given
    for place in ran:
        for one in plan.required[place]:
            if one in ran:
                assert ran.index(one) < ran.index(place)


def records(scheduler, jobs):
    """The records of the report, in the order of the jobs."""
    by_path = {record.path: record for record in scheduler.report.jobs}
    return [by_path[job.name] for job in jobs]
