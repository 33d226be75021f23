"""What a user's function takes and gives, read from its signature without importing anything for it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from ..core.errors import InvalidDefinition
from .names import place
from .slots import NO_VALUE

_CONTEXT_NAMES = frozenset({"context", "_context", "_", "__"})
#: In ``Annotated[T, RESOURCE_PARAM]``: the parameter is a resource.
RESOURCE_PARAM = "resource_param"


class Parameter(NamedTuple):
    """A parameter; ``annotation`` and ``default`` are NO_VALUE where there are none."""

    name: str
    annotation: Any = NO_VALUE
    default: Any = NO_VALUE


class Signature(NamedTuple):
    """A function's parameters by what they are for. ``any_keyword``: it takes ``**kwargs``."""

    context: str | None
    config: Parameter | None
    resources: dict[str, Any]
    inputs: dict[str, Parameter]
    returns: Any
    any_keyword: bool


def read_signature(function: Callable[..., Any], owner: str) -> Signature:
    """The signature of ``function``.

    Raises:
        InvalidDefinition: a Config parameter is not called ``config``.
    """
    signature = _signature(function)
    parameters = [
        Parameter(name, resolve(function, p.annotation), NO_VALUE if p.default is p.empty else p.default)
        for name, p in signature.parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    context = _take_context(parameters)
    config = _take_config(parameters, owner, function)
    resources = {p.name: p.annotation for p in parameters if is_resource(p.annotation)}
    return Signature(
        context=context,
        config=config,
        resources=resources,
        inputs={p.name: p for p in parameters if p.name not in resources},
        returns=resolve(function, signature.return_annotation),
        any_keyword=any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()),
    )


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        from annotationlib import Format  # noqa: PLC0415 - exists from 3.14 on

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def resolve(function: Callable[..., Any], annotation: Any) -> Any:
    """The object that an annotation names; NO_VALUE when there is none or its name is unknown at run time."""
    if annotation is inspect.Parameter.empty:
        return NO_VALUE
    if not isinstance(annotation, str):
        return annotation
    inner = inspect.unwrap(function)

    def probe() -> None: ...

    probe.__annotations__ = {"it": annotation}
    names = inspect.getclosurevars(inner).nonlocals if getattr(inner, "__closure__", None) else {}
    try:
        return inspect.get_annotations(probe, globals=_globals(inner), locals=dict(names), eval_str=True)["it"]
    except Exception:  # noqa: BLE001 - imported for type checkers only, or local to a function: it says nothing here
        return NO_VALUE


def _globals(function: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(function, "__globals__", None) or vars(sys.modules[function.__module__])
    return found


def _take_context(parameters: list[Parameter]) -> str | None:
    """The context is the first parameter when it is called or annotated like one."""
    if not parameters:
        return None
    first = parameters[0]
    kind = getattr(first.annotation, "__name__", "")
    if first.name in _CONTEXT_NAMES or kind.endswith(("ExecutionContext", "EvaluationContext")):
        return parameters.pop(0).name
    return None


def _take_config(parameters: list[Parameter], owner: str, function: Callable[..., Any]) -> Parameter | None:
    for parameter in parameters:
        if parameter.name == "config":
            parameters.remove(parameter)
            return parameter
        if is_config(parameter.annotation):
            raise InvalidDefinition(
                f"{owner}{place(function)}: the parameter '{parameter.name}' is annotated with a Config; "
                "call it 'config'."
            )
    return None


def is_config(annotation: Any) -> bool:
    """Whether it is a subclass of Config; asks a mark on the class, so that pydantic need not be imported."""
    return isinstance(annotation, type) and getattr(annotation, "__runyard_kind__", None) == "config"


def is_resource(annotation: Any) -> bool:
    """Whether it is a ConfigurableResource or a ``ResourceParam[…]``."""
    if get_origin(annotation) is Annotated:
        return RESOURCE_PARAM in get_args(annotation)[1:]
    kind = get_origin(annotation) or annotation
    return isinstance(kind, type) and getattr(kind, "__runyard_kind__", None) == "resource"


def check_only_resources(signature: Signature, owner: str, function: Callable[..., Any]) -> None:
    """Schedules and sensors take a context and resources.

    Raises:
        InvalidDefinition: the function takes anything else without a default.
    """
    extra: Mapping[str, Parameter] = {n: p for n, p in signature.inputs.items() if p.default is NO_VALUE}
    if signature.config is not None or extra:
        name = "config" if signature.config is not None else next(iter(extra))
        raise InvalidDefinition(
            f"{owner}{place(function)}: the parameter '{name}' is neither the context nor a resource; "
            "annotate a resource with its ConfigurableResource class or ResourceParam[…]."
        )
