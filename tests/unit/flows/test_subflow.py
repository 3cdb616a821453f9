"""SubflowBody: flows that a method makes, run as part of the run that it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from actors import in_loop, perform, states
from ticks import TickLoop

from flowdeco import Flow, Observer, State, Subflow, current_job, each, service, step, subflow
from flowdeco.errors import BusyError, NestingError, NoSubflowError, NotFinishedError

if TYPE_CHECKING:
    from elsewhere import Nowhere


class Leaf(Flow):
    """One step, which may fail."""

    name: str = "leaf"
    seconds: float = 1.0
    error: BaseException | None = None

    @step(critical=True)
    async def work(self):
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return self.name


class OtherLeaf(Leaf):
    """For lists of several classes."""


class Tree(Flow):
    """Runs the flows that it is given."""

    flows: object = ()

    @step
    async def before(self):
        await asyncio.sleep(1)
        return self.flows

    @subflow(after=before)
    def inner(self, flows):
        return flows

    @step(after=inner)
    async def after(self, made):
        return made

    @step(after=inner)
    async def ordered(self):
        return "ran"


# What may be returned


def test_one_flow_is_given_to_what_comes_after():
    """And it is that of the attribute."""
    leaf = Leaf()
    tree = Tree(flows=leaf)

    assert perform(tree)

    assert tree.inner is leaf
    assert tree.after.result() is leaf
    assert tree.scheduler.find("inner").result() is leaf
    assert leaf.work.result() == "leaf"


@pytest.mark.parametrize("make", [list, tuple])
def test_several_flows_run_at_the_same_time(make):
    """A list or a tuple of them; it is given on as it is."""
    leaves = make([Leaf(name="a", seconds=1), OtherLeaf(name="b", seconds=3)])
    tree = Tree(flows=leaves)

    report = perform(tree)

    assert tree.inner is leaves
    assert [leaf.work.result() for leaf in tree.inner] == ["a", "b"]
    assert report.duration == 4.0


@pytest.mark.parametrize("empty", [[], ()])
def test_no_flow_at_all_is_done(empty):
    """And what takes it gets the empty list."""
    tree = Tree(flows=empty)

    assert perform(tree)

    assert (tree.inner, tree.after.result()) == (empty, empty)
    assert tree.scheduler.find("inner").state is State.DONE


def test_none_is_no_flow_this_time():
    """Nothing runs, the job is done, and what takes its value gets None."""
    tree = Tree(flows=None)

    report = perform(tree)

    assert report
    assert (tree.inner, tree.after.result()) == (None, None)
    inner = tree.scheduler.find("inner")
    assert (inner.state, list(inner.children)) == (State.DONE, [])
    assert [one.path for one in report.jobs if one.path.startswith("inner/")] == []

    tree.flows = Leaf()
    assert perform(tree)
    assert tree.inner is tree.flows


@pytest.mark.parametrize("wrong", [5, "leaf", Leaf, [Leaf(), None], [Leaf], Leaf().scheduler])
def test_anything_else_is_a_clear_error(wrong):
    """It says what came, and what would be right; no flow of the list has run."""
    tree = Tree(flows=wrong)

    assert perform(tree)

    error = tree.scheduler.find("inner").raised_exception()
    assert isinstance(error, TypeError)
    assert str(error).startswith("'inner' must return a flow, a list of flows, or None, not ")
    assert states(tree.after, tree.ordered) == ["SKIPPED", "DONE"]
    for flow in wrong if isinstance(wrong, list) else []:
        if isinstance(flow, Flow):
            assert flow.work.state is State.IDLE


def test_a_flow_twice_in_a_list_is_a_clear_error():
    """A flow cannot run while it runs."""
    leaf = Leaf()
    tree = Tree(flows=[leaf, leaf])

    assert perform(tree)

    error = tree.scheduler.find("inner").raised_exception()
    assert isinstance(error, ValueError)
    assert "twice" in str(error)
    assert leaf.work.state is State.IDLE


def test_the_method_is_called_when_its_turn_comes():
    """Not before, and once a run, in the thread of the loop; what it raises is its failure."""
    called = []

    class Late(Flow):
        @step
        async def first(self):
            await asyncio.sleep(2)

        @subflow(after=first)
        def inner(self) -> Leaf:
            called.append((asyncio.get_running_loop().time(), current_job().name))
            raise KeyError("no flow")

    late = Late()
    assert called == []
    assert perform(late)
    assert called == [(2.0, "inner")]
    assert isinstance(late.scheduler.find("inner").raised_exception(), KeyError)


# The attribute


def test_on_the_class_it_is_the_declaration():
    """As a step is, so that it can be named in `after=` of a subclass."""

    class Sub(Tree):
        @step(after=Tree.inner)
        async def more(self, made):
            return made

    leaf = Leaf()
    flow = Sub(flows=leaf)
    assert isinstance(Tree.inner, Subflow)
    assert perform(flow)
    assert flow.more.result() is leaf


def test_before_its_method_was_called_the_attribute_is_a_clear_error():
    """An `AttributeError` as well, so that `hasattr` works, and a `NotFinishedError`."""
    tree = Tree(flows=[])

    with pytest.raises(NoSubflowError, match="inner has not been called in this run") as caught:
        _ = tree.inner

    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, NotFinishedError)
    assert caught.value.job is tree.scheduler.find("inner")
    assert not hasattr(tree, "inner")
    perform(tree)
    assert hasattr(tree, "inner")


def test_the_attribute_is_there_while_the_flow_runs_and_gone_as_the_next_run_begins():
    """It belongs to a run."""
    seen = []

    class Watched(Tree):
        @step
        async def watch(self):
            seen.append(hasattr(self, "inner"))
            await asyncio.sleep(1.5)
            seen.append(self.inner.work.state)

    tree = Watched(flows=Leaf())
    perform(tree)
    assert hasattr(tree, "inner")
    perform(tree)
    assert seen == [False, State.RUNNING] * 2


# Running again


def test_a_second_run_makes_new_flows():
    """The report of the first one keeps what was in it."""

    class Making(Flow):
        @subflow
        def inner(self) -> Leaf:
            return Leaf()

    making = Making()
    first_report = perform(making)
    first = making.inner
    assert perform(making)
    assert making.inner is not first
    assert first.work.result() == making.inner.work.result() == "leaf"
    assert "leaf" in str(first_report)


def test_the_same_flows_can_be_returned_again():
    """By the same subflow in the next run, or alone in between."""
    leaf, other = Leaf(), Leaf()
    tree = Tree(flows=[leaf, other])

    assert perform(tree)
    assert perform(leaf)
    assert perform(tree)
    tree.flows = leaf
    assert perform(tree)
    assert tree.inner is leaf


def test_a_flow_can_be_returned_by_one_subflow_after_the_other():
    """Once the first one is done with it."""
    leaf = Leaf()

    class Twice(Flow):
        @subflow
        def first(self) -> Leaf:
            return leaf

        @subflow(after=first)
        def second(self, made: Leaf) -> Leaf:
            return made

    twice = Twice()
    assert perform(twice)
    assert states(*twice.scheduler) == ["DONE", "DONE"]
    other = Tree(flows=leaf)
    assert perform(other)
    assert other.scheduler.find("inner").state is State.DONE


def test_a_flow_that_runs_elsewhere_is_refused_and_not_disturbed():
    """R02 R03: a `BusyError` of the subflow."""
    leaf = Leaf(seconds=3)
    tree = Tree(flows=leaf)

    async def main():
        alone = asyncio.ensure_future(leaf.co_run())
        await asyncio.sleep(0.5)
        assert await tree.co_run()
        return await alone

    assert in_loop(main())
    assert isinstance(tree.scheduler.find("inner").raised_exception(), BusyError)
    assert leaf.work.result() == "leaf"


def test_a_flow_that_returns_itself_is_refused():
    """It is running already."""

    class Selfish(Flow):
        @subflow
        def inner(self):
            return self

    selfish = Selfish()
    assert perform(selfish)
    assert isinstance(selfish.scheduler.find("inner").raised_exception(), BusyError)


# Limits of its own


def test_a_subflow_has_its_own_window_and_default_of_critical():
    """Those of its class."""

    class Inner(Flow, window=1, critical=True):
        @step
        async def a(self):
            await asyncio.sleep(1)

        @step
        async def b(self):
            await asyncio.sleep(1)

    class Outer(Flow, window=2):
        @subflow
        def inner(self) -> Inner:
            return Inner()

        @step
        async def beside(self):
            await asyncio.sleep(1)

        @step
        async def last(self):
            await asyncio.sleep(1)

    outer = Outer()
    assert perform(outer)
    assert [outer.inner.a.started_at, outer.inner.b.started_at] == [0.0, 1.0]
    # The subflow as a whole has taken one of the two places.
    assert [outer.beside.started_at, outer.last.started_at] == [0.0, 1.0]
    assert outer.inner.a.is_critical()
    assert not outer.beside.is_critical()


# Failures


def test_a_single_failure_is_raised_as_it_is():
    """With the other flows run to their end."""
    error = ValueError("broken")
    leaves = [Leaf(error=error), Leaf(seconds=3)]
    tree = Tree(flows=leaves)

    assert perform(tree)

    job = tree.scheduler.find("inner")
    assert job.raised_exception() is error
    assert job.ended_at == 4.0
    assert leaves[1].work.state is State.DONE
    assert states(tree.after, tree.ordered) == ["SKIPPED", "DONE"]


def test_several_failures_are_a_group():
    """In the order of the flows, whichever failed first."""
    first, second = ValueError("late"), KeyError("early")
    tree = Tree(flows=[Leaf(error=first, seconds=3), Leaf(error=second), Leaf()])

    assert perform(tree)

    error = tree.scheduler.find("inner").raised_exception()
    assert isinstance(error, ExceptionGroup)
    assert error.exceptions == (first, second)
    assert error.message == "inner: 2 of 3 failed"


def test_a_failure_that_is_not_critical_inside_is_none_outside():
    """The nested run has succeeded (rule 20)."""

    class Lenient(Flow):
        @step
        async def work(self):
            raise ValueError

    tree = Tree(flows=Lenient())
    assert perform(tree)
    assert tree.after.state is State.DONE


def test_a_critical_subflow_that_fails_ends_the_run():
    """With the inner exception as the reason, whose traceback is shown once."""
    error = ValueError("broken")

    class Outer(Flow):
        @subflow(critical=True)
        def inner(self) -> Leaf:
            return Leaf(error=error)

        @step
        async def beside(self):
            await asyncio.Event().wait()

    outer = Outer()
    report = perform(outer)

    assert not report
    assert report.reason.exception is error
    assert outer.beside.state is State.CANCELLED
    assert str(report).count("Traceback") == 1
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()
    assert caught.value.exceptions == (error,)


def test_an_exit_in_a_subflow_leaves_bare():
    """Rule 12: through both levels, after the clean-up of both."""
    cleaned = []

    class Inner(Leaf):
        @step
        async def beside(self):
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append("inner")

    class Outer(Flow):
        @subflow
        def inner(self) -> Inner:
            return Inner(error=SystemExit(7))

        @step
        async def beside(self):
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append("outer")

    with pytest.raises(SystemExit) as caught:
        perform(Outer())
    assert caught.value.code == 7
    assert cleaned == ["inner", "outer"]


def test_the_traceback_of_a_deep_failure_has_few_frames_of_the_library():
    """F21: the user's frame last, and no context of other exceptions."""

    class Level(Flow, critical=True):
        depth: int = 5

        @subflow
        def inner(self) -> Flow:
            return Level(depth=self.depth - 1) if self.depth else Leaf(error=error)

    error = ValueError("deep")
    level = Level()
    assert not perform(level)

    raised = level.scheduler.find("inner").raised_exception()
    assert raised is error
    frames = []
    traceback = raised.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert frames[-1] == "work"
    assert len(frames) <= 7 * 6
    assert raised.__context__ is None


