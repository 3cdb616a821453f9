"""What flowdeco is to reach, beside what it reaches: printed, never asserted."""

from __future__ import annotations

import json
import operator
import statistics
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .samples import Case, Samples
from .tables import beyond_critical_path, figure, label, table

__all__ = ["check", "import_ratio"]

OWN = "scheduler"
EVERYBODY = ["floor", OWN, "flow", "taskgroup", "asynciojobs"]

GRAPHS = ("chain", "fan", "diamonds", "layers", "apart")
SIZE, FEWER = 10_000, 1_000
PENDING = Case("pending", "baton", SIZE)
FEWER_PENDING = PENDING._replace(size=FEWER)
SLEEPERS = Case("sleepers", "sleep", FEWER)
LARGEST = [Case(shape, "noop", 1_000_000) for shape in ("chain", "layers", "apart")]
TENTHS = [case._replace(size=case.size // 10) for case in LARGEST]
SIZED = [Case(shape, "noop", SIZE, "memory") for shape in GRAPHS]


def cases(body: str) -> list[Case]:
    """All graphs, with that kind of body."""
    return [Case(shape, body, SIZE) for shape in GRAPHS]


EVERYTHING = [*cases("noop"), *cases("yield"), PENDING]


class Limit(NamedTuple):
    """A bound for the worst of several figures."""

    what: str
    bound: float
    found: dict[str, float | None]
    least: bool = False
    """Whether the bound is for the least of them."""

    def cells(self) -> list[str]:
        """What it is, the bound, whether it is met, and what was seen, the worst first."""
        words = "at least" if self.least else "at most"
        seen = [(value, name) for name, value in self.found.items() if value is not None]
        seen.sort(reverse=not self.least)
        listed = "; ".join(f"{name} {figure(value)}" for value, name in seen)
        return [f"{self.what}: {words} {self.bound:g}", self._mark(seen), listed]

    def _mark(self, seen: list[tuple[float, str]]) -> str:
        if not seen:
            return "not measured"
        worst = seen[0][0]
        met = worst >= self.bound if self.least else worst <= self.bound
        return f"{'met' if met else 'MISSED'}, {figure(worst)}"


def check(samples: Samples) -> str:
    """Measure on one Python, and lay out what was seen beside what is to be reached."""
    samples.measure(EVERYBODY, [*EVERYTHING, FEWER_PENDING])
    samples.measure(["floor", OWN], [SLEEPERS, *SIZED])
    samples.measure([OWN], [*TENTHS, *LARGEST], rounds=min(2, samples.rounds))
    limits = [*over_floor(samples), *over_others(samples), *of_its_own(samples)]
    return table(["", "worst", "seen"], [limit.cells() for limit in limits])


def over_floor(samples: Samples) -> Iterator[Limit]:
    """How much more than the floor it may take; bodies can start at once from 3.12 on."""
    eager = _version(samples) >= (3, 12)
    for part, body, old, new in [
        ("run", "noop", 1.2, 0.5),
        ("run", "yield", 1.15, 0.9),
        ("both", "noop", 1.6, 0.9),
        ("both", "yield", 1.5, 1.2),
    ]:
        found = _each(cases(body), lambda case, part=part: samples.ratio(OWN, case, part))
        yield Limit(f"{PARTS[part]}, {body}, over the floor", new if eager else old, found)
    more = _each(
        SIZED,
        lambda case: _both(operator.sub, *(samples.bytes_each(c, case) for c in (OWN, "floor"))),
    )
    yield Limit("bytes a job at the peak, more than the floor", 480, more)


def over_others(samples: Samples) -> Iterator[Limit]:
    """How it compares with what one writes by hand, and with the ancestor."""
    found = _each(EVERYTHING, lambda case: samples.ratio(OWN, case, "both", to="taskgroup"))
    yield Limit("build and run, over graphlib with TaskGroup", 1, found)
    times = 8 if _version(samples) >= (3, 12) else 4
    for part, words in PARTS.items():
        found = _each(EVERYTHING, lambda case, part=part: _ancestor(samples, case, part))
        yield Limit(f"asynciojobs over it, {words}", times, found, least=True)
    more = _both(operator.truediv, *(_ancestor(samples, c) for c in (PENDING, FEWER_PENDING)))
    found = {PENDING.shape: more}
    yield Limit("the same, 10 000 jobs over 1 000 jobs", 1, found, least=True)


def of_its_own(samples: Samples) -> Iterator[Limit]:
    """What else it has to keep to."""
    sleepers = {SLEEPERS.shape: beyond_critical_path(samples, OWN, SLEEPERS)}
    yield Limit("wall time over the critical path", 1.03, sleepers)
    grown = {
        label(large): _both(operator.truediv, *(samples.seconds(OWN, c) for c in (large, tenth)))
        for large, tenth in zip(LARGEST, TENTHS, strict=True)
    }
    yield Limit("run alone, 1 000 000 jobs over 100 000", 12, grown)
    flows = _each(EVERYTHING, lambda case: samples.ratio("flow", case, to=OWN))
    yield Limit("a Flow over the same Scheduler, run alone", 1.1, flows)
    yield Limit("its import over `import asyncio, attrs`", 1.2, {"": import_ratio(samples)})


PARTS = {"run": "run alone", "both": "build and run"}


def _version(samples: Samples) -> tuple[int, ...]:
    return tuple(map(int, samples.environments.version.split(".")[:2]))


def _each(cases: Iterable[Case], value: Callable[[Case], float | None]) -> dict[str, float | None]:
    return {label(case): value(case) for case in cases}


def _ancestor(samples: Samples, case: Case, part: str = "run") -> float | None:
    return samples.ratio("asynciojobs", case, part, to=OWN)


def _both(
    combine: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    return None if one is None or other is None else combine(one, other)


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
