"""Random scenarios against the rules of a run, whatever their jobs do.

A scenario is a tree of specifications, from which a `World` makes jobs that write down what
happens. What must hold then is checked while it happens (by `World.expect`, as an exception of an
observer or a hook changes no verdict) and at the end (`World.check`). Each check names its rule.
When jobs start and end, and what they give, is noted by their bodies: in some of the scenarios
nobody else watches, as whoever watches a run changes which way it takes through the engine.

`HYPOTHESIS_PROFILE=long` tries many more scenarios.
"""

import asyncio
import functools
import os
import threading
from collections import Counter

import attrs
import pytest
from bystanders import BLIND, DISTURBED, Blind, disturbed
from factories import FACTORIES, NoTaskError
from hostile import FAILURES, RESULTS, is_a
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from thoroughness import THINNED
from ticks import TickLoop, bury
from timetable import Timetable

from flowdeco import Job, Observer, Override, Retry, Scheduler, Skip, State, current_job
from flowdeco.engine.reason import Cause
from flowdeco.engine.tasks import is_abandoned
from flowdeco.errors import SelfCancelledError
from flowdeco.flows.nested import EachBody
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.outcome import MISSING

EXAMPLES = {"ci": 800 // THINNED, "long": 20_000}[os.environ.get("HYPOTHESIS_PROFILE", "ci")]

pytestmark = pytest.mark.usefixtures("short_stacks")

LONG = 30.0
"""The seconds of what is to be stopped."""

HOOK_TIME = 1.0
EPSILON = 1e-6

MORE_THAN_ANY_RUN_CANCELS = 7
"""A run cancels six times: who swallows seven may be stuck, and who swallows three is not."""

ATTEMPTS = 3
"""How often a job is tried that may be tried again."""

ENDED = {State.DONE, State.FAILED, State.SKIPPED, State.STUCK}
FINAL = ENDED | {State.IDLE, State.CANCELLED}

LEGAL = {
    "ok": {State.DONE, State.CANCELLED},
    "fails": {State.FAILED, State.CANCELLED},
    "exits": {State.FAILED, State.CANCELLED},
    "skips": {State.SKIPPED, State.CANCELLED},
    "retries": {State.DONE, State.FAILED, State.CANCELLED},
    "cancels": {State.FAILED, State.CANCELLED},
    "swallows": {State.DONE},
    "cleans": {State.DONE, State.CANCELLED},
    "plain": {State.DONE},
    "each": {State.DONE, State.FAILED, State.CANCELLED},
    "nested": {State.DONE, State.FAILED, State.CANCELLED},
    "runs": {State.DONE, State.FAILED, State.CANCELLED},
    "monitor": {State.DONE, State.CANCELLED},
    "server": {State.CANCELLED},
}
"""How a job of each kind may have ended; further ways depend on what else it was given."""

GIVEN = {
    "returns": lambda: {"returns": [1, 2]},
    "raises": lambda: {"raises": ValueError("given")},
    "skips": lambda: {"raises": Skip("given")},
}
"""How the end of a job may be given."""

SERVICES = ("monitor", "server")
LEVELS = ("nested", "runs")
"""A set of jobs as a job, and a body that runs one when it has done something else."""

KINDS = [*LEGAL, *("ok", "cleans", "swallows", "server", "monitor", "nested") * 2]
MAY_RAISE = ("cleans", "plain", *SERVICES)
MAY_FAIL = ("fails", "each", *MAY_RAISE)
MAY_GIVE = ("ok", "plain", "server")


class Brief:
    """Shows what is not as it is by default."""

    def __repr__(self):
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in attrs.fields(type(self))
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def _repr_pretty_(self, printer, _cycle):
        printer.text(repr(self))  # for Hypothesis


@attrs.frozen(repr=False)
class Spec(Brief):
    """What a job is and does."""

    kind: str
    seconds: float = 0.0
    """Of its work, or until it is up."""
    ending: float = 0.0
    """Of its clean-up or teardown, or of the wait before it is tried again."""
    count: int = 0
    """How many cancels it swallows, how long a list it returns, or how often it fails before."""
    raises: bool = False
    """In its clean-up or teardown, or in some of its items."""
    critical: bool = False
    timeout: float | None = None
    window: int | None = None
    after: tuple[int, ...] = ()
    takes: bool = False
    hook: str | None = None
    forever: bool = False
    result: str | None = None
    """What is odd about what it gives."""
    failure: str | None = None
    """What is odd about what it raises."""
    inner: tuple["Spec", ...] = ()


@attrs.frozen(repr=False)
class Scenario(Brief):
    """What to run, within which limits, and in which turns of the loop to cancel what."""

    jobs: tuple[Spec, ...]
    timeout: float | None = None
    window: int | None = None
    grace: float = 1.0
    cancels: tuple[int, ...] = ()
    """When the run is cancelled from outside."""
    murders: tuple[tuple[int, int], ...] = ()
    """When somebody cancels one of the jobs, and which: by its task in even ticks."""
    overrides: tuple[tuple[int, str], ...] = ()
    """Which jobs of the outermost level have their end given, and which one."""
    watched: bool = True
    """Whether an observer notes what happens, too."""
    blind: tuple[tuple[str, int], ...] = ()
    """Observers that raise, of which kind and at which of their calls."""
    disturbed: tuple[str, int] | None = None
    """What in the log raises, and from which level on there are records."""
    factory: str = "default"

    @property
    def undisturbed(self):
        """The same, without who changes nothing of it; and watched if this is not."""
        return attrs.evolve(self, blind=(), disturbed=None, watched=not self.watched)


durations = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0])
timeouts = st.sampled_from([None, None, None, 0.5, 1.0, 2.0, 3.0, 6.0])
windows = st.sampled_from([None, None, 1, 2, 3])
ticks = st.integers(2, 60)
blind = st.lists(st.tuples(st.sampled_from(BLIND), st.integers(1, 12)), max_size=2).map(tuple)
odd_results = st.just(None) | st.just(None) | st.sampled_from(list(RESULTS))
odd_failures = st.just(None) | st.just(None) | st.sampled_from(list(FAILURES))
HOOKS = [None, "quick", "quick", "slow", "raises", "swallows"]


