"""Commands of the operator on the data of a server, and what they print."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from blobs import blobs_of
from client import Client
from daemon import Daemon, run_command


def command(daemon: Daemon, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command on the server's data, from another directory."""
    return run_command(*arguments, directory=daemon.directory.parent, given=given, DATA_DIRECTORY=str(daemon.data))


def done(daemon: Daemon, *arguments: str, given: str | None = None) -> str:
    """What a command printed that must succeed."""
    result = command(daemon, *arguments, given=given)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def fsck(daemon: Daemon, *, read_data: bool = True) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What fsck found and the numbers at its end; its exit status says the same."""
    result = command(daemon, "fsck", "--json", *(["--read-data"] if read_data else []))
    assert result.stdout, result.stderr
    *found, summary = lines(result.stdout)
    assert result.returncode == (1 if found else 0), result.stderr
    assert summary["findings"] == len(found)
    return found, summary


def findings(daemon: Daemon, *, read_data: bool = True) -> list[str]:
    """The kinds of all findings, in order."""
    return sorted(row["finding"] for row in fsck(daemon, read_data=read_data)[0])


def stored_blobs(daemon: Daemon) -> int:
    """How many blobs lie where the bytes of clients are."""
    return len(blobs_of(daemon.data))


def wait_for_status(client: Client, status: int) -> None:
    """A credential may be remembered for a second."""
    deadline = time.monotonic() + 5
    while client.get("/api/v1/files").status_code != status:
        assert time.monotonic() < deadline, f"not {status} in time"
