"""``python -m bench.deep_queue.child KIND HOME [URL]``: drives the leader on a filled database; prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from runyard.settings.instance import PostgresSettings, SqliteSettings

from .leader import Leader
from .store import opened


def main() -> None:
    """Figures of the leader alone."""
    kind, home, *url = sys.argv[1:]
    settings = PostgresSettings(url[0]) if kind == "postgres" else SqliteSettings(str(Path(home) / "runyard.db"))
    with opened(settings) as stores:
        json.dump(Leader(stores).measure(), sys.stdout)


if __name__ == "__main__":
    main()
