from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runyard.cli import daemon, main
from runyard.core.ids import new_id
from runyard.core.run import NewRun, Run
from runyard.settings.loading import load_settings
from runyard.wiring import Instance, open_instance

from .programs import Place


class Cli:
    """Commands in this process, on a home and in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        self._runner = CliRunner(env={"RUNYARD_HOME": str(self.home), "DAGSTER_HOME": None, "USER": "tester"})

    def __call__(self, *args: str, code: int = 0, env: dict[str, str | None] | None = None) -> Result:
        """Run ``runyard args``; it must end with ``code``."""
        result = self._runner.invoke(main.cli, args, prog_name="runyard", env=env)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def daemon(self, *args: str, code: int = 0, env: dict[str, str | None] | None = None) -> Result:
        """Run ``runyard-daemon args``."""
        result = self._runner.invoke(daemon.cli, args, prog_name="runyard-daemon", env=env)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def json(self, *args: str, code: int = 0) -> Any:
        """What the command's ``--json`` prints, which must be one document and nothing else."""
        return json.loads(self(*args, "--json", code=code).stdout)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path)


@pytest.fixture
def instance(cli: Cli) -> Iterator[Instance]:
    with open_instance(load_settings(str(cli.home), env={})) as opened:
        yield opened


@pytest.fixture
def enqueue(instance: Instance) -> Callable[..., Run]:
    """Put a run into the queue without any code behind it."""

    def add(job: str = "job", *, priority: int = 0, **tags: str) -> Run:
        new = NewRun(run_id=new_id(), job_name=job, location_name="here", priority=priority, tags=tags)
        return instance.stores.runs.add([new], enqueue=True)[0]

    return add


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []
    monkeypatch.chdir(tmp_path)

    def make(*, home: bool = True) -> Place:
        made.append(Place(tmp_path, home=home))
        return made[-1]

    yield make
    for each in made:
        each.take_down()
