"""Declare scenarios of asyncio jobs as classes, run them, and see what happened."""

from .errors import Skip
from .flows.decorators import each, service, step, subflow
from .flows.flow import Flow
from .flows.kinds import Each, Service, Step, Subflow
from .jobs.abstract_job import AbstractJob
from .jobs.chain import Chain
from .jobs.current_job import current_job
from .jobs.job import Job
from .jobs.outcome import State
from .jobs.override import Override
from .jobs.print_job import PrintJob
from .jobs.retry import Retry
from .observers.base import Observer
from .scheduler import Scheduler
from .views.report import Report

__version__ = "0.1.0"

__all__ = [
    "AbstractJob",
    "Chain",
    "Each",
    "Flow",
    "Job",
    "Observer",
    "Override",
    "PrintJob",
    "Report",
    "Retry",
    "Scheduler",
    "Service",
    "Skip",
    "State",
    "Step",
    "Subflow",
    "current_job",
    "each",
    "service",
    "step",
    "subflow",
]


def __dir__() -> list[str]:
    """Show the public names alone, not the modules that they come from."""
    return [*__all__, "__all__", "__doc__", "__file__", "__name__", "__path__", "__version__"]
