"""Runs to which something happens at one turn of the loop, or at two, and what must hold of them.

A sweep performs a situation once for every point at which something can happen, and yields each;
`problems()` of a situation tells which promises were broken. test_ticks.py sees to it that none is,
at all turns and at a part of the pairs of turns; `python tests/support/ticks_report.py` takes all.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import threading
from collections import Counter

from actors import Diary
from bystanders import DISTURBED, disturbed
from factories import FACTORIES, without

from flowdeco import Flow, Job, Observer, Scheduler, State, each, service, step, subflow
from flowdeco.engine.reason import Cause
from flowdeco.flows.nested import EachBody
from flowdeco.testing import DeadlockError, VirtualClockLoop

THREAD_TURNS = 4
"""For how many turns of the loop a thread is at work."""

SOON = 60.0
"""Seconds that are never waited for."""


MOST_TURNS = 100_000
"""The turns of the loop in which a run must have ended."""


class EndlessError(Exception):
    """A run goes on and on."""


class InjectedError(Exception):
    """What a body raises because the sweep wants it."""


def bury(loop):
    """End what is left in a loop of a run that has failed to, so that nothing more is heard of it.

    What is wrong with that run was found already.
    """
    loop.set_exception_handler(lambda *_: None)
    for _ in range(9):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        _turn(loop)
        for task in tasks:
            with contextlib.suppress(BaseException):
                task.get_coro().close()
        _turn(loop)
        for task in tasks:
            with contextlib.suppress(BaseException):
                task.exception()


def _turn(loop):
    loop.call_soon(loop.stop)
    with contextlib.suppress(BaseException):
        loop.run_forever()


class TickLoop(VirtualClockLoop):
    """Counts its turns, calls `actions[k]` at the beginning of turn k, and lets threads take turns.

    A thread is let go a number of turns after it was asked for, and the loop waits until it has
    told its result: what happens in which turn is the same in each run.
    """

    def __init__(self, actions=None, at_every_turn=None):
        self.ticks = 0
        self.actions = dict(actions or {})
        self.held = []
        self._told = threading.Semaphore(0)
        super().__init__()
        selector = self._selector
        select = selector.select

        def counted(timeout=None):
            self.ticks += 1
            if at_every_turn is not None:
                at_every_turn()
            action = self.actions.pop(self.ticks, None)
            if action is not None:
                action()
            if action is not None or self.held:
                timeout = 0
            if self.ticks > MOST_TURNS:
                raise EndlessError("the run does not end")
            while self.held and self.held[0][0] <= self.ticks:
                _, let_go, future = self.held.pop(0)
                let_go.set()
                # One that was cancelled before a thread had time for it tells nothing.
                while not self._told.acquire(timeout=0.05) and not future.done():
                    pass
            return select(timeout)

        selector.select = counted

    def call_soon_threadsafe(self, *args, **options):
        handle = super().call_soon_threadsafe(*args, **options)
        if threading.get_ident() != self._thread_id:
            self._told.release()
        return handle

    def run_in_executor(self, executor, func, *args):
        let_go = threading.Event()

        def held():
            let_go.wait(SOON)
            return func(*args)

        future = super().run_in_executor(executor, held)
        self.held.append((self.ticks + THREAD_TURNS, let_go, future))
        return future


class Log(logging.Handler):
    """Keeps what the library logs, for the time of a run."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def __enter__(self):
        logging.getLogger("flowdeco").addHandler(self)
        return self

    def __exit__(self, *_):
        logging.getLogger("flowdeco").removeHandler(self)


class Watch(Observer):
    """Keeps the order in which jobs ended, and raises at one of its calls if it is told to."""

    def __init__(self, raises_at=None, error=None):
        self.ended = []
        self.calls = 0
        self.raises_at = raises_at
        self.error = error

    def _called(self):
        self.calls += 1
        if self.calls == self.raises_at:
            raise self.error

    def run_started(self, scheduler):
        self._called()

    def job_started(self, job):
        self._called()

    def job_ended(self, job):
        self.ended.append(job)
        self._called()

    def run_ended(self, report):
        self._called()


