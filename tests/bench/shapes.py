"""Graphs as plain data: for each job the numbers of the jobs that it requires, all below its own.

Whatever the size, each has exactly so many jobs, and is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["SHAPES", "Requirements", "Shape", "depth", "is_followed"]

Requirements = list[tuple[int, ...]]

WIDTH = 50
"""How many jobs a layer has."""


def chain(size: int) -> Requirements:
    """Each after the one before."""
    return [(job - 1,) if job else () for job in range(size)]


def fan(size: int) -> Requirements:
    """One, all the others after it, and the last after all of them."""
    if size < 3:
        return chain(size)
    return [(), *[(0,)] * (size - 2), tuple(range(1, size - 1))]


def diamonds(size: int) -> Requirements:
    """One, two beside each other after it, one after these two, and again."""

    def required(job: int) -> tuple[int, ...]:
        place = job % 4
        if place == 0:
            return (job - 1,) if job else ()
        return (job - 2, job - 1) if place == 3 else (job - place,)

    return [required(job) for job in range(size)]


def layers(size: int) -> Requirements:
    """Layers, each job of which requires four of the layer before."""

    def required(job: int) -> tuple[int, ...]:
        layer, place = divmod(job, WIDTH)
        if not layer:
            return ()
        first = (layer - 1) * WIDTH
        return tuple(sorted(first + (place + step) % WIDTH for step in (0, 1, 7, 20)))

    return [required(job) for job in range(size)]


def apart(size: int) -> Requirements:
    """None requires another."""
    return [()] * size


class Shape(NamedTuple):
    """A graph for any size, and the kinds of bodies (see `bodies.py`) its jobs can have."""

    name: str
    requirements: Callable[[int], Requirements]
    bodies: tuple[str, ...] = ("noop", "yield")


SHAPES = {
    shape.name: shape
    for shape in [
        Shape("chain", chain),
        Shape("fan", fan),
        Shape("diamonds", diamonds),
        Shape("layers", layers),
        Shape("apart", apart),
        Shape("sleepers", layers, ("sleep",)),
        Shape("pending", apart, ("baton",)),
    ]
}


def depth(requirements: Requirements) -> int:
    """Count the jobs on the longest path."""
    depths: list[int] = []
    for required in requirements:
        depths.append(1 + max((depths[job] for job in required), default=0))
    return max(depths, default=0)


def is_followed(requirements: Requirements, ended: list[int]) -> bool:
    """Tell whether the jobs have ended once each, and after those that they require."""
    when = {job: place for place, job in enumerate(ended)}
    return sorted(ended) == list(range(len(requirements))) and all(
        when[before] < when[job] for job, required in enumerate(requirements) for before in required
    )
