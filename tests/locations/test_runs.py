"""Runs in real worker processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.core.events import EventType
from runyard.core.run import RunStatus
from runyard.settings.instance import PostgresSettings

from .code import one_op
from .yard import Yard

TWO_STEPS = """
    import os
    import runyard as dg

    @dg.op
    def first(context):
        context.log.info("from the first")
        print("printed")
        return 1

    @dg.op
    def second(context, value):
        context.log.info(f"got {value}")

    @dg.job(executor_def=dg.in_process_executor)
    def job():
        second(first())

    defs = dg.Definitions(jobs=[job])
"""


def test_run_succeeds_with_its_events_in_order(yard: Yard) -> None:
    location = yard.location(TWO_STEPS)
    run_id = yard.launch(location)
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["from the first", "got 1"]
    kinds = [event.type for event in yard.events(run_id)]
    assert kinds.index(EventType.RUN_START) < kinds.index(EventType.STEP_START)
    assert kinds[-1] is EventType.RUN_SUCCESS
    numbers = [event.seq for event in yard.events(run_id) if event.seq is not None]
    assert numbers == sorted(numbers) == list(range(1, len(numbers) + 1))
    assert (yard.home / "logs" / run_id / "first.out").read_text() == "printed\n"
    assert run.pid is not None
    assert run.host_id == yard.stores.hosts.all()[0].host_id


def test_many_runs_at_once_commit_everything(yard: Yard) -> None:
    location = yard.location(one_op("for number in range(20): context.log.info(str(number))"))
    specs = [yard.claim() for _ in range(20)]
    yard.accepted(location.launch(specs, timeout=30))
    for spec in specs:
        assert yard.finished(spec.run_id).status is RunStatus.SUCCESS
        assert yard.lines(spec.run_id) == [str(number) for number in range(20)]


def test_postgresql_gets_its_runs_the_same_way(
    tmp_path: Path, postgres_settings: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard = Yard(tmp_path / "home", postgres_settings)
    monkeypatch.setenv("YARD", yard.runtime_dir)
    try:
        run_id = yard.launch(yard.location(TWO_STEPS))
        assert yard.finished(run_id).status is RunStatus.SUCCESS
        assert yard.lines(run_id) == ["from the first", "got 1"]
        assert all(postgres_settings.url not in " ".join(process.cmdline()) for process in yard.alive())
    finally:
        yard.close()
