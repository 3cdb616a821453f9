"""Fields: annotated names are keyword-only arguments, as attrs makes them."""

from pathlib import Path
from typing import ClassVar, assert_type

import attrs

from flowdeco import Flow, Job, step


class Deploy(Flow):
    host: str
    retries: int = 3
    tags: list[str] = attrs.field(factory=list)
    port: int = attrs.field(default=80, validator=attrs.validators.gt(0), repr=False)
    region: str | None = attrs.field(default=None, alias="zone")
    _token: str = "secret"
    made: Path = attrs.field(init=False, factory=Path)
    shared: ClassVar[int] = 1
    bare: bytes = attrs.field()

    @step
    async def build(self) -> str:
        assert_type(self._token, str)
        return self.host * self.retries


def construction() -> None:
    least = Deploy(host="eu-1", bare=b"")
    Deploy(host="eu-1", retries=1, tags=["a"], port=1, zone="eu", _token="t", bare=b"")
    assert_type(least.host, str)
    assert_type(least.retries, int)
    assert_type(least.tags, list[str])
    assert_type(least.port, int)
    assert_type(least.region, str | None)
    assert_type(least.made, Path)
    assert_type(Deploy.shared, int)
    assert_type(least.build, Job[str])
    least.retries = 5


class Inherits(Deploy, critical=True):
    """Fields add up; one without a default may follow those that have one."""

    user: str
    retries: int = 7


class AddsNothing(Inherits):
    pass


def inherited_fields() -> None:
    assert_type(Inherits(user="eve", host="eu-1", bare=b""), Inherits)
    assert_type(AddsNothing(host="eu-1", user="eve", retries=1, bare=b"").user, str)


class OwnInit(Flow):
    """An own `__init__` is kept."""

    host: str

    def __init__(self, address: str, port: int = 80) -> None:
        self.host = f"{address}:{port}"


def own_init() -> None:
    assert_type(OwnInit("localhost").host, str)
    OwnInit(address="localhost", port=8080)


class NoFields(Flow):
    @step
    async def only(self) -> None:
        pass


def no_fields() -> None:
    assert_type(NoFields(), NoFields)
