"""What runs print: one pair of files for a run and one for each of its steps."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..settings.private_files import make_directory
from .file_names import checked_run_id, quoted, unquoted
from .run_output.index import Stream

RUN = "run"


class LogPaths(NamedTuple):
    """Files of one step, or of the run itself when ``step_key`` is None."""

    step_key: str | None
    out: Path
    err: Path

    @property
    def times(self) -> Path:
        """Where it is noted which part of both was written when."""
        return self.out.with_suffix(".idx")

    @property
    def name(self) -> str:
        """The files' common name."""
        return self.out.stem


class LocalComputeLogs:
    """Logs under ``base_dir``: ``<run_id>/<step key or "run">.out`` and ``.err``."""

    def __init__(self, base_dir: str) -> None:
        self._base = Path(base_dir)

    def path(self, run_id: str, stream: Stream, step_key: str | None = None) -> Path:
        """Where the stream goes.

        Raises:
            UserError: the id is no plain name, so it would lead out of the directory.
        """
        return self._directory(run_id) / f"{_file_name(step_key)}.{stream}"

    def pair(self, run_id: str, step_key: str | None = None) -> LogPaths:
        """The files of one step or of the run itself, whether or not they are there.

        Raises:
            UserError: as ``path``.
        """
        return LogPaths(step_key, self.path(run_id, "out", step_key), self.path(run_id, "err", step_key))

    def make_directory(self, run_id: str) -> Path:
        """The run's directory, made when it is missing."""
        directory = self._directory(run_id)
        make_directory(directory)
        return directory

    def paths(self, run_id: str) -> list[LogPaths]:
        """Every pair of files that the run has, the run's own first."""
        directory = self._directory(run_id)
        if not directory.is_dir():
            return []
        stems = {file.name.rpartition(".")[0] for file in directory.iterdir() if file.suffix in (".out", ".err")}
        ordered = sorted(stems, key=lambda stem: (stem != RUN, stem))
        return [LogPaths(_step_key(stem), directory / f"{stem}.out", directory / f"{stem}.err") for stem in ordered]

    def delete(self, run_id: str) -> None:
        """Remove the run's files and its directory."""
        directory = self._directory(run_id)
        if not directory.is_dir():
            return
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()

    def _directory(self, run_id: str) -> Path:
        return self._base / checked_run_id(run_id)


def _file_name(step_key: str | None) -> str:
    """Step keys may hold brackets and dots; a step named ``run`` must not meet the run's own file."""
    if step_key is None:
        return RUN
    name = quoted(step_key)
    return f"{name}%" if name == RUN else name


def _step_key(stem: str) -> str | None:
    return None if stem == RUN else unquoted(stem)
