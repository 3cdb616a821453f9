"""Runs in which a call of the library raises that never should, and what must hold of them.

Rule 9: a job ends, however its task ends. A case is performed once to count the calls that the
library makes in the step of the loop in which the body of a chosen job ends; then once for each of
these calls, in which an exception is raised. What is counted are the functions of the package, and
the built-in functions that it calls; bodies, observers and asyncio are left alone.
`python tests/injection_report.py` counts the points and what was broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import sys
import threading
import types
import warnings
from asyncio.events import Handle
from collections import Counter

from factories import FACTORIES
from ticks import EndlessError, Log, TickLoop, Watch, bury

import flowdeco
from flowdeco import Job, State, current_job
from flowdeco.testing import DeadlockError

PACKAGE = os.path.dirname(flowdeco.__file__) + os.sep
LEFT_ALONE = PACKAGE + "testing.py"
"""The clock of the tests, which is no part of a run."""

BUILT_IN = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
FINAL = (State.DONE, State.FAILED, State.SKIPPED, State.CANCELLED, State.IDLE)
STOPPED = (State.IDLE, State.CANCELLED)
MONITORING = 3
"""The number of the tool, which nobody else has."""


class InjectedError(RuntimeError):
    """What a call raises."""


class InjectedBaseError(BaseException):
    """What is no `Exception`."""


ERRORS = {"Exception": InjectedError, "MemoryError": MemoryError, "other": InjectedBaseError}


# Counting calls


def is_own(code):
    """Whether some code is the library's."""
    return code.co_filename.startswith(PACKAGE) and code.co_filename != LEFT_ALONE


def is_built_in(called):
    """Whether what is called is a function that is not written in Python."""
    return issubclass(type(called), BUILT_IN)


class Probe:
    """Counts the calls of the library from the end of a body on, and raises in one of them.

    Args:
        at: in which of them; None only counts.
        error: makes what is raised.
        built_in: whether those of built-in functions count as well.
    """

    def __init__(self, at=None, error=InjectedError, *, built_in=False):
        self.calls = []
        self.at = at
        self.error = error
        self.built_in = built_in
        self.raised = None
        self._armed = False
        self._thread = threading.get_ident()
        self._handle = None
        self._job = None
        self._not_in = None

    def arm(self, *, later=False):
        """Count from now on, to the end of this step of the loop; or of the next one of the job."""
        self._job = current_job()
        if threading.get_ident() == self._thread:
            if later:
                self._not_in = _step_of(sys._getframe())
            else:
                self._handle = _step_of(sys._getframe())
        self._armed = True

    def disarm(self):
        """Count no more."""
        self._armed = False
        self._handle = self._not_in = self._job = None

    def _in_step(self, frame):
        handle = _step_of(frame)
        if self._handle is None and handle is not self._not_in and current_job() is self._job:
            self._handle = handle
        if self._handle is None:
            return False
        if handle is not self._handle:
            self.disarm()
        return self._armed

    def called(self, name, frame):
        """Note a call, or raise."""
        if not self._armed or threading.get_ident() != self._thread or not self._in_step(frame):
            return
        self.calls.append(name)
        # Once: what comes later has another place.
        if len(self.calls) - 1 == self.at:
            self.disarm()
            self.raised = self.error(f"injected in {name}")
            raise self.raised

    @contextlib.contextmanager
    def watching(self):
        """Be told of calls meanwhile."""
        start, stop = (_monitor, _end) if sys.version_info >= (3, 12) else (_profile, _end_profile)
        start(self)
        try:
            yield self
        finally:
            stop()
            self.disarm()


def _step_of(frame):
    """The frame of the step of the loop in which something is called."""
    while frame is not None and frame.f_code is not Handle._run.__code__:
        frame = frame.f_back
    return frame


