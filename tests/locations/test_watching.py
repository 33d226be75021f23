"""Changes of code are noticed whenever they come."""

from __future__ import annotations

import threading
from pathlib import Path

from runyard.locations.watching import Watched, Watcher

PATIENCE = 30


def test_a_change_that_comes_while_a_location_loads_is_reported_when_it_has(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("")
    read_at = code.stat().st_mtime + 0.001
    here = Watched((str(tmp_path),), read_at)
    sources = {"settled": here}
    heard = {name: threading.Event() for name in ("settled", "loading")}
    watching = threading.Event()
    watcher = Watcher(
        files=lambda: (),
        sources=lambda: dict(sources),
        on_files=lambda: None,
        on_code=lambda name: heard[name].set(),
        on_tick=watching.set,
    )
    watcher.start()
    try:
        assert watching.wait(PATIENCE)
        code.write_text("changed")
        assert heard["settled"].wait(PATIENCE)
        # The directories that are watched stay the same.
        sources["loading"] = here
        assert heard["loading"].wait(PATIENCE)
    finally:
        watcher.stop()
