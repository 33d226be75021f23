"""The functions of a schedule or sensor: what each takes, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ..core.errors import InvalidDefinition
from .callables import is_async, signature_of
from .names import place
from .signature import Signature, check_only_resources, read_signature

_Kind = inspect.Parameter
_WRITE_DEF = "write def, and call asyncio.run(…) inside where something is to be awaited"
_POSITIONAL = (_Kind.POSITIONAL_ONLY, _Kind.POSITIONAL_OR_KEYWORD, _Kind.VAR_POSITIONAL)


class ContextFunction:
    """A user's ``should_execute``, ``run_config_fn`` or ``tags_fn``: a callable of the context, or of nothing.

    Raises:
        InvalidDefinition: it cannot be called, is async, or needs more than the context.
    """

    def __init__(self, owner: str, function: Any) -> None:
        _check_callable(owner, function)
        self._owner, self._function = owner, function
        self._context = _context_parameter(function)
        _check_nothing_else(owner, function, self._context)

    def __call__(self, context: Any) -> Any:
        return _awaited(self._owner, self._function, _call(self._function, self._context, context, {}))


class EvaluationFunction:
    """A user's function of a context and resources, which answers what to run.

    Raises:
        InvalidDefinition: it is async, takes anything else, or names resources both ways.
    """

    def __init__(self, owner: str, function: Callable[..., Any], required_resource_keys: Iterable[str] | None) -> None:
        _check_callable(owner, function)
        self._owner, self.function = owner, function
        self.signature = _with_context(read_signature(function, owner), function)
        check_only_resources(self.signature, owner, function)
        self._context = _passed_as(function, self.signature)
        declared = frozenset(required_resource_keys or ())
        if declared and self.signature.resources:
            raise InvalidDefinition(
                f"{owner}: takes resources as parameters and by required_resource_keys; use one of the two."
            )
        self.resource_keys = declared | frozenset(self.signature.resources)

    def call(self, context: Any, resources: dict[str, Any]) -> Any:
        """Call it; ``resources`` are the values by name."""
        wanted = {name: resources[name] for name in self.signature.resources}
        return _awaited(self._owner, self.function, _call(self.function, self._context, context, wanted))


def _call(function: Callable[..., Any], parameter: _Kind | None, context: Any, keywords: dict[str, Any]) -> Any:
    if parameter is None:
        return function(**keywords)
    if parameter.kind in _POSITIONAL:
        return function(context, **keywords)
    return function(**keywords, **{parameter.name: context})


def _check_callable(owner: str, function: Any) -> None:
    if not callable(function):
        raise InvalidDefinition(f"{owner} is a function, not {function!r}.")
    if is_async(function):
        raise InvalidDefinition(
            f"{owner}{place(function)} is an async function, which nothing would await: {_WRITE_DEF}."
        )


def _awaited(owner: str, function: Callable[..., Any], returned: Any) -> Any:
    """What was returned. A lambda or decorator hides an async function; what that makes is true as ``should_execute``.

    Raises:
        InvalidDefinition: it is still to be awaited.
    """
    if inspect.iscoroutine(returned):
        returned.close()  # Python would warn that nothing awaited it.
    if inspect.isawaitable(returned) or inspect.isasyncgen(returned):
        raise InvalidDefinition(f"{owner}{place(function)} returned what nothing would await: {_WRITE_DEF}.")
    return returned


def _parameters(function: Callable[..., Any]) -> list[_Kind]:
    try:
        return list(signature_of(function).parameters.values())
    except ValueError:
        return []  # A builtin that does not say what it takes, like dict, can be called with nothing.


def _context_parameter(function: Callable[..., Any]) -> _Kind | None:
    """The first parameter by position, whatever its name; else a keyword that is required or called context."""
    parameters = _parameters(function)
    by_position = [one for one in parameters if one.kind in _POSITIONAL]
    keywords = [one for one in parameters if one.kind is _Kind.KEYWORD_ONLY]
    named = [one for one in keywords if one.name == "context" or one.default is _Kind.empty]
    return next(iter([*by_position, *named]), None)


def _check_nothing_else(owner: str, function: Callable[..., Any], context: _Kind | None) -> None:
    for one in _parameters(function):
        if one != context and one.default is _Kind.empty and one.kind not in (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD):
            raise InvalidDefinition(f"{owner}{place(function)} takes the context alone, and needs '{one.name}' too.")


def _with_context(signature: Signature, function: Callable[..., Any]) -> Signature:
    """The context goes to a parameter of that name, else to the first without an annotation, whatever its name."""
    if signature.context is not None:
        return signature
    bare = [one for one in _parameters(function) if one.name in signature.inputs and one.annotation is _Kind.empty]
    context = min(bare, key=lambda one: (one.name != "context", one.default is not _Kind.empty), default=None)
    if context is None:
        return signature
    inputs = {name: parameter for name, parameter in signature.inputs.items() if name != context.name}
    return signature._replace(context=context.name, inputs=inputs)


def _passed_as(function: Callable[..., Any], signature: Signature) -> _Kind | None:
    for one in _parameters(function):
        if one.name == signature.context or (one.kind is _Kind.VAR_POSITIONAL and signature.context is None):
            return one
    return None
