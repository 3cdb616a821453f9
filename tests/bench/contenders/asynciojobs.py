"""asynciojobs, the ancestor."""

from __future__ import annotations

from asynciojobs import Job, Scheduler


async def build(requirements, bodies):
    jobs = []
    for required, body in zip(requirements, bodies, strict=True):
        jobs.append(Job(body(), required=[jobs[before] for before in required]))
    return Scheduler(*jobs)


async def run(built):
    assert await built.co_run(), built.why()
