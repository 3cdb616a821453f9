"""What `>>` must refuse."""

# What follows from a refusal is not counted as another one.
# mypy: disable-error-code="empty-body, no-any-return, untyped-decorator"
# pyright: reportUnusedClass=false, reportUnusedVariable=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false

from flowdeco import AbstractJob, Chain, Flow, Job, PrintJob, Scheduler, step


class Base(Flow):
    @step
    async def a(self) -> int:
        return 1

    @step
    async def b(self) -> str:
        return ""


async def number() -> int:
    return 1


def between_declarations() -> None:
    _ = Base.a >> 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = 3 >> Base.a  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> "b"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> None  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> Base  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> [Base.b, 3]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> ["b"]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]
    _ = ["b"] >> Base.a  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> {Base.b}  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> [[Base.b]]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]
    _ = [Base.a] >> [Base.b]  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> Base.b.body  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a << Base.b  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]


def between_jobs(job: Job[int]) -> None:
    _ = job >> 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = "a" >> job  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = job >> number  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = job >> number()  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = job >> [job, None]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]
    _ = [number] >> job  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = job >> PrintJob  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = [job] >> [job]  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = (job >> job) >> 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Scheduler() >> [1]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]


def declarations_and_jobs(job: Job[int], flow: Base) -> None:
    _ = Base.a >> job  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = job >> Base.a  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> flow.b  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = [Base.a, job] >> Base.b  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> [job]  # type: ignore[list-item]  # pyright: ignore[reportOperatorIssue]
    _ = [job] >> Base.a  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = (Base.a >> Base.b) >> (job >> job)  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = (job >> job) >> Base.a  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = Base.a >> Scheduler()  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = flow >> job  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]


def chains(job: Job[int]) -> None:
    declared = Base.a >> Base.b
    jobs = job >> job
    Chain(job, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Chain(job, Base.a)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    jobs.requires("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jobs.requires(declared)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    declared.requires(job)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jobs.result()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    of_declarations: Chain[AbstractJob[object]] = declared  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    of_jobs: Chain[Job[int]] = jobs  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    Scheduler(declared)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(Base.a)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.requires(declared)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    one: AbstractJob = jobs  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
