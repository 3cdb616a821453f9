"""Many measurements on one Python, in interleaved rounds, and what came out."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .contenders import FLOOR
from .environments import Here

__all__ = ["Case", "Samples"]

CLOCKS = {"processor": 0, "wall": 1}


class Case(NamedTuple):
    """What all contenders are given, and what is measured: `time` or `memory`."""

    shape: str
    body: str
    size: int
    what: str = "time"


class Samples:
    """What came out, by contender and case.

    Args:
        environments: where the contenders run.
        rounds: how often; the memory is measured once.
        cap: the seconds after which a process is ended.
    """

    def __init__(self, environments: Here, rounds: int, cap: float) -> None:
        self.environments = environments
        self.rounds = rounds
        self.cap = cap
        self._times: dict[tuple[str, Case], list[list[dict[str, list[float]]]]] = {}
        self._peaks: dict[tuple[str, Case], int] = {}
        self._missing: dict[tuple[str, Case], str] = {}

    def measure(
        self, contenders: Iterable[str], cases: Iterable[Case], rounds: int | None = None
    ) -> None:
        """Measure all cases in each round, and in each case one contender after the other.

        One that comes to nothing, as it takes longer than the cap, is not tried again, nor are
        larger graphs of the kind.
        """
        contenders, cases = list(contenders), list(cases)
        rounds = rounds or self.rounds
        for place in range(rounds):
            print(f"{self.environments.version}: round {place + 1} of {rounds}", file=sys.stderr)
            for case in cases:
                for contender in contenders:
                    again = place and case.what == "memory"
                    if not again and self.why_missing(contender, case) is None:
                        self._measure(contender, case)

    def _measure(self, contender: str, case: Case) -> None:
        key = contender, case
        python = self.environments.python(contender)
        arguments = [contender, case.shape, case.body, str(case.size), case.what]
        try:
            ended = self.environments.run(
                python, "-m", "tests.bench.measure", *arguments, timeout=self.cap, check=False
            )
        except subprocess.TimeoutExpired:
            self._missing[key] = f"> {self.cap:g} s"
            return
        if ended.returncode:
            print(*arguments, "failed:", ended.stderr[-1000:], file=sys.stderr)
            self._missing[key] = "failed"
            return
        found = json.loads(ended.stdout.splitlines()[-1])
        if "peak" in found:
            self._peaks[key] = found["peak"]
        else:
            self._times.setdefault(key, []).append(found["times"])

    def why_missing(self, contender: str, case: Case) -> str | None:
        """Say why there is nothing for this case, or for a smaller graph of the kind."""
        for (name, other), why in self._missing.items():
            if (
                name == contender
                and other.size <= case.size
                and other == case._replace(size=other.size)
            ):
                return why
        return None

    def seconds(
        self,
        contender: str,
        case: Case,
        part: str = "run",
        *,
        clock: str = "processor",
        of: Callable[[Iterable[float]], float] = min,
    ) -> float | None:
        """Return the time of `build`, `run` or `both`, by default the least over the rounds.

        Of the repetitions within a process the least counts.
        """
        parts = ("build", "run") if part == "both" else (part,)
        rounds = [
            min(sum(once[name][CLOCKS[clock]] for name in parts) for once in repetitions)
            for repetitions in self._times.get((contender, case), ())
        ]
        return of(rounds) if rounds else None

    def microseconds(self, contender: str, case: Case, part: str = "run") -> str | None:
        """Return the microseconds a job, least and median: `5.1 (5.3)`."""
        least = self.seconds(contender, case, part)
        if least is None:
            return None
        median = self.seconds(contender, case, part, of=statistics.median)
        return f"{least / case.size * 1e6:.1f} ({median / case.size * 1e6:.1f})"

    def ratio(
        self, contender: str, case: Case, part: str = "run", *, to: str = FLOOR
    ) -> float | None:
        """Return how many times as long as another a contender takes."""
        mine, theirs = self.seconds(contender, case, part), self.seconds(to, case, part)
        return None if mine is None or theirs is None else mine / theirs

    def bytes_each(self, contender: str, case: Case) -> float | None:
        """Return the bytes a job, when most are allocated."""
        found = self._peaks.get((contender, case._replace(what="memory")))
        return None if found is None else found / case.size