# Timeouts


class Limited(Flow, timeout=2):
    """Has a limit of its own."""

    @step
    async def work(self):
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("of_inner", "of_job", "of_run", "duration", "state", "reason"),
    [
        (2, None, None, 2.0, "FAILED", None),
        (2, 3, 9, 2.0, "FAILED", None),
        (9, 3, None, 3.0, "FAILED", None),
        (9, 3, 4, 3.0, "FAILED", None),
        (9, None, 4, 4.0, "CANCELLED", "'Outer' timed out after 4 s"),
        (9, 9, 4, 4.0, "CANCELLED", "'Outer' timed out after 4 s"),
        (4, None, 4, 4.0, "CANCELLED", "'Outer' timed out after 4 s"),
    ],
)
def test_the_nearest_limit_counts_and_is_blamed(of_inner, of_job, of_run, duration, state, reason):
    """T07: that of the nested run, of its job, or of the enclosing run, which comes first."""

    class Inner(Limited, timeout=of_inner):
        pass

    class Outer(Flow):
        @subflow(timeout=of_job)
        def inner(self) -> Inner:
            return Inner()

    outer = Outer()
    report = perform(outer, of_run)

    job = outer.scheduler.find("inner")
    assert (report.duration, job.state.name) == (duration, state)
    assert (None if report.reason is None else str(report.reason)) == reason
    if state == "FAILED":
        blamed = "'Inner' timed out" if of_inner == duration else "'inner' took longer than 3 s"
        assert isinstance(job.raised_exception(), TimeoutError)
        assert blamed in str(job.raised_exception())