def _monitor(probe):
    monitoring = sys.monitoring

    def started(code, _offset):
        if not is_own(code):
            return monitoring.DISABLE
        return probe.called(code.co_qualname, sys._getframe(1))

    def calls(code, _offset, called, _first):
        if not is_own(code):
            return monitoring.DISABLE
        if probe.built_in and is_built_in(called):
            probe.called(f"{called.__qualname__} in {code.co_qualname}", sys._getframe(1))
        return None

    events = monitoring.events
    monitoring.use_tool_id(MONITORING, "flowdeco's tests")
    monitoring.register_callback(MONITORING, events.PY_START, started)
    monitoring.register_callback(MONITORING, events.CALL, calls)
    monitoring.set_events(MONITORING, events.PY_START | events.CALL)


def _end():
    monitoring = sys.monitoring
    monitoring.set_events(MONITORING, 0)
    monitoring.register_callback(MONITORING, monitoring.events.PY_START, None)
    monitoring.register_callback(MONITORING, monitoring.events.CALL, None)
    monitoring.free_tool_id(MONITORING)


def _profile(probe):
    """Python 3.11 has no monitoring, and tells of a coroutine that is resumed as of a call."""

    def told(frame, event, argument):
        code = frame.f_code
        if event == "call" and is_own(code) and not _is_resumed(frame):
            probe.called(code.co_qualname, frame)
        elif event == "c_call" and probe.built_in and is_own(code) and is_built_in(argument):
            probe.called(f"{argument.__qualname__} in {code.co_qualname}", frame)

    sys.setprofile(told)


def _end_profile():
    sys.setprofile(None)


def _is_resumed(frame):
    may_be = frame.f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR)
    may_be |= frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR
    # The argument of the instruction RESUME, which is 0 where a function begins.
    return bool(may_be) and frame.f_code.co_code[frame.f_lasti + 1] != 0


# Runs


