"""An opened instance. Apart from the composition root, so that commands that only look start without all of it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from ..core.clock import Clock, SystemClock
from ..locations.runtime_dir import runtime_dir
from ..settings.instance import InstanceSettings
from ..settings.private_files import tighten
from ..storage.open import open_stores
from ..storage.protocols import Stores


class Instance:
    """An opened instance: its settings and its storage."""

    def __init__(self, settings: InstanceSettings, stores: Stores, clock: Clock) -> None:
        self.settings = settings
        self.stores = stores
        self.clock = clock

    def close(self) -> None:
        self.stores.close()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def open_instance(settings: InstanceSettings, *, clock: Clock | None = None) -> Instance:
    """Open an instance's storage, creating it when it is new.

    Raises:
        ConfigError: the storage cannot be used as configured.
        StorageUnavailable: the database does not answer.
    """
    clock = clock or SystemClock()
    _close_to_others(settings)
    stores = open_stores(settings.storage, clock, runtime_dir=runtime_dir(settings.home))
    return Instance(settings, stores, clock)


def _close_to_others(settings: InstanceSettings) -> None:
    """Close directories of ours that an earlier version left open; one that a person chose outside stays as it is."""
    for directory in (settings.outputs_dir, settings.compute_logs_dir):
        if Path(directory).is_relative_to(settings.home) and directory != settings.home:
            tighten(Path(directory))