# Being stopped


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_an_outer_stop_cuts_the_tree_within_one_grace(depth):
    """X18 and rule 10: not one grace a level; hooks of every level once, with the outer ones."""
    hooks = []

    class Level(Flow, grace=2):
        depth: int

        @subflow
        def inner(self) -> Flow:
            return Level(depth=self.depth - 1) if self.depth > 1 else Bottom()

        @step
        async def beside(self):
            await asyncio.Event().wait()

        @beside.shutdown
        async def close_beside(self):
            hooks.append((asyncio.get_running_loop().time(), self.depth))

    class Bottom(Flow, grace=100):
        @step
        async def stubborn(self):
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

        @stubborn.shutdown
        async def close_stubborn(self):
            hooks.append((asyncio.get_running_loop().time(), 0))

    report = perform(Level(depth=depth), 1)

    assert report.duration == 3.0
    assert sorted(hooks) == [(3.0, level) for level in range(depth + 1)]
    assert [record.path.split("/")[-1] for record in report.stuck] == ["stubborn"]
    assert "timed out" in str(report.reason)


def test_hooks_of_a_subflow_that_ends_by_itself_are_called_then():
    """S06: before what comes after it starts."""
    seen = []

    class Inner(Leaf):
        @Leaf.work.shutdown
        async def close_work(self):
            seen.append("hook")

    class Outer(Flow):
        @subflow
        def inner(self) -> Inner:
            return Inner()

        @step(after=inner)
        async def after(self):
            seen.append("after")

    assert perform(Outer())
    assert seen == ["hook", "after"]


