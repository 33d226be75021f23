"""Calling ops, schedules and sensors as the functions that they are."""

from __future__ import annotations

from typing import Any

from ..core.text import did_you_mean
from ..definitions.errors import InvalidInvocation
from ..definitions.evaluation_function import EvaluationFunction
from ..definitions.op import OpDefinition
from ..definitions.schedule import ScheduleDefinition
from ..definitions.sensor import SensorDefinition
from ..definitions.slots import NO_VALUE
from .compute import call_op, check_input_types
from .contexts.builders import BuiltContext
from .contexts.direct_op import DirectOpContext, build_op_context, resolve_config
from .contexts.op import OpExecutionContext
from .pooled_calls import warn_of_pool


def invoke_op(op: OpDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an op's function: a context first where it takes one, then inputs, ``config=`` and resources by name.

    Raises:
        InvalidInvocation: something is missing or not taken; names the op and the parameter.
        WrongType: an input is not of its type.
    """
    warn_of_pool(op)
    context, rest = _context_of(op, args, kwargs)
    keywords = dict(kwargs)
    config = resolve_config(op, keywords.pop("config", context.config)) if op.signature.config else None
    resources = {name: _resource(op, name, keywords, context) for name in op.signature.resources}
    inputs = _inputs(op, rest, keywords)
    check_input_types(op.name, op, inputs)
    return call_op(op, context, inputs, config, resources)


def _context_of(
    op: OpDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[DirectOpContext, tuple[Any, ...]]:
    name = op.signature.context
    given = kwargs.pop(name) if name and name in kwargs else None
    rest = args
    if given is None and args and (isinstance(args[0], OpExecutionContext) or (name and args[0] is None)):
        given, rest = args[0], args[1:]
    if given is None and name and (op.required_resource_keys or not _may_be_absent(op, args)):
        raise InvalidInvocation(
            f"Op '{op.name}' takes a context: call it with build_op_context(…) as the first argument."
        )
    if isinstance(given, DirectOpContext):
        given.bind(op)
        return given, rest
    return build_op_context(), rest


def _may_be_absent(op: OpDefinition, args: tuple[Any, ...]) -> bool:
    """``my_op(None)`` is a way to say that the context does not matter."""
    return bool(args) and args[0] is None and op.signature.context is not None


def _resource(op: OpDefinition, name: str, keywords: dict[str, Any], context: DirectOpContext) -> Any:
    if name in keywords:
        return keywords.pop(name)
    if name in context.scope.values:
        return context.scope.values[name]
    raise InvalidInvocation(
        f"Op '{op.name}' needs the resource '{name}': pass {name}=… or build_op_context(resources={{'{name}': …}})."
    )


def _inputs(op: OpDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    names = [name for name, slot in op.ins.items() if not slot.is_nothing]
    if len(args) > len(names):
        raise InvalidInvocation(f"Op '{op.name}' is given {len(args)} inputs, but takes {len(names)}.")
    inputs = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in op.ins:
            raise InvalidInvocation(f"Op '{op.name}' has no input '{name}'.{did_you_mean(name, op.ins)}")
        inputs[name] = value
    for name in names:
        if name not in inputs and op.ins[name].default_value is NO_VALUE:
            raise InvalidInvocation(f"Op '{op.name}' is called without its input '{name}'.")
        inputs.setdefault(name, op.ins[name].default_value)
    return inputs


def invoke_schedule(schedule: ScheduleDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a schedule's function. Raises InvalidInvocation for one that has none, or without its context."""
    if schedule.execution is None:
        raise InvalidInvocation(schedule.problems.text() or f"{schedule.owner} has no function of its own to call.")
    return _invoke(schedule.owner, schedule.execution, args, kwargs, "build_schedule_context")


def invoke_sensor(sensor: SensorDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a sensor's function. Raises InvalidInvocation without its context."""
    return _invoke(sensor.owner, sensor.execution, args, kwargs, "build_sensor_context")


def _invoke(
    owner: str, execution: EvaluationFunction, args: tuple[Any, ...], kwargs: dict[str, Any], build: str
) -> Any:
    signature = execution.signature
    keywords = dict(kwargs)
    context = keywords.pop(signature.context or "context", args[0] if args else None)
    if signature.context and context is None:
        raise InvalidInvocation(f"{owner} takes a context: call it with {build}(…).")
    known = context.scope.values if isinstance(context, BuiltContext) else {}
    missing = sorted(signature.resources.keys() - keywords.keys() - known.keys())
    if missing:
        raise InvalidInvocation(f"{owner} needs the resource '{missing[0]}': {build}(resources={{'{missing[0]}': …}}).")
    return execution.call(context, {**known, **keywords})
