"""Finding a location's running host, or starting one."""

from __future__ import annotations

import fcntl
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..core.errors import LocationUnavailable, RunyardError
from ..core.host import HostRecord
from ..storage.protocols import Hosts
from .client import HostClient
from .environment import callers_environment
from .host.config import HostConfig
from .host.process_tree import HOST_MARK
from .host.ready import HostReady
from .process_mark import MARK, roomy
from .processes import is_alive, machine_name
from .runtime_dir import short_name
from .wire import understands

log = logging.getLogger(__name__)

#: How long a host may take until it serves (not until the code is loaded), in seconds.
START_TIMEOUT = 30.0
STATUS_TIMEOUT = 5.0
#: Of a host's output, so much is kept from one start to the next, in bytes.
LOG_KEPT = 1_000_000


class HostNotStarted(RunyardError):
    """A location host ended before it served, or took too long."""


class RunningHost(NamedTuple):
    """A host that answers. ``reaper`` ends when its process does; None for one that somebody else started."""

    host_id: str
    address: str
    reaper: threading.Thread | None


def adopt_or_start(hosts: Hosts, config: HostConfig, *, log_file: Path) -> RunningHost:
    """The host that runs for this workspace entry, or a new one.

    Raises:
        HostNotStarted: it does not come up.
        StorageUnavailable: hosts cannot be looked up.
    """
    # Two control processes that start together must not start a host each.
    with _one_at_a_time(Path(config.runtime_dir) / f"{short_name(config.spec.name)}.lock"):
        for record in alive_here(hosts, config.spec.name):
            if record.spec_digest == config.spec.digest() and _answers(record):
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


def _answers(record: HostRecord) -> bool:
    client = HostClient(record.location_name, record.address)
    try:
        status = client.status(timeout=STATUS_TIMEOUT)
    except LocationUnavailable as error:
        log.warning("%s", error)
        return False
    finally:
        client.close()
    return status.host_id == record.host_id and not status.draining


def _start(config: HostConfig, log_file: Path) -> RunningHost:
    with _opened_log(log_file) as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "runyard.locations.host"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=config.runtime_dir,
            # Also when the code of a run starts it, it is none of that run's processes.
            env={**callers_environment(), MARK: roomy(HOST_MARK)},
            # A session of its own: the terminal's signals are not for the runs.
            start_new_session=True,
        )
    ready = _await_ready(process, config)
    # Hosts outlive the control process: nobody may have to wait for this thread.
    reaper = threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True)
    reaper.start()
    return RunningHost(ready.host_id, ready.address, reaper)


def _await_ready(process: subprocess.Popen[bytes], config: HostConfig) -> HostReady:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the host was started without pipes")
    with process.stdin, process.stdout:
        try:
            process.stdin.write(msgspec.json.encode(config))
            process.stdin.close()
        except BrokenPipeError:
            log.warning("location '%s': its host ended at once", config.spec.name)
        readable, _, _ = select.select([process.stdout], [], [], START_TIMEOUT)
        line = process.stdout.readline() if readable else b""
    if not line:
        process.kill()
        code = process.wait()
        raise HostNotStarted(f"The host of location '{config.spec.name}' did not come up (exit code {code}).")
    ready = msgspec.json.decode(line, type=HostReady)
    if ready.error is not None:
        process.wait()
        raise HostNotStarted(f"The host of location '{config.spec.name}' did not come up: {ready.error}")
    return ready


@contextmanager
def _opened_log(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_KEPT:
        path.replace(path.with_suffix(".1.log"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
