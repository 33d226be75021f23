"""The step that a person names."""

from __future__ import annotations

from ..core.errors import NotFound
from ..core.run import Run
from ..storage.compute_logs import LocalComputeLogs
from ..storage.protocols import Locations


def check_step(locations: Locations, logs: LocalComputeLogs, run: Run, step_key: str | None) -> None:
    """Let pass what the run may have something of: a step of its job as it is now, or one that has printed.

    Raises:
        NotFound: it is neither, and what there is is known.
    """
    record = locations.get(run.location_name)
    job = record.definitions.job(run.job_name) if record is not None and record.definitions is not None else None
    if step_key is None or job is None:
        return
    known = {op.key for op in job.ops} | {paths.step_key for paths in logs.paths(run.run_id)} - {None}
    if step_key not in known:
        raise NotFound("step", step_key, sorted(key for key in known if key is not None))
