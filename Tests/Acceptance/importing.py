"""A folder of real files, and the command that imports it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from client import Member
from daemon import Daemon, binary_path, clean_environment


def real_files(limit: int) -> list[Path]:
    """Files that every system has, of many sizes and kinds."""
    found: list[Path] = []
    for folder, _, names in os.walk("/usr/share"):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
                found.append(path)
                if len(found) == limit:
                    return found
    return found


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def start_import(daemon: Daemon, source: Path, member: Member, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(binary_path()), "import", str(source), "--account", member.login, *arguments],
        cwd=daemon.directory,
        env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
