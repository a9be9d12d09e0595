"""aria_engine: what the services share."""

from pathlib import Path

VERSION = (Path(__file__).parent.parent / "VERSION").read_text().strip()
