"""Services, fan-outs and subflows that a checker must refuse, and misuse of what they give."""

# What follows from a refusal is not counted as another one.
# mypy: disable-error-code="empty-body, no-any-return, untyped-decorator"
# pyright: reportUnusedClass=false, reportUnusedVariable=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false

from collections.abc import AsyncIterator, Iterator

from flowdeco import Flow, each, service, step, subflow


class Base(Flow):
    @step
    async def number(self) -> int:
        return 1

    @step
    async def numbers(self) -> list[int]:
        return []

    @service
    async def database(self) -> AsyncIterator[str]:
        yield "dsn"

    @service
    async def watchdog(self) -> None: ...

    @each(numbers)
    async def double(self, number: int) -> int:
        return number * 2


class Host(Flow):
    name: str

    @step
    async def up(self) -> float:
        return 1.0


class Cluster(Flow):
    @subflow
    def host(self) -> Host:
        return Host(name="one")

    @subflow
    def hosts(self) -> list[Host]:
        return []


# Services


def a_value_of_a_service_misused(flow: Base) -> None:
    class Wrong(Flow):
        @step(after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, dsn: int) -> None: ...

        @step(after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def the_iterator(self, dsn: AsyncIterator[str]) -> None: ...

        @step(after=Base.watchdog)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def of_none(self, nothing: str) -> None: ...

        @service(after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def service_of_it(self, dsn: bytes) -> AsyncIterator[int]:
            yield 1

        @service(after=(Base.database, Base.number))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def coroutine_of_it(self, dsn: str, number: str) -> None: ...

    number: int = flow.database.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    flow.watchdog.result().upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def a_service_of_the_wrong_form() -> None:
    class Wrong(Flow):
        @service  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain(self) -> None: ...

        @service  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_generator(self) -> Iterator[int]:
            yield 1

        @service  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def takes_a_value_after_nothing(self, number: int) -> None: ...

        @service(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def takes_two(self, a: int, b: int) -> AsyncIterator[int]:
            yield 1

        @service(after=[Base.number])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_a_list(self, number: int) -> AsyncIterator[int]:
            yield 1

        @service(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain_after(self, number: int) -> None: ...


def options_of_a_service() -> None:
    class Wrong(Flow):
        @service(forever=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def forever(self) -> None: ...

        @service(window=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def window(self) -> None: ...

        @service(after="database")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after(self) -> None: ...

        @service(timeout="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def timeout(self) -> AsyncIterator[int]:
            yield 1


# Fan-out


def over_something_else() -> None:
    class Wrong(Flow):
        @each(Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def not_iterable(self, item: int) -> None: ...

        @each(Base.watchdog)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def over_none(self, item: int) -> None: ...

        @each([1, 2])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def over_a_list(self, item: int) -> None: ...

        @each("numbers")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def over_a_string(self, item: int) -> None: ...

        @each((Base.numbers, Base.numbers))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def over_two(self, item: int) -> None: ...

        @each()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
        async def over_nothing(self, item: int) -> None: ...


def an_item_misused() -> None:
    class Wrong(Flow):
        @each(Base.numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, item: str) -> None: ...

        @each(Base.numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def all_of_them(self, items: list[int]) -> None: ...

        @each(Base.numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def takes_no_item(self) -> None: ...

        @each(Base.numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def takes_two(self, item: int, other: int) -> None: ...

        @each(Base.numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def plain(self, item: str) -> int: ...

        @each(Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def letters(self, letter: int) -> None: ...


def options_of_each() -> None:
    class Wrong(Flow):
        @each(Base.numbers, windw=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        async def misspelt(self, item: int) -> None: ...

        @each(Base.numbers, window="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, item: int) -> None: ...

        @each(Base.numbers, after="number")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_a_string(self, item: int) -> None: ...

        @each(Base.numbers, after=[Base.number, 3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def after_a_number(self, item: int) -> None: ...


def values_beside_an_item() -> None:
    class Wrong(Flow):
        @each(Base.numbers, after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, item: int, address: int) -> None: ...

        @each(Base.numbers, after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_order(self, address: str, item: int) -> None: ...

        @each(Base.numbers, after=(Base.database, Base.number))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_count(self, item: int, address: str) -> None: ...

        @each(Base.numbers, after=[Base.database])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def only_an_order(self, item: int, address: str) -> None: ...

        @each(Base.numbers, after=Base.database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def wrong_item(self, item: str, address: str) -> None: ...

        @each(Base.numbers, after=Base.database, timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_timeout(self, item: int, address: str) -> None: ...


def a_list_of_results_misused(flow: Base) -> None:
    class Wrong(Flow):
        @step(after=Base.double)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def one_of_them(self, double: int) -> None: ...

        @step(after=Base.double)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def of_others(self, doubles: list[str]) -> None: ...

    double: int = flow.double.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


# Subflows


def not_a_flow() -> None:
    class Wrong(Flow):
        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def number(self) -> int: ...

        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def some_number(self) -> int | None: ...

        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def hosts_or_none(self) -> list[Host | None]: ...

        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def numbers(self) -> list[int]: ...

        @subflow  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def the_class(self) -> type[Host]: ...

        @subflow(after=Base.number)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def after_a_value(self, number: int) -> str: ...

        @subflow(after=Base.number)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def awaited(self, number: int) -> Host: ...


def values_of_a_subflow() -> None:
    class Wrong(Flow):
        @subflow(after=Base.number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def wrong_type(self, number: str) -> Host: ...

        @subflow(after=Base.number)  # type: ignore[arg-type, type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def wrong_type_for_a_list(self, number: str) -> list[Host]: ...

        @subflow(after=(Base.number, Base.numbers))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        def wrong_count(self, number: int) -> Host: ...

        @subflow(after=Base.number, labl="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        def misspelt(self, number: int) -> Host: ...

        @step(after=Cluster.host)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def its_result(self, host: float) -> None: ...

        @step(after=Cluster.hosts)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def one_host(self, host: Host) -> None: ...

        @each(Cluster.host)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def over_one_host(self, host: Host) -> None: ...


def a_subflow_is_its_flow(flow: Cluster) -> None:
    flow.host.result()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    flow.host()  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
    flow.host.upp  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    flow.hosts.up  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    up: str = flow.host.up.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    number: int = flow.hosts  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
