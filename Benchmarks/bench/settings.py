"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
GIB = 1 << 30


@dataclass
class Settings:
    """How much is done: full by default, less with --quick."""

    directory: Path
    pairs: int = 5
    seconds: int = 5
    big: int = GIB
    huge: int = 5 * GIB
    files: int = 100_000
