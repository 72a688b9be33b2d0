"""The real server as a child process: started on a free loopback port, stopped by SIGTERM, killed by SIGKILL."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

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
    """A loopback port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment for a server or command: nothing of the caller's that could configure it."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "LANG": "C.UTF-8", **extra}


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
    """One `storaged serve`. The data live in `<directory>/data`, the log in `<directory>/storaged.log`."""

    def __init__(self, directory: Path, port: int | None = None, arguments: Sequence[str] = (), **environment: str):
        self.directory = directory
        self.data = directory / "data"
        self.log_path = directory / "storaged.log"
        self.port = port or free_port()
        self.arguments = list(arguments)
        self.environment = clean_environment(
            {
                "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": str(self.port),
                "DATA_DIRECTORY": str(self.data),
                "SHUTDOWN_DELAY": "100ms",
                **environment,
            }
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing running, whatever failed."""
        if self.alive:
            self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server was never started"
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> Daemon:
        """Starts the process and returns when /readyz says it can serve."""
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT
        while not self.ready():
            if not self.alive:
                raise RuntimeError(f"storaged ended with {self.process and self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"storaged was not ready after {START_TIMEOUT} s:\n{self.log()}")
            time.sleep(0.005)
        return self

    def spawn(self) -> None:
        """Starts the process and does not wait."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(binary_path()), "serve", *self.arguments],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> bool:
        return self.status_of("/readyz") == 200

    def status_of(self, path: str) -> int | None:
        """The status of one GET on a new connection; None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def terminate(self) -> None:
        """Asks for the graceful end (SIGTERM) and does not wait for it."""
        os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> int:
        """Ends the process gracefully and returns its exit status."""
        assert self.process is not None
        if self.alive:
            self.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"storaged did not end {STOP_TIMEOUT} s after SIGTERM:\n{self.log()}") from None

    def kill(self) -> None:
        """kill -9, as a crash does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def log(self, since: int = 0, limit: int = 20_000) -> str:
        """The end of what the server wrote, from byte `since` on."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(max(since, self.log_path.stat().st_size - limit))
            return log.read().decode("utf-8", "replace")

    def log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def memory(self) -> dict[str, int]:
        """Sizes of the process in bytes, by their names in /proc/PID/status (VmRSS, VmHWM, RssAnon, ...)."""
        fields = (line.split() for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return {field[0].rstrip(":"): int(field[1]) * 1024 for field in fields if len(field) == 3 and field[2] == "kB"}

    def reset_peak_memory(self) -> None:
        """Makes VmHWM start again at the present resident size."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def processor_seconds(self) -> float:
        """User plus system time the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def staging_files(self) -> int:
        """How many unnamed (or already unlinked) files the process holds open: uploads that are not published yet."""
        count = 0
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                target = os.readlink(entry)
            except FileNotFoundError:
                continue
            count += target.endswith(" (deleted)") and target.startswith(str(self.data))
        return count
