"""Start, graceful end, restart: uploads in flight finish, what was stored is still there, the folder is private."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import expect
from blobs import blobs_of
from client import Client, basic, new_member, new_token, sign_in, token_client
from conftest import StartServer
from daemon import Daemon, run_command
from lanes import direct
from stores import IN_BUCKET
from wire import Part, Wire, chunked, form, form_type, head

WaitUntil = Callable[[Callable[[], bool], float], None]


def test_the_data_directory_is_made_and_private(start: StartServer) -> None:
    daemon = start()
    assert stat.S_IMODE(daemon.data.stat().st_mode) == 0o700


def test_the_bytes_of_a_token_lie_in_its_own_container(start: StartServer) -> None:
    daemon = start()
    token_client(daemon.url).put_name("a.txt", b"private")
    (blob,) = blobs_of(daemon.data)
    digest = expect.digest(b"private")
    assert re.fullmatch(f"containers/[^/]+/{digest[:2]}/{digest}", blob.key) and blob.read() == b"private"
    if not IN_BUCKET:
        assert stat.S_IMODE(blob.path.stat().st_mode) & 0o077 == 0


@direct("nginx answers where no node listens; Tests/Faults/test_stack.py restarts nodes behind it")
def test_an_upload_in_flight_at_sigterm_finishes(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start(SHUTDOWN_DELAY="1s")
    content = bytes(range(256)) * 4096
    body = form([Part("path", b"/form.bin"), Part("file", content, "form.bin")])
    token = new_token()
    uploads = {
        "length": (("PUT", "/api/files/length.bin"), [("Content-Length", str(len(content)))], content),
        "chunked": (("PUT", "/api/files/chunked.bin"), [("Transfer-Encoding", "chunked")], chunked(content)),
        "form": (
            ("POST", "/api/v1/files/upload"),
            [("Content-Type", form_type()), ("Content-Length", str(len(body)))],
            body,
        ),
    }
    wires = {name: Wire(daemon.port) for name in uploads}
    for name, ((method, target), headers, payload) in uploads.items():
        wires[name].send(head(method, target, [("X-Auth-Token", token), *headers]) + payload[: len(payload) // 2])
    wait_until(lambda: daemon.staging_files() == len(uploads), 10)

    daemon.terminate()
    wait_until(lambda: daemon.status_of("/readyz") == 503, 1.0)
    wait_until(lambda: daemon.status_of("/readyz") is None, 10)
    assert daemon.alive, "it must wait for the uploads"
    for name, (_, _, payload) in uploads.items():
        wires[name].send(payload[len(payload) // 2 :])
    assert {name: wire.read_reply().status_code for name, wire in wires.items()} == {
        "length": 204,
        "chunked": 204,
        "form": 201,
    }
    assert daemon.stop() == 0

    again = start(daemon.directory)
    client = token_client(again.url, token)
    assert client.names() == ["chunked.bin", "form.bin", "length.bin"]
    for name in client.names():
        assert client.get("/api/files/" + name).content == content


@direct("nginx answers where no node listens; Tests/Faults/test_stack.py restarts nodes behind it")
def test_a_download_in_flight_at_sigterm_finishes(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start()
    client = token_client(daemon.url)
    content = bytes(1 << 20) * 32
    assert client.put_name("big.bin", content).status_code == 204
    with Wire(daemon.port) as wire:
        wire.send(head("GET", "/api/files/big.bin", list(client.headers.items())))
        daemon.terminate()
        wait_until(lambda: daemon.status_of("/readyz") is None, 10)
        assert wire.read_reply().content == content
    assert daemon.stop() == 0


def test_idle_and_silent_connections_do_not_hold_up_the_end(start: StartServer) -> None:
    daemon = start(SHUTDOWN_DRAIN="20s")
    idle = [Wire(daemon.port) for _ in range(20)]
    for wire in idle[:10]:
        wire.send(head("GET", "/healthz"))
        assert wire.read_reply().status_code == 200
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 5


def test_a_stuck_upload_holds_up_the_end_no_longer_than_the_drain_limit(
    start: StartServer, wait_until: WaitUntil
) -> None:
    daemon = start(SHUTDOWN_DRAIN="1s")
    token = new_token()
    with Wire(daemon.port) as wire:
        wire.send(
            head("PUT", "/api/files/a", [("X-Auth-Token", token), ("Content-Length", "1000000")]) + b"x" * 500_000
        )
        wait_until(lambda: daemon.staging_files() == 1, 10)
        began = time.monotonic()
        daemon.stop()
        assert time.monotonic() - began < 10
    assert token_client(start(daemon.directory).url, token).names() == []


def test_everything_is_there_after_a_restart(start: StartServer) -> None:
    daemon = start()
    member, client = new_member(daemon.url), token_client(daemon.url)
    for owner in (member.client, client):
        owner.stored("/docs/a.txt", b"first")
        owner.stored("/docs/a.txt", b"second")
        owner.stored("/отчёт.txt", b"x" * 100_000)
        owner.make_folder("/empty")
    before = [
        (c.listing(), c.listing(folder="/"), c.download("/docs/a.txt").headers["ETag"]) for c in (member.client, client)
    ]
    assert daemon.stop() == 0

    url = start(daemon.directory).url
    again = [
        Client(url, {"Authorization": f"Bearer {member.token}"}),
        token_client(url, client.headers["X-Auth-Token"]),
    ]
    after = [(c.listing(), c.listing(folder="/"), c.download("/docs/a.txt").headers["ETag"]) for c in again]
    assert after == before
    for owner in again:
        assert owner.download("/docs/a.txt").content == b"second"
        assert owner.download("/отчёт.txt").content == b"x" * 100_000
    assert sign_in(url, member.login, member.password)
    assert Client(url, {"Authorization": basic(member.login, member.password)}).listing()["account"] == member.login


def test_a_signed_out_token_stays_out_after_a_restart(start: StartServer) -> None:
    daemon = start()
    member = new_member(daemon.url)
    assert member.client.post("/api/v1/user/logout").status_code == 204
    assert daemon.stop() == 0
    returned = Client(start(daemon.directory).url, {"Authorization": f"Bearer {member.token}"})
    expect.problem(returned.get("/api/v1/files"), 401)


def test_a_crash_loses_nothing_that_was_answered(start: StartServer) -> None:
    daemon = start()
    token = new_token()

    def store(number: int) -> int:
        return token_client(daemon.url, token).put_name(f"{number:03}.txt", b"%d" % number).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(store, range(100))) == {204}
    daemon.kill()
    client = token_client(start(daemon.directory).url, token)
    assert client.names() == [f"{number:03}.txt" for number in range(100)]
    assert all(client.get(f"/api/files/{number:03}.txt").content == b"%d" % number for number in range(100))


@pytest.mark.stores("sqlite")
def test_a_second_server_on_the_same_directory_is_refused(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    client = token_client(daemon.url)
    assert client.put_name("a.txt").status_code == 204
    with Daemon(tmp_path, DATA_DIRECTORY=str(daemon.data)) as second:
        second.spawn()
        assert second.processes[0].wait(30) != 0
        assert str(daemon.data) in second.log()
    assert client.names() == ["a.txt"]


def test_the_health_command_asks_the_running_server(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    settings = {"HTTP_PORT": str(daemon.port), "DATA_DIRECTORY": str(daemon.data)}
    assert run_command("health", directory=tmp_path, **settings).returncode == 0
    assert daemon.stop() == 0
    assert run_command("health", directory=tmp_path, **settings).returncode != 0
