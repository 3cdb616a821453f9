"""A step that is called as a method says what to write instead, and that works."""

import asyncio
import functools

import pytest
from actors import perform

from flowdeco import Flow, Job, Scheduler, each, service, step, subflow
from flowdeco.errors import NoSubflowError
from flowdeco.testing import VirtualClockLoop


class Base(Flow):
    """A flow whose steps are called by those of others."""

    @step
    async def build(self):
        return "wheel"

    @step(after=build)
    def pack(self, wheel):
        return f"packed {wheel}"


def why(flow, name="call"):
    """Run the flow, and return what the step that calls has failed with."""
    perform(flow)
    error = flow.scheduler.find(name).raised_exception()
    assert isinstance(error, TypeError)
    return str(error)


CALLS = {
    "self.build()": lambda self: self.build(),
    "self.build(4)": lambda self: self.build(4, times=2),
    "Base.build()": lambda self: Base.build(),
    "Base.build(self)": lambda self: Base.build(self, 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_from_another_step(name):
    """With whatever arguments: come after it, or call its body."""

    class Deploy(Base):
        @step
        async def call(self):
            await CALLS[name](self)

    owner = "Base" if name.startswith("Base") else "(Base|Deploy)"
    text = why(Deploy())
    assert "come after=build to get its result, or call the method itself: `await" in text
    assert ".build.body(self)`" in text
    assert owner.strip("()").split("|")[0] in text


@pytest.mark.parametrize("name", ["self.build", "Base.build", "in a task"])
def test_an_await_without_a_call(name):
    """Of a job, or of a declaration."""

    class Deploy(Base):
        @step
        async def call(self):
            if name == "in a task":
                await asyncio.gather(self.build)
            await (self.build if name == "self.build" else Base.build)

    assert "come after=build to get its result" in why(Deploy())


def test_the_values_that_a_body_takes_are_named():
    """So that the line can be copied; and a plain body is not awaited."""

    class Deploy(Base):
        @step
        async def call(self):
            self.pack()

    assert "call the method itself: `Base.pack.body(self, wheel)`" in why(Deploy())


def test_a_call_from_outside():
    """The flow is then no self."""
    flow = Base()
    with pytest.raises(TypeError, match=r"`await Base\.build\.body\(flow\)`"):
        flow.build()
    with pytest.raises(TypeError, match=r"`await Base\.build\.body\(flow\)`"):
        Base.build(flow)


def test_a_label_is_no_name():
    """What is said to come after is the declaration."""

    class Labelled(Flow):
        @step(label="a nice label")
        async def build(self): ...

    with pytest.raises(TypeError, match=r"'a nice label' is a job.* come after=build"):
        Labelled().build()


def test_a_job_of_no_flow():
    """It is required, and its result read."""

    async def work(): ...

    with pytest.raises(TypeError, match=r"'work' is a job.* require it, .* with work\.result\(\)"):
        Job(work)()


# In an override


WAYS = {
    "await super().build()": lambda self, inherited: inherited.build(),
    "await super().build": lambda self, inherited: inherited.build,
    "await gather(super().build)": lambda self, inherited: asyncio.gather(inherited.build),
    "await wait_for(super().build, 1)": lambda self, inherited: asyncio.wait_for(
        inherited.build, 1
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_super_means_the_inherited_method(way):
    """An override that goes through super() is told the inherited one, not its own."""

    class Override(Base):
        @step
        async def build(self):
            return await WAYS[way](self, super())

    text = why(Override(), "build")
    assert "call the inherited method: `await Base.build.body(" in text
    assert "after=" not in text


def misnamed(name):
    """A flow in which a step, a subflow and the class itself have a name of control characters."""

    async def build(self): ...

    def parts(self): ...

    build.__name__ = name
    members = {name: step(build), "parts" + name: subflow(parts)}
    return type("Deploy" + name, (Flow,), members)


HOSTILE = "\x1b[31m\x07\r\u202e"
USES = {
    "a call of the job": lambda flow: getattr(flow, HOSTILE)(),
    "a call of its body": lambda flow: getattr(flow, HOSTILE).body(flow),
    "a call of the declaration": lambda flow: getattr(type(flow), HOSTILE)(),
    "a subflow": lambda flow: getattr(flow, "parts" + HOSTILE),
    "a decorator": lambda flow: step(getattr(type(flow), HOSTILE))(4),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_said_is_printable(use):
    """Rule 17: names can be made of anything."""
    with pytest.raises((TypeError, NoSubflowError)) as caught:
        USES[use](misnamed(HOSTILE)())

    assert str(caught.value).isprintable()
    assert r"\x1b[31m" in str(caught.value)


BODIES = {
    "await super().build.body(self)": lambda self, inherited: inherited.build.body(self),
    "await super().build.body(self, 3)": lambda self, inherited: inherited.build.body(self, 3),
    "await self.build.body(self)": lambda self, inherited: self.build.body(self),
}


@pytest.mark.parametrize("way", BODIES)
def test_the_body_of_a_job_takes_no_flow(way):
    """The body that takes one is that of the class, and this is said."""

    class Override(Base):
        @step
        async def build(self):
            return await BODIES[way](self, super())

    text = why(Override(), "build")
    assert text.startswith("`body` of the job 'build' takes no arguments; ")
    assert "MethodBody" not in text
    if "super" in way:
        assert text.endswith("call the inherited method: `await Base.build.body(self)`")
    else:
        assert "call the method itself: `await Override.build.body(self)`" in text


def test_what_is_said_of_super_works():
    """Followed, it gives the result of the inherited one."""

    class Override(Base):
        @step
        async def build(self):
            return await Base.build.body(self) + "!"

    flow = Override()
    assert perform(flow)
    assert flow.pack.result() == "packed wheel!"


@pytest.mark.parametrize("call", ["self.build()", "Override.build()", "await self.build"])
def test_an_override_that_calls_itself_means_the_inherited_method(call):
    """Its own body would call itself for ever."""

    class Override(Base):
        @step
        async def build(self):
            if call == "self.build()":
                await self.build()
            elif call == "Override.build()":
                await Override.build()
            await self.build

    assert "call the inherited method: `await Base.build.body(self)`" in why(Override(), "build")


def test_each_level_of_overrides_is_told_the_next_one():
    """Be it at work as the inherited one of another."""

    class Middle(Base):
        @step
        async def build(self):
            return await super().build()

    class Lowest(Middle):
        @step
        async def build(self):
            return await Middle.build.body(self)

    assert "`await Base.build.body(self)`" in why(Lowest(), "build")


def test_each_level_that_calls_itself_is_told_the_next_one():
    """The line that has called is what counts, not the job."""

    class Middle(Base):
        @step
        async def build(self):
            return await self.build()

    class Lowest(Middle):
        @step
        async def build(self):
            return await Middle.build.body(self)

    assert "`await Base.build.body(self)`" in why(Lowest(), "build")


def test_a_wrapped_override_is_told_the_inherited_one():
    """Other decorators between change nothing."""

    def logged(method):
        @functools.wraps(method)
        async def wrapper(*args):
            return await method(*args)

        return wrapper

    class Override(Base):
        @step
        @logged
        async def build(self):
            return await self.build()

    assert "`await Base.build.body(self)`" in why(Override(), "build")


def test_an_override_that_calls_by_way_of_a_helper():
    """It is the job that asks for itself."""

    class Override(Base):
        @step
        async def build(self):
            return await self.help()

        async def help(self):
            return await self.build()

    assert "call the inherited method: `await Base.build.body(self)`" in why(Override(), "build")


def test_a_step_that_calls_itself_overrides_nothing():
    """There is no body to call that would not call itself."""

    class Again(Flow):
        @step
        async def build(self):
            await self.build()

    text = why(Again(), "build")
    assert "build cannot call itself; put what it repeats into a plain method" in text
    assert ".body" not in text


def test_super_from_another_method():
    """There, too, it is the inherited one that was meant."""

    class Override(Base):
        @step
        async def build(self):
            return "other"

        @step
        async def call(self):
            await super().build()

    assert "call the inherited method: `await Base.build.body(self)`" in why(Override())


def test_the_advice_does_not_stick():
    """A look through super() has no effect on what is said to the next one."""

    class Override(Base):
        @step
        async def build(self):
            return "other"

        @step
        async def call(self):
            assert super().build is self.build
            await self.build()

    assert "come after=build to get its result" in why(Override())


def test_items_say_what_they_are():
    """The job of an item is a job as well."""

    class Deploy(Flow):
        @step
        async def hosts(self):
            return ["eu"]

        @each(hosts)
        async def ping(self, host): ...

    deploy = Deploy()
    perform(deploy)
    with pytest.raises(TypeError, match=r"'ping\[0\]' is a job"):
        deploy.scheduler.find("ping[0]")()


def test_a_job_that_is_there_to_be_drawn_only():
    """Of a subflow, before its method has made a flow."""

    class Outer(Flow):
        @subflow
        def part(self) -> Base:
            return Base()

    with pytest.raises(TypeError, match="'build' is a job"):
        Outer().scheduler.find("build")()


# SubflowBody


class Whole(Flow):
    """A flow with a part."""

    @subflow
    def part(self):
        return Base()


def test_a_subflow_through_super():
    """Before it was called there is no flow, and an override wants the inherited method."""

    class Override(Whole):
        @subflow
        def part(self):
            return super().part

    override = Override()
    perform(override)
    error = override.scheduler.find("part").raised_exception()
    assert isinstance(error, NoSubflowError)
    assert "call the inherited method: `Whole.part.body(self)`" in str(error)


def test_a_subflow_that_asks_for_itself():
    """By its own name."""

    class Override(Whole):
        @subflow
        def part(self):
            return self.part

    override = Override()
    perform(override)
    error = override.scheduler.find("part").raised_exception()
    assert "call the inherited method: `Whole.part.body(self)`" in str(error)


def test_why_there_is_no_flow_after_a_run():
    """How the run ended, and what became of the subflow."""

    class Broken(Flow, critical=True):
        @subflow(critical=False)
        def broken(self):
            raise OSError("no net")

        @subflow(after=broken, critical=False)
        def skipped(self, broken):
            return Base()

        @step
        async def build(self):
            await asyncio.sleep(1)
            raise ValueError("no disk")

        @subflow(after=[build])
        def part(self):
            return Base()

    broken = Broken()
    perform(broken)
    with pytest.raises(NoSubflowError, match=r"part gives no flow: .* before it started: critical"):
        _ = broken.part
    with pytest.raises(NoSubflowError, match="it has failed with OSError: no net") as caught:
        _ = broken.broken
    with pytest.raises(NoSubflowError, match="it takes the value of 'broken', which has none"):
        _ = broken.skipped
    assert isinstance(caught.value.__cause__, OSError)


# What a job without a result says


@pytest.mark.parametrize("reason", ["critical", "timeout", "no reason"])
def test_why_there_is_no_result_after_a_run(reason):
    """How the run ended, and whose fault it was."""

    async def first():
        if reason == "critical":
            raise ValueError("no disk")
        await asyncio.sleep(1)

    async def second(): ...

    build, upload = Job(first, label="build"), Job(second, label="upload")
    watch = Job(second, label="watch", forever=True, required=build)
    scheduler = Scheduler(build >> upload, watch, critical=True)
    if reason == "no reason":
        scheduler.remove(upload)
    scheduler.orchestrate(0.5 if reason == "timeout" else None, loop_factory=VirtualClockLoop)
    expected = {
        "critical": "'upload' has no result: it is idle, for the run ended before it started:"
        " critical job 'build' failed with ValueError",
        "timeout": "'build' has no result: it is cancelled, for the run stopped it when it ended:"
        " the run timed out after 0.5 s",
        "no reason": "'watch' has no result: it is",
    }[reason]
    job = {"critical": upload, "timeout": build, "no reason": watch}[reason]

    with pytest.raises(asyncio.InvalidStateError) as caught:
        job.result()
    assert str(caught.value).startswith(expected)


def test_why_there_is_no_result_of_a_job_in_a_nested_scheduler():
    """The run around it tells, where its own was only stopped or never began."""

    async def broken():
        await asyncio.sleep(1)
        raise ValueError("no disk")

    async def never(): ...

    bad = Job(broken, label="bad", critical=True)
    stopped = Job(lambda: asyncio.sleep(9), label="stopped")
    idle = Job(never, label="idle")
    scheduler = Scheduler(bad, Scheduler(stopped), Scheduler(idle, required=bad))
    scheduler.orchestrate(loop_factory=VirtualClockLoop)

    for job in (stopped, idle):
        with pytest.raises(asyncio.InvalidStateError, match="critical job 'bad' failed with Val"):
            job.result()


def test_nothing_is_said_of_how_a_run_ended_that_goes_on():
    """A run that is going on has not ended, though another has before."""

    class Twice(Flow):
        seconds: float = 0

        @step
        async def first(self):
            await asyncio.sleep(1)
            raise ValueError

        @step(after=first)
        async def second(self, _none): ...

        @step
        async def reads(self):
            return self.second.result()

    twice = Twice()
    for _ in range(2):
        perform(twice)
        assert "it is idle, and 'reads', which reads it" in str(twice.reads.raised_exception())


class Reading(Flow):
    """What reads a result too early, from everywhere."""

    @step(label="a nice label")
    async def build(self):
        await asyncio.sleep(10)

    @step
    async def early(self):
        self.build.result()

    @step
    async def hosts(self):
        return ["eu"]

    @each(hosts)
    async def ping(self, _host):
        self.build.result()

    @subflow
    def parts(self):
        return Part(whole=self)

    @step
    async def inside(self):
        await Scheduler(Job(self.helper, label="helper")).co_orchestrate()

    async def helper(self):
        self.build.result()

    @step
    async def before(self):
        self.behind.result()

    @step(after=[before])
    async def behind(self): ...

    @service
    async def watch(self):
        await asyncio.sleep(99)

    @step(after=[watch])
    async def first(self): ...

    @step(after=[first])
    async def second(self):
        self.watch.result()


class Part(Flow):
    """A flow that reads from the one around it."""

    whole: Reading

    @step
    async def peek(self):
        self.whole.build.result()


READ = {
    "early": "'early', which reads it, does not come after it; add after=build to the declaration"
    " of 'early', or early.requires(build)",
    "ping[0]": "'ping', inside of which 'ping[0]' reads it, does not come after it; add"
    " after=build to the declaration of 'ping', or ping.requires(build)",
    "peek": "'parts', inside of which 'peek' reads it, does not come after it; add after=build to"
    " the declaration of 'parts', or parts.requires(build)",
    "helper": "'inside', inside of which 'helper' reads it, does not come after it; add after=build"
    " to the declaration of 'inside', or inside.requires(build)",
    "before": "'behind' has no result: it is idle, for it comes after 'before', which reads it",
    "second": "'watch' has no result: it is running",
}


def test_what_is_said_of_a_result_that_is_read_too_early():
    """It is the job on the level of the other one that can come after it, by its declared name."""
    report = Reading().run(loop_factory=VirtualClockLoop)

    said = {job.path.split("/")[-1]: str(job.exception) for job in report.failures}
    for reader, advice in READ.items():
        assert said[reader].endswith(advice)


def test_a_result_that_is_read_too_early_by_a_job_of_no_flow():
    """A job that no declaration has made is told to require the other one."""

    async def read():
        slow.result()

    slow, reader = Job(lambda: asyncio.sleep(9), label="slow"), Job(read, label="reader")
    inner = Scheduler(reader, label="inner")
    Scheduler(slow, inner).orchestrate(loop_factory=VirtualClockLoop)

    assert str(reader.raised_exception()).endswith(
        "'inner', inside of which 'reader' reads it, does not come after it; write"
        " inner.requires(slow)"
    )


def test_a_result_of_a_job_that_no_requirement_can_reach():
    """Nothing is said of what to write where that would be refused."""

    async def read():
        other.result()

    other, reader = Job(lambda: asyncio.sleep(9), label="other"), Job(read, label="reader")
    inner = Scheduler(other, label="inner")
    Scheduler(inner, reader).orchestrate(loop_factory=VirtualClockLoop)

    assert str(reader.raised_exception()).endswith(
        "'reader', which reads it, does not come after it"
    )
