"""Steps that a checker must refuse: values, options, `after=`, and what has the wrong form."""

# What follows from a refusal is not counted as another one.
# mypy: disable-error-code="empty-body, no-any-return, untyped-decorator"
# pyright: reportUnusedClass=false, reportUnusedVariable=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false

from collections.abc import AsyncIterator
from pathlib import Path

from flowdeco import Flow, Job, each, service, step, subflow


class Base(Flow):
    @step
    async def number(self) -> int:
        return 1

    @step
    async def text(self) -> str:
        return ""

    @step
    async def path(self) -> Path:
        return Path()

    @step
    def plain(self) -> bytes:
        return b""


# A value and its parameter


def a_value_of_the_wrong_type() -> None:
    class Wrong(Flow):
        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def text(self, number: str) -> None: ...

        @step(after=(Base.number,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def in_a_tuple(self, number: str) -> None: ...

        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain(self, number: str) -> None: ...

        @step(after=Base.plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def of_plain(self, data: str) -> None: ...


def one_of_several_values_of_the_wrong_type() -> None:
    class Wrong(Flow):
        @step(after=(Base.number, Base.text))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def second_of_two(self, number: int, text: bytes) -> None: ...

        @step(after=(Base.number, Base.text, Base.path))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def first_of_three(self, number: Path, text: str, path: Path) -> None: ...

        @step(after=(Base.number, Base.text, Base.path, Base.plain))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def last_of_four(self, a: int, b: str, c: Path, d: int) -> None: ...

        @step(after=(Base.number, Base.text, Base.path, Base.plain, Base.number))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def last_of_five(self, a: int, b: str, c: Path, d: bytes, e: str) -> None: ...

        @step(after=(Base.number, Base.text))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_second_of_two(self, number: int, text: bytes) -> None: ...


def values_in_another_order() -> None:
    class Wrong(Flow):
        @step(after=(Base.number, Base.text))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def swapped(self, text: str, number: int) -> None: ...


def a_value_that_may_be_none() -> None:
    class Wrong(Flow):
        @step
        async def maybe(self) -> int | None: ...

        @step(after=maybe)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def sure(self, number: int) -> None: ...


# All of the values, or none


def too_many_parameters() -> None:
    class Wrong(Flow):
        @step  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_nothing(self, number: int) -> None: ...

        @step()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_nothing_with_brackets(self, number: int) -> None: ...

        @step(critical=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_after_nothing(self, number: int) -> None: ...

        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def two_for_one(self, number: int, text: str) -> None: ...

        @step(after=(Base.number, Base.text))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def three_for_two(self, number: int, text: str, path: Path) -> None: ...

        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_two_for_one(self, number: int, text: str) -> None: ...


def too_few_parameters() -> None:
    class Wrong(Flow):
        @step(after=(Base.number, Base.text))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def one_for_two(self, number: int) -> None: ...

        @step(after=(Base.number, Base.text, Base.path))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def two_for_three(self, number: int, text: str) -> None: ...


def no_self() -> None:
    class Wrong(Flow):
        @step  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def alone() -> None: ...

        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def beside_a_value() -> None: ...


def a_keyword_only_parameter() -> None:
    class Wrong(Flow):
        @step(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def keyword_only(self, *, number: int) -> None: ...


def a_parameter_after_a_list() -> None:
    class Wrong(Flow):
        @step(after=[Base.number])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def of_one(self, number: int) -> None: ...

        @step(after=[Base.number, Base.text])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def of_two(self, number: int, text: str) -> None: ...


# after=


def not_a_declaration() -> None:
    job = Job(lambda: Base.number.body(Base()))

    class Wrong(Flow):
        @step(after="number")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_string(self) -> None: ...

        @step(after=("number", "text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def strings(self) -> None: ...

        @step(after=["number"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def strings_in_a_list(self) -> None: ...

        @step(after=(Base.number, "text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def one_string(self, number: int, text: str) -> None: ...

        @step(after=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_number(self) -> None: ...

        @step(after=Base)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_class(self) -> None: ...

        @step(after=job)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_job(self) -> None: ...

        @step(after=Base.number >> Base.text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_chain(self) -> None: ...

        @step(after=Base.number.body)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_method(self) -> None: ...


def what_is_not_there() -> None:
    class Wrong(Flow):
        @step(after=Base.numbr)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        async def misspelt(self) -> None: ...

        @step(after=later)  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821
        async def declared_further_down(self) -> None: ...

        # The name is only there further down: write `further_down >> later`, below both.
        @step
        async def later(self) -> None: ...


def among_more_than_five() -> None:
    class Wrong(Flow):
        @step(after=(Base.number, Base.number, Base.number, Base.number, Base.number, "text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_string(self) -> None: ...

        @step(after=(Base.number, Base.number, Base.number, Base.number, Base.number, Base.text))
        async def returns_text(self, *values: object) -> str: ...

        @step(after=returns_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def its_result_has_a_type(self, text: int) -> None: ...


# Options


def misspelt_options() -> None:
    class Wrong(Flow):
        @step(critcal=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def misspelt(self) -> None: ...

        @step(after=Base.number, requires=Base.text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def of_a_job(self, number: int) -> None: ...

        @step(window=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def of_each(self) -> None: ...

        @step(forever=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def of_service(self) -> None: ...


def options_of_the_wrong_type() -> None:
    class Wrong(Flow):
        @step(timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_string(self) -> None: ...

        @step(critical="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_string_for_a_flag(self) -> None: ...

        @step(label=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def a_number(self) -> None: ...

        @step(after=Base.number, timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def beside_after(self, number: int) -> None: ...


def positional_options() -> None:
    class Wrong(Flow):
        @step(Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_without_its_name(self, number: int) -> None: ...

        @step(None, critical=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
        async def nothing(self) -> None: ...


# What is decorated


def no_method() -> None:
    class Wrong(Flow):
        number = step(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        text = step("build")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        again = step(Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        called = step(after=Base.number)(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

        @step  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        class Inside: ...

        @step  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        @staticmethod
        async def static() -> int: ...

        @step  # type: ignore[prop-decorator]  # pyright: ignore[reportArgumentType, reportCallIssue]
        @property
        def attribute(self) -> int: ...

        @step  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        @step
        async def twice(self) -> int: ...

        @step  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        @classmethod
        async def of_the_class(cls) -> int: ...


def another_kind_of_decorator_for_it() -> None:
    class Wrong(Flow):
        @service  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_service(self) -> int: ...

        # Nobody could receive its value.
        @service  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def returning_service(self) -> int: ...

        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def awaited_subflow(self) -> Base: ...

        @each  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def bare_each(self, item: int) -> None: ...

        # No checker can see this one: it is a DefinitionError.
        @step
        async def generator(self) -> AsyncIterator[int]:
            yield 1


# What is declared


def called_as_a_method() -> None:
    class Wrong(Flow):
        @step
        async def build(self) -> int:
            return 1

        @step(after=[build])
        async def use(self) -> int:
            return await self.build()  # type: ignore[operator]  # pyright: ignore[reportCallIssue]

        @step
        def plain(self) -> int:
            return 1

        @step(after=[plain])
        def use_plain(self) -> int:
            return self.plain()  # type: ignore[operator]  # pyright: ignore[reportCallIssue]

    Wrong.build(Wrong())  # type: ignore[operator]  # pyright: ignore[reportCallIssue]


def body_with_wrong_arguments(flow: Base, other: Job[int]) -> None:
    class After(Flow):
        @step(after=Base.number)
        async def one(self, number: int) -> int:
            return number

    after = After()
    After.one.body(after, "x").close()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    After.one.body(after).close()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    After.one.body(after, 1, 2).close()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    After.one.body(other, 1).close()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Base.plain.body()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    flow.number.body(flow)  # type: ignore[call-arg, operator]  # pyright: ignore[reportCallIssue]


async def awaited_and_assigned(flow: Base) -> None:
    await flow.number  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    await Base.number  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    flow.number(4)  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
    flow.number = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def shutdown_hooks() -> None:
    class Wrong(Flow):
        @step
        async def build(self) -> int:
            return 1

        @build.shutdown  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
        def not_async(self) -> None: ...

        @build.shutdown  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
        async def with_a_parameter(self, number: int) -> None: ...

        @build.shutdown  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
        async def generator(self) -> AsyncIterator[int]:
            yield 1

        @build.shutdown()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        async def with_brackets(self) -> None: ...

        @build.close  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        async def misspelt(self) -> None: ...