class Situation:
    """One run of a bit of everything, in which bodies and hooks wait where they can be hit."""

    timeout = None
    factory = None
    """What makes the tasks."""
    disturbed = None
    """What in the log raises."""

    def __init__(self, point=()):
        self.point = point
        self.diary = Diary()
        self.waiting = {}
        """The futures for which bodies and hooks wait now."""
        self.tasks = {}
        """Those that were seen, in that order."""
        self.planned = []
        """What the next threads are to raise."""
        self.thrown = []
        """What bodies and hooks have raised, of what was injected."""
        self.replacing = []
        """The cancellations that bodies and hooks have met."""
        self.hooks = []
        """The names of the hooks that must be called."""
        self.cancels = 0
        """How many cancellations the task of the run has accepted."""
        self.foreign = 0
        self.raised = None
        self.hung = None
        self.left = None
        self.complaints = []
        self.watch = Watch()
        self.blind = Watch()
        self.scheduler = self.make()

    # What it is made of

    async def pause(self, seconds):
        """Sleep; or raise what is injected."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = loop.call_later(seconds, lambda: future.done() or future.set_result(None))
        self.waiting[future] = None
        try:
            await future
        except asyncio.CancelledError as error:
            # It may replace, as Python has it, an exception that was being cleaned up after.
            self.replacing.append(error)
            raise
        except BaseException as error:
            self.thrown.append(error)
            raise
        finally:
            timer.cancel()
            self.waiting.pop(future)

    def in_thread(self):
        """Be in a thread; or raise there what is injected."""
        if self.planned:
            self.thrown.append(self.planned.pop(0))
            raise self.thrown[-1]

    def hook(self, name):
        self.hooks.append(name)

        async def body():
            await self.shut_down(name)

        return body

    async def shut_down(self, name):
        self.diary.note(f"{name} shuts down")
        await self.pause(0.25)

    async def served(self, name):
        """Go up, and down again."""
        await self.pause(0.5)
        self.diary.note(f"{name} up")
        yield name
        self.diary.note(f"{name} going down")
        await self.pause(0.5)

    # What happens to it

    def inject(self, error, victim):
        """Let the victim-th of what waits raise; whether there is one."""
        targets = [*(future for future in self.waiting if not future.done()), *self.loop.held]
        if victim >= len(targets):
            return False
        target = targets[victim]
        if isinstance(target, asyncio.Future):
            target.set_exception(error)
        else:
            self.planned.append(error)
        return True

    def cancel(self):
        """Cancel the task in which the run takes place."""
        self.cancels += self.task.cancel("why")

    def cancel_foreign(self, victim):
        """Cancel the victim-th of the other tasks; whether there is one."""
        tasks = sorted(
            asyncio.all_tasks(self.loop) - {self.task},
            key=lambda task: self.tasks.setdefault(task, len(self.tasks)),
        )
        if victim >= len(tasks):
            return False
        self.foreign += tasks[victim].cancel("foreign")
        return True

    def perform(self, actions=None, at_every_turn=None):
        """Perform it; return itself."""
        self.loop = TickLoop(actions, at_every_turn)
        self.loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        try:
            with Log() as self.log, disturbed(self.disturbed):
                self.loop.run_until_complete(self._main())
        except (DeadlockError, EndlessError) as error:
            self.hung = error
            bury(self.loop)
        finally:
            self.loop.close()
        self.ticks = self.loop.ticks
        return self

    async def _main(self):
        self.task = asyncio.current_task()
        others = asyncio.all_tasks()
        self.loop.set_task_factory(self.factory)
        try:
            self.ok = await self.scheduler.co_orchestrate(
                self.timeout, observers=[self.blind, self.watch]
            )
        except (asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:
            self.raised = error
        self.loop.set_task_factory(None)
        self.cancelling = self.task.cancelling()
        while self.task.uncancel():
            pass
        self.left = asyncio.all_tasks() - others

    # What must hold

    def problems(self):
        """The kinds of promises that were broken."""
        if self.hung is not None:
            return ["hangs"]
        return [kind for kind, broken in self.promises().items() if broken()]

    def promises(self):
        """What tells of each kind whether it was broken."""
        return {
            "leaks": self._leaks,
            "missing shutdowns": self._missing_shutdowns,
            "missing teardowns": self._missing_teardowns,
            "swallowed cancels": self._swallowed_cancels,
            "lost exceptions": self._lost_exceptions,
            "wrong verdicts": self._wrong_verdict,
            "observers not disabled": self._observer_not_disabled,
            "jobs not ended": self._not_ended,
            "calls of asyncio's handler": lambda: self.complaints,
        }

    def _leaks(self):
        return self.left or self.waiting

    def _missing_shutdowns(self):
        called = Counter(text for text in self.diary.texts if "shuts down" in text)
        missing = {f"{name} shuts down" for name in self.hooks} - set(called)
        # A hook may be the victim of a foreign cancellation before its first line.
        refused = getattr(self.factory, "refused", 0)
        return len(missing) > self.foreign + refused or any(count > 1 for count in called.values())

    def _missing_teardowns(self):
        texts = self.diary.texts
        ups = [text.removesuffix(" up") for text in texts if text.endswith(" up")]
        downs = [text.removesuffix(" going down") for text in texts if "going down" in text]
        return not self.foreign and sorted(ups) != sorted(downs)

    def _swallowed_cancels(self):
        if self._exits():
            return self.cancelling != self.cancels
        if not self.cancels:
            return isinstance(self.raised, asyncio.CancelledError) or self.cancelling
        came = isinstance(self.raised, asyncio.CancelledError) and self.raised.args == ("why",)
        return not came or self.cancelling != self.cancels

    def _exits(self):
        thrown = [*self.thrown, *([self.blind.error] if self._blind_has_raised() else [])]
        # What was raised in the clean-up after an exit took its place, before it left the body.
        replaced = [error.__context__ for error in (*self.replacing, *self.thrown)]
        return [
            error
            for error in thrown
            if isinstance(error, (SystemExit, KeyboardInterrupt)) and error not in replaced
        ]

    def _blind_has_raised(self):
        return self.blind.raises_at is not None and self.blind.calls >= self.blind.raises_at

    def _lost_exceptions(self):
        report = self.scheduler.report
        found = [record.exception for record in report.jobs]
        found += [*report.shutdown_errors.values(), *self.replacing]
        found += [record.exc_info[1] for record in self.log.records if record.exc_info]
        reached = set()
        while found:
            error = found.pop()
            if error is not None and id(error) not in reached:
                reached.add(id(error))
                found += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
        return [error for error in self.thrown if id(error) not in reached]

    def _observer_not_disabled(self):
        """One that fails is logged once and not called again; one that exits is called again."""
        logged = [record for record in self.log.records if "is disabled" in record.msg]
        if not self._blind_has_raised() or self.blind.error in self._exits():
            return bool(logged)
        return len(logged) != 1 or self.blind.calls != self.blind.raises_at

    def _not_ended(self):
        unfinished = (State.RUNNING, State.SCHEDULED, State.STUCK)
        return [record for record in self.scheduler.report.jobs if record.state in unfinished]

    def _wrong_verdict(self):
        reason = self.scheduler.report.reason
        cause = None if reason is None else reason.cause
        if self._exits():
            # One by an observer that is shown the report is too late to be in it.
            told = self.blind.calls != self.blind.raises_at or self.blind.error is None
            return (told and cause is not Cause.EXIT) or self.raised not in self._exits()
        if self.cancels:
            return cause is not Cause.CANCELLED
        decisive = [
            job
            for job in self.watch.ended
            if job in self.scheduler
            and job.is_critical()
            and job.state in (State.FAILED, State.SKIPPED)
        ]
        decisive.sort(key=self._known_to_fail)
        deadline = float("inf") if self.timeout is None else self.timeout
        steps = [job for job in self.scheduler if not job.forever]
        ended = (State.DONE, State.FAILED, State.SKIPPED)
        late = any(job.state not in ended or job.ended_at > deadline for job in steps)
        if decisive and decisive[0].ended_at <= deadline:
            both = decisive[0].ended_at == deadline and cause is Cause.TIMEOUT
            return not both and (cause is not Cause.CRITICAL or reason.job is not decisive[0])
        if decisive and late:
            return cause is not Cause.TIMEOUT
        return cause is not (Cause.CRITICAL if decisive else Cause.TIMEOUT if late else None)

    def _known_to_fail(self, job):
        """Where in the order of ends a job was known to fail: a fan-out with its first item."""
        items = job.children if isinstance(getattr(job, "body", None), EachBody) else ()
        failed = [item for item in items if item.state is State.FAILED]
        return min(map(self.watch.ended.index, [job, *failed]))


class Jobs(Situation):
    """Jobs in a scheduler with a window, services, a nested one, timeouts and clean-ups."""

    def make(self):
        hook = self.hook

        def pauses(seconds):
            return lambda: self.pause(seconds)

        async def cleans_up():
            try:
                await self.pause(60)
            finally:
                await self.pause(0.5)

        async def swallows_once():
            try:
                await self.pause(60)
            except asyncio.CancelledError:
                await self.pause(0.5)

        async def lone_service():
            await self.pause(60)

        def server(name):
            return Job(lambda: self.served(name), forever=True, shutdown=hook(name), label=name)

        outer_server, inner_server = self.server("server"), self.server("inner server")
        monitor = Job(lone_service, forever=True, shutdown=hook("monitor"), label="monitor")
        first = Job(pauses(1), label="first", shutdown=hook("first"))
        cleaning = Job(cleans_up, timeout=3, shutdown=hook("cleaning"), label="cleaning")
        taker = Job(
            pauses(1),
            required=[outer_server, first],
            shutdown=hook("taker"),
            critical=True,
            label="taker",
        )
        stubborn = Job(swallows_once, timeout=2, shutdown=hook("stubborn"), label="stubborn")
        inner = Scheduler(
            Job(pauses(2), shutdown=hook("inner step"), critical=True, label="inner step"),
            inner_server,
            required=first,
            label="inner",
        )
        last = Job(pauses(1), required=[taker, inner], shutdown=hook("last"), label="last")
        jobs = [outer_server, monitor, first, cleaning, taker, stubborn, inner, last]
        return Scheduler(*jobs, *self.more(), window=3, grace=5, label="outer")

    def server(self, name):
        async def body():
            async for value in self.served(name):
                yield value

        return Job(body, forever=True, shutdown=self.hook(name), label=name)

    def more(self):
        return []


class CriticalJobs(Jobs):
    """One of them fails, and that ends the run."""

    def more(self):
        async def boom():
            await self.pause(3.5)
            raise ValueError("broken")

        return [Job(boom, critical=True, shutdown=self.hook("boom"), label="boom")]


class TimedJobs(Jobs):
    """The deadline comes while much goes on."""

    timeout = 3


class Inner(Flow):
    """What is nested in a flow."""

    situation: Situation

    @service
    async def inner_server(self):
        async for value in self.situation.served("inner server"):
            yield value

    @step(after=inner_server, critical=True)
    async def inner_step(self, _server):
        await self.situation.pause(1)
        return 5

    @inner_step.shutdown
    async def close_inner_step(self):
        await self.situation.shut_down("inner step")


class Methods(Flow, window=3):
    """Steps in threads, fan-out and a subflow beside what jobs have."""

    situation: Situation

    @service
    async def server(self):
        async for value in self.situation.served("server"):
            yield value

    @service(after=server, critical=True)
    async def monitor(self):
        await self.situation.pause(60)

    @step(after=server)
    async def items(self, _server):
        await self.situation.pause(0.5)
        return [1, 2, 3]

    @each(items, window=2)
    async def doubled(self, item):
        await self.situation.pause(1)
        return 2 * item

    @each(items, critical=True)
    async def checked(self, item):
        await self.situation.pause(0.5)

    @each(items, window=2)
    def computed(self, item):
        self.situation.in_thread()

    @step(after=doubled, critical=True)
    def summed(self, values):
        self.situation.in_thread()
        return sum(values)

    @subflow(after=items)
    def nested(self, _items) -> Inner:
        self.situation.hooks.append("inner step")
        return Inner(situation=self.situation)

    @step(after=(summed, nested))
    async def last(self, _sum, _inner):
        await self.situation.pause(0.5)

    @items.shutdown
    async def close_items(self):
        await self.situation.shut_down("items")

    @doubled.shutdown
    async def close_doubled(self):
        await self.situation.shut_down("doubled")

    @nested.shutdown
    async def close_nested(self):
        await self.situation.shut_down("nested")

    @server.shutdown
    async def close_server(self):
        await self.situation.shut_down("server")


class Methodical(Situation):
    """A flow."""

    def make(self):
        self.hooks += ["items", "doubled", "nested", "server"]
        return Methods(situation=self).scheduler


class TimedMethods(Methodical):
    """The deadline comes while items and nested runs go on."""

    timeout = 2.25


SITUATIONS = [Jobs, CriticalJobs, TimedJobs, Methodical, TimedMethods]


# The sweeps. Turn 1 is left out: the task of the run has not begun then.


def turns(make):
    """The turns of a run to which nothing happens."""
    return range(2, make().perform().ticks + 1)


def cancelled(make):
    """A cancel of the run, at every turn."""
    for tick in turns(make):
        situation = make((tick,))
        yield situation.perform({tick: situation.cancel})


def cancelled_twice(make, stride=1):
    """A cancel of the run at any two turns."""
    for point in _pairs(make, stride):
        situation = make(point)
        yield situation.perform(dict.fromkeys(point, situation.cancel))


def cancelled_by_others(make):
    """A cancel of any of the tasks of the run, at every turn."""
    yield from _for_all_victims(
        make, lambda situation, victim: lambda: situation.cancel_foreign(victim)
    )


def failing(make, error=InjectedError):
    """An exception in whatever waits, at every turn."""
    yield from _for_all_victims(
        make, lambda situation, victim: lambda: situation.inject(error(), victim)
    )


def _for_all_victims(make, act):
    for tick in turns(make):
        for victim in itertools.count():
            situation = make((tick, victim))
            hit = []
            action = act(situation, victim)
            situation.perform({tick: lambda action=action, hit=hit: hit.append(action())})
            if not any(hit):
                break
            yield situation


def _chosen(situation, error, tick):
    """An injection into one of those that wait, each in its turn."""

    def act():
        situation.inject(error, tick % max(1, len(situation.waiting) + len(situation.loop.held)))

    return act


def _pairs(make, stride, choose=itertools.combinations):
    """Two turns; of all pairs one in so many."""
    return itertools.islice(choose(turns(make), 2), 0, None, stride)


def failing_twice(make, stride=1, first=InjectedError):
    """An exception at any two turns, in either case in one of those that wait."""
    for one, two in _pairs(make, stride):
        situation = make((one, two))
        actions = {
            one: _chosen(situation, first(), one + two),
            two: _chosen(situation, InjectedError(), one),
        }
        yield situation.perform(actions)


def failing_and_cancelled(make, stride=1, error=InjectedError):
    """An exception and a cancel of the run at any two turns, in either order."""
    for one, two in _pairs(make, stride, itertools.permutations):
        situation = make((one, two))
        actions = {one: _chosen(situation, error(), one + two), two: situation.cancel}
        yield situation.perform(actions)


def with_blind_observer(make, error=InjectedError):
    """An observer that raises at one of its calls."""
    for call in range(1, make().perform().blind.calls + 1):
        situation = make((call,))
        situation.blind = Watch(call, error())
        yield situation.perform()


def failing_with_blind_observer(make):
    """An exception at every turn, and an observer that raises when it is told of an end."""
    for tick in turns(make):
        situation = make((tick,))
        situation.blind = Watch(tick % 7 + 1, InjectedError())
        yield situation.perform({tick: _chosen(situation, InjectedError(), tick)})


def with_log_that_raises(make):
    """Something in the log raises: whatever it is told, and for each n-th record alone."""
    for disturbance in DISTURBED:
        situation = make(disturbance)
        situation.disturbed = disturbance
        yield situation.perform()


def failing_with_log_that_raises(make):
    """An exception at every turn, and a handler of the log that raises for whatever it is told."""
    for tick in turns(make):
        situation = make((tick,))
        situation.disturbed = DISTURBED[tick % len(DISTURBED)]
        yield situation.perform({tick: _chosen(situation, InjectedError(), tick)})


def with_task_refused(make):
    """A task factory that makes no task, at each of its calls."""
    counting = make()
    counting.factory = without(None)
    for number in range(1, counting.perform().factory.asked + 1):
        situation = make((number,))
        situation.factory = without(number)
        yield situation.perform()


def made_by(make, name):
    """The same situation, with tasks that a factory makes."""

    def made(point=()):
        situation = make(point)
        situation.factory = FACTORIES[name]()
        return situation

    return made


def leave():
    """What a body raises that wants the process to end."""
    return SystemExit(3)


SINGLES = {
    "a cancel": cancelled,
    "a foreign cancel": cancelled_by_others,
    "a failure": failing,
    "SystemExit": functools.partial(failing, error=leave),
    "KeyboardInterrupt": functools.partial(failing, error=KeyboardInterrupt),
    "an observer that fails": with_blind_observer,
    "an observer that exits": functools.partial(with_blind_observer, error=leave),
    "an observer and a failure": failing_with_blind_observer,
    "a log that raises": with_log_that_raises,
    "a log that raises and a failure": failing_with_log_that_raises,
    "a task refused": with_task_refused,
}
"""What can happen once in a run."""

PAIRS = {
    "two cancels": cancelled_twice,
    "two failures": failing_twice,
    "a failure and a cancel": failing_and_cancelled,
    "SystemExit and a failure": functools.partial(failing_twice, first=leave),
    "SystemExit and a cancel": functools.partial(failing_and_cancelled, error=leave),
}
"""What can happen twice."""
