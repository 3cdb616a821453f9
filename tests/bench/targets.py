"""What flowdeco is to reach, beside what it reaches: printed, never asserted."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .samples import Case, Samples
from .tables import beyond_critical_path, figure, label, table

__all__ = ["check", "import_ratio"]

SIZE = 10_000
GRAPHS = ("chain", "fan", "diamonds", "layers", "apart")
PENDING = Case("pending", "baton", SIZE)
SLEEPERS = Case("sleepers", "sleep", 1_000)
LARGE = [
    Case(shape, "noop", size)
    for shape in ("chain", "layers", "apart")
    for size in (100_000, 1_000_000)
]
SIZED = [Case(shape, "noop", SIZE, "memory") for shape in GRAPHS]
OWN = "scheduler"


class Limit(NamedTuple):
    """A bound for the worst of several figures."""

    what: str
    bound: float
    found: dict[str, float | None]
    least: bool = False
    """Whether the bound is for the least of them."""

    def cells(self) -> list[str]:
        """What it is, the bound, and what was seen, with a mark."""
        words = "at least" if self.least else "at most"
        return [self.what, f"{words} {self.bound:g}", self._seen()]

    def _seen(self) -> str:
        found = {name: value for name, value in self.found.items() if value is not None}
        if not found:
            return "not measured"
        name, value = (min if self.least else max)(found.items(), key=lambda item: item[1])
        met = value >= self.bound if self.least else value <= self.bound
        where = f" ({name})" if len(found) > 1 else ""
        return f"{'met' if met else 'MISSED'}: {figure(value)}{where}"


def cases(body: str, size: int = SIZE) -> list[Case]:
    """All graphs, with that kind of body."""
    return [Case(shape, body, size) for shape in GRAPHS]


def import_ratio(samples: Samples, rounds: int = 15) -> float:
    """Return how long `import flowdeco` takes, relative to what it cannot do without."""
    environments = samples.environments
    python = environments.python(OWN)

    def seconds(modules: str) -> float:
        code = f"from time import perf_counter as s; t = s(); import {modules}; print(s() - t)"
        return json.loads(environments.run(python, "-c", code).stdout)

    pairs = [(seconds("flowdeco"), seconds("asyncio, attrs")) for _ in range(rounds + 1)][1:]
    own, base = (statistics.median(column) for column in zip(*pairs, strict=True))
    return own / base


def measure(samples: Samples) -> None:
    """Measure what is needed."""
    timed = [*cases("noop"), *cases("yield"), PENDING]
    everybody = ["floor", OWN, "flow", "taskgroup", "asynciojobs"]
    samples.measure(everybody, [*timed, *cases("noop", 1_000), PENDING._replace(size=1_000)])
    samples.measure(["floor", OWN], [SLEEPERS, *SIZED])
    samples.measure([OWN], LARGE, rounds=1)


def limits(samples: Samples) -> Iterator[Limit]:
    """All targets, with what was seen."""
    eager = tuple(map(int, samples.environments.version.split(".")[:2])) >= (3, 12)

    def each(cases: Iterable[Case], value: Callable[[Case], float | None]):
        return {label(case): value(case) for case in cases}

    for part, body, old, new in [
        ("run", "noop", 1.2, 0.5),
        ("run", "yield", 1.15, 0.9),
        ("both", "noop", 1.6, 0.9),
        ("both", "yield", 1.5, 1.2),
    ]:
        yield Limit(
            f"{'run alone' if part == 'run' else 'build and run'}, {body}, over the floor",
            new if eager else old,
            each(cases(body), lambda case, part=part: samples.ratio(OWN, case, part)),
        )

    everything = [*cases("noop"), *cases("yield"), PENDING]
    yield Limit(
        "build and run, over graphlib with TaskGroup",
        1,
        each(everything, lambda case: samples.ratio(OWN, case, "both", to="taskgroup")),
    )
    for part in ("run", "both"):
        yield Limit(
            f"asynciojobs over it, {'run alone' if part == 'run' else 'build and run'}",
            8 if eager else 4,
            each(
                everything, lambda case, part=part: samples.ratio("asynciojobs", case, part, to=OWN)
            ),
            least=True,
        )
    yield Limit(
        "asynciojobs over it: ratio at 10 000 jobs over that at 1 000, pending",
        1,
        {
            "pending": _quotient(
                *(
                    samples.ratio("asynciojobs", PENDING._replace(size=size), to=OWN)
                    for size in (SIZE, 1_000)
                )
            )
        },
        least=True,
    )
    yield Limit(
        "sleepers, wall time over the critical path",
        1.03,
        {"sleepers": beyond_critical_path(samples, OWN, SLEEPERS)},
    )
    yield Limit(
        "run alone, 1 000 000 jobs over 100 000",
        12,
        {
            label(large): _quotient(samples.seconds(OWN, large), samples.seconds(OWN, small))
            for small, large in zip(LARGE[::2], LARGE[1::2], strict=True)
        },
    )
    yield Limit(
        "bytes a job at the peak, more than the floor",
        600,
        each(
            SIZED,
            lambda case: _difference(
                samples.bytes_each(OWN, case), samples.bytes_each("floor", case)
            ),
        ),
    )
    yield Limit(
        "a Flow over the same Scheduler, run alone",
        1.1,
        each(everything, lambda case: samples.ratio("flow", case, to=OWN)),
    )
    yield Limit("import, over `import asyncio, attrs`", 1.3, {"import": import_ratio(samples)})


def _quotient(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def check(samples: Samples) -> str:
    """Measure on one Python, and lay out what was seen beside what is to be reached."""
    measure(samples)
    rows = [limit.cells() for limit in limits(samples)]
    return table(["", "target", "seen, of several the worst"], rows)
