"""Declare scenarios of asyncio jobs as classes, run them, and see what happened."""

from .chain import Chain
from .declaration import Each, Service, Step, Subflow
from .decorators import each, service, step, subflow
from .flow import Flow
from .job import AbstractJob, Job, PrintJob, current_job
from .observer import Observer
from .outcome import State
from .report import Report
from .scheduler import Scheduler

# Layers, from the ground; nothing imports what lies above it:
#   errors, graph, text, limits, outcome, chain, window, drain, deadline, serving, tasks, threads,
#   watch, lazy
#   annotations
#   marks, body
#   job
#   plan
#   observer, reason, activity, agenda, listing, shutdown
#   diagram, report, grace
#   run
#   ownloop
#   scheduler
#   surgery, inner
#   declaration
#   decorators, methods
#   checks
#   definition
#   flow
#   testing

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
