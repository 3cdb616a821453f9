"""Print what `import flowdeco` costs beyond its dependencies, in milliseconds.

A program of its own, not a test: `python tests/bench/import_cost.py [ROUNDS]`. Each round starts
two fresh interpreters, one after the other: one imports asyncio, attrs and typing_extensions, the
other flowdeco as well. What is printed is the median of the differences of their import times.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

BASE = "asyncio, attrs, typing_extensions"

MEASURE = """
import time
begun = time.perf_counter()
import {modules}
print(time.perf_counter() - begun)
"""


def seconds(modules: str) -> float:
    """Return the time that a fresh interpreter needs to import these modules."""
    ended = subprocess.run(
        [sys.executable, "-c", MEASURE.format(modules=modules)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(ended.stdout)


def main(rounds: int) -> None:
    """Measure in so many rounds, and print the figure."""
    seconds(f"{BASE}, flowdeco")  # which compiles what is not compiled yet
    base: list[float] = []
    costs: list[float] = []
    for _ in range(rounds):
        base.append(seconds(BASE))
        costs.append(seconds(f"{BASE}, flowdeco") - base[-1])
    python = ".".join(map(str, sys.version_info[:3]))
    print(
        f"Python {python}: flowdeco {statistics.median(costs) * 1000:.1f} ms"
        f" beyond {statistics.median(base) * 1000:.1f} ms for {BASE} (median of {rounds} rounds)"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
