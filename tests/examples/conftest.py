"""The example is no installed package: its own directory is where it is imported from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "weather"))
