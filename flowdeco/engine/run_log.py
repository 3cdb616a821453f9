"""What the log says of a run: which ends, at which level, in which words (rule 19)."""

from __future__ import annotations

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.text import line
from flowdeco.jobs.outcome import State

from .execution import Execution
from .failure import is_value, leaves, raised
from .reason import Cause, Reason
from .service_execution import ServiceExecution

__all__ = ["of_end", "of_failed_run"]


def of_end(execution: Execution) -> tuple[int, str] | None:
    """Say how a job has ended, where that is worth more than a line for debugging."""
    outcome = execution.outcome
    error = outcome.exception
    if outcome.state is State.SKIPPED:
        return log.INFO, line(error)
    if outcome.state is not State.FAILED or error is None:
        return None
    cut_at = execution.cut_at if isinstance(execution, ServiceExecution) else None
    if cut_at is not None and not is_exit(error):
        return log.WARNING, f"{line(error)}; it stood at {cut_at}"
    if type(error) is GeneratorExit and execution.stopping:
        return None  # it was closed by force, with its loop
    if is_value(execution.run.specification, error):
        text = f"failed with {raised(error)}, which is a value of the fan-out"
        return log.INFO, f"{execution.name} {text}"
    if _is_told_elsewhere(execution, error):
        return None
    if not execution.job.__flow_body__.takes_slot:
        return log.WARNING, _of_fan_out(execution, error)
    return log.WARNING, f"{execution.name} failed with {raised(error)}"


def _of_fan_out(execution: Execution, error: BaseException) -> str:
    """One line for all items that have failed."""
    count = sum(1 for _ in leaves(error))
    if not issubclass(type(error), BaseExceptionGroup):
        return f"{execution.name} failed with {raised(error)}"
    items = "an item" if count == 1 else f"{count} items"
    return f"{execution.name} failed, as {items} failed with {raised(error)}"


def of_failed_run(name: str, seconds: float, reason: Reason) -> str:
    """Say why a run has failed."""
    text = f"{name!r} failed after {seconds:.3f} s: {reason}"
    error = reason.exception
    if reason.cause is not Cause.CRITICAL or error is None:
        return text
    message = line(error)
    return f"{text}: {message}" if message else text


def _is_told_elsewhere(execution: Execution, error: BaseException) -> bool:
    if execution.run.specification.shares_slots:
        return True  # by the fan-out, of which it is an item
    return _ends_all(execution) or _comes_from_inside(execution, error)


def _ends_all(execution: Execution) -> bool:
    """Whether the outermost run fails because of this, and says so in the end."""
    one = execution
    while True:
        reason = one.run.reason
        if reason is not None:
            decides = reason.job is one.job
        else:
            # The end of a run within has still to be passed on to the run around.
            decides = one is not execution and bool(one.outcome.critical)
        around = one.run.enclosing
        if not decides or around is None:
            return decides
        if not around.job.__flow_body__.raises_nested_failures:
            return False  # its body does as it likes with the failure of a run that it has begun
        one = around


def _comes_from_inside(execution: Execution, error: BaseException) -> bool:
    """Whether it is that of jobs inside of this one, which were told of."""
    records = execution.run.records_within(execution.job)
    if not execution.job.__flow_body__.takes_slot:
        # A fan-out tells of its items, but not of what has failed inside of these.
        records = [one for items in records for some in items.nested.values() for one in some]
    inside = {
        id(outcome.exception)
        for record in records
        for outcome in record.outcomes
        if outcome.exception is not None
    }
    return id(error) in inside or (bool(inside) and all(id(one) in inside for one in leaves(error)))
