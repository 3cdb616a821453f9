"""What is wrong with a shutdown hook, and what to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType

from flowdeco.base.annotations import is_async_function

from .declaration import Declaration
from .signatures import parameters_of
from .wording import counted, described, listed

__all__ = ["hook_problems", "inherited_hook_problems"]


def hook_problems(
    declared: Declaration[object], hook: object, names: Mapping[int, str]
) -> Iterator[str]:
    """Find what is wrong with a shutdown hook of a declaration.

    Args:
        declared: the declaration.
        hook: what was registered.
        names: the name of each object in the body of the class, by identity.
    """
    name: str = getattr(hook, "__name__", None) or f"close_{declared.name}"
    decorator = f"@{declared.name}.shutdown"
    write = f"write `async def {name}(self)`"
    if name == declared.name:
        yield (
            f"the method under {decorator} has the name of the {declared.kind}; write"
            f" `async def close_{name}(self)`"
        )
    elif not isinstance(hook, FunctionType):
        yield f"{decorator} stands on {described(hook)}; {write}"
    elif not is_async_function(hook):
        yield f"the method {name} under {decorator} must be async; {write}"
    elif id(hook) not in names:
        yield (
            f"the method {name} under {decorator} is not what has this name in the end; rename"
            f" it, and let {decorator} be the topmost of its decorators"
        )
    else:
        wanted = [p.name for p in parameters_of(hook)[1:] if p.default is p.empty]
        if wanted:
            yield (
                f"the method {name} under {decorator} takes {counted(len(wanted), 'value')}"
                f" ({listed(wanted)}) and gets 0; {write}"
            )


def inherited_hook_problems(
    cls: type,
    inherited: Iterable[Declaration[object]],
    hooks: Mapping[str, Sequence[str]],
    names: Mapping[int, str],
) -> Iterator[tuple[str, str]]:
    """Find what is wrong with the hooks that a class has for declarations of its bases.

    Args:
        cls: the class.
        inherited: the declarations.
        hooks: by the names of its bases' declarations, those of their shutdown hooks.
        names: the name of each object in the body of the class, by identity.

    Returns:
        The names of methods, each with what is wrong.
    """
    members = vars(cls)
    for declared in inherited:
        # Those that were registered elsewhere are not in this body.
        for hook in declared.hooks:
            if id(hook) in names:
                for problem in hook_problems(declared, hook, names):
                    yield names[id(hook)], problem
    for declared_name, methods in hooks.items():
        for name in methods:
            if name in members and not is_async_function(members[name]):
                yield (
                    name,
                    (
                        f"it is called at the end of every run (@{declared_name}.shutdown stands on"
                        f" it in a base), and so must be a method `async def {name}(self)`"
                    ),
                )
