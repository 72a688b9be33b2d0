"""Figures and how they are shown: samples, ratios, the table, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass
class Result:
    """One line of the table. `at_least` and `aim` are ratios to the peer, or bounds in `unit` where there is none."""

    row: str
    what: str
    unit: str
    ours: list[float]
    at_least: str
    aim: str
    peer: str = ""
    theirs: list[float] = field(default_factory=list)
    digits: int = 0

    @property
    def ratio(self) -> float | None:
        return median(self.ours) / median(self.theirs) if self.theirs else None

    def line(self) -> str:
        ratio = f"**{self.ratio:.2f}**" if self.ratio is not None else "–"
        cells = [
            self.row,
            self.what,
            self.unit,
            self._span(self.ours),
            self.peer or "–",
            self._span(self.theirs),
            ratio,
        ]
        return "| " + " | ".join([*cells, self.at_least, self.aim]) + " |"

    def _span(self, samples: Sequence[float]) -> str:
        if not samples:
            return "–"
        return " / ".join(f"{value:,.{self.digits}f}" for value in (min(samples), median(samples), max(samples)))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


HEADINGS = [
    "Row",
    "What",
    "Unit",
    "storaged min / median / max",
    "Peer",
    "min / median / max",
    "Ratio",
    "At least",
    "Aim",
]


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    rule = "|".join(["---"] * len(HEADINGS))
    return "\n".join(["| " + " | ".join(HEADINGS) + " |", f"|{rule}|", *(result.line() for result in results)])


def alternate(count: int, *measures: Callable[[], float]) -> list[list[float]]:
    """
    `count` samples of each measure, taken in turn, every other time in reverse: whatever drifts while they run drifts
    under all of them.
    """
    samples: list[list[float]] = [[] for _ in measures]
    for number in range(count):
        turns = list(range(len(measures)))
        for turn in turns if number % 2 == 0 else reversed(turns):
            samples[turn].append(measures[turn]())
    return samples


def machine(directory: Path) -> dict[str, Any]:
    """What was measured on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    file_system = subprocess.run(
        ["stat", "-f", "-c", "%T", str(directory)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "processor": cpu or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory) / (1 << 20), 1),
        "kernel": platform.release(),
        "file_system": file_system,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
