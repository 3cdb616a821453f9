"""Declare scenarios of asyncio jobs as classes, run them, and see what happened."""

from .flows.declaration import Each, Service, Step, Subflow
from .flows.decorators import each, service, step, subflow
from .flows.flow import Flow
from .jobs.chain import Chain
from .jobs.current import current_job
from .jobs.job import AbstractJob, Job, PrintJob
from .jobs.outcome import State
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
    "PrintJob",
    "Report",
    "Scheduler",
    "Service",
    "State",
    "Step",
    "Subflow",
    "current_job",
    "each",
    "service",
    "step",
    "subflow",
]
