"""A host's life as a process: storage, calls, lease. Loads SQLAlchemy and gRPC, hence imported late."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from ...core.clock import Clock
from ...core.host import PROTOCOL_VERSION, HostRecord
from ...core.runtime_files import host_socket
from ...storage.open import open_stores
from ..processes import machine_name, started_at
from .config import HostConfig
from .host import Host
from .lease import HostLease
from .process_tree import ProcessTrees
from .ready import HostReady
from .service import serve
from .zygote_start import StartedZygote


def run_host(
    config: HostConfig,
    clock: Clock,
    trees: ProcessTrees,
    zygote: StartedZygote | None,
    on_ready: Callable[[HostReady], None],
) -> None:
    """Serve until the host ends; ``on_ready`` is called once it can be called.

    Raises:
        ConfigError: the storage cannot be used as configured.
        StorageUnavailable: the database does not answer.
    """
    stores = open_stores(config.storage, clock, runtime_dir=config.runtime_dir)
    host = Host(config, stores, clock, trees=trees, zygote=zygote)
    host.end_on_sigterm()
    socket_file = Path(host_socket(config.runtime_dir, config.spec.name, host.host_id))
    # gRPC reads it as a URI.
    own_address = f"unix:{quote(os.fsencode(socket_file))}"
    server, port = serve(host, config.listen or own_address)
    address = f"{config.listen.rpartition(':')[0]}:{port}" if config.listen else own_address
    lease = HostLease(
        stores.hosts,
        _record(config, host.host_id, address, clock.now()),
        clock,
        seconds=config.lease_seconds,
        renew_every=config.renew_every,
        on_lapsed=host.check_workers,
    )
    lease.start()
    on_ready(HostReady(host_id=host.host_id, address=address))
    try:
        host.run()
    finally:
        server.stop(grace=0.2).wait()
        lease.stop()
        socket_file.unlink(missing_ok=True)
        stores.close()


def _record(config: HostConfig, host_id: str, address: str, now: float) -> HostRecord:
    surroundings = config.surroundings()
    return HostRecord(
        host_id=host_id,
        location_name=config.spec.name,
        spec_digest=config.spec.digest(),
        interpreter=surroundings.interpreter,
        environment=surroundings.environment,
        settings=surroundings.settings,
        machine=machine_name(),
        pid=os.getpid(),
        pid_started=started_at(os.getpid()) or 0,
        protocol=PROTOCOL_VERSION,
        address=address,
        lease_expires_at=now + config.lease_seconds,
        registered_at=now,
    )
