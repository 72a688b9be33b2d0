"""The real server as a child process: started on a free loopback port, stopped by SIGTERM, killed by SIGKILL.

With several nodes it is as many processes that share a database and a data directory, behind one port that gives each
connection to the next of them. Whatever is done to the server is done to all. In the stack that port is nginx's, and
each process has a data directory of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from forwarder import Forwarder
from nginx import Nginx
from stores import BEHIND_NGINX, NODES, with_stores

START_TIMEOUT = 30.0
STOP_TIMEOUT = 60.0

# What the server inherits. Everything else of the caller's environment could be a configuration key.
INHERITED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE")


def binary_path() -> Path:
    """The server to test, from STORAGED_BINARY."""
    value = os.environ.get("STORAGED_BINARY")
    if not value:
        raise RuntimeError("STORAGED_BINARY must name the storaged executable to test")
    return Path(value).resolve(strict=True)


def free_port() -> int:
    """A loopback port nobody uses at the moment, below those that the kernel gives to clients."""
    while True:
        port = random.SystemRandom().randrange(10240, 32768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment for a server or command: nothing of the caller's that could configure it."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "LANG": "C.UTF-8", **with_stores(extra)}


def run_command(
    *arguments: str, directory: Path, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs one storaged command to its end in `directory`, with `given` as its standard input."""
    return subprocess.run(
        [str(binary_path()), *arguments],
        cwd=directory,
        env=clean_environment(environment),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
    )


class Daemon:
    """One `storaged serve`, or several. The data live in `<directory>/data`, the log in `<directory>/storaged.log`."""

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        arguments: Sequence[str] = (),
        nodes: int = NODES,
        **environment: str,
    ):
        self.directory = directory
        self.data = directory / "data"
        self.log_path = directory / "storaged.log"
        self.port = port or free_port()
        self.ports = [self.port] if nodes == 1 else [free_port() for _ in range(nodes)]
        self.arguments = list(arguments)
        self.environment = clean_environment(
            {
                "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": str(self.port),
                "DATA_DIRECTORY": str(self.data),
                "SHUTDOWN_DELAY": "100ms",
                **({"HTTP_TRUSTED_PROXIES": "127.0.0.1"} if BEHIND_NGINX else {}),
                **environment,
            }
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        self.marked: list[int] = []
        self.forwarder: Forwarder | Nginx | None = None

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing running, whatever failed."""
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether all of it is."""
        return bool(self.processes) and all(process.poll() is None for process in self.processes)

    def start(self) -> Daemon:
        """Starts it and returns when /readyz of every process says it can serve."""
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT
        while not self.ready():
            if not self.alive:
                statuses = [process.poll() for process in self.processes]
                self.kill()
                raise RuntimeError(f"storaged ended with {statuses}:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"storaged was not ready after {START_TIMEOUT} s:\n{self.log()}")
            time.sleep(0.005)
        return self

    def spawn(self) -> None:
        """Starts it and does not wait."""
        self.kill()
        if self.ports != [self.port]:
            self.forwarder = self.front()
        self.processes = [self.spawn_one(port) for port in self.ports]

    def front(self) -> Forwarder | Nginx:
        """What gives several processes one port."""
        if not BEHIND_NGINX:
            return Forwarder(self.port, self.ports)
        nginx = Nginx(Path(tempfile.mkdtemp(prefix="nginx-", dir=self.directory)), self.port, self.ports)
        nginx.start()
        return nginx

    def spawn_one(self, port: int) -> subprocess.Popen[bytes]:
        """Starts the process that listens on `port`."""
        listening = {"HTTP_PORT": str(port)} if port != self.port else {}
        if BEHIND_NGINX and port != self.ports[0]:
            listening["DATA_DIRECTORY"] = f"{self.environment['DATA_DIRECTORY']}-{self.ports.index(port)}"
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [str(binary_path()), "serve", *self.arguments],
                cwd=self.directory,
                env={**self.environment, **listening},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> bool:
        return all(self.status_of("/readyz", port) == 200 for port in self.ports)

    def status_of(self, path: str, port: int | None = None) -> int | None:
        """The status of one GET on a new connection; None when nobody answers."""
        connection = self.connect(port or self.port)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def connect(self, port: int) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def terminate(self) -> None:
        """Asks for the graceful end (SIGTERM) and does not wait for it."""
        for process in self.processes:
            process.terminate()

    def stop(self) -> int:
        """Ends it gracefully and returns its exit status; that of the worst of several."""
        assert self.processes
        self.terminate()
        try:
            deadline = time.monotonic() + STOP_TIMEOUT
            statuses = [process.wait(max(0, deadline - time.monotonic())) for process in self.processes]
            return next((status for status in statuses if status != 0), 0)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"storaged did not end {STOP_TIMEOUT} s after SIGTERM:\n{self.log()}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """kill -9, as a crash does it."""
        for process in self.processes:
            process.kill()
            process.wait()
        if self.forwarder is not None:
            self.forwarder.close()
            self.forwarder = None

    def log(self, since: int = 0, limit: int = 20_000) -> str:
        """The end of what the server wrote, from byte `since` on."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(max(since, self.log_path.stat().st_size - limit))
            return log.read().decode("utf-8", "replace")

    def log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def memory(self) -> list[dict[str, int]]:
        """Of each process, sizes in bytes by their names in /proc/PID/status (VmRSS, VmHWM, RssAnon, ...)."""
        sizes = []
        for process in self.processes:
            fields = [line.split() for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()]
            sizes.append({f[0].rstrip(":"): int(f[1]) * 1024 for f in fields if len(f) == 3 and f[2] == "kB"})
        return sizes

    def mark_memory(self) -> None:
        """Makes the present resident sizes those that `memory_growth` starts from."""
        self.marked = [sizes["VmRSS"] for sizes in self.memory()]
        for process in self.processes:
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    def memory_growth(self) -> int:
        """The bytes by which the process that grew most was at its peak above the mark."""
        return max(sizes["VmHWM"] - before for sizes, before in zip(self.memory(), self.marked, strict=True))

    def processor_seconds(self) -> float:
        """User plus system time it has used."""
        seconds = 0.0
        for process in self.processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return seconds

    def open_files(self) -> list[str]:
        """What the open file descriptors stand for."""
        found = []
        for entry in [entry for process in self.processes for entry in Path(f"/proc/{process.pid}/fd").iterdir()]:
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(entry))
        return found

    def staging_files(self) -> int:
        """How many unnamed (or already unlinked) files are held open: uploads that are not published yet."""
        return sum(name.endswith(" (deleted)") and name.startswith(str(self.data)) for name in self.open_files())
