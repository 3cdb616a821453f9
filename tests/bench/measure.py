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

from .bodies import BODIES
from .contenders import load
from .shapes import SHAPES

__all__ = ["clocked", "main"]

WARM = 60
"""The size of the graph that is run first, so that code is warm and lazy imports are done."""

JOBS = 10_000
"""About so many jobs are run in a process: a small graph several times, the least counts."""


async def clocked(contender, requirements, bodies):
    """Build and run once; return the processor and the wall time of each."""
    async with getattr(contender, "around", contextlib.nullcontext)():
        built, *build = await _clocked(contender.build(requirements, bodies))
        _, *run = await _clocked(contender.run(built))
    return {"build": build, "run": run}


async def _clocked(work):
    gc.collect()  # of what came before; while the clocks run it works as it does by default
    wall, processor = time.perf_counter(), time.process_time()
    value = await work
    return value, time.process_time() - processor, time.perf_counter() - wall


async def peak(contender, requirements, bodies):
    """Build and run once; return the bytes that were allocated at most, by `tracemalloc`."""
    async with getattr(contender, "around", contextlib.nullcontext)():
        gc.collect()
        tracemalloc.start()
        await contender.run(await contender.build(requirements, bodies))
        return tracemalloc.get_traced_memory()[1]


def sample(name, shape, kind, size, what):
    """Measure, and return what is to be printed."""
    contender = load(name)
    made = SHAPES[shape].requirements(size)

    def once(measure, requirements):
        return asyncio.run(measure(contender, requirements, BODIES[kind](len(requirements))))

    try:
        once(clocked, SHAPES[shape].requirements(min(WARM, size)))
        if what == "memory":
            return {"peak": once(peak, made)}
        repeats = max(1, min(20, JOBS // size)) if kind != "sleep" else 1
        return {"times": [once(clocked, made) for _ in range(repeats)]}
    except NotImplementedError as error:
        return {"cannot": str(error)}


def main(arguments: list[str]) -> None:
    """Print the sample that the arguments ask for."""
    name, shape, kind, size, what = arguments
    print(json.dumps(sample(name, shape, kind, int(size), what)))


if __name__ == "__main__":
    main(sys.argv[1:])
