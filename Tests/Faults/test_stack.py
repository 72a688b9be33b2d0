"""The whole of it behind nginx: its configuration is reloaded and each node restarted under load, and no client notices."""

from __future__ import annotations

import random
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import new_token, token_client
from daemon import Daemon
from nginx import SHIPPED, Nginx
from wire import Wire, head

from load import SEED, Load, principals
from proxy import wait_until

pytestmark = pytest.mark.stores("stack")

PIECE = secrets.token_bytes(250_000)
PIECES = 16
REST = 0.25  # between two pieces: one transfer takes longer than a node needs to stop


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Stops as it does where nothing else is said: two seconds not ready, then half a minute for what is under way."""
    with Daemon(tmp_path, SHUTDOWN_DELAY="2s", SHUTDOWN_DRAIN="30s") as server:
        yield server.start()


class SlowClient(threading.Thread):
    """Sends a file piece by piece, and takes it back as slowly, again and again."""

    def __init__(self, daemon: Daemon):
        super().__init__()
        self.port = daemon.port
        self.token = new_token()
        self.ended = threading.Event()
        self.transfers = 0
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.ended.is_set():
            for transfer in (self.upload, self.download):
                try:
                    transfer()
                    self.transfers += 1
                except (OSError, AssertionError) as failure:
                    self.failures.append(f"{transfer.__name__}: {failure!r}")

    def upload(self) -> None:
        length = str(len(PIECE) * PIECES)
        with Wire(self.port, timeout=60) as wire:
            wire.send(head("PUT", "/api/files/slow", [("X-Auth-Token", self.token), ("Content-Length", length)]))
            for _ in range(PIECES):
                wire.send(PIECE)
                self.ended.wait(REST)
            assert (status := wire.read_reply().status_code) == 204, status

    def download(self) -> None:
        with Wire(self.port, timeout=60) as wire:
            wire.send(head("GET", "/api/files/slow", [("X-Auth-Token", self.token)]))
            assert (status := wire.read_head().status_code) == 200, status
            for number in range(PIECES):
                assert wire.take(len(PIECE)) == PIECE, f"piece {number}"
                self.ended.wait(REST)

    def stop(self) -> None:
        self.ended.set()
        self.join()


def switch(nginx: Nginx, act: str, port: int) -> None:
    settings = {"STORAGED_NODES": str(nginx.nodes_file), "STORAGED_NGINX": " ".join(nginx.command), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [str(SHIPPED / "storaged-nodes"), act, f"127.0.0.1:{port}"],
        env=settings,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


def restart(daemon: Daemon, number: int) -> None:
    """One node by the book: out of nginx, stopped, started, ready, in again."""
    assert isinstance(daemon.forwarder, Nginx)
    port = daemon.ports[number]
    switch(daemon.forwarder, "drain", port)
    daemon.processes[number].terminate()
    assert daemon.processes[number].wait(60) == 0, daemon.log()
    daemon.processes[number] = daemon.spawn_one(port)
    wait_until(lambda: daemon.status_of("/readyz", port) == 200, 30, "the node is ready")
    switch(daemon.forwarder, "restore", port)


@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.nightly)])
def test_reloads_and_restarts_fail_no_request_and_lose_no_file(daemon: Daemon, rounds: int) -> None:
    assert isinstance(daemon.forwarder, Nginx)
    rng = random.Random(SEED)
    owners = principals(daemon)
    load = Load(daemon, owners, {}, rng, keeps_connections=False)
    slow = [SlowClient(daemon) for _ in range(3)]
    for client in slow:
        client.start()
    began = time.monotonic()
    try:
        for _ in range(rounds):
            daemon.forwarder.reload()
            for number in rng.sample(range(len(daemon.ports)), len(daemon.ports)):
                restart(daemon, number)
                time.sleep(rng.uniform(0, 0.5))  # both nodes serve for a while
                daemon.forwarder.reload()
    finally:
        load.stop()
        for client in slow:
            client.stop()
    lost = [worker.lost for worker in load.workers if worker.lost]
    assert not lost, f"seed {SEED}: {lost}\n{daemon.forwarder.log()}"
    assert load.doubtful == 0
    assert [failure for client in slow for failure in client.failures] == []
    wrong, _ = load.wrong()
    assert not wrong, f"seed {SEED}:\n" + "\n".join(wrong[:10])
    for client in slow:
        assert token_client(daemon.url, client.token).get("/api/files/slow").content == PIECE * PIECES
    transfers = sum(client.transfers for client in slow)
    seconds = time.monotonic() - began
    print(f"seed {SEED}: {load.acknowledged} changes and {transfers} slow transfers in {seconds:.0f} s, none failed")
    assert load.acknowledged > 50 * rounds and transfers > 2 * rounds, "the load was too thin to show anything"
