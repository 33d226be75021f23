"""The host's gRPC service: decodes a call, asks the host, encodes the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, NoReturn, TypeVar

import grpc
import msgspec

from ...core.errors import LocationUnavailable
from ...core.events import ErrorInfo
from ...core.host import PROTOCOL_VERSION
from ...core.launch import LaunchResult, LaunchSpec
from ...core.tick import Evaluation, TickStatus
from ..codec import decoder, pack
from ..wire import (
    LONGEST_MESSAGE,
    SERVICE,
    VERSION_KEY,
    EvaluateCall,
    EvaluateReply,
    LaunchCall,
    LaunchReply,
    Nothing,
    ReloadCall,
    ShutdownCall,
    TerminateCall,
    TerminateReply,
    ValidateCall,
    ValidateReply,
    WorkersReply,
    understands,
)
from .host import Host
from .loop import LoopEnded

C = TypeVar("C", bound=msgspec.Struct)

#: A watching control process holds one of these, every call under way too.
THREADS = 32


def serve(host: Host, address: str) -> tuple[grpc.Server, int]:
    """A started server on ``unix:…`` or ``host:port``, and the port that it got."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="grpc"),
        options=[
            ("grpc.max_receive_message_length", LONGEST_MESSAGE),
            ("grpc.max_send_message_length", LONGEST_MESSAGE),
            ("grpc.so_reuseport", 0),
        ],
    )
    calls = Calls(host)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Status": _unary(Nothing, calls.status),
        "Refresh": _unary(Nothing, calls.refresh),
        "Launch": _unary(LaunchCall, calls.launch),
        "Terminate": _unary(TerminateCall, calls.terminate),
        "Workers": _unary(Nothing, calls.workers),
        "Evaluate": _unary(EvaluateCall, calls.evaluate),
        "Validate": _unary(ValidateCall, calls.validate),
        "Reload": _unary(ReloadCall, calls.reload),
        "Shutdown": _unary(ShutdownCall, calls.shutdown),
        "Watch": _stream(calls.watch),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port(address)
    server.start()
    return server, port


class Calls:
    """One method per call."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def status(self, _: Nothing) -> msgspec.Struct:
        return self._host.status()

    def refresh(self, _: Nothing) -> msgspec.Struct:
        return self._host.refresh()

    def launch(self, call: LaunchCall) -> LaunchReply:
        launches = self._host.launch(call.specs)
        return LaunchReply(
            results=tuple(
                _launched(spec, launch, call.timeout) for spec, launch in zip(call.specs, launches, strict=True)
            )
        )

    def terminate(self, call: TerminateCall) -> TerminateReply:
        return TerminateReply(
            found=self._host.terminate(call.run_id, call.attempt, force=call.force, kill_after=call.kill_after)
        )

    def workers(self, _: Nothing) -> WorkersReply:
        return WorkersReply(workers=self._host.run_workers())

    def evaluate(self, call: EvaluateCall) -> EvaluateReply:
        pending = [self._host.ticks.evaluate(request, timeout=call.timeout) for request in call.requests]
        return EvaluateReply(evaluations=tuple(_evaluated(future.result()) for future in pending))

    def validate(self, call: ValidateCall) -> ValidateReply:
        found = self._host.ticks.validate(call.job_name, call.run_config, timeout=call.timeout).result()
        return ValidateReply(issues=() if isinstance(found, Evaluation) else found)

    def reload(self, call: ReloadCall) -> Nothing:
        self._host.reload().result(call.timeout)
        return Nothing()

    def shutdown(self, call: ShutdownCall) -> Nothing:
        self._host.shutdown(drain=call.drain, grace=call.grace)
        return Nothing()

    def watch(self, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Updates until the control process goes away; its going is told by the callback, not by a failed write."""
        updates = self._host.subscribe()
        if not context.add_callback(lambda: self._host.unsubscribe(updates)):
            self._host.unsubscribe(updates)
            return
        while (update := updates.get()) is not None:
            yield pack(update)


def _launched(spec: LaunchSpec, launch: Future[LaunchResult], timeout: float) -> LaunchResult:
    try:
        return launch.result(timeout)
    except FutureTimeout:
        message = f"The location had no worker ready within {timeout:g} s."
        return LaunchResult(run_id=spec.run_id, attempt=spec.attempt, error=message, retriable=True)


def _evaluated(outcome: object) -> Evaluation:
    if isinstance(outcome, Evaluation):
        return outcome
    return Evaluation(status=TickStatus.FAILURE, error=ErrorInfo("WrongAnswer", "The tick worker answered a check."))


def _unary(kind: type[C], call: Callable[[C], msgspec.Struct]) -> grpc.RpcMethodHandler[Any, Any]:
    calls = decoder(kind)

    def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
        _check_version(context)
        try:
            return pack(call(calls.decode(request)))
        except LoopEnded as error:
            _abort(context, grpc.StatusCode.UNAVAILABLE, str(error))
        except LocationUnavailable as error:
            _abort(context, grpc.StatusCode.UNAVAILABLE, error.reason)
        except FutureTimeout:
            _abort(context, grpc.StatusCode.DEADLINE_EXCEEDED, "The host did not answer in time.")
        except msgspec.DecodeError as error:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))

    return grpc.unary_unary_rpc_method_handler(handle)


def _stream(call: Callable[[grpc.ServicerContext], Iterator[bytes]]) -> grpc.RpcMethodHandler[Any, Any]:
    def handle(_: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        _check_version(context)
        yield from call(context)

    return grpc.unary_stream_rpc_method_handler(handle)


def _check_version(context: grpc.ServicerContext) -> None:
    theirs = next((str(value) for key, value in context.invocation_metadata() if key == VERSION_KEY), None)
    if not understands(theirs):
        message = f"This host speaks protocol {PROTOCOL_VERSION}, not {theirs}."
        _abort(context, grpc.StatusCode.FAILED_PRECONDITION, message)


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort returns never")