@st.composite
def job_specs(draw, place, depth, odd):
    kind = draw(st.sampled_from([kind for kind in KINDS if depth or kind not in LEVELS]))
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
        timeout=None if kind in ("monitor", "retries") else draw(timeouts),
        window=draw(windows) if kind == "each" or kind in LEVELS else None,
        after=after,
        takes=kind == "each" or (not nested and draw(st.booleans())),
        hook=None if nested else draw(st.sampled_from(HOOKS)),
        forever=kind in SERVICES or (nested and draw(st.sampled_from([False, False, True]))),
        result=draw(odd_results) if odd and kind in MAY_GIVE else None,
        failure=draw(odd_failures) if odd and kind in MAY_FAIL else None,
        inner=draw(job_lists(depth - 1, 3, odd)) if kind in LEVELS else (),
    )


@st.composite
def job_lists(draw, depth, most, odd):
    count = draw(st.integers(0, most).map(lambda missing: most - missing))
    return tuple(draw(job_specs(place, depth, odd)) for place in range(count))


scenarios = functools.partial(
    st.builds,
    Scenario,
    jobs=job_lists(2, 6, odd=False),
    timeout=timeouts,
    window=windows,
    grace=st.sampled_from([0.5, 1.0, 4.0]),
    cancels=st.just(()) | st.lists(ticks, max_size=2, unique=True).map(tuple),
    overrides=st.just(())
    | st.dictionaries(st.integers(0, 5), st.sampled_from(list(GIVEN)), max_size=2).map(
        lambda given: tuple(given.items())
    ),
    murders=st.just(()) | st.lists(st.tuples(ticks, st.integers(0, 9)), max_size=2).map(tuple),
    watched=st.booleans(),
)


def retry_of(spec):
    """When a job of the kind that is tried again is."""
    return Retry(on=ValueError, attempts=ATTEMPTS, wait_initial=spec.ending, wait_jitter=0)


def limit(timeout, specs):
    """The timeout of a level; without steps and without a limit it would go on for ever."""
    return LONG if timeout is None and all(spec.forever for spec in specs) else timeout


class Ending:
    """Notes how a body ends. It is no `contextmanager`, which sets attributes of exceptions."""

    def __init__(self, world, job, spec):
        self.world, self.job, self.spec = world, job, spec
        self.value = None

    def __enter__(self):
        return self.give

    def give(self, value):
        """Return what the body gives instead of a value."""
        self.value = value if self.spec.result is None else RESULTS[self.spec.result]()
        return self.value

    def __exit__(self, _, error, __):
        now = self.world.loop.time()
        self.world.left_body[self.job] = (now, self.value, error)
        self.world.course.append((now, "leaves", self.job.name))


