"""Leases: who may act as a daemon, and the term that fences every write made as one."""

from __future__ import annotations

import msgspec

from .daemon import DaemonType


class Fence(msgspec.Struct, frozen=True):
    """Presented by a service transaction; it aborts unless lease ``name`` is still at ``term``."""

    name: str
    term: int


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease row. A free lease has ``holder`` None; the term only ever grows."""

    name: str
    holder: str | None
    term: int
    expires_at: float


def daemon_lease(kind: DaemonType) -> str:
    """The name of the lease that says who leads a daemon."""
    return f"daemon:{kind.value}"