def test_hooks_of_a_subflow_that_last_longer_than_the_grace_around_it_are_cut():
    """Rules 8 and 10: once the run around it drains, its hooks have the rest of that grace."""
    seen = []

    class Inner(Leaf, shutdown_timeout=1000):
        @Leaf.work.shutdown
        async def close_work(self):
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(asyncio.get_running_loop().time())

    class Outer(Flow, grace=5):
        @subflow
        def inner(self) -> Inner:
            return Inner(seconds=1)

    flow = Outer()
    report = perform(flow, 2)

    assert seen == [7.0]
    assert (report.duration, list(report.stuck)) == (7.0, [])
    assert str(report.reason) == "'Outer' timed out after 2 s"


def test_hooks_of_a_subflow_that_is_cut_short_are_called_with_those_around_it():
    """Rule 10: after the clean-up of all bodies, not of its own alone."""
    seen = []

    class Inner(Leaf):
        @Leaf.work.shutdown
        async def close_work(self):
            seen.append(("inner hook", asyncio.get_running_loop().time()))

    class Outer(Flow):
        @subflow
        def inner(self) -> Inner:
            return Inner(seconds=100)

        @step
        async def beside(self):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(1)

        @beside.shutdown
        async def close_beside(self):
            seen.append(("outer hook", asyncio.get_running_loop().time()))

    assert not perform(Outer(), 2)
    assert sorted(seen) == [("inner hook", 3.0), ("outer hook", 3.0)]


