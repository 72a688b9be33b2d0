"""Requests that no client sends by mistake: a clear 4xx, the process alive, nothing stored, exactly one answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blobs import blobs_of
from client import Client, new_member, new_token, token_client
from daemon import Daemon
from expect import digest
from lanes import direct
from wire import Wire, chunked, exchange, head, statuses

MIB = 1 << 20
WaitUntil = Callable[[Callable[[], bool], float], None]

TOO_MUCH: dict[str, bytes] = {
    "2,000 header lines": head("GET", "/api/files", [(f"X-{n}", "v") for n in range(2000)]),
    "100,000 header lines": head("GET", "/api/files", [(f"X-{n}", "v") for n in range(100_000)]),
    "100,000 equal header lines": head("GET", "/api/files", [("X-A", "v")] * 100_000),
    "a header line of 1 MiB": head("GET", "/api/files", [("X-A", "v" * MIB)]),
    "a header name of 1 MiB": head("GET", "/api/files", [("X" * MIB, "v")]),
    "a credential of 1 MiB": head("GET", "/api/files", [("Authorization", "Basic " + "QQ" * (MIB // 2))]),
    "a token of 1 MiB": head("GET", "/api/files", [("X-Auth-Token", "a" * MIB)]),
    "a boundary of 1 MiB": head(
        "POST", "/api/v1/files/upload", [("Content-Type", "multipart/form-data; boundary=" + "b" * MIB)]
    ),
    "a target of 1 MiB": head("GET", "/api/files/" + "a" * MIB),
    "a query of 1 MiB": head("GET", "/api/v1/files?prefix=" + "a" * MIB),
    "a method of 1 MiB": head("G" * MIB, "/api/files"),
    "a head that never ends": b"GET / HTTP/1.1\r\n" + b"a" * (4 * MIB),
}


@direct("what a client frames, nginx reads")
@pytest.mark.parametrize("payload", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_too_much_head_is_refused(server: Daemon, anonymous: Client, payload: bytes) -> None:
    answer = exchange(server.port, payload)
    assert statuses(answer) and statuses(answer)[0] in (400, 413, 414, 431), answer[:200]
    assert len(statuses(answer)) == 1
    assert anonymous.get("/healthz").status_code == 200


def test_floods_of_heads_do_not_grow_the_process(server: Daemon, anonymous: Client) -> None:
    exchange(server.port, TOO_MUCH["100,000 header lines"])
    server.mark_memory()
    for _ in range(20):
        for key in ("100,000 header lines", "a header line of 1 MiB", "a target of 1 MiB"):
            exchange(server.port, TOO_MUCH[key])
    growth = server.memory_growth()
    assert growth < 32 * MIB, f"grew by {growth / MIB:.1f} MiB"
    assert anonymous.get("/healthz").status_code == 200


TOKEN = ("X-Auth-Token", "{token}")
CHUNKED = ("Transfer-Encoding", "chunked")
NEXT = head("GET", "/healthz")


def put(headers: list[tuple[str, str]], body: bytes) -> bytes:
    return head("PUT", "/api/files/smuggled.txt", [TOKEN, *headers]) + body


AMBIGUOUS: dict[str, bytes] = {
    "length and chunked": put([("Content-Length", "5"), CHUNKED], b"0\r\n\r\n" + NEXT),
    "chunked and length": put([CHUNKED, ("Content-Length", "5")], b"0\r\n\r\n" + NEXT),
    "two lengths": put([("Content-Length", "5"), ("Content-Length", "6")], b"hello!" + NEXT),
    "two lengths in one line": put([("Content-Length", "5, 6")], b"hello!" + NEXT),
    "length with a plus": put([("Content-Length", "+5")], b"hello" + NEXT),
    "length with a minus": put([("Content-Length", "-5")], b"hello" + NEXT),
    "length in hexadecimal": put([("Content-Length", "0x5")], b"hello" + NEXT),
    "length with a fraction": put([("Content-Length", "5.0")], b"hello" + NEXT),
    "length that overflows": put([("Content-Length", "99999999999999999999999")], b"hello" + NEXT),
    "length of words": put([("Content-Length", "five")], b"hello" + NEXT),
    "unknown transfer coding": put([("Transfer-Encoding", "xchunked")], b"5\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunked is not last": put([("Transfer-Encoding", "chunked, gzip")], b"5\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunk size of words": put([CHUNKED], b"five\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunk size with a minus": put([CHUNKED], b"-5\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunk size with a prefix": put([CHUNKED], b"0x5\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunk size that overflows": put([CHUNKED], b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n" + NEXT),
    "chunk longer than its size": put([CHUNKED], b"3\r\nhello\r\n0\r\n\r\n" + NEXT),
    "malformed chunk in the middle": put([CHUNKED], b"5\r\nhello\r\n" * 1000 + b"zz\r\nhello\r\n0\r\n\r\n" + NEXT),
    "space before the colon": put([("Content-Length ", "5")], b"hello" + NEXT),
    "NUL in a header": put([("X-A", "a\0b"), ("Content-Length", "5")], b"hello" + NEXT),
    "bare CR in a header": put([("X-A", "a\rb: c"), ("Content-Length", "5")], b"hello" + NEXT),
    "no version": b"GET /healthz\r\n\r\n",
    "version 9": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n" + NEXT,
    "TLS on a plain port": bytes.fromhex("16030100a5010000a10303") + b"\x07" * 160 + b"\r\n\r\n",
    "binary noise": bytes(range(256)) * 16 + b"\r\n\r\n",
}


@direct("what a client frames, nginx reads")
@pytest.mark.parametrize("payload", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_ambiguous_framing_is_refused_once_and_the_connection_ends(
    server: Daemon, anonymous: Client, wait_until: WaitUntil, payload: bytes
) -> None:
    token = new_token()
    answer = exchange(server.port, payload.replace(b"{token}", token.encode()))
    assert len(statuses(answer)) == 1, f"not one answer: {answer[:500]!r}"
    assert 400 <= statuses(answer)[0] < 500 or statuses(answer)[0] in (501, 505), answer[:200]
    wait_until(lambda: server.staging_files() == 0, 30)
    assert token_client(server.url, token).names() == []
    assert anonymous.get("/healthz").status_code == 200


def test_bytes_beyond_the_length_are_the_next_request(server: Daemon) -> None:
    token = new_token()
    request = head("PUT", "/api/files/a.txt", [("X-Auth-Token", token), ("Content-Length", "5")])
    with Wire(server.port) as wire:
        wire.send(request + b"hello" + NEXT)
        assert wire.read_reply().status_code == 204
        assert wire.read_reply().status_code == 200
    assert token_client(server.url, token).get("/api/files/a.txt").content == b"hello"


def test_chunks_with_extensions_and_trailers(server: Daemon) -> None:
    token = new_token()
    request = head("PUT", "/api/files/a.txt", [("X-Auth-Token", token), CHUNKED])
    with Wire(server.port) as wire:
        wire.send(request + b"5;name=value\r\nhello\r\n0\r\nX-Trailer: yes\r\n\r\n" + NEXT)
        assert wire.read_reply().status_code == 204
        assert wire.read_reply().status_code == 200
    assert token_client(server.url, token).get("/api/files/a.txt").content == b"hello"


@direct("nginx passes no trailers on")
def test_endless_trailers_are_refused(server: Daemon, anonymous: Client) -> None:
    token = new_token()
    request = head("PUT", "/api/files/a.txt", [("X-Auth-Token", token), CHUNKED])
    trailers = b"".join(b"X-%d: v\r\n" % number for number in range(100_000))
    answer = exchange(server.port, request + chunked(b"hello")[:-2] + trailers + b"\r\n")
    assert len(statuses(answer)) <= 1
    assert not statuses(answer) or 400 <= statuses(answer)[0] < 500
    assert anonymous.get("/healthz").status_code == 200
    assert token_client(server.url, token).names() == []


def test_a_thousand_connections_that_say_nothing_harm_nobody(server: Daemon, anonymous: Client) -> None:
    silent = [Wire(server.port) for _ in range(500)]
    half = [Wire(server.port) for _ in range(500)]
    try:
        for wire in half:
            wire.send(b"GET /api/files HTTP/1.1\r\nHost: x\r\nX-A: ")
        assert anonymous.get("/healthz").status_code == 200
        client = token_client(server.url)
        assert client.put_name("a.txt", b"through").status_code == 204
        assert client.get("/api/files/a.txt").content == b"through"
    finally:
        for wire in [*silent, *half]:
            wire.close()


def test_clients_that_leave_during_a_download_release_everything(server: Daemon, wait_until: WaitUntil) -> None:
    client = token_client(server.url)
    content = bytes(MIB) * 8
    assert client.put_name("big.bin", content).status_code == 204
    blob = digest(content)

    def open_blobs() -> int:
        return sum(blob in target for target in server.open_files())

    for leave in (Wire.close, Wire.reset) * 5:
        wire = Wire(server.port)
        wire.send(head("GET", "/api/files/big.bin", list(client.headers.items())))
        assert wire.read_head().status_code == 200
        leave(wire)
    wait_until(lambda: open_blobs() == 0, 30)
    assert client.get("/api/files/big.bin").content == content


def twins() -> tuple[bytes, bytes]:
    """Two contents whose hashes begin with the same two digits."""
    seen: dict[str, bytes] = {}
    salt = new_token().encode()
    for number in range(1000):
        content = salt + b"%d" % number
        if (prefix := digest(content)[:2]) in seen:
            return seen[prefix], content
        seen[prefix] = content
    raise AssertionError("1,000 hashes without a common first byte")


@pytest.mark.parametrize("kind", ["token", "account"])
def test_of_two_files_whose_hashes_share_their_folder_one_is_deleted(server: Daemon, kind: str) -> None:
    client = token_client(server.url) if kind == "token" else new_member(server.url).client
    first, second = twins()
    client.stored("/first.bin", first)
    client.stored("/second.bin", second)
    assert client.remove("/first.bin").status_code == 204
    assert client.download("/second.bin").content == second
    assert [blob for blob in blobs_of(server.data) if blob.key.endswith(f"/{digest(second)[:2]}/{digest(second)}")]
    client.stored("/first.bin", first)
    assert client.download("/first.bin").content == first


def test_the_same_bytes_under_two_paths_and_owners_are_deleted_one_by_one(server: Daemon) -> None:
    content = b"shared " + new_token().encode()
    owners = [new_member(server.url).client, new_member(server.url).client, token_client(server.url)]
    for owner in owners:
        owner.stored("/one.bin", content)
        owner.stored("/two.bin", content)
    for owner in owners:
        assert owner.remove("/one.bin").status_code == 204
        assert owner.download("/two.bin").content == content
    assert owners[0].remove("/two.bin").status_code == 204
    assert owners[1].download("/two.bin").content == content
    assert owners[2].download("/two.bin").content == content
