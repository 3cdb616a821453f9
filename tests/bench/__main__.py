"""Measure what flowdeco costs beside others, and print tables in Markdown.

Times are of the processor, the least of several rounds, in which the contenders take turns, each in
a process of its own. The machine is to do nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .contenders import CONTENDERS
from .environments import Here, Made
from .page import LIGHT, page
from .samples import Case, Samples
from .shapes import SHAPES
from .tables import beyond_critical_path, by_contender, circumstances, growth
from .targets import check

QUICK = ["floor", "scheduler", "flow", "taskgroup"]
"""Those that need nothing that an environment for development does not have."""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="this interpreter, no network, half a minute")
    add("--check", action="store_true", help="the table of what is to be reached, filled in")
    add("--page", action="store_true", help="the measured part of docs/speed.md")
    add("--python", nargs="+", help="interpreters to make environments of; else this one")
    add("--cache", type=Path, help="where the environments are kept; else they are not")
    add("--contenders", nargs="+", choices=CONTENDERS, help="which, in that order")
    add("--shapes", nargs="+", choices=SHAPES)
    add("--bodies", nargs="+", choices=["noop", "yield"], help="where there is a choice")
    add("--sizes", nargs="+", type=int, help="numbers of jobs")
    add("--rounds", type=int)
    add("--cap", type=float, default=120, help="the seconds that a process may take")
    return parser.parse_args()


@contextlib.contextmanager
def places(given: argparse.Namespace) -> Iterator[Sequence[Here]]:
    """Where to measure: for each interpreter its environments."""
    with tempfile.TemporaryDirectory() as temporary:
        cache = (given.cache or Path(temporary)).absolute()
        if given.quick:
            yield [Here(cache)]
        else:
            bases = given.python or [Here(cache).base]
            yield [Made(cache, base) for base in bases]


def cases(shapes: Sequence[str], bodies: Sequence[str], sizes: Sequence[int]) -> list[Case]:
    """All combinations, small sizes first; a shape with a body of its own has that alone."""
    return [
        Case(shape, body, size)
        for shape in shapes
        for body in SHAPES[shape].bodies
        if body in bodies or len(SHAPES[shape].bodies) == 1
        for size in sorted(sizes)
    ]


def report(samples: Samples, given: argparse.Namespace) -> str:
    """Measure what the options say, and lay out all that there is to say of it."""
    quick = given.quick
    contenders = given.contenders or (QUICK if quick else list(CONTENDERS))
    shapes = given.shapes or (["chain", "layers", "apart"] if quick else list(SHAPES))
    sizes = given.sizes or ([500, 5_000] if quick else [100, 1_000])
    timed = cases(shapes, given.bodies or (["noop"] if quick else ["noop", "yield"]), sizes)
    sized = [case._replace(what="memory") for case in timed if case.size == max(sizes)]
    samples.measure(contenders, [*timed, *sized])

    def show(title, wanted, value) -> str:
        return f"{title}\n\n{by_contender(samples, contenders, wanted, value)}" if wanted else ""

    smallest = {(case.shape, case.body): case for case in reversed(timed)}
    grown = [case for case in timed if case.size == max(sizes) > min(sizes)]
    parts = [
        circumstances(samples, contenders),
        show("Run alone, microseconds a job, least (median)", timed, samples.microseconds),
        show("Run alone, relative to the floor", timed, samples.ratio),
        show(
            "Build and run, relative to the floor",
            timed,
            lambda name, case: samples.ratio(name, case, "both"),
        ),
        show(
            "Sleepers, wall time relative to the critical path",
            [case for case in timed if case.shape == "sleepers"],
            lambda name, case: beyond_critical_path(samples, name, case),
        ),
        show("Bytes a job at the peak, build and run", sized, samples.bytes_each),
        show(
            f"Exponent of growth from {min(sizes)}, run alone (1 is linear)",
            grown,
            lambda name, case: growth(samples, name, smallest[case.shape, case.body], case, "run"),
        ),
    ]
    return "\n".join(part for part in parts if part)


def main() -> None:
    """Do what the command line says."""
    given = options()
    rounds = given.rounds or (2 if given.quick else 3)
    with places(given) as all_environments:
        for place, environments in enumerate(all_environments):
            samples = Samples(environments, rounds, given.cap)
            if given.check:
                heading = circumstances(samples, ["scheduler", "asynciojobs"])
                print(heading, check(samples), sep="\n", flush=True)
            elif given.page:
                # One Python is enough for those who take long.
                peers = given.contenders or (LIGHT if place else list(CONTENDERS))
                print(page(samples, peers), flush=True)
            else:
                print(report(samples, given), flush=True)


if __name__ == "__main__":
    main()
