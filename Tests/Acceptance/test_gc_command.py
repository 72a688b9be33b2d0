"""`storaged gc`: bytes that nobody refers to are deleted now, beside a running server."""

from __future__ import annotations

import json
import subprocess

from client import token_client
from commands import command, stored_blobs
from conftest import StartServer
from daemon import binary_path, clean_environment
from lanes import direct

pytestmark = direct("commands do not go through nginx")


def test_gc_beside_a_running_server(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    for number in range(20):
        assert client.put_name(f"{number}.bin", b"content %d" % number).status_code == 204
    for number in range(15):
        assert client.delete(f"/api/files/{number}.bin").status_code == 204
    assert json.loads(command(daemon, "gc", "--json").stdout) == {"blobs": 0, "bytes": 0, "uploads": 0}
    assert stored_blobs(daemon) == 20
    result = command(daemon, "gc", "--grace", "0", "--json")
    assert result.returncode == 0, result.stderr
    deleted = sum(len(b"content %d" % n) for n in range(15))
    assert json.loads(result.stdout) == {"blobs": 15, "bytes": deleted, "uploads": 0}
    assert stored_blobs(daemon) == 5
    assert all(client.get(f"/api/files/{n}.bin").content == b"content %d" % n for n in range(15, 20))
    assert client.put_name("0.bin", b"content 0").status_code == 204
    assert client.get("/api/files/0.bin").content == b"content 0"
    assert "collected 0 blobs" in command(daemon, "gc", "--grace=0").stdout


def test_gc_again_and_again_while_clients_store_and_delete(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    for round_number in range(10):
        process = subprocess.Popen(
            [str(binary_path()), "gc", "--grace", "0"],
            env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
            stdout=subprocess.DEVNULL,
        )
        for number in range(20):
            assert client.put_name("same.bin", b"same bytes").status_code == 204
            assert client.get("/api/files/same.bin").content == b"same bytes"
            assert client.put_name("kept.bin", b"kept %d" % (round_number * 20 + number)).status_code == 204
            assert client.delete("/api/files/same.bin").status_code == 204
        assert process.wait(60) == 0
    assert client.get("/api/files/kept.bin").content == b"kept 199"
