"""The ``runyard`` command."""

from __future__ import annotations

import click

from .. import __version__
from .commands import RootGroup

COMMANDS = {
    "dev": "runyard.cli.dev:dev",
    "webserver": "runyard.cli.webserver:webserver",
    "job": "runyard.cli.job:job",
    "run": "runyard.cli.run:run",
    "queue": "runyard.cli.queue:queue",
    "schedule": "runyard.cli.schedule:schedule",
    "sensor": "runyard.cli.sensor:sensor",
    "definitions": "runyard.cli.definitions:definitions",
    "instance": "runyard.cli.instance:instance",
}


@click.group(cls=RootGroup, lazy=COMMANDS, context_settings={"help_option_names": ["--help"]})
@click.version_option(__version__, prog_name="runyard", message="%(prog)s %(version)s")
def cli() -> None:
    """Runyard: an orchestrator for Python data jobs."""


def main() -> None:
    cli(prog_name="runyard")


if __name__ == "__main__":
    main()
