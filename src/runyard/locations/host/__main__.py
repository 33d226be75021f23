"""``python -m runyard.locations.host``: configuration on standard input, readiness as one line on standard output."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import msgspec

from ...core.clock import SystemClock
from ...core.errors import RunyardError
from ...core.host import PROTOCOL_VERSION, HostRecord
from ...storage.open import open_stores
from ..processes import become_subreaper, machine_name, started_at
from ..runtime_dir import short_name
from .config import HostConfig
from .host import Host
from .lease import HostLease
from .ready import HostReady
from .service import serve


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    config = msgspec.json.decode(sys.stdin.buffer.read(), type=HostConfig)
    become_subreaper()
    try:
        _serve(config)
    except RunyardError as error:
        _tell(HostReady(error=str(error)))
        return 1
    return 0


def _serve(config: HostConfig) -> None:
    clock = SystemClock()
    stores = open_stores(config.storage, clock, runtime_dir=config.runtime_dir)
    host = Host(config, stores.runs, stores.wakeups, clock)
    host.ignore_interrupts()
    socket_file = Path(config.runtime_dir) / f"{short_name(config.spec.name)}.{host.host_id[:8]}.grpc"
    server, port = serve(host, config.listen or f"unix:{socket_file}")
    address = f"{config.listen.rpartition(':')[0]}:{port}" if config.listen else f"unix:{socket_file}"
    lease = HostLease(
        stores.hosts,
        _record(config, host.host_id, address, clock.now()),
        clock,
        seconds=config.lease_seconds,
        renew_every=config.renew_every,
        on_lapsed=host.check_workers,
    )
    lease.start()
    _tell(HostReady(host_id=host.host_id, address=address))
    try:
        host.run()
    finally:
        server.stop(grace=0.2).wait()
        lease.stop()
        socket_file.unlink(missing_ok=True)
        stores.close()


def _record(config: HostConfig, host_id: str, address: str, now: float) -> HostRecord:
    return HostRecord(
        host_id=host_id,
        location_name=config.spec.name,
        spec_digest=config.spec.digest(),
        machine=machine_name(),
        pid=os.getpid(),
        pid_started=started_at(os.getpid()) or 0,
        protocol=PROTOCOL_VERSION,
        address=address,
        lease_expires_at=now + config.lease_seconds,
        registered_at=now,
    )


def _tell(ready: HostReady) -> None:
    """Say it to whoever started this host; from now on output goes where errors go."""
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
