"""nginx sends files of a local disk itself: what a client gets is the same, whoever sends it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from client import Client, new_member, token_client
from conftest import StartServer
from daemon import Daemon, free_port
from expect import digest
from nginx import Nginx

pytestmark = pytest.mark.stores("sqlite")

# Beyond what is answered from memory, and not compressed.
CONTENT = secrets.token_bytes(3_000_000)
SMALL = secrets.token_bytes(1_000)
# What says when, or by which way.
OWN = {"Date", "X-Request-ID", "Server", "Connection", "Keep-Alive", "Transfer-Encoding"}


@dataclass
class Fronts:
    """One server behind two nginx: one passes bytes on, the other sends them itself."""

    server: Daemon
    passing: Nginx
    sending: Nginx

    def both(self, client: Client, path: str, fields: Mapping[str, str]) -> list[requests.Response]:
        headers = {"Accept-Encoding": "identity", **client.headers, **fields}
        return [
            requests.get(f"http://127.0.0.1:{nginx.port}{path}", headers=headers, timeout=60)
            for nginx in (self.passing, self.sending)
        ]

    def sent(self) -> int:
        """How many files the second one has sent itself: requests that no answer of a node ended, by its log."""
        lines = (self.sending.directory / "access.log").read_text().splitlines()
        return sum(" 200 " in line or " 206 " in line for line in lines if "uri=/_blobs/" in line)


def replaced(server: Daemon) -> dict[str, str]:
    return {
        'X-Sendfile-Type "";': "X-Sendfile-Type X-Accel-Redirect;",
        "# include storaged/storaged-blobs.conf;": "include storaged/storaged-blobs.conf;",
        "alias /var/lib/storaged/$1;": f"alias {server.data}/$1;",
        # The log names the place that an answer came from in the end.
        "'id=$upstream_http_x_request_id'": "'id=$upstream_http_x_request_id uri=$uri'",
    }


@pytest.fixture
def fronts(start: StartServer, tmp_path: Path) -> Iterator[Fronts]:
    server = start(HTTP_TRUSTED_PROXIES="127.0.0.1", HTTP_ACCEL_REDIRECT="/_blobs/", HTTP_CORS_ORIGINS="https://a.example")
    with (
        Nginx(tmp_path / "passing", free_port(), server.ports) as passing,
        Nginx(tmp_path / "sending", free_port(), server.ports, replaced=replaced(server)) as sending,
    ):
        yield Fronts(server, passing, sending)


def same(answers: list[requests.Response]) -> requests.Response:
    """What both sent, which must be the same in every byte and field."""
    one, other = answers
    assert one.status_code == other.status_code
    assert one.content == other.content
    # Of parts nginx does not say that there may be others.
    own = OWN | {"Accept-Ranges"} if other.status_code == 206 else OWN
    fields = [{name: value for name, value in answer.headers.items() if name not in own} for answer in answers]
    assert fields[0] == fields[1]
    assert other.headers["X-Request-ID"] and "X-Accel-Redirect" not in other.headers
    return other


@pytest.mark.parametrize("path", ["/api/files/a.bin", "/api/v1/files/download?path=/a.bin"])
def test_a_whole_file_is_the_same_and_sent_by_nginx(fronts: Fronts, path: str) -> None:
    client = token_client(fronts.server.url)
    assert client.put_name("a.bin", CONTENT).status_code == 204
    answer = same(fronts.both(client, path, {"Origin": "https://a.example"}))
    assert answer.status_code == 200 and answer.content == CONTENT
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert fronts.sent() == 1


@pytest.mark.parametrize(
    ("value", "isOne"),
    [
        ("bytes=100-1999999", True),
        ("bytes=1000000-", True),
        ("bytes=-2000000", True),
        # So little is read at once.
        ("bytes=0-99", False),
        ("bytes=-1", False),
        ("bytes=2999999-9999999", False),
        ("bytes=0-0,5-9", False),
        ("bytes=0-9,", False),
        ("bytes=3000000-", False),
        ("bytes=9-0", False),
        ("items=0-9", False),
    ],
)
def test_a_part_is_the_same(fronts: Fronts, value: str, isOne: bool) -> None:
    client = token_client(fronts.server.url)
    client.put_name("a.bin", CONTENT)
    answers = fronts.both(client, "/api/files/a.bin", {"Range": value})
    if "," in value and answers[0].headers["Content-Type"].startswith("multipart/"):
        # Each answer draws a boundary of its own.
        for answer in answers:
            boundary = answer.headers["Content-Type"].partition("boundary=")[2]
            answer._content = answer.content.replace(boundary.encode(), b"B")
            answer.headers["Content-Type"] = "B"
    if answers[0].status_code == 416:
        assert [answer.status_code for answer in answers] == [416, 416]
    else:
        same(answers)
    assert fronts.sent() == isOne


def test_conditions_are_judged_by_the_server(fronts: Fronts) -> None:
    client = token_client(fronts.server.url)
    client.put_name("a.bin", CONTENT)
    tag = client.get("/api/files/a.bin").headers["ETag"]
    for fields, status in [
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
        ({"Range": "bytes=0-9", "If-Range": tag}, 206),
        ({"Range": "bytes=0-9", "If-Range": '"x"'}, 200),
    ]:
        answers = fronts.both(client, "/api/files/a.bin", fields)
        assert [answer.status_code for answer in answers] == [status, status], fields
        if status < 400:
            same(answers)


def test_head_small_files_and_gzip_come_from_the_server(fronts: Fronts) -> None:
    client = token_client(fronts.server.url)
    client.put_name("a.bin", CONTENT)
    client.put_name("small.bin", SMALL)
    client.put("/api/files/text.txt", data=b"word " * 100_000, headers={"Content-Type": "text/plain"})
    same(fronts.both(client, "/api/files/small.bin", {}))
    # The first one gets it as it is compressed, and no length.
    assert client.get("/api/files/text.txt", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    same(fronts.both(client, "/api/files/text.txt", {"Accept-Encoding": "gzip"}))
    url = f"http://127.0.0.1:{fronts.sending.port}/api/files/a.bin"
    head = requests.head(url, headers={**client.headers, "Accept-Encoding": "identity"}, timeout=30)
    assert head.status_code == 200 and head.headers["Content-Length"] == str(len(CONTENT))
    assert fronts.sent() == 0


def test_the_shared_space_and_published_files_are_sent_too(fronts: Fronts) -> None:
    member = new_member(fronts.server.url)
    record = member.client.stored("/docs/отчёт.bin", CONTENT)
    answer = same(fronts.both(member.client, f"/api/v1/files/download?path={record['id']}", {}))
    assert answer.content == CONTENT and "%D0%BE" in answer.headers["Content-Disposition"]
    assert fronts.sent() == 1


def test_no_client_gets_at_a_blob_without_the_server(fronts: Fronts) -> None:
    client = token_client(fronts.server.url)
    member = new_member(fronts.server.url)
    member.client.stored("/a.bin", CONTENT)
    name = digest(CONTENT)
    asked = {"X-Sendfile-Type": "X-Accel-Redirect", "X-Accel-Redirect": f"/_blobs/store/{name[:2]}/{name}"}
    for nginx in (fronts.passing, fronts.sending):
        for path in (f"/_blobs/store/{name[:2]}/{name}", "/_blobs/storaged.sqlite", "/_blobs/store/../storaged.sqlite"):
            answer = requests.get(f"http://127.0.0.1:{nginx.port}{path}", headers=asked, timeout=30)
            assert answer.status_code == 404
        stranger = requests.get(
            f"http://127.0.0.1:{nginx.port}/api/files/a.bin", headers={**client.headers, **asked}, timeout=30
        )
        assert stranger.status_code == 404
    # A field that a client writes does not pass the one that sends nothing by itself.
    answer = requests.get(
        f"http://127.0.0.1:{fronts.passing.port}/api/files/a.bin", headers={**member.client.headers, **asked}, timeout=30
    )
    assert answer.content == CONTENT
    assert os.stat(fronts.server.data).st_mode & 0o077 == 0
