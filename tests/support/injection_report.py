"""Count the calls in which `injection.py` raises, and the promises that are broken then.

Run as `python tests/support/injection_report.py [--built-in] [--factory NAME] [--verbose]`.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from factories import FACTORIES
from injection import sweep
from injection_cases import CASES


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--built-in", action="store_true", help="calls of built-in functions, too")
    parser.add_argument("--factory", choices=list(FACTORIES), default="default")
    parser.add_argument("--verbose", action="store_true", help="print each point that is broken")
    options = parser.parse_args()
    broken, total, began = Counter(), 0, time.perf_counter()
    for make in CASES:
        points = failed = 0
        for point, problems in sweep(make, built_in=options.built_in, factory=options.factory):
            points += 1
            failed += bool(problems)
            broken.update(problems)
            if problems and options.verbose:
                print(f"  {make.__name__}: {point}: {', '.join(problems)}")
        print(f"{make.__name__:28}{points:6} points{failed:6} broken")
        total += points
    print(f"{'all':28}{total:6} points in {time.perf_counter() - began:.0f} s")
    for kind, count in sorted(broken.items()):
        print(f"{kind:28}{count:6}")


if __name__ == "__main__":
    main()
