"""A bare task for each job, whose done callback counts down and starts; no feature at all."""

from __future__ import annotations

import asyncio
import functools


async def build(requirements, bodies):
    successors = [[] for _ in requirements]
    for job, required in enumerate(requirements):
        for before in required:
            successors[before].append(job)
    return [len(required) for required in requirements], successors, bodies


async def run(built):
    counts, successors, bodies = built
    waiting = list(counts)
    loop = asyncio.get_running_loop()
    finished = loop.create_future()
    left = len(bodies)

    def start(job):
        loop.create_task(bodies[job]()).add_done_callback(functools.partial(ended, job))

    def ended(job, _):
        nonlocal left
        left -= 1
        if not left:
            finished.set_result(None)
        for after in successors[job]:
            waiting[after] -= 1
            if not waiting[after]:
                start(after)

    for job, count in enumerate(counts):
        if not count:
            start(job)
    await finished
