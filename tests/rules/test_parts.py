"""Section 2: a part of a flow runs without the rest."""

import asyncio
import pickle
from collections.abc import AsyncIterator

import pytest

from flowdeco import Flow, Job, Override, Scheduler, State, each, service, step, subflow
from flowdeco.errors import NotFinishedError, OverrideError, PartError
from flowdeco.testing import VirtualClockLoop


class Release(Flow, critical=True):
    """Two services, one of which needs the other, and a diamond of steps."""

    ran: list[str]

    @service
    async def network(self) -> AsyncIterator[str]:
        self.ran.append("network")
        yield "net"

    @service(after=network)
    async def database(self, net: str) -> AsyncIterator[str]:
        self.ran.append("database")
        yield f"db on {net}"

    @step
    async def fetch(self) -> str:
        self.ran.append("fetch")
        await asyncio.sleep(1)
        return "source"

    @step(after=fetch)
    async def build(self, source: str) -> str:
        self.ran.append("build")
        return f"wheel of {source}"

    @step(after=[fetch])
    async def lint(self) -> None:
        self.ran.append("lint")

    @lint.shutdown
    async def close_lint(self) -> None:
        self.ran.append("close lint")

    @step(after=(build, database))
    async def migrate(self, wheel: str, dsn: str) -> str:
        self.ran.append("migrate")
        return f"{wheel} to {dsn}"

    @step(after=[migrate, lint])
    async def smoke(self) -> None:
        self.ran.append("smoke")


def release(*overrides, **options):
    """Run a part; return the flow."""
    flow = Release(ran=[])
    flow.run(overrides=overrides, loop_factory=VirtualClockLoop, **options)
    return flow


def left_out(flow):
    """The names of what was left out."""
    return {record.path for record in flow.scheduler.report.jobs if record.left_out}


def test_until_is_a_job_and_all_that_it_requires():
    """What the job needs runs, and nothing else."""
    flow = release(until=Release.build)
    assert flow.ran == ["fetch", "build"]
    assert left_out(flow) == {"network", "database", "lint", "migrate", "smoke"}
    assert flow.build.result() == "wheel of source"


def test_several_ends_may_be_named():
    """Declarations, jobs and names can stand side by side."""
    flow = Release(ran=[])
    assert flow.run(until=["lint", flow.build], loop_factory=VirtualClockLoop)
    assert flow.ran == ["fetch", "build", "lint", "close lint"]


def test_start_is_a_job_and_what_follows_with_the_services_they_need():
    """What comes after the job runs, and the services that these need, and those that they need."""
    flow = release(Release.build.returns("old wheel"), start=Release.migrate)
    assert flow.ran == ["network", "database", "migrate", "smoke"]
    assert flow.migrate.result() == "old wheel to db on net"
    assert flow.migrate.started_at == 0
    assert flow.build.state is State.DONE
    assert left_out(flow) == {"fetch", "lint"}


def test_both_are_what_is_in_both():
    """From one job until another: what is on the way, with the services."""
    flow = release(Release.fetch.returns("given"), start="build", until="migrate")
    assert sorted(flow.ran) == ["build", "database", "migrate", "network"]
    assert left_out(flow) == {"lint", "smoke"}


def test_an_overridden_value_brings_nothing_along():
    """What an overridden job would have needed does not run."""
    flow = release(Release.build.returns("old"), until=Release.migrate)
    assert flow.ran == ["network", "database", "migrate"]
    assert left_out(flow) == {"fetch", "lint", "smoke"}


def test_a_value_that_is_left_out_is_asked_for():
    """The error names who takes it, whose it is, and the override to write."""
    flow = Release(ran=[])
    with pytest.raises(PartError) as info:
        flow.run(start=Release.migrate)
    assert str(info.value) == (
        "'migrate' takes the value of 'build', which is not in this part of 'Release'; give it one:"
        " overrides=[Release.build.returns(...)]"
    )
    assert flow.ran == []
    assert flow.run(start=Release.migrate, overrides=[Release.build.returns("w")])
    jobs = [Job(lambda: asyncio.sleep(0), label=name) for name in "ab"]
    scheduler = Scheduler(jobs[0] >> jobs[1])
    assert scheduler.orchestrate(start="b"), "it takes no value"


