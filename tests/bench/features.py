"""What a feature costs: the same jobs with one thing more, compared with plain ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flowdeco import Flow, Job, Observer, Scheduler, each, step

__all__ = ["FEATURES", "PLAIN", "Feature"]


class Feature(NamedTuple):
    """A way to make jobs, and to run them.

    `most` has, by the kind of the body, how many times as much as a plain job it may cost; with
    `with_build` to build and to run, else to run alone.
    """

    job: Callable[..., Job[Any]]
    most: dict[str, float]
    with_build: bool = False
    scheduler: dict[str, Any] = {}  # noqa: RUF012  # of a tuple that nothing changes
    is_watched: bool = False

    async def build(self, requirements, bodies):
        """Make a scheduler of a graph."""
        jobs: list[Job[Any]] = []
        for required, body in zip(requirements, bodies, strict=True):
            jobs.append(self.job(body, required=[jobs[before] for before in required]))
        return Scheduler(*jobs, **self.scheduler)

    async def run(self, built):
        """Run it."""
        observers = [Observer()] if self.is_watched else []
        assert await built.co_orchestrate(observers=observers), built.why()


class FanOut(Feature):
    """Jobs that are the items of a fan-out; whatever comes before them is left out."""

    async def build(self, requirements, bodies):
        """Make a flow of one fan-out."""

        class Fan(Flow):
            @step
            async def items(self):
                return bodies

            @each(items)
            async def work(self, body):
                await body()

        return Fan()

    async def run(self, built):
        """Run it."""
        assert await built.co_run()


def _of_coroutine(body, required):
    return Job(body(), required=required)


def _with_timeout(body, required):
    return Job(body, required=required, timeout=60)


def _with_shutdown(body, required):
    return Job(body, required=required, shutdown=body)


PLAIN = "a plain job"

FEATURES = {
    PLAIN: Feature(Job, {}),
    "made of a coroutine object": Feature(_of_coroutine, {"noop": 1.15, "yield": 1.15}, True),
    "with a timeout": Feature(_with_timeout, {"noop": 1.4, "yield": 1.5}),
    "with an observer": Feature(Job, {"noop": 1.5, "yield": 1.5}, is_watched=True),
    "in a window": Feature(Job, {"noop": 1.3, "yield": 1.3}, scheduler={"window": 50}),
    "an item of a fan-out": FanOut(Job, {"noop": 1.5, "yield": 1.5}, True),
    "with a shutdown hook": Feature(_with_shutdown, {}),
}
