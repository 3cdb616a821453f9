"""Measurements as Markdown."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable, Iterable, Sequence

from .bodies import NAP
from .contenders import CONTENDERS
from .samples import Case, Samples
from .shapes import SHAPES, depth

__all__ = [
    "beyond_critical_path",
    "by_contender",
    "circumstances",
    "figure",
    "growth",
    "label",
    "named",
    "table",
]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def figure(value: float) -> str:
    """Write a number with two or three digits that count, and without an exponent."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def named(size: int) -> str:
    """Write a size: `10 000`."""
    return f"{size:_}".replace("_", " ")


def label(case: Case) -> str:
    """Name the shape, and the body where there is a choice."""
    return f"{case.shape}, {case.body}" if len(SHAPES[case.shape].bodies) > 1 else case.shape


def circumstances(samples: Samples, contenders: Iterable[str]) -> str:
    """Say when, where and with which versions."""
    environments = samples.environments
    packages = dict.fromkeys(
        package for name in contenders for package in environments.packages(name)
    )
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"Python {', '.join([environments.version, *packages])}; {today:%Y-%m-%d};"
        f" {os.cpu_count()} CPUs; rounds: {samples.rounds}.\n"
    )


def by_contender(
    samples: Samples,
    contenders: Sequence[str],
    cases: Iterable[Case],
    value: Callable[[str, Case], str | float | None],
) -> str:
    """A table with a line for each case, and a column for each contender."""

    def cell(contender: str, case: Case) -> str:
        found = value(contender, case)
        if found is None:
            return samples.why_missing(contender, case) or "-"
        return found if isinstance(found, str) else figure(found)

    rows = (
        [f"{label(case)}, {named(case.size)}", *(cell(c, case) for c in contenders)]
        for case in cases
    )
    return table(["", *(CONTENDERS[name].title for name in contenders)], rows)


def growth(samples: Samples, contender: str, small: Case, large: Case, part: str) -> float | None:
    """Return the exponent with which time grows: 1 is linear, 2 quadratic."""
    times = [samples.seconds(contender, case, part) for case in (small, large)]
    if None in times or small.size == large.size:
        return None
    return math.log(times[1] / times[0]) / math.log(large.size / small.size)


def beyond_critical_path(samples: Samples, contender: str, case: Case) -> float | None:
    """Return the wall time of sleepers, relative to what those in the longest row sleep."""
    took = samples.seconds(contender, case, clock="wall")
    return (
        None if took is None else took / (NAP * depth(SHAPES[case.shape].requirements(case.size)))
    )
