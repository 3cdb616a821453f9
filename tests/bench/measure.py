"""One measurement, in a process of its own: `python -m tests.bench.measure` with five arguments.

They are the contender, the shape, the kind of body, the size, and `time` or `memory`. It prints
one line of JSON, which `samples.py` reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
import time
import tracemalloc

from .bodies import BODIES, recording
from .contenders import load
from .shapes import SHAPES, is_followed

__all__ = ["main", "ordered"]

WARM = 150
"""The size of the graph that is run first: it has three layers, and warms the code."""

JOBS = 10_000
"""About so many jobs are run in a process: a small graph several times, the least counts."""

ENOUGH = 1.0
"""The seconds after which nothing is run again in the same process."""


async def ordered(contender, requirements, bodies):
    """Build and run once, and return whether all jobs ended in the right order."""
    bodies, ended = recording(bodies)
    async with _around(contender):
        await contender.run(await contender.build(requirements, bodies))
    return is_followed(requirements, ended)


async def clocked(contender, requirements, bodies):
    """Build and run once; return the processor and the wall time of each."""
    async with _around(contender):
        built, *build = await _clocked(contender.build(requirements, bodies))
        _, *run = await _clocked(contender.run(built))
    return {"build": build, "run": run}


async def peak(contender, requirements, bodies):
    """Build and run once; return the bytes that were allocated at most, by `tracemalloc`."""
    async with _around(contender):
        gc.collect()
        tracemalloc.start()
        await contender.run(await contender.build(requirements, bodies))
        return tracemalloc.get_traced_memory()[1]


def _around(contender):
    return getattr(contender, "around", contextlib.nullcontext)()


async def _clocked(work):
    gc.collect()  # of what came before; while the clocks run it works as it does by default
    wall, processor = time.perf_counter(), time.process_time()
    value = await work
    return value, time.process_time() - processor, time.perf_counter() - wall


def sample(name, shape, kind, size, what):
    """Measure, and return what is to be printed."""
    contender = load(name)

    def once(measure, size):
        requirements = SHAPES[shape].requirements(size)
        return asyncio.run(measure(contender, requirements, BODIES[kind](size)))

    if not once(ordered, min(WARM, size)):
        raise RuntimeError(f"{name} does not do all jobs, or not in the right order")
    once(clocked, min(WARM, size))
    if what == "memory":
        return {"peak": once(peak, size)}
    return {"times": list(_repeated(lambda: once(clocked, size), JOBS // size))}


def _repeated(work, times):
    """Do it at least once, and so often if that does not take long."""
    until = time.perf_counter() + ENOUGH
    yield work()
    for _ in range(min(times, 20) - 1):
        if time.perf_counter() > until:
            return
        yield work()


def main(arguments: list[str]) -> None:
    """Print the sample that the arguments ask for."""
    name, shape, kind, size, what = arguments
    print(json.dumps(sample(name, shape, kind, int(size), what)))


if __name__ == "__main__":
    main(sys.argv[1:])
