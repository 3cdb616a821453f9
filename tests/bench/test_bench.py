"""The benchmark measures what it says: graphs and contenders are right. Nothing is timed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bodies import BODIES
from bench.contenders import CONTENDERS, load
from bench.features import FEATURES
from bench.instructions import perform
from bench.measure import ordered
from bench.shapes import SHAPES, depth, is_followed
from flowdeco.testing import VirtualClockLoop

EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)

HERE = [name for name in ("floor", "scheduler", "flow", "taskgroup") if name in CONTENDERS]


@EVERY_SHAPE
@pytest.mark.parametrize("size", [1, 2, 3, 5, 49, 50, 51, 100, 1_000])
def test_a_shape_has_the_size_asked_for(shape, size):
    """So many jobs, each of which requires some before it, once; and the same each time."""
    requirements = shape.requirements(size)

    assert len(requirements) == size
    for job, required in enumerate(requirements):
        assert all(0 <= before < job for before in required)
        assert len(set(required)) == len(required)
    assert requirements == shape.requirements(size)


@pytest.mark.parametrize(
    ("name", "edges", "longest"),
    [
        ("chain", 99, 100),
        ("fan", 2 * 98, 3),
        ("diamonds", 25 * 4 + 24, 75),
        ("layers", 4 * 50, 2),
        ("apart", 0, 1),
    ],
)
def test_shapes_are_what_they_are_called(name, edges, longest):
    """A hundred jobs: how many requirements there are, and how long the longest path is."""
    requirements = SHAPES[name].requirements(100)

    assert sum(map(len, requirements)) == edges
    assert depth(requirements) == longest


@pytest.mark.parametrize(
    ("ended", "right"),
    [([0, 1, 2], True), ([0, 2, 1], False), ([0, 1], False), ([0, 1, 1, 2], False)],
)
def test_what_ended_is_compared_with_the_graph(ended, right):
    """An order is right if each job is there once, after those that it requires."""
    assert is_followed(SHAPES["chain"].requirements(3), ended) is right


@EVERY_SHAPE
@pytest.mark.parametrize("name", HERE)
def test_a_contender_keeps_the_order(name, shape):
    """Those that need no other package do all jobs of each shape, and in the right order."""
    requirements = shape.requirements(50)
    for kind in shape.bodies:
        with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
            done = runner.run(ordered(load(name), requirements, BODIES[kind](50)))
        assert done is True


def test_a_contender_that_does_nothing_is_found_out():
    """`ordered` would tell if one left jobs out."""

    class Lazy:
        async def build(self, requirements, bodies):
            return None

        async def run(self, built):
            return None

    assert asyncio.run(ordered(Lazy(), [()], BODIES["noop"](1))) is False


@pytest.mark.parametrize(("part", "ran"), [("build", 0), ("both", 5)])
def test_what_is_counted_is_run_if_that_is_asked_for(monkeypatch, part, ran):
    """The instructions of a run alone are those of both without those of building."""
    ended = []

    async def body(_=None):
        ended.append(body)

    monkeypatch.setitem(BODIES, "noop", lambda size: [body] * size)
    asyncio.run(perform("scheduler", "chain", "noop", 5, part))

    assert len(ended) == ran


@pytest.mark.process
def test_the_command_prints_tables():
    """`python -m tests.bench` measures in processes of its own and prints Markdown."""
    arguments = ["--quick", "--shapes", "chain", "--sizes", "20", "40", "--rounds", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments, "--contenders", "floor", "taskgroup"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "|  | floor | graphlib with TaskGroup |\n" in ended.stdout
    assert ended.stdout.count("| chain, noop, 40 |") == 5


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_a_feature_runs_every_job_once(feature):
    """What a feature costs is counted with the same jobs as without it."""
    ran = []

    async def body():
        ran.append(body)

    async def build_and_run():
        await feature.run(await feature.build([[], [0], [0, 1]], [body] * 3))

    asyncio.run(build_and_run())
    assert len(ran) == (6 if "shutdown" in str(feature.job) else 3)
