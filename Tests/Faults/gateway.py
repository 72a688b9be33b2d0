"""An S3 server of the tests' own, which they may kill and start, and whose keys they may change."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from shutil import rmtree

from buckets import Server

SCRIPT = Path(__file__).parents[2] / "scripts" / "radosgw"


class Gateway:
    """Lives from `with` to its end, on one port. What it has acknowledged outlives its gateway, not its end."""

    def __enter__(self) -> Gateway:
        # Not below pytest's folders: they are closed to the user that it runs as.
        self.directory = Path(tempfile.mkdtemp(prefix="storaged-faults-", dir="/tmp"))
        told = (line.removeprefix("export ").split("=", 1) for line in self._run("start").splitlines())
        found = Server.named_by(dict(told))
        assert found
        self.server = found
        return self

    def __exit__(self, *_: object) -> None:
        self._run("stop")
        rmtree(self.directory)

    def kill(self) -> None:
        """The gateway, by SIGKILL."""
        self._run("kill")

    def start(self) -> None:
        """Brings it back, on the same port."""
        self._run("start")

    def restart(self) -> None:
        self._run("restart")

    def admin(self, *arguments: str) -> str:
        """Does something to its users."""
        return self._run("admin", *arguments)

    def _run(self, command: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(SCRIPT), command, str(self.directory), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout
