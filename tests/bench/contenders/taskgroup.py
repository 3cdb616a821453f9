"""`graphlib.TopologicalSorter` as its documentation shows it, with tasks of a `TaskGroup`."""

from __future__ import annotations

import asyncio
import graphlib


async def build(requirements, bodies):
    sorter = graphlib.TopologicalSorter()
    for job, required in enumerate(requirements):
        sorter.add(job, *required)
    return sorter, bodies


async def run(built):
    sorter, bodies = built
    finished = asyncio.Queue()

    async def perform(job):
        await bodies[job]()
        finished.put_nowait(job)

    sorter.prepare()
    async with asyncio.TaskGroup() as group:
        while sorter.is_active():
            for job in sorter.get_ready():
                group.create_task(perform(job))
            sorter.done(await finished.get())
