"""flowdeco, as it is meant: a class with a step for each job, and an instance of it."""

from __future__ import annotations

import types

from flowdeco import Flow, step


def method(body, name):
    """The same function, as if it had been written under that name."""
    made = types.FunctionType(
        body.__code__, body.__globals__, name, body.__defaults__, body.__closure__
    )
    made.__qualname__ = f"Made.{name}"
    return made


def steps(requirements, bodies):
    """What stands in the class."""
    declared = []
    for job, required in enumerate(requirements):
        after = [declared[before] for before in required]  # a list: ordering alone
        declared.append(step(after=after)(method(bodies[job], f"s{job}")))
    return {f"s{job}": declaration for job, declaration in enumerate(declared)}


async def build(requirements, bodies):
    flow = type("Made", (Flow,), steps(requirements, bodies))()
    _ = flow.scheduler  # which is made when it is first asked for
    return flow


async def run(built):
    report = await built.co_run()
    assert report, report