class World(Observer):
    """The jobs of a scenario, and what happens to them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.specs = {}
        self.deadlines = {}
        self.closed = {}
        """Levels in which nothing may start any more, and since when."""
        self.levels = {}
        self.hosts = {}
        """Which job it is in whose body the jobs of a level run."""
        self.entered = {}
        """When those levels have begun to run that a body begins."""
        self.begun = {}
        """When the body of each job began, by the clock of the loop."""
        self.up = {}
        self.left_body = {}
        """How each body has ended: when, with which value, with which exception."""
        self.course = []
        """What bodies and hooks have noted, in that order."""
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
        self.blind = [Blind(*blind) for blind in scenario.blind]
        top = list(self.scheduler)
        self.given = {
            top[number % len(top)]: Override(top[number % len(top)], **GIVEN[how]())
            for number, how in scenario.overrides
            if top
        }
        """The jobs whose ends are given, with their overrides."""

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
        method = self.noted(spec, getattr(self, spec.kind)(spec))
        if spec.kind == "each":
            body = EachBody(method, self, name, window=spec.window, timeout=spec.timeout)
            takes = takes[:1]
        else:
            retry = retry_of(spec) if spec.kind == "retries" else None
            body = MethodBody(method, self, name, retry=retry)
        body.inputs = takes
        job = Job(
            body,
            critical=spec.critical,
            forever=spec.forever,
            timeout=None if spec.kind in ("each", "runs") else spec.timeout,
            shutdown=spec.hook and (lambda: self.hook(job, spec)),
        )
        if spec.kind == "runs":
            self.hosts[method.inner] = job
        return job

    def noted(self, spec, method):
        """Let a body note when it begins and ends."""
        if spec.kind == "server":
            body = method  # which does so itself
        elif spec.kind == "plain":

            def body(world, *values):
                with Ending(self, self.begin(), spec) as give:
                    return give(method(*values))

        else:

            async def body(world, *values):
                with Ending(self, self.begin(), spec) as give:
                    return give(await method(*values))

        body.inner = getattr(method, "inner", None)
        return body

    def failure(self, spec, error):
        """What a body raises instead of an error."""
        return error if spec.failure is None else FAILURES[spec.failure]()

    # What they do

    def ok(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds)
            return list(range(spec.count))

        return body

    def fails(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds)
            raise self.failure(spec, ValueError("broken"))

        return body

    def retries(self, spec):
        left = [spec.count]

        async def body(*values):
            await asyncio.sleep(spec.seconds)
            if left[0]:
                left[0] -= 1
                raise self.failure(spec, ValueError("again"))
            return []

        return body

    def skips(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds)
            raise Skip("nothing")

        return body

    def exits(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds)
            raise SystemExit(3)

        return body

    def cancels(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds)
            if spec.raises:
                raise asyncio.CancelledError
            asyncio.current_task().cancel()
            await asyncio.sleep(1)

        return body

    def swallows(self, spec):
        async def body(*values):
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
        async def body(*values):
            try:
                await asyncio.sleep(LONG)
            finally:
                await asyncio.sleep(spec.ending)
                if spec.raises:
                    raise self.failure(spec, KeyError("clean-up"))

        return body

    def plain(self, spec):
        def body(*values):
            if spec.raises:
                raise self.failure(spec, ValueError("in a thread"))
            return list(range(spec.count))

        return body

    def each(self, spec):
        async def body(item):
            try:
                await asyncio.sleep(spec.seconds * item)
                if spec.raises and item % 3 == 1:
                    raise self.failure(spec, ValueError(item))
            finally:
                await asyncio.sleep(spec.ending)

        return body

    def runs(self, spec):
        inner = Scheduler(
            *self.jobs(spec.inner),
            timeout=limit(spec.timeout, spec.inner),
            window=spec.window,
            grace=self.scenario.grace,
            shutdown_timeout=HOOK_TIME,
            label="run within",
        )

        async def body(*values):
            await asyncio.sleep(spec.seconds)
            self.entered[inner] = self.loop.time()
            self.deadlines[inner] = self.deadline(inner)
            return await inner.co_orchestrate()

        body.inner = inner
        return body

    def monitor(self, spec):
        async def body(*values):
            await asyncio.sleep(spec.seconds or LONG)
            if spec.raises:
                raise self.failure(spec, OSError("service"))

        return body

    def server(self, spec):
        async def body(world, *values):
            job = self.begin()
            with Ending(self, job, spec) as give:
                await asyncio.sleep(spec.seconds)
                self.up[job] = self.loop.time()
                yield give([1, 2])
                await asyncio.sleep(spec.ending)
                if spec.raises:
                    raise self.failure(spec, OSError("teardown"))

        return body

    async def hook(self, job, spec):
        kind = spec.hook
        self.hooked[job] += 1
        self.note("hook", job)
        self.course.append((self.loop.time(), "hook", job.name))
        self.expect(job.state in FINAL, "rule 10: after its body", job)
        ended = all(one.state in FINAL for one in self.level(job))
        self.expect(ended, "rule 10: after all bodies", job)
        if kind == "slow":
            await asyncio.sleep(HOOK_TIME / 2)
        elif kind == "raises":
            raise self.failure(spec, ValueError("hook"))
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
        return self.levels.setdefault(job, job.__flow_home__)

    def around(self, job):
        """The level of a job, and those around it."""
        level = self.level(job)
        while level is not None:
            yield level
            level = self.level(self.hosts.get(level, level))

    def deadline(self, scheduler):
        return None if scheduler.timeout is None else self.loop.time() + scheduler.timeout

    def deadline_of(self, level):
        """When nothing starts there any more; what is nested has it from its start."""
        if level not in self.deadlines and level in self.specs and level.timeout is not None:
            return level.started_at + level.timeout
        return self.deadlines.get(level)

    def begin(self):
        """Note that a body begins; return the job whose it is."""
        job = current_job()
        if job in self.begun and len(job.attempts) > 1:
            self.check_start(job)
            return job
        self.expect(job not in self.begun, "rule 2: a body begins once", job)
        self.begun[job] = self.loop.time()
        self.course.append((self.loop.time(), "begins", job.name))
        if threading.get_ident() == self.loop_thread:  # a thread begins some turns later
            self.check_start(job)
        return job

    def job_started(self, job):
        self.note("start", job)
        self.check_start(job)

    def check_start(self, job):
        """What must hold at the moment at which a job starts."""
        if job not in self.specs:
            self.hosts[self.level(job)] = next(one for one in self.specs if job in one.children)
        now = self.loop.time()
        for before in job.required:
            ready = before.state in ENDED or self.is_up(before)
            self.expect(ready, "rule 2: after all that it requires", job)
        since = None
        for level in self.around(job):
            deadline = self.deadline_of(level)
            self.expect(deadline is None or now < deadline, "rule 2: not after a deadline", job)
            taken = sum(map(self.places_of, level))
            self.expect(taken <= (level.window or taken), "rule 6: the window", job)
            # What is closed ends a body, but does not keep it from beginning a run before that.
            still = since is not None and since >= self.closed.get(level, since)
            self.expect(still or level not in self.closed, "rule 4: nothing more starts", job)
            begun = self.entered.get(level, since)
            since = begun if since is None else max(since, begun)

    def expect(self, holds, rule, job):
        if not holds:
            self.broken.append((self.loop.time(), rule, job))

    def is_up(self, job):
        return (
            job.forever and job.state is State.RUNNING and job.__flow_outcome__.value is not MISSING
        )

    def places_of(self, job):
        if job.forever or job.state is not State.RUNNING or job in self.given:
            return 0
        if job in self.specs and self.specs[job].kind == "each":
            return sum(map(self.places_of, job.children))
        return 1

    def job_ended(self, job):
        self.note("end", job)
        self.ended[job] = asyncio.get_running_loop().time()
        decisive = job
        if job not in self.specs:
            decisive = self.hosts.get(self.level(job), job)
        counts = job.state is State.FAILED or (
            job.state is State.SKIPPED and not self.is_skipped_on_purpose(job)
        )
        if decisive.__flow_outcome__.critical and counts:
            self.decisive.setdefault(decisive, asyncio.get_running_loop().time())
            for level in (self.level(job), self.level(decisive)):
                self.closed.setdefault(level, self.loop.time())
        elif job.__flow_outcome__.critical and job.raised_exception() is not None:
            self.decisive.setdefault(job, asyncio.get_running_loop().time())

    def run_ended(self, report):
        self.watched_to_the_end = True

    # Running it

    def perform(self):
        self.complaints = []
        self.loop_thread = threading.get_ident()
        self.deadlines[self.scheduler] = self.scheduler.timeout
        actions = {
            tick: functools.partial(self.murder, who, by_task=tick % 2 == 0)
            for tick, who in self.scenario.murders
        }
        actions.update(dict.fromkeys(self.scenario.cancels, self.cancel))
        self.loop = loop = TickLoop(actions)
        loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.cancelled_at = None
        self.count = 0  # of requests to cancel
        try:
            with disturbed(self.scenario.disturbed):
                loop.run_until_complete(self.main())
                self.duration = loop.time()
                loop.run_until_complete(self.aftermath())
        finally:
            bury(loop)
            loop.close()

    def cancel(self):
        if not self.task.done():
            self.count += 1
            if self.cancelled_at is None:
                self.cancelled_at = self.loop.time()
            self.task.cancel("why")

    def murder(self, number, *, by_task):
        """Cancel a job, by its task or by its own method."""
        job = list(self.specs)[number % len(self.specs)] if self.specs else None
        if job is not None and not by_task:
            job.cancel()
            return
        level = None if job is None else self.level(job)
        run = None if level is None else level.__flow_run__
        for activity in () if run is None else filter(None, run.progress.executions):
            if activity.job is job and activity.task is not None:
                activity.task.cancel("foreign")

    async def main(self):
        self.task = asyncio.current_task()
        others = asyncio.all_tasks()
        self.raised = None
        self.factory = FACTORIES[self.scenario.factory]()
        self.loop.set_task_factory(self.factory)
        try:
            observers = [*self.blind, self] if self.scenario.watched else self.blind
            self.ok_ = await self.scheduler.co_orchestrate(
                observers=observers, overrides=self.given.values()
            )
        except (asyncio.CancelledError, SystemExit) as error:
            self.raised = error
        self.loop.set_task_factory(None)
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

    def end(self):
        """What has become of all jobs, and of the run."""
        reason = self.report.reason
        return reason and (reason.cause, reason.job and reason.job.name), [
            (job.name, job.state, job.started_at, job.ended_at) for job in self.specs
        ]

    # What must hold in the end

    @property
    def report(self):
        return self.scheduler.report

    def check(self):
        assert self.watched_to_the_end or not self.scenario.watched, "the observer was disabled"
        assert self.broken == []
        assert all(blind.calls <= blind.raises_at for blind in self.blind)
        if not self.scenario.watched:
            self.note_ends()
        self.check_hooks()
        for job, spec in self.specs.items():
            self.check_state(job, spec)
        self.check_bound()
        self.check_reason()

    def check_hooks(self):
        """Rule 10: every hook exactly once, unless there was no task to be had for it."""
        expected = {
            job: 1
            for job, spec in self.specs.items()
            if spec.hook and self.has_run(job) and not self.is_given(job)
        }
        refused = getattr(self.factory, "refused", 0)
        assert all(self.hooked[job] <= 1 for job in expected)
        assert set(self.hooked) <= set(expected)
        assert len(expected) - len(self.hooked) <= refused

    def is_given(self, job):
        """Whether the end of a job is given, or of one that it is inside of."""
        inside = {self.hosts.get(level, level) for level in self.around(job)}
        return job in self.given or not inside.isdisjoint(self.given)

    def has_run(self, job):
        """Whether the run of its level has begun, or is part of one that has."""
        within = [level for level in self.around(job) if level in self.hosts]
        return all(level in self.entered for level in within)

    def note_ends(self):
        """Note what an observer would have, as far as it can be told from what is left."""
        for job in self.specs:
            if job.ended_at is not None:
                self.ended[job] = job.ended_at
            elif job.state is State.STUCK and job.timeout is not None and job in self.begun:
                self.ended[job] = self.begun[job] + job.timeout + self.scenario.grace
            elif job.state is State.STUCK:
                self.ended[job] = self.duration  # or some time before that
        for job in sorted(self.ended, key=self.ended.get):
            failed = [one for one in job.children if one.state is State.FAILED]
            skipped = job.state is State.SKIPPED and not self.is_skipped_on_purpose(job)
            if not job.__flow_outcome__.critical or (
                job.raised_exception() is None and not skipped
            ):
                continue
            when = self.ended[job]
            if self.specs[job].kind == "each" and failed:
                when = min(one.ended_at for one in failed)
            self.decisive[job] = when
        self.decisive = dict(sorted(self.decisive.items(), key=lambda item: item[1]))

    def check_state(self, job, spec):
        """Rules 3, 13 and 20: a state that its behaviour can have led to."""
        state, error = job.state, job.__flow_outcome__.exception
        if job in self.given:
            self.check_given(job)
            return
        legal = LEGAL[spec.kind] | {State.IDLE}
        if spec.takes:
            legal = legal | {State.SKIPPED}
        if spec.timeout is not None or (spec.raises and spec.kind in MAY_RAISE):
            legal = legal | {State.FAILED}
        if self.scenario.murders:
            legal = legal | {State.FAILED, State.DONE}
        if self.scenario.factory == "scarce" or spec.kind == "each":
            legal = legal | {State.FAILED}
        if spec.kind == "swallows" and spec.count >= MORE_THAN_ANY_RUN_CANCELS:
            legal = legal | {State.STUCK}
        if spec.kind == "plain" and spec.result == "await":
            legal = legal | {State.FAILED}  # a plain body returns nothing that is to be awaited
        if spec.kind in SERVICES and spec.ending:
            legal = legal | {State.FAILED}  # its teardown may be cut short
        assert state in legal, (job, spec)
        stopped = spec.kind == "server" and state is State.CANCELLED and self.was_up(job)
        if stopped and not self.scenario.murders:
            # Rule 7: no clean end if the last fifth of the grace has come.
            assert spec.ending <= self.scenario.grace * 4 / 5
        assert (error is not None) == (state in (State.FAILED, State.SKIPPED)) or (
            state is State.STUCK and is_a(error, (TimeoutError, SelfCancelledError))
        )
        skips = spec.kind == "skips" and job.started_at is not None
        begun = state not in (State.IDLE, State.SKIPPED) or skips
        unbegun = self.scenario.murders or is_a(error, NoTaskError)
        assert (job.started_at is not None) == begun or unbegun
        predicates = [job.is_idle(), job.is_scheduled(), job.is_running(), job.is_done()]
        assert predicates.count(True) == 1
        if state is State.SKIPPED:
            assert skips or any(
                before.__flow_outcome__.value is MISSING for before in job.__flow_body__.inputs
            )
            assert (error.skip is not None) == self.is_skipped_on_purpose(job)
        if spec.kind == "cancels" and state is State.FAILED:
            assert is_a(error, (SelfCancelledError, TimeoutError, NoTaskError))
        self.check_what_it_left(job)
        if spec.kind == "nested" and job.is_done() and job.started_at is not None:
            assert job.report.ok == (state is State.DONE)

    def check_given(self, job):
        """Section 2: what has its end given starts and ends at once, or not at all."""
        override = self.given[job]
        assert job not in self.begun, "its body has begun"
        assert job.started_at == job.ended_at
        if job.started_at is None:
            murdered = self.scenario.murders and job.state is State.FAILED
            assert job.state is State.IDLE or murdered
        elif override.raises is None:
            assert job.state is State.DONE
            assert job.__flow_outcome__.value == override.returns
        elif is_a(override.raises, Skip):
            assert job.state is State.SKIPPED
        else:
            assert job.raised_exception() is override.raises

    def is_given_up(self, job):
        """Whether a job has failed because the run has ended before it could be tried again."""
        return (
            self.specs[job].kind == "retries"
            and job.state is State.FAILED
            and len(job.attempts) < ATTEMPTS
            and is_a(job.raised_exception(), ValueError)
        )

    def is_skipped_on_purpose(self, job):
        """Whether a `Skip` is all that its skip goes back to."""
        if job.state is not State.SKIPPED:
            return False
        if job.started_at is not None:
            return True
        inputs = job.__flow_body__.inputs
        missing = [one for one in inputs if one.__flow_outcome__.value is MISSING]
        return all(map(self.is_skipped_on_purpose, missing))

    def was_up(self, job):
        """Whether a service has been ready."""
        return job.__flow_outcome__.value is not MISSING

    def check_what_it_left(self, job):
        """Rules 13 and 14: what the body has given or raised is what the job has."""
        for one in (job, *(job.children if self.specs[job].kind == "each" else ())):
            if one not in self.left_body:
                continue  # it has no body, or none that was left
            _, value, error = self.left_body[one]
            outcome = one.__flow_outcome__
            if outcome.state is State.DONE:
                assert outcome.value is value, "another value"
                assert one.result() is value, "another result"
            elif outcome.state is State.FAILED and self.raised_by_body(outcome, error):
                assert outcome.exception is error, "another exception"
                assert one.raised_exception() is error, "another exception is shown"

    def raised_by_body(self, outcome, error):
        """Whether a failure is what the body has raised, and nothing that was made of it."""
        made = (SelfCancelledError, TimeoutError, NoTaskError, BaseExceptionGroup)
        return error is not None and not is_a(outcome.exception, made)

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
        exits = [job for job in self.specs if is_a(job.raised_exception(), SystemExit)]
        decisive = [
            job
            for job in self.decisive
            if self.level(job) is self.scheduler and not self.is_given_up(job)
        ]
        stopped = [job for job in self.steps if job.state in (State.IDLE, State.CANCELLED)]
        stuck = [
            job
            for job in self.scheduler
            if job.state is State.STUCK and (not job.forever or job.__flow_outcome__.critical)
        ]
        if exits:
            assert cause is Cause.EXIT
            assert isinstance(self.raised, SystemExit)
        elif self.count:
            assert cause is Cause.CANCELLED
            assert isinstance(self.raised, asyncio.CancelledError)
            assert self.raised.args == ("why",)
        elif cause is Cause.CRITICAL:
            first = [job for job in decisive if self.decisive[job] == self.decisive[decisive[0]]]
            assert reason.job is first[0] or (not self.scenario.watched and reason.job in first)
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


def tries(share):
    """The settings of a test that has a share of all examples."""
    return settings(
        max_examples=EXAMPLES // share,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def hold(scenario):
    """See to it that all rules hold, and that nothing depends on who looks on."""
    world = World(scenario)
    world.perform()
    world.check()
    Timetable(world).check()
    event("succeeded" if world.report.ok else world.report.reason.cause.name)

    threads = any(spec.kind == "plain" for spec in world.specs.values())
    if not threads:
        again = World(scenario.undisturbed)
        again.perform()
        # Rules 16 and 17.
        assert again.course == world.course
        assert again.end() == world.end()


def unwatched(*jobs, **options):
    """A scenario in which the bodies alone note what happens."""
    return Scenario(jobs=jobs, watched=False, **options)


BRIEF = Spec("ok", seconds=1.0)


@pytest.mark.slow
@tries(share=1)
@given(scenarios())
@example(
    unwatched(
        Spec("server", seconds=5.0, forever=True),
        BRIEF,
        Spec("ok", seconds=1.0, timeout=2.0, after=(0,)),
    )
)
@example(
    unwatched(
        Spec("monitor", forever=True),
        BRIEF,
        Spec("runs", seconds=5.0, inner=(Spec("ok", seconds=1.0, timeout=2.0),)),
    )
)
@example(
    unwatched(
        BRIEF,
        Spec("server", seconds=3.0, forever=True),
        Spec("ok", seconds=5.0, after=(1,)),
        timeout=5.0,
    )
)
@example(
    unwatched(
        Spec("ok", seconds=1.0),
        *[Spec("ok")] * 2,
        Spec("cleans", ending=0.5, timeout=0.5),
        Spec("ok"),
        window=2,
        grace=0.5,
        murders=((11, 4),),
    )
)
def test_whatever_jobs_do_the_rules_hold(scenario):
    """Rules 2 to 11, 13 to 17 and 20: whether an observer watches, or the bodies alone."""
    hold(scenario)


@tries(share=4)
@given(scenarios(jobs=job_lists(2, 6, odd=True)))
def test_whatever_jobs_give_or_raise_the_rules_hold(scenario):
    """Rules 9, 13 and 14: it raises when somebody looks at it, and it is passed on untouched."""
    hold(scenario)


@tries(share=4)
@given(scenarios(blind=blind, disturbed=st.none() | st.sampled_from(DISTURBED)))
def test_whoever_raises_while_looking_on_changes_nothing(scenario):
    """Rules 9 and 17: observers, handlers and filters of the log."""
    hold(scenario)


@pytest.mark.slow
@tries(share=2)
@given(scenarios(factory=st.sampled_from(list(FACTORIES))))
def test_whatever_makes_the_tasks_the_rules_hold(scenario):
    """R12: a task factory may wrap coroutines, start them at once, or make no task."""
    hold(scenario)
