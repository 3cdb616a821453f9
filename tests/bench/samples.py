"""Many measurements: which to make, in interleaved rounds, and what came out."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from .environments import ROOT, Here, Made, variables

__all__ = ["Case", "Samples", "collect"]


class Case(NamedTuple):
    """What all contenders are given, and what is measured: `time` or `memory`."""

    shape: str
    body: str
    size: int
    what: str = "time"


class Samples:
    """What came out, by contender and case."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, Case], list[dict[str, list[float]]]] = {}
        self.peaks: dict[tuple[str, Case], float] = {}
        self.missing: dict[tuple[str, Case], str] = {}
        """Why there is nothing: it cannot be expressed, took too long, or failed."""

    def add(self, contender: str, case: Case, found: dict) -> None:
        """Take what a process has printed."""
        key = contender, case
        if "cannot" in found:
            self.missing[key] = "-"
        elif "failed" in found:
            self.missing[key] = found["failed"]
        elif case.what == "memory":
            self.peaks[key] = found["peak"]
        else:
            # Of a small graph that was run several times the least counts.
            self.times.setdefault(key, []).append(
                {
                    "build": [min(t["build"][clock] for t in found["times"]) for clock in (0, 1)],
                    "run": [min(t["run"][clock] for t in found["times"]) for clock in (0, 1)],
                    "both": [
                        min(t["build"][clock] + t["run"][clock] for t in found["times"])
                        for clock in (0, 1)
                    ],
                }
            )

    def seconds(
        self,
        contender: str,
        case: Case,
        part: str = "run",
        *,
        wall: bool = False,
        least: Callable[[Iterable[float]], float] = min,
    ) -> float | None:
        """Return the least over the rounds of a part (`build`, `run`, `both`); None without one."""
        found = self.times.get((contender, case))
        return None if not found else least(times[part][wall] for times in found)

    def median(self, contender: str, case: Case, part: str = "run") -> float | None:
        """Return the median over the rounds."""
        return self.seconds(contender, case, part, least=statistics.median)

    def bytes_each(self, contender: str, case: Case) -> float | None:
        """Return the bytes a job at the peak."""
        found = self.peaks.get((contender, case._replace(what="memory")))
        return None if found is None else found / case.size

    def give_up(self, contender: str, case: Case) -> bool:
        """Tell whether this need not be tried, as it, or a smaller graph, came to nothing."""
        return any(
            name == contender
            and (other.shape, other.body, other.what) == (case.shape, case.body, case.what)
            and other.size <= case.size
            for name, other in self.missing
        )


def collect(
    environments: Here | Made,
    contenders: Iterable[str],
    cases: Iterable[Case],
    *,
    rounds: int,
    cap: float,
    cache: Path,
) -> Samples:
    """Measure all cases in each round, and in each case one contender after the other.

    Args:
        environments: where the contenders run.
        contenders: their names.
        cases: what to measure, smaller sizes first.
        rounds: how often; the memory is measured once.
        cap: the seconds after which a process is ended.
        cache: where the bytecode is kept.
    """
    samples = Samples()
    contenders, cases = list(contenders), list(cases)
    for place in range(rounds):
        print(f"round {place + 1} of {rounds}", file=sys.stderr)
        for case in cases:
            for contender in contenders:
                if samples.give_up(contender, case) or (case.what == "memory" and place):
                    continue
                samples.add(contender, case, _measured(environments, contender, case, cap, cache))
    return samples


def _measured(
    environments: Here | Made, contender: str, case: Case, cap: float, cache: Path
) -> dict:
    arguments = [contender, case.shape, case.body, str(case.size), case.what]
    command = [environments.python(contender), "-m", "tests.bench.measure", *arguments]
    try:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=variables(cache),
            capture_output=True,
            text=True,
            check=False,
            timeout=cap,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"> {cap:g} s"}
    if ended.returncode:
        print(" ".join(arguments), ended.stderr[-2000:], sep="\n", file=sys.stderr)
        return {"failed": "failed"}
    return json.loads(ended.stdout.splitlines()[-1])
