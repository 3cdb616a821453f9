"""Random scenarios against the rules of a run, whatever their jobs do.

A scenario is a tree of specifications, from which a `World` makes jobs that write down what
happens. What must hold then is checked while it happens (by `World.expect`, as an exception of an
observer or a hook changes no verdict) and at the end (`World.check`). Each check names its rule.

`HYPOTHESIS_PROFILE=long` tries many more scenarios.
"""

import asyncio
import functools
import os
from collections import Counter

import attrs
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from ticks import TickLoop

from flowdeco import Job, Observer, Scheduler, State
from flowdeco.body import Bound
from flowdeco.errors import SelfCancelledError
from flowdeco.inner import ForEach
from flowdeco.outcome import MISSING
from flowdeco.reason import Cause
from flowdeco.tasks import is_abandoned

EXAMPLES = {"ci": 800, "long": 20_000}[os.environ.get("HYPOTHESIS_PROFILE", "ci")]

pytestmark = pytest.mark.usefixtures("short_stacks")

LONG = 30.0
"""The seconds of what is to be stopped."""

HOOK_TIME = 1.0
EPSILON = 1e-6

MORE_THAN_ANY_RUN_CANCELS = 7
"""A run cancels six times: who swallows seven may be stuck, and who swallows three is not."""

ENDED = {State.DONE, State.FAILED, State.SKIPPED, State.STUCK}
FINAL = ENDED | {State.IDLE, State.CANCELLED}

LEGAL = {
    "ok": {State.DONE, State.CANCELLED},
    "fails": {State.FAILED, State.CANCELLED},
    "exits": {State.FAILED, State.CANCELLED},
    "cancels": {State.FAILED, State.CANCELLED},
    "swallows": {State.DONE},
    "cleans": {State.DONE, State.CANCELLED},
    "plain": {State.DONE},
    "each": {State.DONE, State.FAILED, State.CANCELLED},
    "nested": {State.DONE, State.FAILED, State.CANCELLED},
    "monitor": {State.DONE, State.CANCELLED},
    "server": {State.CANCELLED},
}
"""How a job of each kind may have ended; further ways depend on what else it was given."""

SERVICES = ("monitor", "server")
KINDS = [*LEGAL, *("ok", "cleans", "swallows", "server", "monitor", "nested") * 2]
MAY_RAISE = ("cleans", "plain", *SERVICES)


@attrs.frozen
class Spec:
    """What a job is and does."""

    kind: str
    seconds: float = 0.0
    """Of its work, or until it is up."""
    ending: float = 0.0
    """Of its clean-up or teardown."""
    count: int = 0
    """How many cancels it swallows, or how long a list it returns."""
    raises: bool = False
    """In its clean-up or teardown, or in some of its items."""
    critical: bool = False
    timeout: float | None = None
    window: int | None = None
    after: tuple[int, ...] = ()
    takes: bool = False
    hook: str | None = None
    forever: bool = False
    inner: tuple["Spec", ...] = ()


@attrs.frozen
class Scenario:
    """What to run, within which limits, and in which turns of the loop to cancel what."""

    jobs: tuple[Spec, ...]
    timeout: float | None = None
    window: int | None = None
    grace: float = 1.0
    cancels: tuple[int, ...] = ()
    """When the run is cancelled from outside."""
    murders: tuple[tuple[int, int], ...] = ()
    """When somebody cancels one of the jobs, and which."""


durations = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
timeouts = st.sampled_from([None, None, None, 0.5, 1.0, 2.0, 3.0])
windows = st.sampled_from([None, None, 1, 2, 3])
ticks = st.integers(2, 60)
HOOKS = [None, "quick", "quick", "slow", "raises", "swallows"]


