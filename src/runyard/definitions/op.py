"""Ops: the units of work."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args, get_origin, overload

from ..core.bounds import NAME, check_text
from ..core.errors import InvalidDefinition
from ..core.pool_names import pool_name_fault
from ..core.tag_owners import TagSetter
from ..core.tags import MOST_SLOTS
from .callable_node import CallableNode
from .config.op_config import OpConfig
from .names import check_name, check_slot_name, checked_tags, describe_function, place
from .policies import RetryPolicy
from .signature import Parameter, Signature, read_signature
from .slots import NO_VALUE, In, Nothing, Out, Output

_POOL_TAG = "dagster/concurrency_key"


class OpDefinition(CallableNode):
    """A function with named inputs and outputs, config and resources.

    Calling it inside a graph or job adds a step; calling it anywhere else calls the function.

    Raises:
        InvalidDefinition: the parts contradict each other; names the op and where it is.
    """

    kind = "op"

    def __init__(
        self,
        compute_fn: Callable[..., Any],
        name: str,
        ins: Mapping[str, In] | None = None,
        outs: Mapping[str, Out] | Out | None = None,
        description: str | None = None,
        config_schema: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
        retry_policy: RetryPolicy | None = None,
        code_version: str | None = None,
        pool: str | None = None,
        *,
        pool_slots: int = 1,
    ) -> None:
        self.name = check_name("an op", name)
        self.owner = f"Op '{name}'{place(compute_fn)}"
        self.compute_fn = compute_fn
        self.signature = read_signature(compute_fn, f"Op '{name}'")
        self.description = describe_function(compute_fn, description)
        self.ins = _inputs(self.owner, self.signature, ins or {})
        self.outs = _outputs(self.owner, self.signature, outs)
        self.config_schema = config_schema
        self.config = OpConfig.of(self.owner, self.signature, config_schema)
        self.required_resource_keys = _resource_keys(self.owner, self.signature, required_resource_keys)
        self.tags = checked_tags(self.owner, tags, TagSetter.STEP)
        self.version, self.code_version = version, code_version or version
        self.retry_policy = _checked_policy(self.owner, retry_policy)
        self.pool = _checked_pool(self.owner, pool if pool is not None else self.tags.get(_POOL_TAG))
        self.pool_slots = _checked_slots(self.owner, pool_slots)

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.ins)

    @property
    def output_slots(self) -> Mapping[str, Out]:
        return self.outs

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _checked_pool(owner: str, pool: Any) -> str | None:
    if pool is None:
        return None
    if not isinstance(pool, str) or not pool:
        raise InvalidDefinition(f"{owner}: pool is the name of a pool, not {pool!r}.")
    check_text(f"{owner}: the name of a pool", pool, NAME)
    fault = pool_name_fault(pool)
    if fault:
        raise InvalidDefinition(f"{owner}: {fault}.")
    return pool


def _checked_slots(owner: str, slots: Any) -> int:
    if not isinstance(slots, int) or isinstance(slots, bool) or not 1 <= slots <= MOST_SLOTS:
        raise InvalidDefinition(f"{owner}: pool_slots is a whole number from 1 to {MOST_SLOTS}, not {slots!r}.")
    return slots


def _inputs(owner: str, signature: Signature, given: Mapping[str, In]) -> dict[str, In]:
    for name, slot in given.items():
        check_slot_name(owner, "input", name)
        if not isinstance(slot, In):
            raise InvalidDefinition(f"{owner}: input '{name}' is described by In(…), not {slot!r}.")
        if name not in signature.inputs and not slot.is_nothing and not signature.any_keyword:
            raise InvalidDefinition(
                f"{owner}: input '{name}' is declared, but the function has no parameter of that name."
            )
    inputs = {name: _input(given.get(name, In()), parameter) for name, parameter in signature.inputs.items()}
    return {**inputs, **{name: slot for name, slot in given.items() if name not in inputs}}


def _input(slot: In, parameter: Parameter) -> In:
    if slot.dagster_type is NO_VALUE:
        slot = replace(slot, dagster_type=parameter.annotation)
    if not slot.has_default and parameter.default is not NO_VALUE:
        slot = replace(slot, default_value=parameter.default)
    return slot


def _outputs(owner: str, signature: Signature, given: Mapping[str, Out] | Out | None) -> dict[str, Out]:
    if isinstance(given, Mapping):
        types = _tuple_types(signature.returns, len(given))
        for name in given:
            check_slot_name(owner, "output", name)
        return {name: _output(owner, name, out, types[i]) for i, (name, out) in enumerate(given.items())}
    return {"result": _output(owner, "result", given or Out(), _single_type(signature.returns))}


def _output(owner: str, name: str, out: Out, annotation: Any) -> Out:
    if not isinstance(out, Out):
        raise InvalidDefinition(f"{owner}: output '{name}' is described by Out(…), not {out!r}.")
    return replace(out, dagster_type=annotation) if out.dagster_type is NO_VALUE else out


def _single_type(returns: Any) -> Any:
    """What a return annotation says about the value; generators and coroutines say nothing here."""
    if returns is None or returns is type(None):
        return Nothing
    origin = get_origin(returns)
    if origin is Output:
        return get_args(returns)[0]
    if returns is Output or _is_stream(origin or returns):
        return NO_VALUE
    return returns


def _tuple_types(returns: Any, count: int) -> list[Any]:
    if count == 1:
        return [_single_type(returns)]
    args = get_args(returns)
    if get_origin(returns) is tuple and len(args) == count and Ellipsis not in args:
        return [_single_type(arg) for arg in args]
    return [NO_VALUE] * count


def _is_stream(kind: Any) -> bool:
    return getattr(kind, "__module__", "") == "collections.abc" and kind.__name__ in _STREAMS


_STREAMS = frozenset({"Generator", "Iterator", "Iterable", "AsyncGenerator", "AsyncIterator", "Coroutine", "Awaitable"})


def _resource_keys(owner: str, signature: Signature, given: Iterable[str] | None) -> frozenset[str]:
    if isinstance(given, str):
        raise InvalidDefinition(f"{owner}: required_resource_keys is a set of names; write {{{given!r}}}.")
    return frozenset(given or ()) | frozenset(signature.resources)


def _checked_policy(owner: str, policy: RetryPolicy | None) -> RetryPolicy | None:
    if policy is not None and not isinstance(policy, RetryPolicy):
        raise InvalidDefinition(f"{owner}: retry_policy is a RetryPolicy(…), not {policy!r}.")
    return policy


@overload
def op(compute_fn: Callable[..., Any]) -> OpDefinition: ...


@overload
def op(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    pool_slots: int = 1,
) -> Callable[[Callable[..., Any]], OpDefinition]: ...


def op(
    compute_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    pool_slots: int = 1,
) -> OpDefinition | Callable[[Callable[..., Any]], OpDefinition]:
    """Make an op of a function: ``@op`` or ``@op(out=…, pool=…)``. Parameters are those of OpDefinition."""

    def decorate(function: Callable[..., Any]) -> OpDefinition:
        definition = OpDefinition(
            function,
            name or function.__name__,
            ins=ins,
            outs=out,
            description=description,
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            version=version,
            retry_policy=retry_policy,
            code_version=code_version,
            pool=pool,
            pool_slots=pool_slots,
        )
        functools.update_wrapper(definition, function, updated=())
        return definition

    return decorate(compute_fn) if compute_fn is not None else decorate
