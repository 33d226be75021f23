"""``runyard instance concurrency``: limits of pools, run slots and tags, changed while everything runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import click

from .commands import Group
from .options import TAG_SPELLING, json_option
from .output import print_json, print_table
from .processes import say_settings
from .session import opened_instance, user
from .terminal import echo

if TYPE_CHECKING:
    from ..operations.instance import Instance
    from ..operations.queue.limits import LimitInForce, LimitKind

_MOST = 2**31 - 1
_RULE_NAMES = f"KEY, KEY=VALUE, or KEY=* for each value. {TAG_SPELLING}"
_ORIGINS = {"set": "set", "file": "the instance file", "default": "the default", "none": "-"}


@click.group(cls=Group)
def concurrency() -> None:
    """Show limits, and put others in place of those of the instance file."""


@concurrency.command("get")
@click.argument("pool", required=False)
@click.option("--all", "everything", is_flag=True, help="Every limit; so it is without POOL.")
@json_option
def get(pool: str | None, everything: bool, as_json: bool) -> None:
    """Show the limit of a pool, or every limit that can be changed here."""
    from ..operations.queue.control_shapes import limit_in_force_shape
    from ..operations.queue.limits import limits_in_force, pool_limit

    if pool is not None and everything:
        raise click.UsageError("Give POOL or --all.")
    with _configured_instance() as instance:
        found = limits_in_force(instance.stores) if pool is None else [pool_limit(instance.stores, pool)]
        say_settings(instance)
    if as_json:
        shapes = [limit_in_force_shape(limit) for limit in found]
        print_json(shapes if pool is None else shapes[0])
    else:
        print_table(("WHAT", "LIMIT", "FROM"), [_row(limit) for limit in found], empty="No limits.")
        for limit in found:
            _say_note(limit)


@contextmanager
def _configured_instance() -> Iterator[Instance]:
    """The instance with the limits of its file in force.

    Daemons take the file over when they start. While none is alive it is read here, so that limits can be looked at and
    set before the first start.
    """
    from ..core.daemon import DaemonType
    from ..operations.daemon_status import daemon_alive

    with opened_instance() as instance:
        if not daemon_alive(instance.stores, DaemonType.QUEUED_RUN_COORDINATOR, clock=instance.clock):
            instance.stores.limits.configure(instance.settings.queue.rules)
        yield instance


def _row(limit: LimitInForce) -> list[str]:
    return [limit.title, "none" if limit.limit is None else str(limit.limit), _ORIGINS[limit.origin]]


@concurrency.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("pool_and_limit", nargs=-1, required=True, metavar="[POOL] LIMIT")
@click.option("--runs", is_flag=True, help="Run slots; -1 is no limit.")
@click.option(
    "--tag",
    metavar="RULE",
    help=f"A tag rule of the instance file: {_RULE_NAMES}",
)
@json_option
def set_limit(pool_and_limit: tuple[str, ...], runs: bool, tag: str | None, as_json: bool) -> None:
    """Put another limit in force until it is unset. What runs already is not stopped.

    A pool's limit is 0 to 1000; 0 means that nothing starts.
    """
    from ..operations.queue import limits

    *pool, text = pool_and_limit
    kind, name = _subject(pool, runs=runs, tag=tag)
    limit = _whole_number(text)
    with _configured_instance() as instance:
        limits.set_limit(instance.stores, kind, name, limit, by=user(), clock=instance.clock)
        found = limits.in_force(instance.stores, kind, name)
    _print(found, as_json=as_json)


@concurrency.command("unset")
@click.argument("pool", nargs=-1, metavar="[POOL]")
@click.option("--runs", is_flag=True, help="Run slots.")
@click.option("--tag", metavar="RULE", help=f"A tag rule: {_RULE_NAMES}")
@json_option
def unset_limit(pool: tuple[str, ...], runs: bool, tag: str | None, as_json: bool) -> None:
    """Take back a limit that was set here: what the instance file says is in force again."""
    from ..operations.queue import limits

    kind, name = _subject(pool, runs=runs, tag=tag)
    with _configured_instance() as instance:
        limits.unset_limit(instance.stores, kind, name, by=user(), clock=instance.clock)
        found = limits.in_force(instance.stores, kind, name)
    _print(found, as_json=as_json)


def _subject(pool: tuple[str, ...] | list[str], *, runs: bool, tag: str | None) -> tuple[LimitKind, str]:
    if [len(pool) == 1, runs, tag is not None].count(True) != 1 or len(pool) > 1:
        raise click.UsageError("Name one of POOL, --runs and --tag.")
    kind = "runs" if runs else "pool" if tag is None else "tag"
    return cast("LimitKind", kind), (tag if tag is not None else pool[0] if pool else "")


def _whole_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is not a whole number.", param_hint="LIMIT") from None
    if abs(number) > _MOST:
        raise click.BadParameter(f"{number} is too large.", param_hint="LIMIT")
    return number


def _say_note(limit: LimitInForce) -> None:
    if limit.note is not None:
        echo(limit.note, err=True)


def _print(limit: LimitInForce, *, as_json: bool) -> None:
    from ..operations.queue.control_shapes import limit_in_force_shape

    if as_json:
        print_json(limit_in_force_shape(limit))
        return
    _say_note(limit)
    _, number, origin = _row(limit)
    echo(f"{limit.title}: {number} ({origin})" if origin not in ("set", "-") else f"{limit.title}: {number}")
