"""``runyard webserver``: pages without daemons."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .announce import OPEN_TO_OTHERS
from .commands import Command
from .logs import configure_logs, log_options
from .options import current_directory, insecure_option, target_options
from .processes import naming_who_listens, say_others
from .signals import Signals
from .terminal import echo

if TYPE_CHECKING:
    from ..locations.target import TargetOptions

READY_SECONDS = 60.0


@click.command(cls=Command)
@target_options
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0: any free one.")
@insecure_option
@click.option("--read-only", is_flag=True, help="Refuse everything that changes something.")
@log_options
def webserver(
    target: TargetOptions,
    host: str,
    port: int,
    insecure_no_auth: bool,
    read_only: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Serve the pages and the HTTP API until Ctrl-C."""
    from ..locations.target import resolve_target
    from ..settings.loading import load_settings
    from ..web.server import WebServer
    from ..wiring import Control, open_instance

    configure_logs(log_level, log_format)
    settings = load_settings(None, env=os.environ)
    resolved = resolve_target(target, current_directory())
    resolved.specs()
    signals = Signals()
    signals.install()
    with open_instance(settings) as instance:
        control = Control(instance, resolved, daemons=False, command="runyard webserver")

        def make_app() -> object:
            from ..web.app import create_app

            return create_app(instance, control.workspace, read_only=read_only, allowed_hosts=(host,))

        web = WebServer(make_app, host, port, insecure_no_auth=insecure_no_auth)
        with naming_who_listens(control):
            web.start()
        control.start(address=web.url)
        try:
            web.wait_ready(READY_SECONDS)
            echo(f"Serving {', '.join(web.urls)}")
            if web.open_to_others:
                echo(f"Warning: {OPEN_TO_OTHERS}", err=True)
            say_others(control, echo)
            signals.wait()
        finally:
            web.stop()
            control.stop(terminate_hosts=False)
