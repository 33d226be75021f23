"""The table for people and the JSON for everything else."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .figures import FIGURES, Figure, Values, number, ratio, summary

#: figure key -> contender -> values
Measured = Mapping[str, Values]


def _row(figure: Figure, values: Values, names: tuple[str, str]) -> list[str]:
    found = summary(figure, values)
    ours, peers = (found.get(name) for name in names)
    times = None
    # A count is told, not compared: fewer processes are not better by themselves.
    if figure.unit and figure.key != "interpreter" and ours is not None and peers is not None:
        times = ratio(figure, ours, peers)
    cells = ["-" if value is None else f"{number(value)} {figure.unit}".strip() for value in (ours, peers)]
    return [figure.title, *cells, "" if times is None else f"{number(times)} x"]


def table(measured: Measured, names: tuple[str, str]) -> str:
    """A Markdown table; the ratio says how many times better the first of ``names`` is."""
    head = ["", *names, "ratio"]
    rows = [_row(figure, measured[figure.key], names) for figure in FIGURES if figure.key in measured]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(4)]
    lines = [head, ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])], *rows]
    return "\n".join(
        f"| {row[0]:<{widths[0]}} | "
        + " | ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        + " |"
        for row in lines
    )


def machine() -> dict[str, str | int | float | None]:
    """What the figures were taken on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), None)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "commit": commit.stdout.strip() or None,
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def write(directory: Path, name: str, content: Mapping[str, object], measured: Measured) -> Path:
    """All raw values and the medians as JSON; returns the file."""
    directory.mkdir(parents=True, exist_ok=True)
    figures = {figure.name: summary(figure, measured[figure.key]) for figure in FIGURES if figure.key in measured}
    file = directory / f"{name}.json"
    document = {**content, "figures": figures, "values": measured}
    file.write_text(json.dumps(document, indent=2, default=str) + "\n", encoding="utf-8")
    return file
