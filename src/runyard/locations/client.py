"""Talking to one location host over gRPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import grpc
import msgspec

from ..core.errors import LocationUnavailable
from ..core.launch import LaunchResult, LaunchSpec
from ..core.tick import Evaluation, EvaluationRequest
from .codec import decoder, pack, unpack
from .updates import HostUpdate
from .wire import (
    LONGEST_MESSAGE,
    METADATA,
    SERVICE,
    EvaluateCall,
    EvaluateReply,
    LaunchCall,
    LaunchReply,
    Nothing,
    ReloadCall,
    ShutdownCall,
    Status,
    TerminateCall,
    TerminateReply,
    ValidateCall,
    ValidateReply,
    WorkersReply,
)

R = TypeVar("R", bound=msgspec.Struct)

_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_receive_message_length", LONGEST_MESSAGE),
    ("grpc.max_send_message_length", LONGEST_MESSAGE),
    # One connection for each client: two clients of one host in a process must not share their fate.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]
#: What the way there and back may take on top of the work itself, in seconds.
_MARGIN = 5.0
#: Evaluations that a host makes side by side, for the deadline of a batch.
_SIDE_BY_SIDE = 8


class HostClient:
    """Calls of one host. Each raises LocationUnavailable when it does not answer within its deadline, in seconds."""

    def __init__(self, location_name: str, address: str) -> None:
        self._name, self.address = location_name, address
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._stubs: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    def status(self, *, timeout: float) -> Status:
        return self._call("Status", Nothing(), Status, timeout)

    def refresh(self, *, timeout: float) -> Status:
        """Have it begin to load its code again if that failed, or if a source has changed since."""
        return self._call("Refresh", Nothing(), Status, timeout)

    def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        # The host answers a little before the deadline, so that results which are there get here.
        call = LaunchCall(specs=tuple(specs), timeout=timeout * 0.9)
        return self._call("Launch", call, LaunchReply, timeout).results

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        call = TerminateCall(run_id=run_id, attempt=attempt, force=force, kill_after=kill_after)
        return self._call("Terminate", call, TerminateReply, timeout).found

    def workers(self, *, timeout: float) -> Sequence[tuple[str, int]]:
        return self._call("Workers", Nothing(), WorkersReply, timeout).workers

    def evaluate(self, requests: Sequence[EvaluationRequest], *, timeout: float) -> Sequence[Evaluation]:
        call = EvaluateCall(requests=tuple(requests), timeout=timeout)
        rounds = 1 + len(requests) // _SIDE_BY_SIDE
        return self._call("Evaluate", call, EvaluateReply, timeout * rounds + _MARGIN).evaluations

    def validate(self, job_name: str, run_config: Mapping[str, Any], *, timeout: float) -> Sequence[tuple[str, str]]:
        call = ValidateCall(job_name=job_name, run_config=dict(run_config), timeout=timeout)
        return self._call("Validate", call, ValidateReply, timeout + _MARGIN).issues

    def reload(self, *, timeout: float) -> None:
        self._call("Reload", ReloadCall(timeout=timeout), Nothing, timeout + _MARGIN)

    def shutdown(self, *, drain: bool, grace: float, timeout: float) -> None:
        self._call("Shutdown", ShutdownCall(drain=drain, grace=grace), Nothing, timeout)

    def watch(self) -> Iterator[HostUpdate]:
        """Updates as they come, the present one first; ends when the host or this client does."""
        stub = self._channel.unary_stream(f"/{SERVICE}/Watch", None, None)
        update = decoder(HostUpdate)
        try:
            for data in stub(pack(Nothing()), metadata=METADATA):
                yield update.decode(data)
        except grpc.RpcError as error:
            raise self._unavailable(error) from None

    def close(self) -> None:
        """Close the connection; calls under way fail."""
        self._channel.close()

    def _call(self, method: str, message: msgspec.Struct, reply: type[R], timeout: float) -> R:
        try:
            stub = self._stubs.get(method)
            if stub is None:
                stub = self._stubs[method] = self._channel.unary_unary(f"/{SERVICE}/{method}", None, None)
            return unpack(stub(pack(message), timeout=timeout, metadata=METADATA), reply)
        except grpc.RpcError as error:
            raise self._unavailable(error) from None
        except ValueError as error:
            # What the channel says once it is closed.
            raise LocationUnavailable(self._name, str(error)) from None

    def _unavailable(self, error: grpc.RpcError) -> LocationUnavailable:
        code = error.code() if isinstance(error, grpc.Call) else None
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return LocationUnavailable(self._name, "its host did not answer in time.")
        details = error.details() if isinstance(error, grpc.Call) else str(error)
        return LocationUnavailable(self._name, details or f"its host answered {code}.")