def test_a_replaced_body_takes_values_as_ever():
    """Only a job whose end is given needs no values."""

    async def fake(self, wheel, dsn):
        return wheel

    with pytest.raises(PartError, match="takes the value of 'build'"):
        release(Release.migrate.replaced_by(fake), start="migrate")
    assert release(Release.migrate.returns(""), start="migrate").smoke.state is State.DONE


def test_what_is_left_out_says_so(capsys):
    """Listing, report and result say what was left out, and the verdict which part it was."""
    flow = release(until="build")
    flow.list()
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.endswith("LEFT OUT") for line in lines) == 5
    assert any("`build`" in line and "[[ -> wheel of source]]" in line for line in lines)
    text = str(flow.scheduler.report)
    assert "Release: FINE (part: until build), after 1.000 s" in text
    assert text.count("LEFT OUT") == 5
    with pytest.raises(NotFinishedError, match="it is idle, for it was left out of the run"):
        flow.smoke.result()
    assert flow.smoke.is_idle()
    again = pickle.loads(pickle.dumps(flow.scheduler.report))
    assert str(again) == text
    assert [job.left_out for job in again.jobs] == [
        job.left_out for job in flow.scheduler.report.jobs
    ]


def test_the_next_run_is_whole():
    """A part is that of one run."""
    flow = release(until="build")
    assert flow.run(loop_factory=VirtualClockLoop)
    assert left_out(flow) == set()
    assert "smoke" in flow.ran
    assert "part" not in str(flow.scheduler.report)


def test_fan_outs_and_subflows_are_left_out_whole():
    """What is inside of a job that is left out does not come to be."""

    class Inner(Flow):
        @step
        async def work(self) -> int:
            return 1

    class Outer(Flow):
        @step
        async def numbers(self) -> list[int]:
            return [1, 2]

        @each(numbers)
        async def double(self, number: int) -> int:
            return 2 * number

        @subflow(after=[double])
        def inner(self) -> Inner:
            return Inner()

    flow = Outer()
    assert flow.run(until="numbers")
    assert list(flow.double.children) == []
    assert flow.run(start=Outer.double, overrides=[Outer.numbers.returns([3])])
    assert flow.double.result() == [6]
    assert flow.inner.work.result() == 1


def test_a_run_is_that_of_its_part():
    """The run is over with the last step of the part, and its failures are those of the part."""
    flow = release(Release.fetch.raises(ValueError("no")), until="build")
    assert flow.scheduler.report.reason.job is flow.fetch
    assert [record.path for record in flow.scheduler.report.failures] == ["fetch"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": "biuld"}, "until='biuld': 'Release' has no such job; did you mean 'build'?"),
        ({"start": ["fetch", "nothing"]}, "start='nothing': 'Release' has no such job"),
        ({"until": []}, "until= names no job"),
        ({"start": "smoke", "until": "fetch"}, "no job of 'Release' is in the part from smoke"),
        ({"until": "database"}, "until=database has services alone, .* give the run a timeout"),
    ],
)
def test_parts_that_cannot_be_are_errors_before_the_start(options, words):
    """Nothing has run."""
    flow = Release(ran=[])
    with pytest.raises(PartError, match=words):
        flow.run(**options)
    assert flow.ran == []


def test_services_alone_run_until_the_timeout():
    """A part of services alone needs a timeout, and lasts until then."""
    flow = release(until="database", timeout=30)
    assert flow.scheduler.report.duration == 30
    assert flow.ran == ["network", "database"]


def test_items_and_jobs_of_other_levels_are_refused():
    """A part is made of jobs of one level."""
    inner = Job(lambda: asyncio.sleep(0), label="inner")
    scheduler = Scheduler(Scheduler(inner, label="nested"), label="all")
    for target in ("inner", inner):
        with pytest.raises(PartError, match="it is inside of another job of 'all'; a part is made"):
            scheduler.orchestrate(until=target)
    with pytest.raises(TypeError, match="until= is a declaration, a job or a name, not 3"):
        scheduler.orchestrate(until=3)


def test_overrides_are_checked_in_a_part_as_well():
    """An override of what is no job is an error, of what is left out it is none."""
    with pytest.raises(OverrideError):
        release(Override("nothing", returns=1), until="build")
    assert release(Release.smoke.returns(None), until="build").smoke.state is State.IDLE
