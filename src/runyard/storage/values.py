"""The values that the steps of runs hand on, as files."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..core.error_info import message_of
from ..core.errors import ValueMissing, ValueNotStorable, ValueNotTrusted
from ..settings.private_files import create, distrusted, make_directory
from .file_names import checked_run_id, quoted


class LocalValues:
    """Pickles under ``base_dir``: ``<run_id>/<step key>/<output>``, only ever seen whole."""

    def __init__(self, base_dir: str) -> None:
        self._base = Path(base_dir)

    def get(self, run_id: str, step_key: str, output: str) -> Any:
        """The value.

        Raises:
            ValueMissing: it was never stored, is gone, or cannot be read back by this code.
            ValueNotTrusted: another user could have put it there, and to read a pickle is to run what it says.
        """
        try:
            with self._opened(run_id, step_key, output) as (_, descriptor), os.fdopen(os.dup(descriptor), "rb") as file:
                return pickle.load(file)  # noqa: S301 - only this user could write it: see _opened
        except _CouldBeForged as forged:
            raise ValueNotTrusted(step_key, output, str(forged.path), forged.why) from None
        except FileNotFoundError:
            raise ValueMissing(step_key, output, "it is not kept") from None
        except Exception as error:
            why = f"it cannot be read back: {type(error).__name__}: {message_of(error)}"
            raise ValueMissing(step_key, output, why) from error

    def has(self, run_id: str, step_key: str, output: str) -> bool:
        """Whether ``get`` would find a file that it may read."""
        try:
            with self._opened(run_id, step_key, output):
                return True
        except (_CouldBeForged, OSError):
            return False

    def put(self, run_id: str, step_key: str, output: str, value: Any) -> None:
        """Store the value in the place of one that may be there.

        Raises:
            ValueNotStorable: it cannot be pickled, or the disk does not take it.
        """
        path = self._path(run_id, step_key, output)
        try:
            with _unfinished(path) as unfinished:
                with create(unfinished) as file:
                    pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
                unfinished.replace(path)
        except Exception as error:
            raise ValueNotStorable(step_key, output, type(value).__name__, message_of(error)) from error

    def link(self, from_run: str, to_run: str, step_key: str, outputs: Iterable[str]) -> None:
        """Give ``to_run`` the outputs that ``from_run`` has of the step, at no cost where hard links are possible.

        Raises:
            ValueMissing: one of them is not there, or cannot be taken over.
            ValueNotTrusted: another user could have put it there.
        """
        for output in outputs:
            target = self._path(to_run, step_key, output)
            try:
                with self._opened(from_run, step_key, output) as source, _unfinished(target) as unfinished:
                    _link_or_copy(source, quoted(output), unfinished)
                    unfinished.replace(target)
            except _CouldBeForged as forged:
                raise ValueNotTrusted(step_key, output, str(forged.path), forged.why) from None
            except FileNotFoundError:
                raise ValueMissing(step_key, output, "it is not kept") from None
            except OSError as error:
                raise ValueMissing(step_key, output, f"it cannot be taken over: {message_of(error)}") from error

    def delete(self, run_id: str) -> None:
        """Remove everything that is kept of the run; nothing when there is nothing."""
        directory = self._directory(run_id)
        if directory.is_dir():
            shutil.rmtree(directory)

    @contextmanager
    def _opened(self, run_id: str, step_key: str, output: str) -> Iterator[_Opened]:
        """The value's file. Each step of the way is checked when it is open, so that nothing can be swapped later.

        Raises:
            _CouldBeForged: another user could have written the file, or put it there.
        """
        path = self._base
        with ExitStack() as stack:
            directory = _open_trusted(path, None, os.O_DIRECTORY, stack)
            for name in (checked_run_id(run_id), quoted(step_key)):
                path /= name
                directory = _open_trusted(path, directory, os.O_DIRECTORY | os.O_NOFOLLOW, stack)
            path /= quoted(output)
            yield _Opened(directory, _open_trusted(path, directory, os.O_NOFOLLOW, stack))

    def _directory(self, run_id: str) -> Path:
        return self._base / checked_run_id(run_id)

    def _path(self, run_id: str, step_key: str, output: str) -> Path:
        return self._directory(run_id) / quoted(step_key) / quoted(output)


class _Opened(NamedTuple):
    """Open descriptors of the step's directory and of the file."""

    directory: int
    file: int


class _CouldBeForged(Exception):
    """``why`` is a clause: ``user 1001 owns it``."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(path, why)


def _open_trusted(path: Path, directory: int | None, flags: int, stack: ExitStack) -> int:
    """Open the last name of ``path`` in the open directory, for as long as ``stack`` lasts."""
    name = path if directory is None else path.name
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags, dir_fd=directory)
    stack.callback(os.close, descriptor)
    why = distrusted(descriptor)
    if why is not None:
        raise _CouldBeForged(path, why)
    return descriptor


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """A name of this process's own beside ``path``; nothing is left of it, also when a cancellation strikes."""
    make_directory(path.parent)
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
    finally:
        # Still there after an error, and after a rename onto another link to the same file, which does nothing.
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _link_or_copy(source: _Opened, name: str, target: Path) -> None:
    try:
        os.link(name, target, src_dir_fd=source.directory)
    except FileNotFoundError:
        raise
    except OSError:
        # Another file system, or one without hard links.
        with os.fdopen(os.dup(source.file), "rb") as kept, create(target) as copy:
            shutil.copyfileobj(kept, copy)