def test_services_of_a_subflow_stop_when_its_own_steps_are_done():
    """Rule 21: not with the enclosing run; and in a stop they go down before the outer ones."""
    seen = []

    class Served(Flow):
        name: str = "inner"
        seconds: float = 1

        @service
        async def server(self):
            yield
            seen.append((self.name, asyncio.get_running_loop().time()))

        @step(after=server)
        async def work(self):
            await asyncio.sleep(self.seconds)

    class Outer(Served):
        inner_seconds: float = 1

        @subflow
        def inner(self) -> Served:
            return Served(seconds=self.inner_seconds)

    assert perform(Outer(name="outer", seconds=5))
    assert seen == [("inner", 1.0), ("outer", 5.0)]

    seen.clear()
    assert not perform(Outer(name="outer", seconds=5, inner_seconds=5), 3)
    assert seen == [("inner", 3.0), ("outer", 3.0)]


def test_a_cancel_at_every_tick_leaves_nothing():
    """Rules 9 to 11 through two levels of flows."""

    class Inner(Flow, grace=2):
        log: list

        @service
        async def server(self):
            self.log.append("up")
            yield
            self.log.append("down")

        @step(after=server)
        async def work(self):
            try:
                await asyncio.sleep(1)
            finally:
                await asyncio.sleep(0.5)

        @work.shutdown
        async def close_work(self):
            self.log.append("hook")

    class Outer(Flow, grace=2):
        log: list

        @step
        async def first(self):
            await asyncio.sleep(0.5)

        @first.shutdown
        async def close_first(self):
            self.log.append("outer hook")

        @subflow(after=first, timeout=1.2)
        def inner(self) -> list[Inner]:
            return [Inner(log=self.log), Inner(log=self.log)]

    def attempt(tick):
        outer, caught, left = Outer(log=[]), [], []

        async def main():
            main.task = asyncio.current_task()
            others = asyncio.all_tasks()
            try:
                await outer.co_run()
            except asyncio.CancelledError as error:
                caught.append(error.args)
                main.task.uncancel()
            left.extend(asyncio.all_tasks() - others)

        loop = TickLoop({tick: lambda: main.task.cancel("why")})
        try:
            loop.run_until_complete(main())
        finally:
            loop.close()
        assert left == []
        assert outer.log.count("outer hook") == 1
        assert outer.log.count("up") == outer.log.count("down")
        assert outer.log.count("hook") == (2 if hasattr(outer, "inner") else 0)
        return loop.ticks, caught

    total, _ = attempt(10_000)
    assert total > 15
    for tick in range(2, total):
        assert attempt(tick)[1] == [("why",)]


def test_a_stuck_step_of_a_subflow_counts_by_the_weight_of_its_job():
    """Rule 21: it is in the outer report, and fails the nested run."""

    class Inner(Flow, grace=1):
        @step(timeout=1)
        async def stubborn(self):
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

    for critical in (False, True):

        class Outer(Flow):
            @subflow(critical=critical)
            def inner(self) -> Inner:
                return Inner()

        outer = Outer()
        report = perform(outer)
        assert bool(report) is not critical
        assert outer.scheduler.find("inner").state is State.FAILED
        assert [record.path for record in report.stuck] == ["inner/Inner/stubborn"]


# Watching


def test_observers_see_all_levels_and_current_job_is_the_inner_one():
    """`run_*` are for the outermost run alone."""
    told, seen = [], []

    class Inner(Leaf):
        @step
        async def look(self):
            seen.append(current_job())

    class Watcher(Observer):
        def run_started(self, scheduler):
            told.append(f"run {scheduler.name}")

        def job_started(self, job):
            told.append(f"+{job.name}")

        def job_ended(self, job):
            told.append(f"-{job.name}")

        def run_ended(self, report):
            told.append(f"over {report.name}")

    inner = Inner()
    perform(Tree(flows=inner), observers=[Watcher()])

    assert told == [
        "run Tree",
        *("+before", "-before", "+inner", "+Inner", "+work", "+look", "-look", "-work"),
        *("-Inner", "-inner", "+after", "-after", "+ordered", "-ordered"),
        "over Tree",
    ]
    assert seen == [inner.look]


