"""What a user's function takes and gives, read from its signature without importing anything for it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ForwardRef, NamedTuple, get_args, get_origin

from ..core.errors import InvalidDefinition
from .callables import innermost, signature_of
from .names import place
from .slots import NO_VALUE

_CONTEXT_NAMES = frozenset({"context", "_context", "_", "__"})
#: In ``Annotated[T, RESOURCE_PARAM]``: the parameter is a resource.
RESOURCE_PARAM = "resource_param"


#: What to do about a name that only type checkers know.
RESOLVE_ADVICE = (
    "Import or define it where the function is defined, not only under `if TYPE_CHECKING` or inside of a function."
)


class Unresolved(NamedTuple):
    """An annotation that is text and names nothing at run time. ``why`` is a clause."""

    text: str
    why: str

    def explained(self) -> str:
        return f"it is annotated '{self.text}', and {self.why}. {RESOLVE_ADVICE}"


class Parameter(NamedTuple):
    """A parameter; ``annotation`` and ``default`` are NO_VALUE where there are none."""

    name: str
    annotation: Any = NO_VALUE
    default: Any = NO_VALUE
    unresolved: Unresolved | None = None


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
        InvalidDefinition: a Config parameter is not called ``config``, or the annotation of ``config`` names nothing.
    """
    signature = signature_of(function)
    parameters = [
        _parameter(function, p)
        for p in signature.parameters.values()
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
        returns=known(resolve(function, signature.return_annotation)),
        any_keyword=any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()),
    )


def _parameter(function: Callable[..., Any], p: inspect.Parameter) -> Parameter:
    annotation = resolve(function, p.annotation)
    return Parameter(
        p.name,
        known(annotation),
        NO_VALUE if p.default is p.empty else p.default,
        annotation if isinstance(annotation, Unresolved) else None,
    )


def resolve(function: Callable[..., Any], annotation: Any) -> Any:
    """The object that an annotation names, or an Unresolved; NO_VALUE when there is none."""
    if annotation is inspect.Parameter.empty:
        return NO_VALUE
    if isinstance(annotation, ForwardRef):
        # From Python 3.14 on, what annotations that are not text name is looked up late, and may not be there.
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    inner = innermost(function)

    def probe() -> None: ...

    probe.__annotations__ = {"it": annotation}
    names = inspect.getclosurevars(inner).nonlocals if getattr(inner, "__closure__", None) else {}
    try:
        found = inspect.get_annotations(probe, globals=_globals(inner), locals=dict(names), eval_str=True)["it"]
        # Quoted in a module whose annotations are text already.
        return resolve(function, found) if isinstance(found, str) else found
    except NameError as error:
        return Unresolved(annotation, f"the name '{error.name}' is not defined")
    except Exception as error:  # noqa: BLE001 - evaluating the user's expression may raise anything
        return Unresolved(annotation, f"that cannot be evaluated ({type(error).__name__}: {error})")


def known(annotation: Any) -> Any:
    """The annotation, NO_VALUE for one that names nothing."""
    return NO_VALUE if isinstance(annotation, Unresolved) else annotation


def _globals(function: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(function, "__globals__", None) or vars(sys.modules[function.__module__])
    return found


def _take_context(parameters: list[Parameter]) -> str | None:
    """The context is the first parameter when it is called or annotated like one."""
    if not parameters:
        return None
    first = parameters[0]
    # Types of contexts are imported under TYPE_CHECKING more often than others: their name will do.
    kind = first.unresolved.text if first.unresolved else getattr(first.annotation, "__name__", "")
    if first.name in _CONTEXT_NAMES or kind.endswith(("ExecutionContext", "EvaluationContext")):
        return parameters.pop(0).name
    return None


def _take_config(parameters: list[Parameter], owner: str, function: Callable[..., Any]) -> Parameter | None:
    for parameter in parameters:
        if parameter.name == "config":
            if parameter.unresolved:
                raise InvalidDefinition(
                    f"{owner}{place(function)}: what 'config' takes is unknown: {parameter.unresolved.explained()}"
                )
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
        unresolved = extra[name].unresolved if name in extra else None
        if unresolved is not None:
            raise InvalidDefinition(
                f"{owner}{place(function)}: what the parameter '{name}' is for is unknown: {unresolved.explained()}"
            )
        raise InvalidDefinition(
            f"{owner}{place(function)}: the parameter '{name}' is neither the context nor a resource; "
            "annotate a resource with its ConfigurableResource class or ResourceParam[…]."
        )
