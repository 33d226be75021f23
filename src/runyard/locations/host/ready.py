"""The one line that a host prints once it serves, or why it does not."""

from __future__ import annotations

import msgspec


class HostReady(msgspec.Struct, frozen=True, kw_only=True):
    host_id: str = ""
    address: str = ""
    error: str | None = None
