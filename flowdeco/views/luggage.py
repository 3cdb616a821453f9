"""A report on its way to another process: what is in it, and what is made of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from flowdeco.engine.reason import Reason
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.outcome import State

from .layout import Layout

__all__ = ["Contents", "Kept", "Luggage", "PackedError", "Row"]

Kept: TypeAlias = "int | tuple[str, str]"
"""A job: its place among the rows, or its class and its name where it is none of them."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Row:
    """A job as it fared in one run; other jobs and exceptions are given by their places."""

    depth: int
    kind: str
    name: str
    critical: bool
    forever: bool
    left_out: bool
    state: State
    started_at: float | None
    ended_at: float | None
    value: str | None
    error: int | None
    attempts: tuple[tuple[float, float | None, int | None], ...]
    """Start, end and exception of each, where there can be several."""
    returned: bool
    counts: tuple[int, int | None] | None
    required: tuple[int, ...]
    details: tuple[str, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PackedError:
    """An exception; others are given by their places."""

    kind: str
    message: str
    printed: tuple[str, ...]
    pickled: bytes | None
    """The exception itself, if it can be read back."""
    group: str
    """The message of a group that is no more than a group."""
    members: tuple[int, ...]
    cause: int | None
    context: int | None
    suppressed: bool


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Luggage:
    """A report, made of what can be pickled."""

    name: str
    reason: Reason | None
    reason_error: int | None
    reason_job: Kept | None
    duration: float
    wall_time: float
    part: str
    rows: tuple[Row, ...]
    ran: tuple[int, ...]
    failed: tuple[int, ...]
    stuck: tuple[int, ...]
    hooks: tuple[tuple[int | None, str, int], ...]
    errors: tuple[PackedError, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Contents:
    """A report, before it is packed or after."""

    name: str
    reason: Reason | None
    duration: float
    wall_time: float
    layout: Layout
    part: str
    ran: Sequence[AbstractJob[object]]
    failed: Sequence[AbstractJob[object]]
    stuck: Sequence[AbstractJob[object]]
