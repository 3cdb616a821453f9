"""The command line: `python -m tests.bench --help`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .contenders import CONTENDERS
from .environments import Here, Made
from .samples import Case, collect
from .shapes import SHAPES
from .table import circumstances, growth, memory, microseconds, ratios

QUICK = ["floor", "scheduler", "flow", "taskgroup"]
"""Those that need nothing that an environment for development does not have."""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="this interpreter, no network, half a minute")
    add("--python", nargs="+", default=["python3"], help="interpreters to make environments of")
    add("--cache", type=Path, help="where environments are kept (else made anew each time)")
    add("--contenders", nargs="+", choices=CONTENDERS, help="which, and in this order")
    add("--shapes", nargs="+", choices=SHAPES)
    add("--bodies", nargs="+", choices=["noop", "yield"], default=["noop", "yield"])
    add("--sizes", nargs="+", type=int)
    add("--rounds", type=int)
    add("--cap", type=float, default=60, help="the seconds that a process may take")
    return parser.parse_args()


def cases(shapes: list[str], bodies: list[str], sizes: list[int]) -> list[Case]:
    """All combinations, small sizes first; a shape with a kind of body of its own has that."""
    return [
        Case(shape, body, size)
        for shape in shapes
        for body in SHAPES[shape].bodies
        if body in bodies or len(SHAPES[shape].bodies) == 1
        for size in sorted(sizes)
    ]


def report(environments, given, contenders, cache) -> None:
    """Measure on one Python, and print the tables."""
    default = ["chain", "layers", "apart"] if given.quick else list(SHAPES)
    shapes = given.shapes or default
    sizes = given.sizes or ([1000, 4000] if given.quick else [100, 1000, 10_000])
    rounds = given.rounds or (2 if given.quick else 5)
    timed = cases(shapes, given.bodies, sizes)
    sized = [case._replace(what="memory") for case in cases(shapes, ["noop"], [max(sizes)])]
    described = {name: environments.describe(name) for name in contenders}
    samples = collect(
        environments, contenders, [*timed, *sized], rounds=rounds, cap=given.cap, cache=cache
    )
    print(circumstances(described, rounds))
    print("Run alone, microseconds of processor time a job, least (median)\n")
    print(microseconds(samples, contenders, timed))
    print("Run alone, processor time relative to the floor\n")
    print(ratios(samples, contenders, timed))
    print("Build and run, processor time relative to the floor\n")
    print(ratios(samples, contenders, timed, "both"))
    print("Bytes a job at the peak\n")
    print(memory(samples, contenders, sized))
    if len(sizes) > 1:
        print("Exponent of growth, run alone\n")
        print(growth(samples, contenders, timed))


def main() -> None:
    """Do what the command line says."""
    given = options()
    contenders = given.contenders or (QUICK if given.quick else list(CONTENDERS))
    with tempfile.TemporaryDirectory() as place:
        cache = given.cache or Path(place)
        all_environments = (
            [Here()] if given.quick else [Made(python, cache) for python in given.python]
        )
        for environments in all_environments:
            report(environments, given, contenders, cache)


main()
