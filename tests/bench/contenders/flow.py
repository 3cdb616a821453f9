"""flowdeco, as it is meant: a class with a step for each job, and an instance of it."""

from __future__ import annotations

from flowdeco import Flow, step


def steps(requirements, bodies):
    """What stands in the class."""
    declared = []
    for required, body in zip(requirements, bodies, strict=True):
        after = [declared[before] for before in required]  # a list: ordering alone
        declared.append(step(after=after)(body))
    return {f"s{job}": declaration for job, declaration in enumerate(declared)}


async def build(requirements, bodies):
    flow = type("Made", (Flow,), steps(requirements, bodies))()
    _ = flow.scheduler  # which is made when it is first asked for
    return flow


async def run(built):
    report = await built.co_run()
    assert report, report
