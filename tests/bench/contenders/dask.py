"""dask.distributed, with one worker in this process, whose event loop performs the jobs."""

from __future__ import annotations

import contextlib

import dask
from distributed import Client, LocalCluster

AT_ONCE = 10_000
"""How many jobs may run at once; a coroutine takes the place of a thread, though it uses none."""

_bodies = []
"""Those of the graph built last: what a job is given is pickled, and bodies share a state."""


@contextlib.asynccontextmanager
async def around():
    async with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=AT_ONCE,
            processes=False,
            asynchronous=True,
            dashboard_address=None,
        ) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        yield client


async def build(requirements, bodies):
    _bodies[:] = bodies
    jobs = []
    for job, required in enumerate(requirements):
        jobs.append(dask.delayed(perform, pure=False)(job, *(jobs[before] for before in required)))
    return jobs


async def perform(job, *_):
    await _bodies[job]()


async def run(built):
    client = Client.current()
    await client.gather(client.compute(built))
