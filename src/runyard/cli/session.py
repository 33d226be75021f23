"""The instance that a command works on."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..operations.instance import Instance
    from ..settings.instance import InstanceSettings


def user() -> str:
    """Who acts, in the log of a run."""
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        # A user without a name, as in a container that runs under a bare number.
        return f"user {os.getuid()}"


@contextmanager
def opened_instance() -> Iterator[Instance]:
    """The instance that the environment names.

    Raises:
        HomeNotSet: it names none.
    """
    # Storage is imported when a command runs, so that --help and --version do without.
    from ..settings.loading import load_settings

    with _opened(load_settings(None, env=os.environ)) as instance:
        yield instance


@contextmanager
def instance_or_temporary() -> Iterator[Instance]:
    """The instance that the environment names, else one in a temporary home that is removed afterwards."""
    from ..settings.loading import load_settings

    with _opened(load_settings(None, ephemeral_ok=True, env=os.environ)) as instance:
        yield instance


@contextmanager
def temporary_instance() -> Iterator[Instance]:
    """One in a temporary home, whatever the environment names."""
    from ..settings.loading import load_settings

    with _opened(load_settings(None, ephemeral_ok=True, env={})) as instance:
        yield instance


@contextmanager
def _opened(settings: InstanceSettings) -> Iterator[Instance]:
    from ..operations.instance import open_instance

    try:
        with open_instance(settings) as instance:
            yield instance
    finally:
        if settings.ephemeral:
            shutil.rmtree(settings.home, ignore_errors=True)
