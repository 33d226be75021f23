"""Calling an op's function and making one stream of what it returns, yields or awaits."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..core.managers import contextmanager
from ..core.text import did_you_mean, listing
from ..definitions.assets.reports import AssetMaterialization, AssetObservation, ExpectationResult
from ..definitions.errors import InvariantViolation, WrongType
from ..definitions.op import OpDefinition
from ..definitions.slots import Output
from ..definitions.types import mismatch, shown
from .contexts.op import OpExecutionContext

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

REPORTS = (AssetMaterialization, AssetObservation, ExpectationResult)


def call_op(
    op: OpDefinition, context: OpExecutionContext, inputs: Mapping[str, Any], config: Any, resources: Mapping[str, Any]
) -> Any:
    """Call the function with what its signature asks for."""
    signature = op.signature
    args = [context] if signature.context else []
    kwargs = {name: inputs[name] for name in inputs if name in signature.inputs or signature.any_keyword}
    kwargs.update({name: resources[name] for name in signature.resources})
    if signature.config is not None:
        kwargs["config"] = config
    return op.compute_fn(*args, **kwargs)


def results(op: OpDefinition, returned: Any) -> Generator[Any, None, None]:
    """Outputs, and reports such as AssetMaterialization, in the order in which the function gives them.

    Raises:
        InvariantViolation: it gives something that is neither, or not all of its outputs.
    """
    if inspect.isgenerator(returned):
        yield from _checked(op, returned)
    elif inspect.isasyncgen(returned):
        yield from _checked(op, _drain(returned))
    elif inspect.iscoroutine(returned):
        with _event_loop() as loop:
            value = _complete(loop, returned)
        yield from _of_value(op, value)
    else:
        yield from _of_value(op, returned)


def _drain(stream: AsyncIterator[Any]) -> Generator[Any, None, None]:
    with _event_loop() as loop:
        while (item := _complete(loop, _next(stream))) is not _END:
            yield item


def _complete(loop: AbstractEventLoop, step: Coroutine[Any, Any, Any]) -> Any:
    """What the user's coroutine returns or raises.

    asyncio never sees its error: it asks for the class, and one that raises then leaves the loop running for ever.
    """
    value, error = loop.run_until_complete(_outcome(step))
    if error is not None:
        raise error
    return value


async def _outcome(step: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    try:
        return await step, None
    except BaseException as error:  # noqa: BLE001 - raised again outside of the loop
        return None, error


@contextmanager
def _event_loop() -> Iterator[AbstractEventLoop]:
    """A loop for one step. It ends as ``asyncio.run`` does, but does not wait for threads of its executor."""
    import asyncio  # noqa: PLC0415 - takes longer to import than all the rest, and few ops are async

    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - what the public function raises for
        raise InvariantViolation("An async op cannot be called while an event loop runs in this thread.")
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        yield loop
    finally:
        try:
            _cancel_tasks(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _cancel_tasks(loop: AbstractEventLoop) -> None:
    """Let the tasks that the step did not wait for clean up."""
    import asyncio  # noqa: PLC0415 - same

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            loop.call_exception_handler(
                {"message": "A task failed after its step ended", "exception": error, "task": task}
            )


_END = object()


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream, _END)


def _checked(op: OpDefinition, stream: Generator[Any, Any, Any]) -> Generator[Any, None, None]:
    seen: set[str] = set()
    # A function that is left before its end cleans up now, and not when its generator happens to be collected.
    with closing(stream):
        yield from _checked_items(op, stream, seen)
    missing = [name for name, out in op.outs.items() if out.is_required and not out.is_nothing and name not in seen]
    if missing:
        raise InvariantViolation(
            f"Op '{op.name}' did not yield its required output{'s' if len(missing) > 1 else ''} {listing(missing)}. "
            "Yield Output(value, output_name=…) for each, or declare Out(is_required=False)."
        )


def _checked_items(op: OpDefinition, stream: Iterator[Any], seen: set[str]) -> Iterator[Any]:
    for item in stream:
        if not isinstance(item, (Output, *REPORTS)):
            raise InvariantViolation(
                f"Op '{op.name}' yielded {shown(item)}; yield Output(value, output_name=…), AssetMaterialization and "
                "the like, or return the value instead."
            )
        if isinstance(item, Output):
            _check_name(op, item.output_name, seen)
        yield item


def _check_name(op: OpDefinition, name: str, seen: set[str]) -> None:
    if name not in op.outs:
        raise InvariantViolation(
            f"Op '{op.name}' gave the output '{name}', which it does not have; it has {listing(op.outs) or 'none'}."
            f"{did_you_mean(name, op.outs)}"
        )
    if name in seen:
        raise InvariantViolation(f"Op '{op.name}' gave the output '{name}' twice.")
    seen.add(name)


def _of_value(op: OpDefinition, value: Any) -> Iterator[Any]:
    names = list(op.outs)
    if not names:
        return iter(())
    if len(names) == 1:
        return iter([_as_output(op, names[0], value)])
    if value is None and all(out.is_nothing or not out.is_required for out in op.outs.values()):
        return iter(())
    if not isinstance(value, tuple) or len(value) != len(names):
        raise InvariantViolation(
            f"Op '{op.name}' has {len(names)} outputs ({', '.join(names)}) and returned {shown(value)}; "
            f"return a tuple of {len(names)} values in this order, or yield Outputs."
        )
    return iter([_as_output(op, name, item) for name, item in zip(names, value, strict=True)])


def _as_output(op: OpDefinition, name: str, value: Any) -> Output:
    if not isinstance(value, Output):
        return Output(value, name)
    if value.output_name == "result" and len(op.outs) == 1:
        return Output(value.value, name, value.metadata, value.data_version, tags=value.tags)
    if value.output_name not in (name, "result"):
        raise InvariantViolation(f"Op '{op.name}' returned output '{value.output_name}' in the place of '{name}'.")
    return Output(value.value, name, value.metadata, value.data_version, tags=value.tags)


def check_output_type(step_key: str, op: OpDefinition, output: Output) -> None:
    """Raises WrongType when the value is not of its output's type."""
    problem = mismatch(op.outs[output.output_name].dagster_type, output.value)
    if problem:
        raise WrongType(f"Step '{step_key}', output '{output.output_name}': {problem}.")


def check_input_types(step_key: str, op: OpDefinition, inputs: Mapping[str, Any]) -> None:
    """Raises WrongType when a value is not of its input's type."""
    for name, value in inputs.items():
        problem = mismatch(op.ins[name].dagster_type, value)
        if problem:
            raise WrongType(f"Step '{step_key}', input '{name}': {problem}.")
