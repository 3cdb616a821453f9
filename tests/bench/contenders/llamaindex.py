"""LlamaIndex workflows: one step performs the jobs, another counts what they require.

A workflow has no edges between steps but the types of events, which would need a class and a step
for each job; this is how its own documentation has many of the same kind.
"""

from __future__ import annotations

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Ready(Event):
    job: int


class Done(Event):
    job: int


async def build(requirements, bodies):
    successors = [[] for _ in requirements]
    for job, required in enumerate(requirements):
        for before in required:
            successors[before].append(job)
    waiting = [len(required) for required in requirements]
    left = len(requirements)

    class Graph(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> Ready | None:
            for job in [job for job, count in enumerate(waiting) if not count]:
                ctx.send_event(Ready(job=job))

        @step(num_workers=len(requirements))
        async def perform(self, ev: Ready) -> Done:
            await bodies[ev.job]()
            return Done(job=ev.job)

        @step(num_workers=1)
        async def collect(self, ctx: Context, ev: Done) -> Ready | StopEvent | None:
            nonlocal left
            left -= 1
            if not left:
                return StopEvent()
            for job in successors[ev.job]:
                waiting[job] -= 1
                if not waiting[job]:
                    ctx.send_event(Ready(job=job))
            return None

    return Graph(timeout=None)


async def run(built):
    await built.run()
