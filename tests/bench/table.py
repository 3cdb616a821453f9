"""Measurements as Markdown."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable, Sequence

from .contenders import CONTENDERS, FLOOR
from .samples import Case, Samples
from .shapes import SHAPES

__all__ = ["circumstances", "growth", "microseconds", "ratios", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def circumstances(described: dict[str, tuple[str, list[str]]], rounds: int) -> str:
    """Say when, where and with which versions."""
    [python] = {python for python, _ in described.values()}
    packages = dict.fromkeys(package for _, found in described.values() for package in found)
    versions = f", with {', '.join(packages)}" if packages else ""
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"Python {python}{versions}; {today:%Y-%m-%d}, {os.cpu_count()} CPUs,"
        f" least of {rounds} rounds.\n"
    )


def _cell(samples: Samples, contender: str, case: Case, value: float | None, form: str) -> str:
    if value is not None:
        return format(value, form)
    return next(
        (
            why
            for (name, other), why in samples.missing.items()
            if name == contender and other._replace(size=0) == case._replace(size=0)
        ),
        "-",
    )


def _by_contender(samples, contenders, cases, value, form) -> str:
    """A table with a line for each case, and a column for each contender."""
    head = ["", *(CONTENDERS[name].title for name in contenders)]
    rows = []
    for case in cases:
        cells = [_cell(samples, name, case, value(name, case), form) for name in contenders]
        rows.append([label(case), *cells])
    return table(head, rows)


def label(case: Case) -> str:
    """Name a case: the body is named if there is a choice."""
    kind = f", {case.body}" if len(SHAPES[case.shape].bodies) > 1 else ""
    return f"{case.shape}{kind}, {case.size:_}".replace("_", " ")


def microseconds(samples: Samples, contenders, cases, part: str = "run") -> str:
    """The microseconds of processor time a job, least and median: `5.1 (5.3)`."""

    def cell(name, case):
        least, median = samples.seconds(name, case, part), samples.median(name, case, part)
        if least is None or median is None:
            return None
        return f"{least / case.size * 1e6:.1f} ({median / case.size * 1e6:.1f})"

    return _by_contender(samples, contenders, cases, cell, "")


def ratio(samples: Samples, name: str, case: Case, part: str, to: str = FLOOR) -> float | None:
    """How many times as long as another a contender takes."""
    other = FLOOR if to is None else to
    mine, theirs = samples.seconds(name, case, part), samples.seconds(other, case, part)
    return None if mine is None or not theirs else mine / theirs


def ratios(samples: Samples, contenders, cases, part: str = "run") -> str:
    """The processor time relative to the floor."""
    return _by_contender(
        samples, contenders, cases, lambda name, case: ratio(samples, name, case, part), ".2f"
    )


def memory(samples: Samples, contenders, cases) -> str:
    """The bytes a job."""
    return _by_contender(samples, contenders, cases, samples.bytes_each, ".0f")


def growth(samples: Samples, contenders, cases, part: str = "run") -> str:
    """The exponents of growth: 1 is linear, 2 quadratic."""
    by_workload: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        by_workload.setdefault((case.shape, case.body), []).append(case)

    rows = []
    for series in by_workload.values():
        least, most = series[0], series[-1]
        row = [f"{label(least)} to {most.size:_}".replace("_", " ")]
        for name in contenders:
            small, large = (samples.seconds(name, case, part) for case in (least, most))
            if small is None or large is None or most.size == least.size:
                row.append(_cell(samples, name, most, None, ""))
            else:
                row.append(f"{math.log(large / small) / math.log(most.size / least.size):.2f}")
        rows.append(row)
    return table(["", *(CONTENDERS[name].title for name in contenders)], rows)
