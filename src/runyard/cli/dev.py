"""``runyard dev``: pages and daemons in one process."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from .commands import Command
from .limit_notes import LimitNotes
from .logs import configure_logs, log_options
from .options import current_directory, insecure_option, target_options
from .processes import naming_who_listens
from .signals import Signals
from .stopping import Ending
from .terminal import CannotPrint, echo, unstyled

if TYPE_CHECKING:
    from ..locations.target import TargetOptions, WorkspaceTarget
    from ..settings.instance import InstanceSettings
    from ..web.server import WebServer
    from ..wiring import Control
    from .announce import Announcer

READY_SECONDS = 60.0


@click.command(cls=Command)
@target_options
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0: any free one.")
@insecure_option
@click.option("--drain", is_flag=True, help="On Ctrl-C let runs finish instead of canceling them.")
@log_options
def dev(
    target: TargetOptions,
    host: str,
    port: int,
    insecure_no_auth: bool,
    drain: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Run pages and daemons until Ctrl-C, which cancels runs; a second one kills.

    Runs that another process serves too go on.
    """
    from ..locations.target import resolve_target
    from ..settings.loading import load_settings

    configure_logs(_log_level(log_level, log_format), log_format)
    resolved = resolve_target(target, current_directory())
    # Read once before anything starts, so that a bad workspace file is an error of the command.
    resolved.specs()
    settings = load_settings(None, ephemeral_ok=True, env=os.environ)
    try:
        serving = partial(_web_server, host=host, port=port, insecure_no_auth=insecure_no_auth)
        _serve(settings, resolved, serving, drain=drain, json_log=log_format == "json")
    finally:
        if settings.ephemeral:
            shutil.rmtree(settings.home, ignore_errors=True)


def _log_level(level: str, form: str) -> str:
    """Beside the lines that ``dev`` prints for people, the log has warnings only, unless asked for otherwise."""
    return "warning" if level == "info" and form != "json" else level


def _serve(
    settings: InstanceSettings,
    target: WorkspaceTarget,
    serving: Callable[[Control], WebServer],
    *,
    drain: bool,
    json_log: bool,
) -> None:
    from ..wiring import Control, open_instance
    from .announce import Announcer

    signals = Signals()
    signals.install()
    with open_instance(settings) as instance:
        control = Control(instance, target, command="runyard dev")
        announcer = Announcer(control, _logged if json_log else _said)
        web = serving(control)
        with naming_who_listens(control):
            web.start()
        announcer.follow_locations()
        LimitNotes(control, announcer.note).follow()
        control.start(address=web.url)
        try:
            web.wait_ready(READY_SECONDS)
            announcer.announce(web.urls, open_to_others=web.open_to_others)
            signals.wait()
            _end_runs(control, signals, announcer, drain=drain)
        finally:
            _stop(control, web)


def _web_server(control: Control, *, host: str, port: int, insecure_no_auth: bool) -> WebServer:
    from ..operations.daemon_status import required_daemons
    from ..web.server import WebServer

    def make_app() -> object:
        # The web libraries are loaded in the server's own thread while the daemons start.
        from ..web.app import create_app

        daemons = required_daemons(control.instance.settings)
        return create_app(control.instance, control.workspace, allowed_hosts=(host,), own_daemons=daemons)

    return WebServer(make_app, host, port, insecure_no_auth=insecure_no_auth)


def _end_runs(control: Control, signals: Signals, announcer: Announcer, *, drain: bool) -> None:
    control.stop_daemons()
    # Gone before others are looked for: of two that end together, at least one sees that it is the last.
    control.leave()
    ending = Ending(control)
    announcer.say(f"Stopping{ending.left_to_others() or ('.' if drain else ': runs are canceled.')}")
    if not drain:
        ending.cancel_runs()
    ending.wait_for_runs(signals.insisted, announcer.say)
    if signals.insisted.is_set():
        announcer.say("Killing what is left.")
        ending.kill_runs()


def _stop(control: Control, web: WebServer) -> None:
    web.stop()
    control.stop(terminate_hosts=True)


def _said(text: str) -> None:
    # Daemons go on when nobody reads any more: the terminal is closed, or a pipe's reader has ended.
    with suppress(CannotPrint):
        echo(text, lines=True)


def _logged(text: str) -> None:
    logging.getLogger("runyard.dev").info("%s", unstyled(text).strip())
