"""What a run printed, as people and programs are shown it."""

from __future__ import annotations

from typing import Any

from ..core.run import FINISHED
from ..storage.protocols import Runs
from ..storage.run_output import cursor
from ..storage.run_output.cursor import Cursor
from ..storage.run_output.merged import PAGE_BYTES, Line, Page, RunOutput
from .shapes import iso

#: Lines that somebody who comes to it first gets to see.
FIRST_LINES = 1000


class OutputFollower:
    """Reads a run's output from a place on, or its last lines first, to its end.

    ``finished`` once the run has: what there is then is all.
    """

    def __init__(self, runs: Runs, run_id: str, output: RunOutput, after: Cursor | None) -> None:
        self._runs, self._run_id, self._output, self._after = runs, run_id, output, after
        self.finished = False

    def look(self, *, ask: bool = True) -> Page:
        """What is new, a page of it at most.

        Parameters:
            ask: look as well whether the run has finished.
        """
        if ask and not self.finished:
            # Before the files: whatever a finished run has printed is then among what is read next.
            run = self._runs.get(self._run_id)
            self.finished = run is None or run.status in FINISHED
        if self._after is None:
            page = self._output.tail(FIRST_LINES, finished=self.finished, most=PAGE_BYTES)
        else:
            page = self._output.page(self._after, finished=self.finished)
        self._after = page.next
        return page


def page_shape(page: Page) -> dict[str, Any]:
    return {
        "lines": [line_shape(line) for line in page.lines],
        "next": cursor.encode(page.next),
        "size": page.size,
        "more": page.more,
        "earlier": page.earlier,
    }


def line_shape(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "at": iso(line.at),
        "stream": line.stream,
        "step_key": line.step_key,
        "text": line.text,
    }
