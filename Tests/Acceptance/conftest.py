"""Starts the real server named by STORAGED_BINARY and hands out clients. Every test has principals of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import Client, Member, new_member, token_client
from daemon import Daemon, binary_path
from importing import real_files

pytest_plugins = ["lanes"]

StartServer = Callable[..., Daemon]

_started: list[Daemon] = []
_log_offsets: dict[str, int] = {}


def pytest_configure() -> None:
    try:
        binary_path()
    except (RuntimeError, OSError) as error:
        pytest.exit(f"storaged to test: {error}", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows with a failed test what the servers logged during it."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        for daemon in _started:
            if text := daemon.log(_log_offsets.get(str(daemon.log_path), 0)):
                report.sections.append((f"storaged on port {daemon.port}", text))


class SharedServer:
    """The server most tests talk to. It is started anew when a test has killed it, so that one failure stays one."""

    def __init__(self, factory: pytest.TempPathFactory):
        self.factory = factory
        self.daemon: Daemon | None = None
        self.account: Member | None = None

    def running(self) -> Daemon:
        if self.daemon is None or not self.daemon.alive:
            self.daemon = start_daemon(self.factory.mktemp("shared"))
            self.account = None
        return self.daemon


def start_daemon(directory: Path, **environment: str) -> Daemon:
    daemon = Daemon(directory, **environment)
    _started.append(daemon)
    return daemon.start()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    shared = SharedServer(tmp_path_factory)
    yield shared
    if shared.daemon is not None and shared.daemon.alive:
        assert shared.daemon.stop() == 0, shared.daemon.log()


@pytest.fixture
def server(shared_server: SharedServer) -> Iterator[Daemon]:
    """The shared server; a test during which it dies fails."""
    daemon = shared_server.running()
    _log_offsets[str(daemon.log_path)] = daemon.log_size()
    yield daemon
    assert daemon.alive, "the server died during this test"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers of the test's own: `start(LIMITS_UPLOAD_SIZE="1MiB")`. Those alive at the end must exit 0."""
    own: list[Daemon] = []

    def start_one(directory: Path | None = None, **environment: str) -> Daemon:
        home = directory or tmp_path / f"server-{len(own)}"
        home.mkdir(parents=True, exist_ok=True)
        daemon = start_daemon(home, **environment)
        own.append(daemon)
        return daemon

    yield start_one
    ended = [(daemon.stop(), daemon) for daemon in own if daemon.alive]
    for daemon in own:
        daemon.kill()  # and what stands before it, which outlives a server that ended by itself
        _started.remove(daemon)
    for status, daemon in ended:
        assert status == 0, f"exit status {status} after SIGTERM:\n{daemon.log()}"


def need_swagger_ui(daemon: Daemon) -> None:
    """Skips the test where the server was built without it."""
    if Client(daemon.url).get("/docs/start.js").status_code == 404:
        pytest.skip("storaged was built without Swagger UI")


@pytest.fixture
def anonymous(server: Daemon) -> Client:
    """A client without credentials."""
    return Client(server.url)


@pytest.fixture
def client(server: Daemon) -> Client:
    """A client with a container token of its own: a principal that costs nothing to make."""
    return token_client(server.url)


@pytest.fixture
def stranger(server: Daemon) -> Client:
    """Another token than `client`'s."""
    return token_client(server.url)


@pytest.fixture
def member(server: Daemon) -> Member:
    """A registered account, signed in with a Bearer token."""
    return new_member(server.url)


@pytest.fixture
def account(shared_server: SharedServer, server: Daemon) -> Client:
    """An account for tests in which nothing may be stored. It is empty, whatever an earlier one has left."""
    if shared_server.account is None:
        shared_server.account = new_member(server.url)
    client = shared_server.account.client
    for record in client.listing(folder="/")["files"]:
        assert client.remove(record["path"], recursive="true").status_code == 204
    return client


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], float], None]:
    """Polls a condition until it holds; fails when it does not in time."""

    def wait(condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            threading.Event().wait(0.01)

    return wait


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The URL of the cache that the lane has, or of one of the test's own."""
    named = os.environ.get("STORAGED_TEST_REDIS")
    if named:
        yield named
        return
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server")
    script, folder = str(Path(__file__).resolve().parents[2] / "scripts" / "redis"), str(tmp_path / "redis")
    tmp_path.chmod(0o755)
    yield subprocess.run([script, "start", folder], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    subprocess.run([script, "stop", folder], capture_output=True, timeout=60, check=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of some hundred real files, with their folders."""
    root = tmp_path / "source"
    for path in real_files(400):
        target = root / path.relative_to("/usr/share")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return root
