"""Declare scenarios of asyncio jobs as classes, run them, and see what happened."""

from .chain import Chain
from .current import current_job
from .declaration import Each, Service, Step, Subflow
from .decorators import each, service, step, subflow
from .flow import Flow
from .job import AbstractJob, Job, PrintJob
from .observer import Observer
from .outcome import State
from .report import Report
from .scheduler import Scheduler

# Layers, from the ground; nothing imports what lies above it:
#   errors, exceptions, places, current, dot, graph, text, limits, outcome, chain, window, drain
#   log, deadline, serving, tasks, pickles, lazy
#   threads, watch, annotations
#   plain
#   marks, body, traces
#   job
#   plan, names
#   observer, reason, activity, listing, shutdown
#   runlog, net
#   agenda
#   diagram, layout, luggage, report, grace
#   run
#   ownloop
#   scheduler
#   surgery, inner
#   instead
#   declaration
#   decorators, methods, foreign
#   hooks
#   checks
#   definition
#   changes
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
