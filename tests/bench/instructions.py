"""Count the instructions of the processor that a job takes, whatever else the machine does.

    python -m tests.bench.instructions [CONTENDER ...] [--shapes chain layers] [--bodies noop]

It needs valgrind. Each figure is the difference between a graph and one of twice its size, divided
by the number of jobs, so that what a process takes to start does not count. It says less than the
time does: an instruction that waits for memory counts as any other. The collector is off: when it
comes depends on all that was made before, and so differs with each change elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from .bodies import BODIES
from .contenders import CONTENDERS, load
from .environments import ROOT
from .measure import WARM
from .shapes import SHAPES
from .tables import table

SIZE = 1_000
"""The jobs of the smaller graph."""


async def perform(name: str, shape: str, kind: str, size: int, part: str) -> None:
    """Build a graph, and run it if `part` says so."""
    contender = load(name)
    built = await contender.build(SHAPES[shape].requirements(size), BODIES[kind](size))
    if part == "both":
        await contender.run(built)


def once(name: str, shape: str, kind: str, size: int, part: str) -> None:
    """Do it in an event loop, warm."""
    gc.disable()
    for so_many in (WARM, WARM, size):
        asyncio.run(perform(name, shape, kind, so_many, "both" if so_many == WARM else part))


def counted(name: str, shape: str, kind: str, size: int, part: str) -> int:
    """Return the instructions of a process that does it."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    python = [sys.executable, "-m", "tests.bench.instructions", "--once"]
    ended = subprocess.run(
        [*valgrind, *python, name, shape, kind, str(size), part],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Collected : (\d+)", ended.stderr)
    assert found is not None, ended.stderr
    return int(found[1])


def each(name: str, shape: str, kind: str) -> list[str]:
    """Return a row: what building a job takes, running it alone, and both."""
    cases = [(size, part) for part in ("build", "both") for size in (SIZE, 2 * SIZE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = list(pool.map(lambda case: counted(name, shape, kind, *case), cases))
    build, both = ((counts[at + 1] - counts[at]) / SIZE for at in (0, 2))
    figures = (build, both - build, both)
    return [f"{CONTENDERS[name].title}, {shape}, {kind}", *(f"{one:,.0f}" for one in figures)]


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["--once"]:
        name, shape, kind, size, part = sys.argv[2:]
        once(name, shape, kind, int(size), part)
        return
    parser = argparse.ArgumentParser(prog="python -m tests.bench.instructions", description=__doc__)
    parser.add_argument("contenders", nargs="*", default=["floor", "scheduler"])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["chain", "layers", "apart"])
    parser.add_argument("--bodies", nargs="+", choices=BODIES, default=["noop"])
    given = parser.parse_args()
    rows = [
        each(name, shape, kind)
        for shape in given.shapes
        for kind in given.bodies
        for name in given.contenders
    ]
    print(table(["instructions a job", "build", "run alone", "both"], rows))


if __name__ == "__main__":
    main()
