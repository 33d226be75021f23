"""Who was launched in front of a queued run that had come first."""

from __future__ import annotations

import sqlalchemy as sa

from ..core.run import Run
from .rows import RUN_COLUMNS, to_run
from .schema import runs

_OVERTAKERS = (
    sa.select(*RUN_COLUMNS)
    .where(runs.c.launched_at >= sa.bindparam("queued_at"), runs.c.queue_seq > sa.bindparam("place"))
    .order_by(runs.c.launched_at.desc(), runs.c.launch_seq.desc())
    .limit(sa.bindparam("most"))
)


def overtakers(connection: sa.Connection, run: Run, limit: int) -> list[Run]:
    """Runs enqueued later than this queued run and launched since it was queued, the last launched first."""
    if run.queue_seq is None or run.queued_at is None:
        return []
    values = {"queued_at": run.queued_at, "place": run.queue_seq, "most": limit}
    return [to_run(row) for row in connection.execute(_OVERTAKERS, values)]
