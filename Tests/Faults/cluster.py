"""A Postgres of the tests' own, which they may stop and start, and sessions in it that hold up others."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from stores import psql

SCRIPT = Path(__file__).parents[2] / "scripts" / "postgres"


class Cluster:
    """Lives from `with` to its end, on one port. It does not wait for the disk, whose word only power cuts need."""

    def __enter__(self) -> Cluster:
        # Not below pytest's folders: they are closed to the user that Postgres runs as.
        self.directory = Path(tempfile.mkdtemp(prefix="storaged-faults-", dir="/tmp"))
        self.url = self._run("start", "fsync=off").strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._run("stop", "immediate")
        rmtree(self.directory)

    def restart(self, mode: str) -> None:
        """Returns when it takes connections again. `immediate` is a crash: it recovers from its log."""
        self._run("restart", mode)

    def _run(self, command: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(SCRIPT), command, str(self.directory), *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout


@contextmanager
def held(url: str, statement: str) -> Iterator[None]:
    """Runs a statement in a transaction that stays open meanwhile, with all its locks."""
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdin and session.stdout
        session.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        session.stdin.flush()
        try:
            assert session.stdout.readline() == "held\n"
            yield
        finally:
            session.stdin.close()


def sessions(url: str, condition: str) -> list[int]:
    """The processes of the server for other sessions in this database of which something is true."""
    mine = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    return [int(pid) for pid in psql(url, f"SELECT pid FROM pg_stat_activity WHERE {mine} AND {condition}").split()]
