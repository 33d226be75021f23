"""How many runs are queued, by blocks of the queue's order: a rank and a depth cost the same however deep the queue is.

Whoever moves runs into the queue, out of it or within it says so in the same transaction. On SQLite, with its single
writer, a block has one row. On PostgreSQL every transaction adds rows of its own, so that nobody waits, and ``tidy``
makes one of them now and then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import sqlalchemy as sa

from ..core.run import Run
from .database import Database
from .rows import text
from .schema import BLOCK

#: A place in the queue: held or not, minus the priority, ``queue_seq``.
Place = tuple[int, int, int]

# ruff: noqa: S608  statements are put together from these constants
_WAITING = "status = 'QUEUED' AND held = 0"
#: As much of a statement as every writer's own SQL shares.
COUNT = "INSERT INTO queue_counts (held, np, block, n)"
OR_ADD = "ON CONFLICT (held, np, block, txn) DO UPDATE SET n = queue_counts.n + excluded.n"
_ADD = sa.text(f"{COUNT} VALUES (:held, :np, :block, :n) {OR_ADD}")
# The blocks of all that waits, and of each run asked for how many of its block come before it: in one statement, so
# that both are of one moment.
_RANKS = {
    kind: sa.text(
        "SELECT -1, np, block, sum(n) FROM queue_counts WHERE held = 0 GROUP BY np, block"
        f" UNION ALL SELECT {no}, 0, 0, (SELECT count(*) FROM {runs} WHERE {_WAITING} AND np = {np}"
        f" AND queue_seq >= {seq} / {BLOCK} * {BLOCK} AND queue_seq < {seq}) FROM {places}"
    )
    for kind, runs, no, np, seq, places in (
        (
            "sqlite",
            "runs INDEXED BY runs_waiting_in_order",
            "place.key",
            "json_extract(place.value, '$[0]')",
            "json_extract(place.value, '$[1]')",
            "json_each(:places) AS place",
        ),
        (
            "postgres",
            "runs",
            "place.no - 1",
            "CAST(place.range->>0 AS bigint)",
            "CAST(place.range->>1 AS bigint)",
            "jsonb_array_elements(CAST(:places AS jsonb)) WITH ORDINALITY AS place(range, no)",
        ),
    )
}
_BLOCKS = "SELECT np, block FROM queue_counts WHERE held = 0 {} GROUP BY np, block HAVING sum(n) > 0"
_FIRST = _BLOCKS.format(f"AND block = (SELECT min(block) FROM ({_BLOCKS.format('')}) AS blocks)")
_OLDEST = {
    kind: sa.text(
        f"SELECT min(queued_at) FROM ({_FIRST}) AS first CROSS JOIN {runs} WHERE {_WAITING} AND runs.np = first.np"
        f" AND queue_seq >= first.block * {BLOCK} AND queue_seq < (first.block + 1) * {BLOCK}"
    )
    for kind, runs in (("sqlite", "runs INDEXED BY runs_waiting_in_order"), ("postgres", "runs"))
}
_DEPTH = "SELECT coalesce(sum(n), 0) FROM queue_counts"
# Whoever finds rows locked leaves them to the one who is at it. A block of few rows is not worth writing again.
_MERGE = sa.text(
    "WITH many AS (SELECT held, np, block FROM queue_counts GROUP BY held, np, block"
    " HAVING count(*) > 4 OR sum(n) = 0), chosen AS (SELECT held, np, block, txn FROM queue_counts"
    " WHERE (held, np, block) IN (SELECT * FROM many) FOR UPDATE SKIP LOCKED),"
    " gone AS (DELETE FROM queue_counts AS counts USING chosen WHERE (counts.held, counts.np, counts.block, counts.txn)"
    " = (chosen.held, chosen.np, chosen.block, chosen.txn) RETURNING counts.held, counts.np, counts.block, counts.n)"
    f" {COUNT} SELECT held, np, block, sum(n) FROM gone GROUP BY held, np, block HAVING sum(n) <> 0"
)
_EMPTY = sa.text("DELETE FROM queue_counts WHERE n = 0")


def count_moves(connection: sa.Connection, *, come: Iterable[Place] = (), go: Iterable[Place] = ()) -> None:
    """Runs came to these places of the queue and left those."""
    changes: Counter[Place] = Counter()
    for n, places in ((1, come), (-1, go)):
        for held, np, seq in places:
            changes[held, np, seq // BLOCK] += n
    rows = [{"held": held, "np": np, "block": block, "n": n} for (held, np, block), n in changes.items() if n]
    if rows:
        connection.execute(_ADD, rows)


def place_of(run: Run) -> Place:
    """Of a queued run."""
    return (int(run.held), -run.priority, run.queue_seq or 0)


def ranks(database: Database, connection: sa.Connection, runs: Sequence[Run]) -> dict[str, int]:
    """By run id, the rank of each of these queued runs among those that are not held, counted from 1."""
    if not runs:
        return {}
    places = [(-run.priority, run.queue_seq or 0) for run in runs]
    rows = connection.execute(_RANKS[database.kind], {"places": text(places)}).all()
    blocks = sorted((np, block, n) for no, np, block, n in rows if no < 0)
    before = [0, *accumulate(int(n) for _, _, n in blocks)]
    keys = [(np, block) for np, block, _ in blocks]
    inside = {no: int(n) for no, _, _, n in rows if no >= 0}
    return {
        run.run_id: before[bisect_left(keys, (np, seq // BLOCK))] + inside[no] + 1
        for no, (run, (np, seq)) in enumerate(zip(runs, places, strict=True))
    }


def depth(connection: sa.Connection, held: bool | None) -> int:
    """How many are queued: held ones, the others, or all."""
    which = "" if held is None else f" WHERE held = {int(held)}"
    return int(connection.execute(sa.text(_DEPTH + which)).scalar_one())


def oldest(database: Database, connection: sa.Connection) -> float | None:
    """When the run was enqueued that waits longest, held ones left out: it is in the first block of any priority."""
    found: float | None = connection.execute(_OLDEST[database.kind]).scalar_one()
    return found


def tidy(database: Database, connection: sa.Connection) -> None:
    """Few rows a block, and none for those that are empty."""
    connection.execute(_EMPTY if database.kind == "sqlite" else _MERGE)
