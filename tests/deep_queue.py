"""Queues as deep as a test wants them, put straight into the database: asking for each run would take minutes."""

from __future__ import annotations

import sqlalchemy as sa

from runyard.core.run import NewRun
from runyard.storage.journal import change, write_changes
from runyard.storage.open import SqlStores
from runyard.storage.queue_counts import count_moves
from runyard.storage.schema import runs

_COPIED = [column.name for column in runs.columns if column.name not in ("id", "run_id", "queue_seq", "lane")]


def deepen(stores: SqlStores, like: NewRun, count: int, *, own_lane: bool = False) -> list[str]:
    """Enqueue ``like`` and ``count`` - 1 more runs of its kind behind it; their ids, in the order of the queue.

    ``own_lane``: each of the others has a lane of its own: a tag ``customer`` with its number.
    """
    (first,) = stores.runs.add([like], enqueue=True)
    lane = "lane" if not own_lane else 'replace(lane, \'"customer":"0"\', \'"customer":"\' || n || \'"\')'
    copied = ", ".join(_COPIED)
    # ruff: noqa: S608  column names of our own
    statement = sa.text(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
        f" INSERT INTO runs (run_id, queue_seq, lane, {copied})"
        f" SELECT :prefix || n, :first + n, {lane}, {copied} FROM runs, numbers WHERE run_id = :like ORDER BY n"
    )
    rest = count - 1
    with stores.database.write() as connection:
        places = stores.database.numbers(connection, "queue_seq", rest)
        values = {"count": rest, "prefix": f"{first.run_id}-", "first": places[0] - 1, "like": first.run_id}
        connection.execute(statement, values)
        count_moves(connection, come=[(0, -first.priority, place) for place in places])
        write_changes(stores.database, connection, [change("lane", lane=first.lane)])
        if stores.database.kind == "postgres":
            connection.execute(sa.text("ANALYZE runs"))
    return [first.run_id, *(f"{first.run_id}-{n}" for n in range(1, count))]
