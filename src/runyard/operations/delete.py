"""Delete a finished run: its row and events, then what it printed and the values that its steps handed on."""

from __future__ import annotations

from ..core.run import Run
from ..storage.compute_logs import LocalComputeLogs
from ..storage.protocols import Runs
from ..storage.values import LocalValues
from .find_run import find_run


def delete(runs: Runs, logs: LocalComputeLogs, values: LocalValues, run_id: str) -> Run:
    """Delete a run, found by id or prefix; run keys stay, so that no sensor asks for it again.

    Raises:
        RunNotFound: no such run.
        WrongState: it has not ended yet.
    """
    run = find_run(runs, run_id)
    runs.delete(run.run_id)
    logs.delete(run.run_id)
    values.delete(run.run_id)
    return run
