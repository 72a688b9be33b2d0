"""Uploads without credentials: on, off, or by where they come from."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import requests

import expect
from client import Client, new_member
from commands import stored_blobs
from conftest import StartServer, start_daemon
from daemon import Daemon
from lanes import direct
from ways import WAYS, Way, by_name

UPLOADS = ["/http/upload", "/stream/upload"]
UID_WAYS = [way for way in WAYS if way.is_uid]
PROXIED = {"X-Forwarded-For": "198.51.100.7"}
# What proxies of many makes add.
FORWARDING = {
    "Forwarded": "for=127.0.0.1",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "localhost",
    "X-Real-IP": "127.0.0.1",
    "Via": "1.1 proxy",
}


def uid_of(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["uid"] if "json" in answer.headers["Content-Type"] else answer.text.split()[-1]


@pytest.fixture(scope="module", params=["on", "off", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mode: str) -> Iterator[Daemon]:
    """A server that takes uploads without credentials by that mode."""
    daemon = start_daemon(tmp_path_factory.mktemp(mode), ANONYMOUS_UPLOADS=mode)
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


@direct("nginx is a proxy: nobody behind it is at this machine")
@pytest.mark.parametrize("url", UPLOADS)
@pytest.mark.parametrize("fields", [{}, *({name: value} for name, value in FORWARDING.items())], ids=str)
def test_who_may_upload_without_credentials(
    server: Daemon, anonymous: Client, mode: str, url: str, fields: dict[str, str]
) -> None:
    content = secrets.token_bytes(20)
    answer = anonymous.post(url, files={"file": ("a.txt", content)}, headers=fields)
    if mode == "on" or (mode == "auto" and not fields):
        for route in ("/http/load/", "/stream/load/"):
            loaded = anonymous.get(route + uid_of(answer), headers=fields)
            assert loaded.content == content, "to anybody, wherever from"
    else:
        expect.problem(answer, 401, "unauthenticated")
        assert len(answer.raw.headers.getlist("WWW-Authenticate")) == 2


@pytest.mark.parametrize("url", UPLOADS)
def test_credentials_count_in_every_mode(server: Daemon, url: str) -> None:
    member = new_member(server.url)
    uid = uid_of(member.client.post(url, files={"file": ("a.txt", b"mine")}, headers=PROXIED))
    assert member.client.names() == [f"txt_files/{uid}.txt"]
    for headers in ({"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"X-Auth-Token": "x"}):
        wrong = Client(server.url, headers)
        expect.problem(wrong.post(url, files={"file": ("a.txt", b"x")}), 401)


@pytest.mark.parametrize("way", UID_WAYS, ids=by_name(UID_WAYS))
def test_a_refused_upload_leaves_nothing(start: StartServer, way: Way) -> None:
    daemon = start(ANONYMOUS_UPLOADS="off")
    expect.problem(way.send(Client(daemon.url), b"x" * 100_000), 401)
    assert daemon.staging_files() == 0
    assert stored_blobs(daemon) == 0


@direct("nginx is a proxy: nobody behind it is at this machine")
def test_a_trusted_proxy_on_this_machine_is_still_a_proxy(start: StartServer) -> None:
    server = start(HTTP_TRUSTED_PROXIES="127.0.0.0/8")
    client = Client(server.url)
    for name, value in FORWARDING.items():
        expect.problem(client.post(UPLOADS[0], files={"file": b"x"}, headers={name: value}), 401)
    assert client.post(UPLOADS[0], files={"file": b"x"}).status_code == 200


def test_what_nobody_owns_nobody_lists_or_deletes(start: StartServer) -> None:
    server = start(ANONYMOUS_UPLOADS="on")
    client, member = Client(server.url), new_member(server.url)
    uid = uid_of(client.post(UPLOADS[0], files={"file": ("a.txt", b"everybody's")}))
    name = f"txt_files/{uid}.txt"
    for method, url in (
        ("GET", "/api/v1/files"),
        ("GET", f"/api/v1/files/download?path=/{name}"),
        ("GET", f"/api/files/{name}"),
        ("DELETE", f"/api/files/{name}"),
        ("DELETE", f"/api/v1/files?path=/{name}"),
    ):
        expect.problem(client.request(method, url), 401)
    assert member.client.names() == []
    expect.problem(member.client.delete(f"/api/files/{name}"), 404)
    expect.problem(client.delete(f"/http/load/{uid}"), 405)
    assert client.get(f"/http/load/{uid}").content == b"everybody's"
