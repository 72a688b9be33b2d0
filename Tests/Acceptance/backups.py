"""The scripts of deploy/backup, run as an operator does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from daemon import Daemon, binary_path, clean_environment

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "backup"


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / name), str(folder)]
    environment["STORAGED"] = str(binary_path())
    return subprocess.run(
        command,
        cwd=folder.parent,
        env=clean_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def backed_up(daemon: Daemon, folder: Path, **environment: str) -> Path:
    """The newest backup in a folder, which is made now."""
    result = run("storaged-backup", folder, DATA_DIRECTORY=str(daemon.data), **environment)
    assert result.returncode == 0, result.stderr
    return max(folder.glob("20*Z"))


def program(folder: Path, name: str, script: str) -> str:
    """A PATH in which a program is another one, which finds the real one in REAL."""
    folder.mkdir(exist_ok=True)
    wrapper = folder / name
    wrapper.write_text(f"#!/bin/sh\nREAL={shutil.which(name)}\n{script}")
    wrapper.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
