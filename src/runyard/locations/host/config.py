"""What a host is told when it starts, on its standard input: it may hold a database's password."""

from __future__ import annotations

import msgspec

from ...settings.instance import PostgresSettings, PythonLogsSettings, SqliteSettings
from ..spec import LocationSpec
from ..surroundings import Surroundings, digest, interpreter


class HostConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of ``sqlite`` and ``postgres``. Paths are absolute, times in seconds."""

    spec: LocationSpec
    runtime_dir: str
    compute_logs_dir: str
    outputs_dir: str
    python_logs: PythonLogsSettings = PythonLogsSettings()
    sqlite: SqliteSettings | None = None
    postgres: PostgresSettings | None = None
    #: ``host:port`` to serve on instead of a Unix socket.
    listen: str | None = None
    #: End after this long with neither control nor workers; None: stay.
    linger: float | None = 30.0
    lease_seconds: float = 10.0
    renew_every: float = 3.0
    load_timeout: float = 180.0
    #: How long a worker waits for a new host when this one is gone, and then for its user code to clean up.
    host_grace: float = 30.0
    stop_grace: float = 15.0
    ticks_per_worker: int = 1000
    #: Hold what workers start together by control groups, where they can be made.
    cgroups: bool = True
    #: Digest of the starting process's variables.
    environment: str = ""

    def surroundings(self) -> Surroundings:
        """What a process must have in common with a host that it adopts, beside the workspace entry."""
        # Hosts are looked up in the storage itself, and the runtime directory follows from the environment.
        elsewhere = ("spec", "sqlite", "postgres", "runtime_dir", "environment")
        settings = {name: getattr(self, name) for name in self.__struct_fields__ if name not in elsewhere}
        return Surroundings(
            interpreter=interpreter(), environment=self.environment, settings=digest(msgspec.json.encode(settings))
        )

    @property
    def storage(self) -> SqliteSettings | PostgresSettings:
        found = self.sqlite or self.postgres
        if found is None:
            raise ValueError("A host's configuration names no storage.")
        return found
