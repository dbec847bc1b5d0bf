"""Where things are in a checkout."""

from pathlib import Path

__all__ = ["ROOT"]

ROOT = Path(__file__).parents[2]
