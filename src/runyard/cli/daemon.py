"""The ``runyard-daemon`` command."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

import click

from .. import __version__
from ..core.daemon import LIVE_WITHIN
from .commands import RootGroup
from .limit_notes import LimitNotes
from .logs import configure_logs, log_options
from .options import current_directory, json_option, target_options
from .output import ago, coloured, print_json, print_table
from .processes import say_others
from .session import opened_instance
from .signals import Signals
from .terminal import echo

if TYPE_CHECKING:
    from ..locations.target import TargetOptions
    from ..operations.daemon_status import DaemonStatus
    from ..operations.instance import Instance

logger = logging.getLogger("runyard.daemon")


@click.group(cls=RootGroup, lazy={})
@click.version_option(__version__, prog_name="runyard-daemon", message="%(prog)s %(version)s")
def cli() -> None:
    """Runyard's daemons: schedules, sensors, the run queue and the run monitor."""


@cli.command("run")
@target_options
@log_options
def run(target: TargetOptions, log_level: str, log_format: str) -> None:
    """Run the daemons until SIGTERM or Ctrl-C. Runs go on; the next daemon process takes them over."""
    from ..locations.target import resolve_target
    from ..settings.loading import load_settings
    from ..wiring import Control, open_instance

    configure_logs(log_level, log_format)
    settings = load_settings(None, env=os.environ)
    resolved = resolve_target(target, current_directory())
    resolved.specs()
    signals = Signals()
    signals.install()
    with open_instance(settings) as instance:
        for notice in settings.notices:
            logger.warning("%s", notice)
        control = Control(instance, resolved, command="runyard-daemon run")
        LimitNotes(control, lambda note: logger.warning("%s", note)).follow()
        control.start()
        try:
            say_others(control, logger.warning)
            logger.info("runyard-daemon %s is up, home %s", __version__, settings.home)
            signals.wait()
        finally:
            logger.info("stopping; runs go on")
            control.stop(terminate_hosts=False)


@cli.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show every daemon of this instance."""
    from ..operations.daemon_status import daemon_statuses
    from ..operations.shapes import daemon_shape

    with opened_instance() as instance:
        found = daemon_statuses(instance.stores, instance.settings, clock=instance.clock)
        if as_json:
            print_json([daemon_shape(each) for each in found])
            return
        rows = [_row(each, instance) for each in found]
    print_table(("DAEMON", "STATE", "LAST HEARTBEAT", "WHERE", "LAST PASS"), rows, empty="No daemons.")
    for each in found:
        for error in each.errors:
            echo(f"{each.type.value}: {coloured('failing')}: {error.error_class}: {error.message}")


def _row(each: DaemonStatus, instance: Instance) -> list[str]:
    where = f"{each.host} pid {each.pid}" if each.pid else "-"
    last = each.last_pass.outcome if each.last_pass else each.why_off or "-"
    heartbeat = ago(each.last_heartbeat, instance.clock) if each.required else "-"
    return [each.type.value, each.state, heartbeat, where, last]


@cli.command("liveness-check")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    default=LIVE_WITHIN,
    show_default=True,
    help="Seconds that a heartbeat stays good.",
)
@click.option("--this-process", type=int, metavar="PID", help="Only the daemons of this process of this machine.")
@click.pass_context
def liveness_check(context: click.Context, tolerance: float, this_process: int | None) -> None:
    """Exit with 0 when every daemon is live, else with 1."""
    with opened_instance() as instance:
        missing = _not_live(instance, tolerance, this_process)
    if missing:
        echo(f"Not live: {', '.join(missing)}.", err=True)
        context.exit(1)
    echo("Live.")


def _not_live(instance: Instance, tolerance: float, pid: int | None) -> list[str]:
    from ..operations.daemon_status import daemon_statuses, required_daemons

    if pid is None:
        statuses = daemon_statuses(instance.stores, instance.settings, clock=instance.clock, tolerance=tolerance)
        return [each.type.value for each in statuses if not each.live]
    oldest = instance.clock.now() - tolerance
    here = socket.gethostname()
    beating = {
        row.daemon_type
        for row in instance.stores.heartbeats.all()
        if row.pid == pid and row.machine == here and row.at >= oldest
    }
    return [kind.value for kind in required_daemons(instance.settings) if kind not in beating]


def main() -> None:
    cli(prog_name="runyard-daemon")


if __name__ == "__main__":
    main()