@st.composite
def job_specs(draw, place, depth):
    kind = draw(st.sampled_from([kind for kind in KINDS if depth or kind != "nested"]))
    after = tuple(sorted(draw(st.sets(st.integers(0, place - 1), max_size=2)))) if place else ()
    if kind == "each" and not after:
        kind = "ok"
    nested = kind == "nested"
    return Spec(
        kind=kind,
        seconds=draw(durations),
        ending=draw(durations),
        count=draw(st.sampled_from([0, 1, 3, 9])),
        raises=draw(st.booleans()),
        critical=draw(st.sampled_from([False, False, False, True])),
        timeout=None if kind == "monitor" else draw(timeouts),
        window=draw(windows) if kind in ("each", "nested") else None,
        after=after,
        takes=kind == "each" or (not nested and draw(st.booleans())),
        hook=None if nested else draw(st.sampled_from(HOOKS)),
        forever=kind in SERVICES or (nested and draw(st.sampled_from([False, False, True]))),
        inner=draw(job_lists(depth - 1, 3)) if nested else (),
    )


@st.composite
def job_lists(draw, depth, most):
    count = draw(st.integers(0, most).map(lambda missing: most - missing))
    return tuple(draw(job_specs(place, depth)) for place in range(count))


scenarios = st.builds(
    Scenario,
    jobs=job_lists(2, 6),
    timeout=timeouts,
    window=windows,
    grace=st.sampled_from([0.5, 1.0, 4.0]),
    cancels=st.just(()) | st.lists(ticks, max_size=2, unique=True).map(tuple),
    murders=st.just(()) | st.lists(st.tuples(ticks, st.integers(0, 9)), max_size=2).map(tuple),
)


def limit(timeout, specs):
    """The timeout of a level; without steps and without a limit it would go on for ever."""
    return LONG if timeout is None and all(spec.forever for spec in specs) else timeout


