"""Many runs from a file: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .run_input import BadInput

if TYPE_CHECKING:
    from ..operations.submit import SubmitRequest

_KEYS: dict[str, tuple[type, str]] = {
    "job_name": (str, "text"),
    "location": (str, "text"),
    "tags": (dict, "an object"),
    "run_config": (dict, "an object"),
}


class BadLine(BadInput):
    """A line of the file that asks for nothing that can be granted; nothing was written."""

    def __init__(self, file: str, line: int, fault: str) -> None:
        super().__init__(f"{file}:{line}: {fault}")


def read_lines(
    file: str, *, job_name: str | None, location: str | None, tags: Mapping[str, Any]
) -> list[tuple[int, SubmitRequest]]:
    """Every request of a file (``-``: standard input), with the number of its line. Empty lines are passed over.

    ``job_name``, ``location`` and ``tags`` are for lines that do not say it themselves.

    Raises:
        BadLine: a line is no JSON object, has a key that there is not, or names no job.
        BadInput: the file cannot be read, or holds no request.
    """
    defaults = {"job_name": job_name, "location": location, "tags": tags}
    try:
        with click.open_file(file, encoding="utf-8-sig") as lines:
            found = list(_requests(file, lines, defaults))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not UTF-8 text ({error.reason})"
        raise BadInput(f"{file} cannot be read: {why}.") from None
    if not found:
        raise BadInput(f"{file} holds no runs: write one JSON object a line.")
    return found


def _requests(file: str, lines: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[tuple[int, SubmitRequest]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _request(_Line(file, number, line), defaults)


class _Line:
    """One line and where it stands."""

    def __init__(self, file: str, number: int, text: str) -> None:
        self._file, self._number, self._text = file, number, text

    def values(self) -> dict[str, Any]:
        """What it holds, each of the right kind; null is as if it were not there."""
        from ..settings.json_text import read_json

        try:
            value = read_json(self._text)
        except ValueError as error:
            raise self.fault(f"this is not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise self.fault('this must be a JSON object like {"job_name": "etl", "tags": {"team": "docs"}}.')
        given = {key: item for key, item in value.items() if item is not None}
        for key, item in given.items():
            self._check(key, item)
        return given

    def fault(self, message: str) -> BadLine:
        return BadLine(self._file, self._number, message)

    def _check(self, key: str, item: Any) -> None:
        if key not in _KEYS:
            raise self.fault(f"there is no '{key}'; a run has {', '.join(_KEYS)}.")
        kind, name = _KEYS[key]
        if not isinstance(item, kind):
            raise self.fault(f"'{key}' must be {name}.")


def _request(line: _Line, defaults: Mapping[str, Any]) -> SubmitRequest:
    from ..operations.submit import SubmitRequest

    values = line.values()
    job_name = values.get("job_name", defaults["job_name"])
    if job_name is None:
        raise line.fault("no job_name, and no -j.")
    return SubmitRequest(
        job_name=job_name,
        location_name=values.get("location", defaults["location"]),
        run_config=values.get("run_config", {}),
        tags={**defaults["tags"], **values.get("tags", {})},
    )