def test_paths_lead_through_the_flow_to_its_jobs():
    """Of two flows of one class each has its own; `find` goes inside."""
    tree = Tree(flows=[Leaf(), Leaf()])
    report = perform(tree)

    assert [record.path for record in report.jobs] == [
        "before",
        "inner",
        "inner/Leaf",
        "inner/Leaf/work",
        "inner/Leaf (2)",
        "inner/Leaf (2)/work",
        "after",
        "ordered",
    ]
    assert tree.scheduler.find("work") is tree.inner[0].work


# Before the run


def drawn(flow, capsys):
    """The names that the listing and the graph show."""
    flow.list()
    listed = capsys.readouterr().out
    dot = flow.to_dot()
    names = [line.split("`")[1] for line in listed.splitlines()]
    assert all(name in dot for name in names)
    return names


class Previews(Flow):
    """One subflow for each way of naming a class."""

    @subflow
    def quoted(self) -> "Leaf":  # noqa: UP037
        return Leaf()

    @subflow
    def several(self) -> list[OtherLeaf]:
        return []

    @subflow
    def sequence(self) -> Sequence[OtherLeaf]:
        return []

    @subflow(after=quoted)
    def with_values(self, leaf: Nowhere) -> Leaf:
        return Leaf()

    @subflow
    def unresolvable(self) -> Nowhere: ...

    @subflow
    def any_flow(self) -> Flow: ...

    @subflow
    def no_flow(self) -> int: ...

    @subflow
    def unannotated(self): ...


def test_the_class_of_the_annotation_is_shown_before_the_run(capsys):
    """Where it can be resolved; other annotations of the method do not matter."""
    assert drawn(Previews(), capsys) == [
        *("quoted", "Leaf", "work"),
        *("several", "OtherLeaf", "work"),
        *("sequence", "OtherLeaf", "work"),
        *("with_values", "Leaf", "work"),
        *("unresolvable", "any_flow", "Flow", "no_flow", "unannotated"),
    ]


class Recursive(Flow):
    """Makes one of itself, less deep."""

    depth: int = 0

    @step
    async def work(self): ...

    @subflow(after=work)
    def deeper(self) -> list[Recursive]:
        return [Recursive(depth=self.depth - 1)] if self.depth else []


def test_the_preview_of_a_recursive_class_ends(capsys):
    """One level is shown; after the run what has run."""
    recursive = Recursive(depth=1)
    assert drawn(recursive, capsys) == ["work", "deeper", "Recursive", "work", "deeper"]
    perform(recursive)
    assert drawn(recursive, capsys) == ["work", "deeper", "Recursive", "work", "deeper"]


def test_what_is_previewed_is_not_there_after_a_run_without_it(capsys):
    """A run that returned no flow has none inside; one that never got there shows the class."""
    recursive = Recursive()
    perform(recursive)
    assert drawn(recursive, capsys) == ["work", "deeper"]

    report = perform(recursive, 0)
    assert [record.path for record in report.jobs] == [
        *("work", "deeper", "deeper/Recursive"),
        *("deeper/Recursive/work", "deeper/Recursive/deeper"),
    ]
    assert {record.state for record in report.jobs} == {State.IDLE}


class Unreached(Flow):
    """SubflowBody that make no flow: one is skipped, the method of the other raises."""

    @step
    async def source(self):
        raise ValueError("no data")

    @subflow(after=source)
    def skipped(self, _data) -> Leaf:
        return Leaf()

    @subflow
    def broken(self) -> OtherLeaf:
        raise ValueError("no flow")


def test_the_report_shows_the_class_of_a_subflow_that_was_skipped():
    """Rule 3: its method was not called; one that was called, and has made no flow, has none."""
    report = perform(Unreached())

    assert [(record.path, record.state.name) for record in report.jobs] == [
        ("source", "FAILED"),
        ("skipped", "SKIPPED"),
        ("skipped/Leaf", "IDLE"),
        ("skipped/Leaf/work", "IDLE"),
        ("broken", "FAILED"),
    ]