class World(Observer):
    """The jobs of a scenario, and what happens to them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.specs = {}
        self.deadlines = {}
        self.closed = set()
        """Levels in which nothing may start any more."""
        self.running = Counter()
        self.levels = {}
        self.fan_outs = {}
        """Which job it is that has these items."""
        self.watched_to_the_end = False
        self.hooked = Counter()
        self.ended = {}
        """When each job ended, or was declared stuck; in that order."""
        self.decisive = {}
        """When each critical job was known to fail; an each does with the first of its items."""
        self.log = []
        self.broken = []
        self.scheduler = Scheduler(
            *self.jobs(scenario.jobs),
            timeout=limit(scenario.timeout, scenario.jobs),
            window=scenario.window,
            grace=scenario.grace,
            shutdown_timeout=HOOK_TIME,
            label="top",
        )

    # Making jobs

    def jobs(self, specs):
        made = []
        for number, spec in enumerate(specs):
            job = self.nested(spec) if spec.kind == "nested" else self.job(spec, number, made)
            job.requires([made[place] for place in spec.after])
            self.specs[job] = spec
            made.append(job)
        return made

    def nested(self, spec):
        return Scheduler(
            *self.jobs(spec.inner),
            critical=spec.critical,
            jobs_critical=False,
            timeout=limit(spec.timeout, spec.inner),
            window=spec.window,
            grace=self.scenario.grace,
            shutdown_timeout=HOOK_TIME,
            forever=spec.forever,
            label="nested",
        )

    def job(self, spec, number, made):
        takes = [made[place] for place in spec.after] if spec.takes else []
        name = f"{spec.kind}{number}"
        method = getattr(self, spec.kind)(spec)
        if spec.kind == "each":
            body = ForEach(method, self, name, window=spec.window, timeout=spec.timeout)
            takes = takes[:1]
        else:
            body = Bound(method, self, name)
        body.takes = takes
        job = Job(
            body,
            critical=spec.critical,
            forever=spec.forever,
            timeout=None if spec.kind == "each" else spec.timeout,
            shutdown=spec.hook and (lambda: self.hook(job, spec.hook)),
        )
        return job

    # What they do

    def ok(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds)
            return list(range(spec.count))

        return body

    def fails(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds)
            raise ValueError("broken")

        return body

    def exits(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds)
            raise SystemExit(3)

        return body

    def cancels(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds)
            if spec.raises:
                raise asyncio.CancelledError
            asyncio.current_task().cancel()
            await asyncio.sleep(1)

        return body

    def swallows(self, spec):
        async def body(world, *values):
            left = spec.count
            until = asyncio.get_running_loop().time() + LONG
            while left and asyncio.get_running_loop().time() < until:
                try:
                    await asyncio.sleep(LONG)
                except asyncio.CancelledError:
                    left -= 1
            return []

        return body

    def cleans(self, spec):
        async def body(world, *values):
            try:
                await asyncio.sleep(LONG)
            finally:
                await asyncio.sleep(spec.ending)
                if spec.raises:
                    raise KeyError("clean-up")

        return body

    def plain(self, spec):
        def body(world, *values):
            if spec.raises:
                raise ValueError("in a thread")
            return list(range(spec.count))

        return body

    def each(self, spec):
        async def body(world, item):
            try:
                await asyncio.sleep(spec.seconds * item)
                if spec.raises and item % 3 == 1:
                    raise ValueError(item)
            finally:
                await asyncio.sleep(spec.ending)

        return body

    def monitor(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds or LONG)
            if spec.raises:
                raise OSError("service")

        return body

    def server(self, spec):
        async def body(world, *values):
            await asyncio.sleep(spec.seconds)
            yield [1, 2]
            await asyncio.sleep(spec.ending)
            if spec.raises:
                raise OSError("teardown")

        return body

    async def hook(self, job, kind):
        self.hooked[job] += 1
        self.note("hook", job)
        self.expect(job.state in FINAL, "rule 10: after its body", job)
        self.expect(self.running[self.level(job)] == 0, "rule 10: after all bodies", job)
        if kind == "slow":
            await asyncio.sleep(HOOK_TIME / 2)
        elif kind == "raises":
            raise ValueError("hook")
        elif kind == "swallows":
            for _ in range(3):
                try:
                    await asyncio.sleep(LONG)
                except asyncio.CancelledError:
                    pass

    # What happens to them

    def note(self, what, job):
        self.log.append((asyncio.get_running_loop().time(), what, job.name, job.state.name))

    def level(self, job):
        # That of an item goes when its job is run again or collected.
        return self.levels.setdefault(job, job._flow_home)

    def around(self, job):
        """The level of a job, and those around it."""
        level = self.level(job)
        while level is not None:
            yield level
            level = self.level(self.fan_outs.get(level, level))

    def run_started(self, scheduler):
        self.deadlines[scheduler] = self.deadline(scheduler)

    def deadline(self, scheduler):
        if scheduler.timeout is None:
            return None
        return asyncio.get_running_loop().time() + scheduler.timeout

    def job_started(self, job):
        self.note("start", job)
        self.running[self.level(job)] += 1
        if isinstance(job, Scheduler):
            self.deadlines[job] = self.deadline(job)
        if job not in self.specs:
            self.fan_outs[self.level(job)] = next(
                one for one in self.specs if job in one._children()
            )
        now = asyncio.get_running_loop().time()
        for before in job.required:
            ready = before.state in ENDED or self.is_up(before)
            self.expect(ready, "rule 2: after all that it requires", job)
        for level in self.around(job):
            deadline = self.deadlines.get(level)
            self.expect(deadline is None or now < deadline, "rule 2: not after a deadline", job)
            taken = sum(map(self.places_of, level))
            self.expect(taken <= (level.window or taken), "rule 6: the window", job)
            self.expect(level not in self.closed, "rule 4: nothing more starts", job)

    def expect(self, holds, rule, job):
        if not holds:
            self.broken.append((asyncio.get_running_loop().time(), rule, job))

    def is_up(self, job):
        return job.forever and job.state is State.RUNNING and job._outcome.value is not MISSING

    def places_of(self, job):
        if job.forever or job.state is not State.RUNNING:
            return 0
        if job in self.specs and self.specs[job].kind == "each":
            return sum(map(self.places_of, job._children()))
        return 1

    def job_ended(self, job):
        self.note("end", job)
        if job.started_at is not None:
            self.running[self.level(job)] -= 1
        self.ended[job] = asyncio.get_running_loop().time()
        decisive = self.fan_outs.get(self.level(job), job)
        if decisive._outcome.critical and job.state in (State.FAILED, State.SKIPPED):
            self.decisive.setdefault(decisive, asyncio.get_running_loop().time())
            self.closed.update((self.level(job), self.level(decisive)))
        elif job._outcome.critical and job.raised_exception() is not None:
            self.decisive.setdefault(job, asyncio.get_running_loop().time())

    def run_ended(self, report):
        self.watched_to_the_end = True

    # Running it

    def perform(self):
        self.complaints = []
        actions = {tick: functools.partial(self.murder, who) for tick, who in self.scenario.murders}
        actions.update(dict.fromkeys(self.scenario.cancels, self.cancel))
        self.loop = loop = TickLoop(actions)
        loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.cancelled_at = None
        self.count = 0  # of requests to cancel
        try:
            loop.run_until_complete(self.main())
            self.duration = loop.time()
            loop.run_until_complete(self.aftermath())
        finally:
            loop.close()

    def cancel(self):
        if not self.task.done():
            self.count += 1
            if self.cancelled_at is None:
                self.cancelled_at = self.loop.time()
            self.task.cancel("why")

    def murder(self, number):
        job = list(self.specs)[number % len(self.specs)] if self.specs else None
        level = None if job is None else self.level(job)
        run = None if level is None else level._flow_run
        for activity in () if run is None else filter(None, run.activities):
            if activity.job is job and activity.task is not None:
                activity.task.cancel("foreign")

    async def main(self):
        self.task = asyncio.current_task()
        others = asyncio.all_tasks()
        self.raised = None
        try:
            self.ok_ = await self.scheduler.co_orchestrate(observers=[self])
        except (asyncio.CancelledError, SystemExit) as error:
            self.raised = error
        # Rule 11: the count of requests is untouched.
        assert self.task.cancelling() == self.count
        while self.task.uncancel():
            pass
        self.left = asyncio.all_tasks() - others

    async def aftermath(self):
        """Rules 9 and 14: what was stuck ends some day, and disturbs nobody."""
        swallowing = sum(spec.hook == "swallows" for spec in self.specs.values())
        assert len([task for task in self.left if not is_abandoned(task)]) <= swallowing
        before = str(self.scheduler.report)
        await asyncio.sleep(10_000)
        assert str(self.scheduler.report) == before
        assert all(task.done() for task in self.left)
        assert self.complaints == []

    # What must hold in the end

    @property
    def report(self):
        return self.scheduler.report

    def check(self):
        assert self.watched_to_the_end, "the observer raised and was disabled"
        assert self.broken == []
        self.check_hooks()
        for job, spec in self.specs.items():
            self.check_state(job, spec)
        self.check_bound()
        self.check_reason()

    def check_hooks(self):
        """Rule 10: every hook exactly once."""
        expected = {job: 1 for job, spec in self.specs.items() if spec.hook}
        assert self.hooked == expected

    def check_state(self, job, spec):
        """Rules 3, 13 and 20: a state that its behaviour can have led to."""
        state, error = job.state, job._outcome.exception
        legal = LEGAL[spec.kind] | {State.IDLE}
        if spec.takes:
            legal = legal | {State.SKIPPED}
        if spec.timeout is not None or (spec.raises and spec.kind in MAY_RAISE):
            legal = legal | {State.FAILED}
        if self.scenario.murders:
            legal = legal | {State.FAILED, State.DONE}
        if spec.kind == "swallows" and spec.count >= MORE_THAN_ANY_RUN_CANCELS:
            legal = legal | {State.STUCK}
        assert state in legal, (job, spec)
        assert (error is not None) == (state in (State.FAILED, State.SKIPPED)) or (
            state is State.STUCK and isinstance(error, TimeoutError)
        )
        begun = state not in (State.IDLE, State.SKIPPED)
        assert (job.started_at is not None) == begun or self.scenario.murders
        predicates = [job.is_idle(), job.is_scheduled(), job.is_running(), job.is_done()]
        assert predicates.count(True) == 1
        if state is State.SKIPPED:
            assert any(before._outcome.value is MISSING for before in job._traits.takes)
        if spec.kind == "cancels" and state is State.FAILED:
            assert isinstance(error, (SelfCancelledError, TimeoutError))
        if spec.kind == "nested" and job.is_done() and job.started_at is not None:
            assert job.report.ok == (state is State.DONE)

    @property
    def steps(self):
        return [job for job in self.scheduler if not job.forever]

    def check_bound(self):
        """Rule 8: not longer than the grace and the time of hooks after what ends it."""
        over = []
        if self.scheduler.timeout is not None:
            over.append(self.scheduler.timeout)
        if self.cancelled_at is not None:
            over.append(self.cancelled_at)
        reason = self.report.reason
        if reason is not None and reason.cause is Cause.CRITICAL:
            over.append(self.decisive[reason.job])
        if reason is None or not over:
            bodies = self.steps or list(self.scheduler)
            over.append(max((self.ended.get(job, 0.0) for job in bodies), default=0.0))
        bound = min(over) + self.scenario.grace + HOOK_TIME
        assert self.duration <= bound + EPSILON
        assert abs(self.report.duration - self.duration) < EPSILON

    def check_reason(self):
        """Rules 15 and 20: success if and only if nothing stands against it."""
        reason = self.report.reason
        cause = None if reason is None else reason.cause
        exits = [job for job in self.specs if isinstance(job.raised_exception(), SystemExit)]
        decisive = [job for job in self.decisive if self.level(job) is self.scheduler]
        stopped = [job for job in self.steps if job.state in (State.IDLE, State.CANCELLED)]
        stuck = [
            job
            for job in self.scheduler
            if job.state is State.STUCK and (not job.forever or job._outcome.critical)
        ]
        if exits:
            assert cause is Cause.EXIT
            assert isinstance(self.raised, SystemExit)
        elif self.count:
            assert cause is Cause.CANCELLED
            assert isinstance(self.raised, asyncio.CancelledError)
            assert self.raised.args == ("why",)
        elif cause is Cause.CRITICAL:
            assert reason.job is decisive[0]
            # The deadline does not cut a teardown, which may fail after it.
            if self.scheduler.timeout is not None and not reason.job.forever:
                assert self.decisive[reason.job] <= self.scheduler.timeout
        elif cause is Cause.TIMEOUT:
            assert self.duration >= self.scheduler.timeout
            assert all(self.decisive[job] >= self.scheduler.timeout for job in decisive)
            if self.steps:
                assert any(
                    job.ended_at is None or job.ended_at >= self.scheduler.timeout
                    for job in self.steps
                )
        else:
            assert not decisive
            assert not stopped
            assert (cause is Cause.STUCK) == bool(stuck)
            assert reason is None or stuck
        if not (exits or self.count):
            assert self.raised is None
            assert self.ok_ is (reason is None)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenarios)
def test_whatever_jobs_do_the_rules_hold(scenario):
    """Rules 2, 4 to 11, 13 to 16 and 20."""
    world = World(scenario)
    world.perform()
    world.check()
    event("succeeded" if world.report.ok else world.report.reason.cause.name)

    threads = any(spec.kind == "plain" for spec in world.specs.values())
    if not threads:
        again = World(scenario)
        again.perform()
        # Rule 16.
        assert again.log == world.log
