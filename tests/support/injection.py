"""Runs in which a call of the library raises that never should, and what must hold of them.

Rule 9: a job ends, however its task ends. A case is performed once to count the calls that the
library makes in the step of the loop in which the body of a chosen job ends; then once for each of
these calls, in which an exception is raised. What is counted are the functions of the package, and
the built-in functions that it calls; bodies, observers and asyncio are left alone.
`python tests/support/injection_report.py` counts the points and what was broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import warnings
from collections import Counter

from factories import FACTORIES
from probe import Probe
from ticks import EndlessError, Log, TickLoop, Watch, bury

from flowdeco import Job, State
from flowdeco.testing import DeadlockError

FINAL = (State.DONE, State.FAILED, State.SKIPPED, State.CANCELLED, State.IDLE)
STOPPED = (State.IDLE, State.CANCELLED)


class InjectedError(RuntimeError):
    """What a call raises."""


class InjectedBaseError(BaseException):
    """What is no `Exception`."""


ERRORS = {"Exception": InjectedError, "MemoryError": MemoryError, "other": InjectedBaseError}


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
            elif not (
                self._same_end(record, expected)
                or self._hit(record)
                or self._given_up(record, expected)
            ):
                lost.append(path)
        return lost

    def _same_end(self, record, expected):
        """Whether a job has ended as it should; what a failure ends may have started before it."""
        if self.scheduler.report.reason is not None and expected.state in STOPPED:
            return record.state in STOPPED
        return record.state is expected.state

    def _given_up(self, record, expected):
        """Whether a job has failed as an attempt of it has that was to be followed by another."""
        known = [type(one.exception) for one in expected.attempts[:-1]]
        return record.state is State.FAILED and type(record.exception) in known

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
        """Whether what was raised can be found: as an exception, or named in the log."""
        report = self.scheduler.report
        name = type(self.probe.raised).__name__
        if self.probe.is_replaced or any(
            name in record.getMessage() for record in self.log.records
        ):
            return True
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
