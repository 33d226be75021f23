"""The values that the steps of runs hand on, as files."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..core.error_info import message_of
from ..core.errors import ValueMissing, ValueNotStorable
from .file_names import checked_run_id, quoted


class LocalValues:
    """Pickles under ``base_dir``: ``<run_id>/<step key>/<output>``, only ever seen whole."""

    def __init__(self, base_dir: str) -> None:
        self._base = Path(base_dir)

    def get(self, run_id: str, step_key: str, output: str) -> Any:
        """The value.

        Raises:
            ValueMissing: it was never stored, is gone, or cannot be read back by this code.
        """
        try:
            with self._path(run_id, step_key, output).open("rb") as file:
                return pickle.load(file)  # noqa: S301 - this instance's own runs wrote it
        except FileNotFoundError:
            raise ValueMissing(step_key, output, "it is not kept") from None
        except Exception as error:
            why = f"it cannot be read back: {type(error).__name__}: {message_of(error)}"
            raise ValueMissing(step_key, output, why) from error

    def has(self, run_id: str, step_key: str, output: str) -> bool:
        return self._path(run_id, step_key, output).is_file()

    def put(self, run_id: str, step_key: str, output: str, value: Any) -> None:
        """Store the value in the place of one that may be there.

        Raises:
            ValueNotStorable: it cannot be pickled, or the disk does not take it.
        """
        path = self._path(run_id, step_key, output)
        try:
            with _unfinished(path) as unfinished:
                with _private(unfinished) as file:
                    pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
                unfinished.replace(path)
        except Exception as error:
            raise ValueNotStorable(step_key, output, type(value).__name__, message_of(error)) from error

    def link(self, from_run: str, to_run: str, step_key: str, outputs: Iterable[str]) -> None:
        """Give ``to_run`` the outputs that ``from_run`` has of the step, at no cost where hard links are possible.

        Raises:
            ValueMissing: one of them is not there, or cannot be taken over.
        """
        for output in outputs:
            source, target = self._path(from_run, step_key, output), self._path(to_run, step_key, output)
            try:
                with _unfinished(target) as unfinished:
                    _link_or_copy(source, unfinished)
                    unfinished.replace(target)
            except FileNotFoundError:
                raise ValueMissing(step_key, output, "it is not kept") from None
            except OSError as error:
                raise ValueMissing(step_key, output, f"it cannot be taken over: {message_of(error)}") from error

    def delete(self, run_id: str) -> None:
        """Remove everything that is kept of the run; nothing when there is nothing."""
        directory = self._directory(run_id)
        if directory.is_dir():
            shutil.rmtree(directory)

    def _directory(self, run_id: str) -> Path:
        return self._base / checked_run_id(run_id)

    def _path(self, run_id: str, step_key: str, output: str) -> Path:
        return self._directory(run_id) / quoted(step_key) / quoted(output)


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """A name of this process's own beside ``path``; nothing is left of it, also when a cancellation strikes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
    finally:
        # Still there after an error, and after a rename onto another link to the same file, which does nothing.
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _private(path: Path) -> IO[bytes]:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        # Another file system, or one without hard links.
        with source.open("rb") as kept, _private(target) as copy:
            shutil.copyfileobj(kept, copy)