class Case:
    """A run in which the body of one job tells the probe that it ends.

    Args:
        probe: what it tells.
        factory: the name of a task factory.
    """

    level = logging.WARNING
    """From which level on the log is kept."""

    def __init__(self, probe, factory="default"):
        self.probe = probe
        self.factory = factory
        self.hooked = Counter()
        self.hooks = []
        self.began = {}
        """When bodies have begun, by the names of jobs."""
        self.scheduler = self.make()

    # What runs are made of

    def job(self, name, seconds=0.5, after=(), **options):
        """A job that sleeps, and notes that it begins."""

        async def body():
            self.begins(name)
            await asyncio.sleep(seconds)
            return name

        return Job(body, label=name, required=after, shutdown=self.hook(name), **options)

    def chosen(self, error=None, **options):
        """The job whose end is looked at, as it returns or raises."""

        async def body():
            self.begins("chosen")
            await asyncio.sleep(1)
            self.probe.arm()
            if error is not None:
                raise error
            return "chosen"

        return Job(body, label="chosen", shutdown=self.hook("chosen"), **options)

    def begins(self, name):
        """Note that a body begins."""
        self.began[name] = asyncio.get_running_loop().time()

    def hook(self, name):
        """A hook that must be called once."""
        self.hooks.append(name)

        async def body():
            self.hooked[name] += 1

        return body

    # Performing it

    def perform(self):
        """Perform it; return itself."""
        self.loop = TickLoop()
        self.complaints = []
        self.loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.error, self.left, self.watch = None, (), Watch()
        self.hooked.clear()
        try:
            with self.logged() as self.log, self._warned(), self.probe.watching():
                self.loop.run_until_complete(self._main())
        except BaseException as error:
            self.error = error
        finally:
            self.probe.disarm()
            bury(self.loop)
            self.loop.close()
        return self

    @contextlib.contextmanager
    def _warned(self):
        with warnings.catch_warnings(record=True) as self.warnings:
            warnings.simplefilter("always")
            yield

    @contextlib.contextmanager
    def logged(self):
        """Keep what is logged meanwhile."""
        logger = logging.getLogger("flowdeco")
        before = logger.level, logger.propagate
        logger.setLevel(self.level)
        logger.propagate = False  # to pytest, which keeps all of it
        try:
            with Log() as log:
                log.setLevel(self.level)
                yield log
        finally:
            logger.setLevel(before[0])
            logger.propagate = before[1]

    async def _main(self):
        others = asyncio.all_tasks()
        self.loop.set_task_factory(FACTORIES[self.factory]())
        try:
            self.ok = await self.scheduler.co_orchestrate(observers=self.observers())
        finally:
            self.loop.set_task_factory(None)
        self.left = asyncio.all_tasks() - others

    def observers(self):
        """Who watches."""
        return ()

    # What must hold

    def outcomes(self):
        """The records of the jobs, by their paths."""
        return {record.path: record for record in self.scheduler.report.jobs}

    def problems(self, untroubled):
        """The promises that were broken, compared with a run in which nothing was injected."""
        if self.probe.raised is None:
            return ["not raised"]
        if isinstance(self.error, (DeadlockError, EndlessError)):
            return ["hangs"]
        if self.error is not None:
            return ["raises"]
        found = {
            "jobs without an end": self._endless(),
            "jobs lost": self._lost(untroubled),
            "wrong verdicts": self._wrong_verdict(untroubled),
            "hooks not called once": self.hooked != Counter(self.hooks),
            "calls of asyncio's handler": self.complaints,
            "tasks left": self.left,
            "coroutines never awaited": self.warnings,
            "exceptions lost": not self._is_known(),
        }
        return [kind for kind, broken in found.items() if broken] or self._again(untroubled)

    def _endless(self):
        return [path for path, record in self.outcomes().items() if record.state not in FINAL]

    def _lost(self, untroubled):
        """Jobs that have another end, although neither they nor what they need was hit."""
        outcomes, lost = self.outcomes(), []
        for path, expected in untroubled.outcomes().items():
            record = outcomes.get(path)
            if record is None:
                # What is within a job that was hit may not have come to be.
                lost += [] if self._hit(outcomes.get(path.rpartition("/")[0])) else [path]
            elif not (self._same_end(record, expected) or self._hit(record)):
                lost.append(path)
        return lost

    def _same_end(self, record, expected):
        """Whether a job has ended as it should; what a failure ends may have started before it."""
        if self.scheduler.report.reason is not None and expected.state in STOPPED:
            return record.state in STOPPED
        return record.state is expected.state

    def _hit(self, record):
        """Whether a job has failed with what was raised, or was skipped."""
        if record is None or record.state is State.SKIPPED:
            return True
        return record.state is State.FAILED and self._reached([record.exception])

    def _reached(self, errors):
        errors = list(errors)
        seen = set()
        while errors:
            error = errors.pop()
            if error is self.probe.raised:
                return True
            if error is not None and id(error) not in seen:
                seen.add(id(error))
                errors += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
        return False

    def _is_known(self):
        """Whether what was raised can be found."""
        report = self.scheduler.report
        logged = [record.exc_info[1] for record in self.log.records if record.exc_info]
        told = [record.exception for record in report.jobs]
        return self._reached([*told, *report.shutdown_errors.values(), *logged])

    def _wrong_verdict(self, untroubled):
        """It may fail only because of a critical job that was hit."""
        reason, expected = self.scheduler.report.reason, untroubled.scheduler.report.reason
        if (reason and reason.cause) is (expected and expected.cause):
            return False
        critical = reason is not None and reason.job is not None and reason.job.is_critical()
        return not (critical and self._reached([reason.exception]))

    def _again(self, untroubled):
        """Whether it can be run once more, as if nothing had been."""
        self.perform()
        if self.error is not None:
            return ["does not run again"]
        states = {path: record.state for path, record in self.outcomes().items()}
        expected = {path: record.state for path, record in untroubled.outcomes().items()}
        return [] if states == expected else ["does not run again"]


# Sweeps


def sweep(make, errors=tuple(ERRORS), *, built_in=False, factory="default", stride=1):
    """Perform a case once for each call and each error; yield the call, and what was broken."""
    untroubled = make(Probe(built_in=built_in), factory).perform()
    assert untroubled.error is None, untroubled.error
    for place in range(0, len(untroubled.probe.calls), stride):
        for error in errors:
            probe = Probe(place, ERRORS[error], built_in=built_in)
            case = make(probe, factory).perform()
            point = f"{error} in call {place}, {untroubled.probe.calls[place]}"
            yield point, case.problems(untroubled)
