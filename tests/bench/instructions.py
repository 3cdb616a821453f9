"""Count the instructions of the processor that a job takes, whatever else the machine does.

    python -m tests.bench.instructions [CONTENDER ...] [--shapes chain layers] [--bodies noop]
    python -m tests.bench.instructions --features [--shapes apart] [--bodies noop yield]

The second table compares with the floor, or with plain jobs, and says what is to be reached.

It needs valgrind. Each figure is the difference between a graph and one of five times its size,
divided by the difference in jobs, so that what a process takes to start does not count. It says
less than the time does: an instruction that waits for memory counts as any other. The collector is
off: when it comes depends on all that was made before, and so differs with each change elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from .bodies import BODIES
from .contenders import CONTENDERS, FLOOR, load
from .environments import ROOT
from .features import FEATURES, PLAIN
from .measure import WARM
from .shapes import SHAPES
from .tables import table
from .targets import OWN

SIZE = 1_000
"""The jobs of the smaller graph."""

TIMES = 5
"""How many times as large the other one is: objects find each other in tables by their addresses,
which makes a difference of some per cent between two small graphs.
"""

GOALS = {
    (3, 11): {
        ("chain", "noop"): (0.90, 1.2),
        ("layers", "noop"): (1.08, 1.5),
        ("apart", "noop"): (0.93, 1.2),
        ("chain", "yield"): (0.95, 1.2),
        ("layers", "yield"): (1.08, 1.4),
        ("apart", "yield"): (1.02, 1.2),
    },
    (3, 13): {
        ("chain", "noop"): (0.55, 0.90),
        ("layers", "noop"): (0.75, 1.20),
        ("apart", "noop"): (0.65, 1.00),
        ("chain", "yield"): (0.75, 0.95),
        ("layers", "yield"): (0.95, 1.25),
        ("apart", "yield"): (0.75, 1.00),
    },
}
"""How many times as much as the floor a job of a scheduler may cost: to run, to build and run."""


async def perform(name: str, shape: str, kind: str, size: int, part: str) -> None:
    """Build a graph, and run it if `part` says so."""
    contender = FEATURES[name] if name in FEATURES else load(name)
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


class Cost(NamedTuple):
    """The instructions that a job takes."""

    build: float
    both: float

    @property
    def run(self) -> float:
        return self.both - self.build


def each(name: str, shape: str, kind: str) -> Cost:
    """Return what a job takes."""
    cases = [(size, part) for part in ("build", "both") for size in (SIZE, TIMES * SIZE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = list(pool.map(lambda case: counted(name, shape, kind, *case), cases))
    more = (TIMES - 1) * SIZE
    return Cost(*((counts[at + 1] - counts[at]) / more for at in (0, 2)))


def judged(found: float, most: float | None) -> str:
    """Return a ratio, with what is to be reached."""
    if most is None:
        return f"{found:.2f}"
    return f"{found:.2f}, {'met' if found <= most else 'MISSED'}: at most {most:.2f}"


def over_floor(costs: Mapping[tuple[str, str, str], Cost]) -> Iterator[list[str]]:
    """Yield a row for each graph that was counted with the floor as well."""
    goals = GOALS.get(sys.version_info[:2], {})
    for (name, shape, kind), cost in costs.items():
        floor = costs.get((FLOOR, shape, kind))
        if name == FLOOR or floor is None:
            continue
        run, both = goals.get((shape, kind), (None, None)) if name == OWN else (None, None)
        row = [judged(cost.run / floor.run, run), judged(cost.both / floor.both, both)]
        yield [f"{_title(name)}, {shape}, {kind}", *row]


def over_plain(costs: Mapping[tuple[str, str, str], Cost]) -> Iterator[list[str]]:
    """Yield a row for each feature."""
    for (name, shape, kind), cost in costs.items():
        if name == PLAIN:
            continue
        plain, feature = costs[PLAIN, shape, kind], FEATURES[name]
        most = feature.most.get(kind)
        yield [
            f"{name}, {shape}, {kind}",
            judged(cost.run / plain.run, None if feature.with_build else most),
            judged(cost.both / plain.both, most if feature.with_build else None),
        ]


def _title(name: str) -> str:
    return name if name in FEATURES else CONTENDERS[name].title


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
    parser.add_argument("--features", action="store_true", help="what features cost")
    given = parser.parse_args()
    names = list(FEATURES) if given.features else given.contenders
    cases = list(itertools.product(names, given.shapes, given.bodies))
    costs = {case: each(*case) for case in cases}
    rows = [
        [f"{_title(name)}, {shape}, {kind}", *(f"{one:,.0f}" for one in (c.build, c.run, c.both))]
        for (name, shape, kind), c in costs.items()
    ]
    print(table(["instructions a job", "build", "run alone", "both"], rows))
    if given.features:
        print(table(["over a plain job", "run alone", "both"], over_plain(costs)))
    else:
        print(table(["over the floor", "run alone", "both"], over_floor(costs)))


if __name__ == "__main__":
    main()
