"""Count the points that test_ticks.py samples, and the promises that are broken at them.

Run as `python tests/support/ticks_report.py [STRIDE]`: of all pairs of turns, one in so many; 1
takes all.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from ticks import PAIRS, SINGLES, SITUATIONS


def main(stride):
    broken, total, began = Counter(), 0, time.perf_counter()
    for name, sweep in {**SINGLES, **PAIRS}.items():
        options = {"stride": stride} if name in PAIRS else {}
        points = 0
        for make in SITUATIONS:
            for situation in sweep(make, **options):
                points += 1
                problems = situation.problems()
                broken.update(problems)
                if problems:
                    print(f"  {make.__name__} at {situation.point}: {', '.join(problems)}")
        print(f"{name:28}{points:6} points")
        total += points
    print(f"{'all':28}{total:6} points in {time.perf_counter() - began:.0f} s")
    for kind in situation.promises():
        print(f"{kind:28}{broken[kind]:6}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
