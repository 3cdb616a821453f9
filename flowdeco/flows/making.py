"""The jobs of a flow, made of what its class declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.job import Job
from flowdeco.scheduler import Scheduler

from .base import FlowBase
from .declaration import Declaration
from .definition import Definition
from .kinds import Each, Subflow
from .nested import EachBody, SubflowBody

if TYPE_CHECKING:
    from flowdeco.jobs.retry import Retry

__all__ = ["jobs_of"]


def jobs_of(flow: FlowBase | None, definition: Definition) -> dict[str, Job[object]]:
    """Make the jobs of a flow, by name.

    Args:
        flow: the flow; None where they are to be drawn only.
        definition: what its class declares.
    """
    jobs: dict[str, Job[object]] = {}
    bodies: dict[str, MethodBody] = {}
    for name, declared in definition.declarations.items():
        options = declared.options
        bodies[name] = body = _make_body(flow, name, declared)
        jobs[name] = Job(
            body,
            label=options.label,
            critical=options.critical,
            forever=declared.forever,
            # The timeout of a fan-out is that of each of its items.
            timeout=None if isinstance(body, EachBody) else options.timeout,
            shutdown=_hook(flow, definition.hooks.get(name, ())),
        )
    for name, job in jobs.items():
        bodies[name].inputs = tuple(jobs[other] for other in definition.inputs[name])
        job.__flow_take_body__(bodies[name])
        job.requires(*(jobs[other] for other in definition.edges[name]))
    return jobs


def _make_body(flow: FlowBase | None, name: str, declared: Declaration[object]) -> MethodBody:
    method = cast("Callable[..., Any]", declared.method)
    options = declared.options
    if isinstance(declared, Each):
        return EachBody(
            method,
            flow,
            name,
            window=options.window,
            timeout=options.timeout,
            return_exceptions=options.return_exceptions,
            keep=options.keep,
            item_retry=cast("Retry | None", options.retry),
            in_threads=declared.is_threaded,
        )
    if isinstance(declared, Subflow):
        return SubflowBody(method, flow, name, preview=_preview)
    return MethodBody(
        method,
        flow,
        name,
        is_generator=declared.is_generator,
        is_threaded=declared.is_threaded,
        retry=cast("Retry | None", options.retry),
    )


def _preview(flow: type[FlowBase]) -> Scheduler:
    """The jobs of a flow class without a flow, to be drawn and never to be run."""
    jobs = jobs_of(None, flow.__flow_definition__)
    for job in jobs.values():
        if isinstance(job.body, SubflowBody):
            job.body.preview = None  # it may name the class it is in
    return Scheduler(*jobs.values(), jobs_critical=flow.__flow_critical__, label=flow.__name__)


def _hook(flow: FlowBase | None, names: Sequence[str]) -> Callable[[], Awaitable[object]] | None:
    if not names:
        return None

    async def call_all() -> None:
        errors: list[BaseException] = []
        for name in names:
            try:
                await getattr(flow, name)()
            except BaseException as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup("several shutdown hooks failed", errors)

    return call_all
