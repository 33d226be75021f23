"""``python -m runyard.locations.host``: configuration on standard input, readiness as one line on standard output."""

from __future__ import annotations

import logging
import os
import signal
import sys

import msgspec

from ...core.clock import Clock, SystemClock
from ...core.errors import RunyardError
from ...core.harmless import HarmlessFormatter
from ..processes import allow_descriptors, become_subreaper
from .config import HostConfig
from .process_tree import ProcessTrees
from .ready import HostReady
from .zygote_start import StartedZygote, start_zygote, zygote_setup

log = logging.getLogger(__name__)

#: Each worker takes two; the usual limit is 1024.
DESCRIPTORS = 10_240


def main() -> int:
    _configure_log()
    config = msgspec.json.decode(sys.stdin.buffer.read(), type=HostConfig)
    clock = SystemClock()
    become_subreaper()
    allow_descriptors(DESCRIPTORS)
    # The terminal's interrupt is not for us, nor for the children that inherit this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    trees = ProcessTrees(f"{config.runtime_dir} {config.spec.name}", groups=config.cgroups)
    log.info("what workers start is held together %s", trees.words)
    zygote = _begin_to_load(config, trees, clock)
    # Imported here: SQLAlchemy and gRPC load while the zygote loads the user's code.
    from .run_host import run_host  # noqa: PLC0415

    try:
        run_host(config, clock, trees, zygote, _tell)
    except RunyardError as error:
        if zygote is not None:
            zygote.abandon()
        trees.close([])
        _tell(HostReady(error=str(error)))
        return 1
    return 0


def _configure_log() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(HarmlessFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _begin_to_load(config: HostConfig, trees: ProcessTrees, clock: Clock) -> StartedZygote | None:
    try:
        return start_zygote(zygote_setup(config, trees), clock)
    except OSError as error:
        # The host comes upon it again, where it can show it as the location's error.
        log.warning("the code does not begin to load: %s", error)
        return None


def _tell(ready: HostReady) -> None:
    """Say it to whoever started this host; from now on output goes where errors go."""
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
