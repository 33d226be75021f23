"""Finding a location's running host, or starting one."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..core.errors import LocationUnavailable
from ..core.host import HostRecord
from ..core.runtime_files import start_lock
from ..storage.protocols import Hosts
from .client import HostClient
from .environment import callers_environment
from .host.config import HostConfig
from .host_process import HostProcess
from .processes import is_alive, machine_name
from .surroundings import Surroundings, environment_digest
from .wire import understands

log = logging.getLogger(__name__)

#: How long a host may take to answer that it is there, in seconds.
STATUS_TIMEOUT = 5.0


class RunningHost(NamedTuple):
    """A host that answers. ``process`` is None for one that another process started."""

    host_id: str
    address: str
    process: HostProcess | None


def adopt_or_start(hosts: Hosts, config: HostConfig, *, log_file: Path, preferred: str | None = None) -> RunningHost:
    """The host that runs for this workspace entry, or a new one; ``preferred`` one whatever its surroundings.

    Raises:
        HostNotStarted: it does not come up.
        StorageUnavailable: hosts cannot be looked up.
    """
    config = msgspec.structs.replace(config, environment=environment_digest(callers_environment()))
    # Two control processes that start together must not start a host each.
    with _one_at_a_time(Path(start_lock(config.runtime_dir, config.spec.name))):
        found = alive_here(hosts, config.spec.name)
        for record in sorted(found, key=lambda record: record.host_id != preferred):
            if _suits(record, config, preferred) and _answers(record):
                log.info("location '%s': adopted its host, process %d", record.location_name, record.pid)
                return RunningHost(record.host_id, record.address, None)
        return _start(config, log_file)


def alive_here(hosts: Hosts, location_name: str) -> list[HostRecord]:
    """Hosts of a location that run on this machine and can be talked to, newest first; of older entries too."""
    found = [
        record
        for record in hosts.all()
        if record.location_name == location_name
        and record.machine == machine_name()
        and understands(str(record.protocol))
        and is_alive(record.pid, record.pid_started)
    ]
    return sorted(found, key=lambda record: record.registered_at, reverse=True)


def is_here(hosts: Hosts, config: HostConfig, host_id: str) -> bool:
    """Whether a host can be had as ``preferred``."""
    digest = config.spec.digest()
    return any(
        record.host_id == host_id and record.spec_digest == digest for record in alive_here(hosts, config.spec.name)
    )


def _suits(record: HostRecord, config: HostConfig, preferred: str | None) -> bool:
    """Whether this process would start the same host. One that is not alike goes on, and ends after its last run."""
    difference = _difference(record, config, preferred)
    if difference is not None:
        log.info(
            "location '%s': its host, process %d, has another %s and is not adopted",
            record.location_name,
            record.pid,
            difference,
        )
    return difference is None


def _difference(record: HostRecord, config: HostConfig, preferred: str | None) -> str | None:
    if record.spec_digest != config.spec.digest():
        return "entry in the workspace"
    if record.host_id == preferred:
        return None
    theirs = Surroundings(interpreter=record.interpreter, environment=record.environment, settings=record.settings)
    return config.surroundings().difference(theirs)


def _answers(record: HostRecord) -> bool:
    client = HostClient(record.location_name, record.address)
    try:
        status = client.refresh(timeout=STATUS_TIMEOUT)
    except LocationUnavailable as error:
        log.warning("%s", error)
        return False
    finally:
        client.close()
    return status.host_id == record.host_id and not status.draining


def _start(config: HostConfig, log_file: Path) -> RunningHost:
    process = HostProcess(config, log_file)
    ready = process.ready(config)
    return RunningHost(ready.host_id, ready.address, process)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
