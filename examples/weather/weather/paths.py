"""Where the example writes."""

import os
from pathlib import Path


def data_directory() -> Path:
    """``WEATHER_DATA``, else ``data`` beside the package."""
    return Path(os.environ.get("WEATHER_DATA") or Path(__file__).parents[1] / "data").absolute()
