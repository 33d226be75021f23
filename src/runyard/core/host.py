"""Location hosts as storage knows them."""

from __future__ import annotations

import msgspec

PROTOCOL_VERSION = 1


class HostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A location host: who owns the workers of a code location. pid and ``pid_started`` name a process for ever."""

    host_id: str
    location_name: str
    #: Digest of the workspace entry; a host of another entry is not adopted, nor one of other surroundings.
    spec_digest: str
    interpreter: str = ""
    #: Digests of the variables that its user code may read, and of the settings that it was started with.
    environment: str = ""
    settings: str = ""
    machine: str
    pid: int
    #: Start time of the process in clock ticks since boot, so that a reused pid is not taken for it.
    pid_started: int
    protocol: int
    #: Address for gRPC, ``unix:…`` or ``host:port``.
    address: str
    lease_expires_at: float
    registered_at: float