# Depth


def test_fifty_levels_of_flows_work():
    """G25: with their reports."""
    report = perform(Recursive(depth=49))
    assert report
    assert len(report.jobs) == 49 * 3 + 2
    assert str(report).count("`work`") == 50


class Endless(Flow, critical=True):
    """Makes one of itself for ever, or up to a depth that is too much anyway."""

    depth: int = 0

    @subflow
    def deeper(self) -> Endless:
        if self.depth > 400:
            raise AssertionError("it should have ended by now")
        return Endless(depth=self.depth + 1)


def test_a_recursion_without_end_is_a_clear_error():
    """G25: at 200 levels, and no crash, neither of the run nor of what shows it."""
    endless = Endless()
    report = perform(endless)

    assert not report
    error = endless.scheduler.find("deeper").raised_exception()
    assert isinstance(error, NestingError)
    assert "200 levels" in str(error)
    assert "NestingError" in str(report)
    assert len(report.jobs) > 100
    assert report.failures
    assert "digraph" in endless.to_dot()


class Counted(Flow, critical=True):
    """Runs one of itself, so many levels deep."""

    levels: int

    @step
    async def work(self):
        if self.levels > 1:
            (await Counted(levels=self.levels - 1).co_run()).raise_for_failure()


@pytest.mark.parametrize(("levels", "works"), [(200, True), (201, False)])
def test_two_hundred_levels_work(levels, works):
    """G25: and one more does not."""
    assert bool(perform(Counted(levels=levels))) is works


def test_a_recursion_by_steps_that_run_flows_is_a_clear_error():
    """It is nested as well, though no subflow says so."""

    class Runs(Flow, critical=True):
        depth: int = 0

        @step
        async def work(self):
            if self.depth > 400:
                raise AssertionError("it should have ended by now")
            (await Runs(depth=self.depth + 1).co_run()).raise_for_failure()

    runs = Runs()
    assert not perform(runs)
    error = runs.work.raised_exception()
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, NestingError)


def test_each_of_subflows_and_subflow_in_each_go_together():
    """A step that runs a flow for each item, whose run is nested in that of the item."""

    class Outer(Flow, window=2):
        @step
        async def names(self):
            return ["a", "b", "c"]

        @each(names)
        async def leaf(self, name):
            flow = Leaf(name=name)
            (await flow.co_run()).raise_for_failure()
            return flow.work.result()

    outer = Outer()
    report = perform(outer)
    assert report
    assert outer.leaf.result() == ["a", "b", "c"]
    assert report.duration == 2.0
    assert "leaf/leaf[0]/work" in [record.path for record in report.jobs]


def test_a_step_that_goes_on_after_the_run_within_it_is_stuck():
    """Rule 8: it was given up only after that run, which had still to end, and not forgotten."""

    class Bottom(Flow, grace=100):
        @step
        async def stubborn(self):
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

    class Outer(Flow, grace=2):
        @step
        async def runs(self):
            try:
                await Bottom().co_run()
            except asyncio.CancelledError:
                await Bottom.stubborn.body(self)

    outer = Outer()
    report = perform(outer, 1)

    assert outer.runs.state is State.STUCK
    assert [record.path for record in report.stuck] == ["runs", "runs/stubborn"]
    assert report.duration == 3.0


def test_a_cancel_of_the_outer_task_leaves_as_it_came():
    """Rule 11, and the flow inside is stopped with it."""
    tree = Tree(flows=Leaf(seconds=100))

    async def main():
        task = asyncio.ensure_future(tree.co_run())
        await asyncio.sleep(2)
        task.cancel("first")
        task.cancel("second")
        await asyncio.sleep(0)
        task.cancel("third")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return asyncio.get_running_loop().time(), caught.value.args

    when, args = in_loop(main())
    assert when == 2.0
    assert args in (("first",), ("second",))
    assert states(tree.inner.work, tree.scheduler.find("inner")) == ["CANCELLED"] * 2
