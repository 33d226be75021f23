"""Control and host over gRPC: the calls, their messages, and the protocol version that goes with each."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..core.host import PROTOCOL_VERSION
from ..core.launch import LaunchResult, LaunchSpec
from ..core.tick import Evaluation, EvaluationRequest

SERVICE = "runyard.LocationHost"
VERSION_KEY = "runyard-protocol"
METADATA = ((VERSION_KEY, str(PROTOCOL_VERSION)),)
#: Definitions and run config travel whole.
LONGEST_MESSAGE = 100 * 1024 * 1024

T = TypeVar("T")


class Nothing(msgspec.Struct, frozen=True):
    """No arguments, or no result."""


class LaunchCall(msgspec.Struct, frozen=True, kw_only=True):
    specs: tuple[LaunchSpec, ...]
    #: Seconds that the host may take.
    timeout: float


class LaunchReply(msgspec.Struct, frozen=True, kw_only=True):
    results: tuple[LaunchResult, ...]


class TerminateCall(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    attempt: int
    force: bool = False
    kill_after: float | None = None


class TerminateReply(msgspec.Struct, frozen=True, kw_only=True):
    found: bool


class WorkersReply(msgspec.Struct, frozen=True, kw_only=True):
    #: (run id, attempt)
    workers: tuple[tuple[str, int], ...]


class EvaluateCall(msgspec.Struct, frozen=True, kw_only=True):
    requests: tuple[EvaluationRequest, ...]
    #: Seconds for each.
    timeout: float


class EvaluateReply(msgspec.Struct, frozen=True, kw_only=True):
    evaluations: tuple[Evaluation, ...]


class ValidateCall(msgspec.Struct, frozen=True, kw_only=True):
    job_name: str
    run_config: dict[str, Any] = {}
    timeout: float = 30.0


class ValidateReply(msgspec.Struct, frozen=True, kw_only=True):
    issues: tuple[tuple[str, str], ...] = ()


class ReloadCall(msgspec.Struct, frozen=True, kw_only=True):
    timeout: float


class ShutdownCall(msgspec.Struct, frozen=True, kw_only=True):
    """``drain``: end when the last worker has; else workers are told to stop, and killed after ``grace`` seconds."""

    drain: bool
    grace: float = 5.0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    host_id: str
    workers: int
    #: About to end: it takes no more runs.
    draining: bool = False


def understands(version: str | None) -> bool:
    """Whether a peer of this protocol version can be talked to: the same one or a neighbour."""
    return version is not None and version.isdecimal() and abs(int(version) - PROTOCOL_VERSION) <= 1
