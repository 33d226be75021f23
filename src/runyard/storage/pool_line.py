"""Who is next in the lines for pools. Only for who has locked the counters of these pools: see ``pool_holders``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ..queue.rules import Rules
from .database import Database
from .journal import change, write_changes
from .schema import pool_counters, pool_holders, pool_waiters
from .stored_rules import RulesChange, read_rules


class StepTry(NamedTuple):
    """A step of an attempt of a run."""

    run_id: str
    step_key: str
    attempt: int


_LOCKED = (
    sa.select(pool_counters.c.pool)
    .where(pool_counters.c.pool.in_(sa.bindparam("pools", expanding=True)))
    .order_by(pool_counters.c.pool)
    .with_for_update()
)
_LINES = sa.select(pool_counters.c.pool, pool_counters.c.used).where(
    pool_counters.c.pool.in_(sa.bindparam("pools", expanding=True)),
    sa.exists().where(pool_waiters.c.pool == pool_counters.c.pool),
)
_LINE = (
    sa.select(pool_waiters.c.seq, pool_waiters.c.slots, *(pool_waiters.c[name] for name in StepTry._fields))
    .where(pool_waiters.c.pool == sa.bindparam("pool"))
    .order_by(pool_waiters.c.np, pool_waiters.c.seq)
)
_COUNTER = sa.update(pool_counters).where(pool_counters.c.pool == sa.bindparam("key"))
_TAKE = _COUNTER.values(used=pool_counters.c.used + sa.bindparam("slots"))
_TAKE_IF_ROOM = _TAKE.where(pool_counters.c.used + sa.bindparam("slots") <= sa.bindparam("most"))
_LEAVE = sa.delete(pool_waiters).where(pool_waiters.c.seq.in_(sa.bindparam("seqs", expanding=True)))
_LET_ALL_GO = sa.delete(pool_waiters).where(pool_waiters.c.pool.in_(sa.bindparam("pools", expanding=True)))


class Waiter(NamedTuple):
    seq: int
    slots: int
    step: StepTry


def lock_counters(connection: sa.Connection, pools: Collection[str]) -> None:
    connection.execute(_LOCKED, {"pools": list(pools)}).all()


def is_paused(rules: Rules, pool: str) -> bool:
    return rules.pause_of_pool(pool) is not None


def serve(
    database: Database, connection: sa.Connection, pools: Collection[str], now: float, rules: Rules | None = None
) -> dict[str, list[Waiter]]:
    """Grant slots to those who are next, and take them out of the line; by pool, who got some.

    ``rules``: those in force, where the caller knows them. They are read under the lock of the counters otherwise,
    which whoever changes the rules takes too before that commits: nobody is served by rules of before.
    """
    lines = connection.execute(_LINES, {"pools": sorted(pools)}).all()
    if not lines:
        return {}
    rules = (rules or read_rules(connection)).at(now)
    if rules.pools.granularity == "run":
        # Steps need nothing any more: whoever asks again is told so.
        connection.execute(_LET_ALL_GO, {"pools": [pool for pool, _ in lines]})
        return {pool: [] for pool, _ in lines}
    served = {pool: _serve_line(database, connection, rules, pool, used, now) for pool, used in lines}
    return {pool: granted for pool, granted in served.items() if granted}


def _serve_line(
    database: Database, connection: sa.Connection, rules: Rules, pool: str, used: int, now: float
) -> list[Waiter]:
    most = rules.pools.limit_of(pool)
    if is_paused(rules, pool) or (most is not None and used >= most):
        return []
    query = _LINE
    if most is not None:
        # Those who need more than the limit has do not keep the others: they are not in line, but lost.
        query = query.where(pool_waiters.c.slots <= most).limit(most - used)
    rows = connection.execute(query, {"pool": pool})
    line = (Waiter(seq, slots, StepTry(*step)) for seq, slots, *step in rows)
    granted = list(line if most is None else _fitting(line, most - used))
    if not granted or not take(connection, pool, sum(waiter.slots for waiter in granted), most):
        return []
    hold(database, connection, pool, [(waiter.slots, waiter.step) for waiter in granted], now)
    connection.execute(_LEAVE, {"seqs": [waiter.seq for waiter in granted]})
    return granted


def _fitting(line: Iterable[Waiter], free: int) -> Iterator[Waiter]:
    """From the front of the line those who fit; nobody past one who does not fit yet."""
    for waiter in line:
        free -= waiter.slots
        if free < 0:
            return
        yield waiter


def take(connection: sa.Connection, pool: str, slots: int, most: int | None) -> bool:
    """Add to the pool's counter if there is room: the last word on what a pool gives."""
    statement, bound = (_TAKE, {}) if most is None else (_TAKE_IF_ROOM, {"most": most})
    return connection.execute(statement, {"key": pool, "slots": slots} | bound).rowcount == 1


def hold(
    database: Database,
    connection: sa.Connection,
    pool: str,
    holders: Sequence[tuple[int, StepTry]],
    now: float,
) -> None:
    """Note who holds the slots that were taken."""
    rows = [{"pool": pool, **step._asdict(), "slots": slots, "since": now} for slots, step in holders]
    database.insert_all(connection, pool_holders, rows)


def tell(database: Database, connection: sa.Connection, pools: Iterable[str]) -> None:
    """Tell admission that slots of these pools moved."""
    write_changes(database, connection, [change("pool", lane=pool) for pool in sorted(set(pools))])


def serve_under_new_rules(database: Database, connection: sa.Connection, made: RulesChange, now: float) -> None:
    """Serve the pools that have other limits or pauses than before."""
    known = connection.execute(sa.select(pool_counters.c.pool)).scalars()
    pools = [pool for pool in known if _terms(made.before, pool) != _terms(made.after, pool)]
    if pools:
        # Also where a limit was lowered: whoever is giving by the rules of before commits first.
        lock_counters(connection, pools)
        tell(database, connection, serve(database, connection, pools, now, made.after))


def _terms(rules: Rules, pool: str) -> tuple[object, ...]:
    return rules.pools.granularity, rules.pools.limit_of(pool), is_paused(rules, pool)
