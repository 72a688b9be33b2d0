"""The rows by name, and what they need."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator

from bench.memory import memory
from bench.neighbours import neighbours
from bench.postgres import postgres_get_1k, postgres_lookup, postgres_many, postgres_put_1k, programs
from bench.report import Result
from bench.s3 import s3_1g, s3_16k, s3_hot, s3_memory
from bench.settings import Settings
from bench.state import with_many_files
from bench.transfers import get_1g, get_1k, get_10m, put_1g, put_1k

ROWS: dict[str, Callable[[Settings], list[Result]]] = {
    "get-1k": get_1k,
    "get-10m": get_10m,
    "get-1g": get_1g,
    "put-1g": put_1g,
    "put-1k": put_1k,
    "memory": memory,
    "neighbours": neighbours,
    "postgres-get-1k": postgres_get_1k,
    "postgres-put-1k": postgres_put_1k,
    "postgres-lookup": postgres_lookup,
    "postgres-many": postgres_many,
    "s3-1g": s3_1g,
    "s3-16k": s3_16k,
    "s3-memory": s3_memory,
    "s3-hot": s3_hot,
}
LOADED_ROWS = ("flat", "list", "lookup", "start")
NEEDS = {
    "get-1k": ("wrk", "nginx"),
    "get-10m": ("wrk", "nginx"),
    "get-1g": ("nginx",),
    "put-1g": ("nginx",),
    "put-1k": ("wrk", "cc"),
    "neighbours": ("nginx",),
    "flat": ("wrk",),
    "lookup": ("wrk",),
    "postgres-get-1k": ("wrk", "nginx", "postgres"),
    "postgres-put-1k": ("wrk", "postgres"),
    "postgres-lookup": ("wrk", "postgres"),
    "postgres-many": ("wrk", "postgres"),
    "s3-1g": ("radosgw", "boto3", "rclone"),
    "s3-16k": ("radosgw", "boto3", "rclone"),
    "s3-memory": ("radosgw", "boto3"),
    "s3-hot": ("wrk", "radosgw", "boto3"),
}


def missing_tools(row: str) -> list[str]:
    return [tool for tool in (*NEEDS.get(row, ()), "curl") if not is_there(tool)]


def is_there(tool: str) -> bool:
    if tool == "postgres":
        return programs() is not None
    if tool == "boto3":
        return importlib.util.find_spec(tool) is not None
    return shutil.which(tool) is not None


def measure(settings: Settings, chosen: list[str]) -> Iterator[Result]:
    """The results of the chosen rows, as they come."""
    for row in chosen:
        if tools := missing_tools(row):
            print(f"{row}: skipped, not installed: {', '.join(tools)}", flush=True)
        elif row in ROWS:
            print(f"{row} ...", flush=True)
            yield from ROWS[row](settings)
    if wanted := [row for row in LOADED_ROWS if row in chosen and not missing_tools(row)]:
        print(f"{', '.join(wanted)} ...", flush=True)
        yield from with_many_files(settings, wanted)
