"""What people feel: from asking for a run to STARTED, with real workers, while everything else waits in the queue."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from runyard.settings.instance import SqliteSettings

from ..ours import Runyard
from .fill import fill
from .shape import CLOSED, GATE, Shape
from .store import Settings, opened

SUBMITS = 100
INSTANCE = """\
concurrency:
  runs:
    max_concurrent_runs: 10
    tag_concurrency_limits:
      - {{key: {gate}, value: {closed}, limit: 0}}
      - {{key: customer, value: {{applyLimitPerUniqueValue: true}}, limit: 1000000000}}
"""


def felt(home: Path, settings: Settings, shape: Shape) -> dict[str, float]:
    """Submit to STARTED and, as storage has it, enqueued to STARTED, of runs asked for one after another; seconds."""
    contender = Runyard()
    contender.prepare(home)
    text = INSTANCE.format(gate=GATE, closed=CLOSED)
    if not isinstance(settings, SqliteSettings):
        text += f"storage:\n  postgres:\n    postgres_url: '{settings.url}'\n"
    (home / "runyard.yaml").write_text(text, encoding="utf-8")
    with opened(settings) as stores:
        fill(stores, shape)
    submitted = _submit_all(contender, home)
    with opened(settings) as stores:
        runs = [run for run in map(stores.runs.get, submitted) if run is not None]
    waits = [(run.started_at or 0) - (run.queued_at or 0) for run in runs]
    asked = [(run.started_at or 0) - submitted[run.run_id] for run in runs]
    return {
        "felt p50": statistics.median(waits),
        "felt p99": _p99(waits),
        "asked p50": statistics.median(asked),
        "asked p99": _p99(asked),
    }


def _submit_all(contender: Runyard, home: Path) -> dict[str, float]:
    """When each run was asked for, one after another."""
    server = contender.start(home)
    submitted: dict[str, float] = {}
    try:
        server.wait_until_usable()
        server.run_once()
        for _ in range(SUBMITS):
            begun = time.time()
            run_id = server.submit()
            submitted[run_id] = begun
            server.wait("user code", lambda run_id=run_id: server.stamp(run_id) is not None, every=0.005)
    finally:
        server.stop()
    return submitted


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
