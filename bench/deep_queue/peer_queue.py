"""The peer with a deep queue: rows of one submitted run copied, then its daemon with a launcher that does nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..contender import CODE_FILE, JOB, STOP_LIMIT, BenchError
from ..peer import Peer
from .shape import CLOSED, GATE

BATCH = 10_000
#: Its launcher for the measurement: a run is handed over and nothing starts.
LAUNCHER = """\
from dagster._core.launcher import RunLauncher
from dagster._serdes import ConfigurableClass


class NullLauncher(RunLauncher, ConfigurableClass):
    def __init__(self, inst_data=None):
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self):
        return self._inst_data

    @classmethod
    def config_type(cls):
        return {}

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        return cls(inst_data=inst_data)

    def launch_run(self, context):
        pass

    def terminate(self, run_id):
        return False
"""
INSTANCE = """\
telemetry: {{enabled: false}}
run_launcher: {{module: null_launcher, class: NullLauncher}}
concurrency:
  runs:
    max_concurrent_runs: {most}
    tag_concurrency_limits: [{{key: {gate}, value: {closed}, limit: {limit}}}]
"""


class PeerQueue:
    """A home of the peer with ``depth`` queued runs of one job."""

    def __init__(self, peer: Peer, home: Path, depth: int, cap: float) -> None:
        self._peer, self._home, self._cap = peer, peer.prepare(home), cap
        (home / "null_launcher.py").write_text(LAUNCHER, encoding="ascii")
        self._configure(most=0, limit=0)
        self._run("job", "launch", "-f", str(home / CODE_FILE), "-j", JOB, "--tags", f'{{"{GATE}": "{CLOSED}"}}')
        self._copy(depth)

    def measure(self) -> dict[str, float]:
        """Seconds until the one free run behind all blocked ones is launched; launches a second when all are free."""
        self._configure(most=-1, limit=0)
        self._add_free_run()
        with self._daemon():
            find = self._wait(lambda: self._launched() > 0)
        self._configure(most=-1, limit=1_000_000_000)
        with self._daemon():
            first = self._wait(lambda: self._launched() > 1)
            begun, already = time.monotonic(), self._launched()
            self._wait(lambda: time.monotonic() - begun > self._cap / 4)
            rate = (self._launched() - already) / (time.monotonic() - begun)
        return {"find p50": find, "first launch": first, "admissions": rate}

    def _configure(self, *, most: int, limit: int) -> None:
        text = INSTANCE.format(most=most, gate=GATE, closed=CLOSED, limit=limit)
        (self._home / "dagster.yaml").write_text(text, encoding="ascii")

    def _environment(self) -> dict[str, str]:
        return {**self._peer.environment(self._home), "PYTHONPATH": str(self._home)}

    def _run(self, *arguments: str) -> None:
        command = self._peer.command(*arguments)
        subprocess.run(command, env=self._environment(), cwd=self._home, check=True, capture_output=True)

    @contextmanager
    def _daemon(self) -> Iterator[None]:
        with (self._home / "daemon.log").open("ab") as log:
            command = [str(self._peer.bin / "dagster-daemon"), "run", "-f", str(self._home / CODE_FILE)]
            process = subprocess.Popen(command, env=self._environment(), cwd=self._home, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self, condition: Callable[[], bool]) -> float:
        """Seconds until it holds; the daemon's own start, 2 to 4 s, is in it.

        Raises:
            BenchError: not within the cap.
        """
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > self._cap:
                raise BenchError(f"The peer did not get there within {self._cap:.0f} s; see {self._home}/daemon.log")
            time.sleep(0.05)
        return time.monotonic() - begun

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        file = self._home / "history" / "runs.db"
        with closing(sqlite3.connect(file, timeout=60)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    def _launched(self) -> int:
        with self._rows() as rows:
            count: int = rows.execute("SELECT count(*) FROM runs WHERE status <> 'QUEUED'").fetchone()[0]
            return count

    def _copy(self, depth: int) -> None:
        with self._rows() as rows:
            for start in range(1, depth, BATCH):
                self._insert(rows, [CLOSED] * min(BATCH, depth - start))

    def _add_free_run(self) -> None:
        with self._rows() as rows:
            self._insert(rows, ["open"])

    def _insert(self, rows: sqlite3.Connection, gates: list[str]) -> None:
        """Copies of the first run, each with its own id and this value of the gate's tag."""
        first = dict(rows.execute("SELECT * FROM runs WHERE id = 1").fetchone())
        tags = rows.execute("SELECT key, value FROM run_tags WHERE run_id = ?", (first["run_id"],)).fetchall()
        runs, run_tags = [], []
        for gate in gates:
            run_id = str(uuid.uuid4())
            body = first["run_body"].replace(first["run_id"], run_id).replace(f'"{CLOSED}"', f'"{gate}"')
            runs.append({**first, "id": None, "run_id": run_id, "run_body": body})
            run_tags += [(run_id, key, gate if key == GATE else value) for key, value in tags]
        names = ", ".join(first)
        places = ", ".join(f":{name}" for name in first)
        rows.executemany(f"INSERT INTO runs ({names}) VALUES ({places})", runs)  # noqa: S608 - the table's own columns
        rows.executemany("INSERT INTO run_tags (run_id, key, value) VALUES (?, ?, ?)", run_tags)
        rows.commit()
