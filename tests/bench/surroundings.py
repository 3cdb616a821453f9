"""What surrounds a run: building, defining, listing, drawing, telling.

`python -m tests.bench.surroundings` prints, as JSON, for each the seconds of processor time for
two sizes, of which the second is twice the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import time

from .bodies import BODIES
from .contenders import floor, load
from .shapes import layers

__all__ = ["main"]


def _spent(use, made):
    gc.collect()
    begun = time.process_time()
    use(made)
    return time.process_time() - begun


def _listed(scheduler):
    with contextlib.redirect_stdout(io.StringIO()):
        scheduler.list()


def _ran(scheduler):
    asyncio.run(scheduler.co_orchestrate())
    return scheduler.report


def _graph(size):
    return layers(size), BODIES["noop"](size)


def measured():
    """Measure each, for two sizes."""
    flow, scheduler = load("flow"), load("scheduler")

    def built(size):
        return asyncio.run(scheduler.build(*_graph(size)))

    def defined(size):
        return type("Made", (flow.Flow,), flow.steps(*_graph(size)))

    kinds = {
        "floor": (100_000, _graph, lambda graph: asyncio.run(floor.build(*graph))),
        "a scheduler of jobs": (
            100_000,
            _graph,
            lambda graph: asyncio.run(scheduler.build(*graph)),
        ),
        "a flow class of steps": (1_000, int, defined),
        "its instance, with its jobs": (1_000, defined, lambda cls: cls().scheduler),
        "`list()`": (20_000, built, _listed),
        "`to_dot()`": (20_000, built, lambda made: made.to_dot()),
        "`str(report)`": (20_000, lambda size: _ran(built(size)), str),
    }
    return {
        name: [[large // 2, large], [_spent(use, make(size)) for size in (large // 2, large)]]
        for name, (large, make, use) in kinds.items()
    }


def main() -> None:
    """Print it."""
    measured_once = measured()  # the first warms the code
    again = measured()
    for name, (_, seconds) in again.items():
        seconds[:] = map(min, seconds, measured_once[name][1])
    print(json.dumps(again))


if __name__ == "__main__":
    main()
