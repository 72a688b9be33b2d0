"""Real files of every kind, and one that is larger than any buffer: up, listed, down, compared by SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client import Client, token_client
from conftest import StartServer
from daemon import Daemon
from stores import IN_BUCKET

MIB = 1 << 20
GIB = 1 << 30
SOURCE = Path("/usr/share")
LARGEST = 8 * MIB
# Parts of a large file are on their way to a bucket side by side.
MEMORY_GROWTH = (64 if IN_BUCKET else 32) * MIB


def real_files(count: int) -> list[Path]:
    """
    That many regular files of /usr/share: as many different extensions as there are, then at random (the same ones
    each time on one machine).
    """
    found: list[Path] = []
    for folder, _, names in os.walk(SOURCE):
        paths = (Path(folder, name) for name in names)
        found += [path for path in paths if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST]
    found.sort()
    random.Random(count).shuffle(found)
    one_of_each = list({path.suffix: path for path in found}.values())
    rest = [path for path in found if path not in set(one_of_each)]
    chosen = (one_of_each[: count // 2] + rest)[:count]
    assert len(chosen) == count, f"{SOURCE} has only {len(chosen)} usable files"
    return chosen


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def send(client: Client, number: int, path: Path) -> int:
    """Uploads by one of three ways in turn: as a name, as a raw body, as a form."""
    name = str(path.relative_to("/"))
    if number % 3 == 0:
        with path.open("rb") as file:
            return client.put_name(name, file).status_code  # type: ignore[arg-type]
    if number % 3 == 1:
        with path.open("rb") as file:
            return client.post("/api/v1/files/upload", params={"path": "/" + name}, data=file).status_code
    return client.upload("/" + name, path.read_bytes(), path.name).status_code


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.nightly)])
def test_real_files_go_up_are_listed_and_come_down(server: Daemon, client: Client, count: int) -> None:
    files = {str(path): path for path in real_files(count)}
    local = threading.local()

    def own_client() -> Client:
        if not hasattr(local, "client"):
            local.client = token_client(server.url, client.headers["X-Auth-Token"])
        return local.client  # type: ignore[no-any-return]

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda item: send(own_client(), item[0], item[1]), enumerate(files.values())))
    assert set(statuses) <= {201, 204}

    records = client.listing()["files"]
    assert [record["path"] for record in records] == sorted(files, key=str.encode)
    for record in records:
        assert record["size"] == files[record["path"]].stat().st_size
        assert record["hash"] == sha256_of(files[record["path"]])

    def downloads_whole(record: dict[str, str]) -> bool:
        by = "id" if record["hash"] < "8" else "path"
        response = own_client().download(record[by])
        return hashlib.sha256(response.content).hexdigest() == record["hash"]

    with ThreadPoolExecutor(4) as pool:
        damaged = [r["path"] for r, whole in zip(records, pool.map(downloads_whole, records), strict=True) if not whole]
    assert not damaged


class Pattern:
    """A stream of `size` bytes that no two MiB of are alike; computed while it is read, hashed on the way."""

    def __init__(self, size: int, seed: int):
        self.size = size
        self.block = random.Random(seed).randbytes(MIB)
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for number in range(-(-self.size // MIB)):
            length = min(MIB, self.size - number * MIB)
            piece = (number.to_bytes(8, "big") + self.block[8:])[:length]
            self.hash.update(piece)
            yield piece


def send_stream(daemon: Daemon, token: str, name: str, stream: Pattern, chunked: bool) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=300)
    length = {} if chunked else {"Content-Length": str(stream.size)}
    try:
        headers = {"X-Auth-Token": token, **length}
        connection.request("PUT", f"/api/files/{name}", stream, headers, encode_chunked=chunked)
        return connection.getresponse().status
    finally:
        connection.close()


def receive_hash(client: Client, name: str) -> str:
    received = hashlib.sha256()
    with client.get(f"/api/files/{name}", stream=True, timeout=300) as response:
        assert response.status_code == 200
        for piece in response.iter_content(MIB):
            received.update(piece)
    return received.hexdigest()


@pytest.mark.parametrize(
    "size", [pytest.param(300 * MIB, id="300 MiB"), pytest.param(5 * GIB, id="5 GiB", marks=pytest.mark.nightly)]
)
def test_a_big_file_passes_through_without_staying_in_memory(start: StartServer, size: int) -> None:
    daemon = start()
    client = token_client(daemon.url)
    token = client.headers["X-Auth-Token"]
    assert client.put_name("first.txt", b"the process has answered once").status_code == 204
    daemon.mark_memory()
    for name, chunked in (("with-length.bin", False), ("chunked.bin", True)):
        stream = Pattern(size, seed=len(name))
        assert send_stream(daemon, token, name, stream, chunked) == 204
        assert receive_hash(client, name) == stream.hash.hexdigest()
        assert client.delete(f"/api/files/{name}").status_code == 204
    growth = daemon.memory_growth()
    assert growth <= MEMORY_GROWTH, f"grew by {growth / MIB:.1f} MiB"
