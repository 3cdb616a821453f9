"""The part of `docs/speed.md` that is measured, for one Python."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from .contenders import CONTENDERS
from .samples import Case, Samples
from .shapes import SHAPES
from .tables import (
    beyond_critical_path,
    by_contender,
    circumstances,
    figure,
    growth,
    named,
    table,
)
from .targets import import_ratio

__all__ = ["LIGHT", "page"]

LIGHT = ["floor", "scheduler", "flow", "taskgroup", "asynciojobs"]
GRAPHS = ["chain", "fan", "diamonds", "layers", "apart"]
TEN_THOUSAND = [
    *(Case(shape, body, 10_000) for shape in GRAPHS for body in ("noop", "yield")),
    Case("pending", "baton", 10_000),
]
PEERS = [
    Case(shape, SHAPES[shape].bodies[0], size)
    for size in (100, 1_000)
    for shape in [*GRAPHS, "pending"]
]
SLEEPERS = Case("sleepers", "sleep", 1_000)
SIZED = [Case(shape, "noop", 10_000, "memory") for shape in GRAPHS]
SERIES = {
    shape: [Case(shape, "noop", size) for size in (1_000, 10_000, 100_000)]
    for shape in ("chain", "layers", "apart")
}


def page(samples: Samples, peers: Sequence[str] = LIGHT) -> str:
    """Measure, and lay out the tables under a heading.

    Args:
        samples: where to measure.
        peers: who is measured with small graphs; some of them take long.
    """
    samples.measure(LIGHT, [*TEN_THOUSAND, *SIZED])
    samples.measure(peers, [*PEERS, SLEEPERS], rounds=min(2, samples.rounds))
    grown = [case for series in SERIES.values() for case in series if case not in TEN_THOUSAND]
    samples.measure(LIGHT[:-1], grown, rounds=min(2, samples.rounds))

    def timed(part):
        def cell(contender: str, case: Case) -> str | None:
            seconds = samples.seconds(contender, case, part)
            if seconds is None:
                return None
            spent = figure(seconds / case.size * 1e6)
            ratio = samples.ratio(contender, case, part)
            return spent if contender == "floor" else f"{spent} ({ratio:.2f})"

        return cell

    return "\n".join(
        [
            f"## Python {samples.environments.version.rpartition('.')[0]}\n",
            circumstances(samples, peers),
            "Microseconds a job, run alone, and in brackets relative to the floor:\n",
            by_contender(samples, LIGHT, TEN_THOUSAND, timed("run")),
            "The same, build and run:\n",
            by_contender(samples, LIGHT, TEN_THOUSAND, timed("both")),
            "Bytes a job at the peak, build and run:\n",
            by_contender(samples, LIGHT, SIZED, samples.bytes_each),
            "Small graphs, microseconds a job, run alone; sleepers, over the critical path:\n",
            by_peer(samples, peers),
            "Exponent with which the time of build and run grows (1 is linear):\n",
            growths(samples),
            "What surrounds a run:\n",
            surroundings(samples),
            f"`import flowdeco`, over `import asyncio, attrs`: {import_ratio(samples):.2f}.\n",
        ]
    )


def by_peer(samples: Samples, peers: Sequence[str]) -> str:
    """A line for each peer: there are more of them than of shapes."""
    head = ["", *(f"{case.shape} {named(case.size)}" for case in PEERS), "sleepers"]
    rows = []
    for name in peers:
        cells = []
        for case in PEERS:
            seconds = samples.seconds(name, case)
            missing = samples.why_missing(name, case) or "-"
            cells.append(missing if seconds is None else figure(seconds / case.size * 1e6))
        sleepers = beyond_critical_path(samples, name, SLEEPERS)
        cells.append("-" if sleepers is None else f"{sleepers:.3f}")
        rows.append([CONTENDERS[name].title, *cells])
    return table(head, rows)


def growths(samples: Samples) -> str:
    """A line for each shape and tenfold growth."""
    rows = []
    for shape, series in SERIES.items():
        for small, large in itertools.pairwise(series):
            found = [growth(samples, name, small, large, "both") for name in LIGHT[:-1]]
            cells = ["-" if value is None else f"{value:.2f}" for value in found]
            rows.append([f"{shape}, {named(small.size)} to {named(large.size)}", *cells])
    return table(["", *(CONTENDERS[name].title for name in LIGHT[:-1])], rows)


def surroundings(samples: Samples) -> str:
    """A line for each thing that is done before and after a run."""
    environments = samples.environments
    rounds = [
        json.loads(
            environments.run(environments.python("flow"), "-m", "tests.bench.surroundings").stdout
        )
        for _ in range(samples.rounds)
    ]
    least = {
        name: [
            min(found[name][1][place] for found in rounds) / size
            for place, size in enumerate(sizes)
        ]
        for name, (sizes, _) in rounds[0].items()
    }
    floor = least["floor"][1]
    rows = [
        [
            f"{name}, {named(rounds[0][name][0][1])}",
            figure(large * 1e6),
            figure(large / floor),
            f"{2 * large / small:.2f}",
        ]
        for name, (small, large) in least.items()
    ]
    return table(
        ["", "microseconds a job", "over building the floor", "time for twice as many"], rows
    )
