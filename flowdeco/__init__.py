"""Declare and run asyncio scenarios."""
from .job import AbstractJob, Job, PrintJob, current_job
from .chain import Chain
from .scheduler import Scheduler
from .outcome import State
from .observer import Observer
from .report import Report
