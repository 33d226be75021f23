"""The peer: the PyPI packages ``dagster`` and ``dagster-webserver`` in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .contender import JOB, BenchError, Contender, RunTimes, Server

PACKAGES = ("dagster==1.13.27", "dagster-webserver==1.13.27")
VENV_VARIABLE = "RUNYARD_BENCH_PEER_VENV"

REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { required lastHeartbeatTime } } } }"
LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUNS = (
    "query($limit: Int) { runsOrError(limit: $limit) { ... on Runs { results { runId status startTime endTime } } } }"
)


def environment(root: Path) -> Path:
    """The bin directory of an environment that holds the peer, made in ``.bench`` unless the variable names one.

    Raises:
        BenchError: it cannot be installed here.
    """
    named = os.environ.get(VENV_VARIABLE)
    venv = Path(named) if named else root / ".bench" / "peer-venv"
    if not (venv / "bin" / "dagster").exists():
        _install(venv)
    return venv / "bin"


def _install(venv: Path) -> None:
    print(f"Installing {', '.join(PACKAGES)} into {venv} (once, about a minute)", flush=True)
    venv.parent.mkdir(parents=True, exist_ok=True)
    (venv.parent / ".gitignore").write_text("*\n", encoding="ascii")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"The peer cannot be installed here: {error}") from error


class Peer(Contender):
    """The field's orchestrator, with its own defaults."""

    name = "dagster"
    package = "dagster"
    home_variable = "DAGSTER_HOME"

    def command(self, *arguments: str) -> list[str]:
        """``dagster …``"""
        return [str(self.bin / "dagster"), *arguments]

    def environment(self, home: Path, mark: str = "") -> dict[str, str]:
        """Without telemetry: nothing is sent from a benchmark."""
        return {**super().environment(home, mark), "DAGSTER_DISABLE_TELEMETRY": "1"}

    def write_instance_file(self, home: Path, runs: int) -> None:
        """SQLite, queued coordinator: its defaults."""
        text = f"telemetry:\n  enabled: false\nconcurrency:\n  runs:\n    max_concurrent_runs: {runs}\n"
        (home / "dagster.yaml").write_text(text, encoding="ascii")

    def start(self, home: Path) -> Server:
        """``dagster dev``."""
        return PeerServer(self, home)


class PeerServer(Server):
    """Driven through its GraphQL interface, as its own client library does."""

    _selector: dict[str, str] | None = None

    def graphql(self, query: str, **variables: Any) -> Any:
        """The answer's data.

        Raises:
            BenchError: the answer holds errors.
        """
        answer = json.loads(self.request("POST", "/graphql", {"query": query, "variables": variables})[1])
        if answer.get("errors"):
            raise BenchError(f"GraphQL: {answer['errors']}")
        return answer["data"]

    def daemons_beat(self) -> bool:
        """Heartbeats of an earlier process do not count."""
        statuses = self.graphql(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all((s["lastHeartbeatTime"] or 0) >= self.begun for s in statuses if s["required"])

    def code_loaded(self) -> bool:
        """Learns the names by which a job is asked for."""
        nodes = self.graphql(REPOSITORY)["repositoriesOrError"].get("nodes")
        if nodes:
            names = {"repositoryName": nodes[0]["name"], "repositoryLocationName": nodes[0]["location"]["name"]}
            self._selector = names
        return bool(nodes)

    def submit(self, job: str = JOB) -> str:
        """``launchRun``: the run goes through the queue."""
        params: dict[str, Any] = {
            "selector": {**(self._selector or {}), "jobName": job},
            "runConfigData": "{}",
            "mode": "default",
            "executionMetadata": {"tags": []},
        }
        answer = self.graphql(LAUNCH, params=params)["launchRun"]
        if "run" not in answer:
            raise BenchError(f"launchRun: {answer}")
        return str(answer["run"]["runId"])

    def runs(self, count: int) -> list[RunTimes]:
        """Newest first."""
        found = self.graphql(RUNS, limit=count)["runsOrError"]["results"]
        return [RunTimes(run["runId"], run["status"], run["startTime"], run["endTime"]) for run in found]
