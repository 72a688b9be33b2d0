"""Proxies in front: whom to believe, absolute URLs, the own origin, and the addresses in log and records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import requests

import expect
from client import Client, new_member, token_client
from daemon import Daemon
from lanes import direct
from stores import rows
from wire import Wire

StartServer = Callable[..., Daemon]
WaitUntil = Callable[[Callable[[], bool], float], None]

TRUSTED = "127.0.0.0/8, ::1"
CUSTOMARY = {
    "X-Forwarded-For": "198.51.100.1, 192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "files.example",
}
STANDARD = {"Forwarded": 'for=198.51.100.1, for="192.0.2.7:4711";proto=https;host=files.example'}
KINDS = pytest.mark.parametrize("fields", [CUSTOMARY, STANDARD], ids=["customary", "standard"])


def next_page(client: Client, fields: dict[str, str]) -> str:
    """The absolute URL of the second page of a list."""
    for name in ("a", "b"):
        client.put_name(name)
    answer = client.get("/api/files?limit=1", headers=fields)
    return str(answer.links["next"]["url"])


def request_in_log(server: Daemon, request_id: str, wait_until: WaitUntil) -> dict[str, object]:
    """The access log's record of a request; it is written when the answer has left, which may be after the client has it."""

    def found() -> list[dict[str, object]]:
        lines = server.log().split("\n")[:-1]
        records = [json.loads(line) for line in lines if request_id in line]
        return [record for record in records if record["message"] == "request"]

    wait_until(lambda: len(found()) > 0, 10)
    [record] = found()
    return record


@direct("nginx writes these fields itself")
@KINDS
def test_a_trusted_proxy_is_believed(start: StartServer, fields: dict[str, str], wait_until: WaitUntil) -> None:
    server = start(HTTP_TRUSTED_PROXIES=TRUSTED)
    client = token_client(server.url)
    assert next_page(client, fields).startswith("https://files.example/api/files?limit=1&cursor=")
    put = client.put("/api/files/c", data=b"x", headers={**fields, "Origin": "https://files.example"})
    assert put.status_code == 204
    foreign = client.put("/api/files/c", data=b"x", headers={**fields, "Origin": server.url})
    expect.problem(foreign, 403, "foreign_origin")
    assert request_in_log(server, put.headers["X-Request-ID"], wait_until)["address"] == "192.0.2.7"


@KINDS
@pytest.mark.parametrize("trusted", [None, "192.0.2.0/24"], ids=["nobody", "somebody else"])
def test_nobody_else_is(start: StartServer, fields: dict[str, str], trusted: str | None, wait_until: WaitUntil) -> None:
    server = start(**({"HTTP_TRUSTED_PROXIES": trusted} if trusted else {}))
    client = token_client(server.url)
    url = next_page(client, fields)
    assert url.startswith(server.url + "/api/files?")
    assert client.get(url.removeprefix(server.url)).json() == ["b"]
    answer = client.put("/api/files/c", data=b"x", headers={**fields, "Origin": "https://files.example"})
    expect.problem(answer, 403, "foreign_origin")
    assert request_in_log(server, answer.headers["X-Request-ID"], wait_until)["address"] == "127.0.0.1"


def test_a_client_cannot_write_the_kind_that_its_proxy_passes_on(start: StartServer, wait_until: WaitUntil) -> None:
    server = start(HTTP_TRUSTED_PROXIES=TRUSTED)
    client = token_client(server.url)
    fields = {**CUSTOMARY, "Forwarded": "for=127.0.0.1;host=evil.example"}
    answer = client.get("/api/files", headers=fields)
    assert request_in_log(server, answer.headers["X-Request-ID"], wait_until)["address"] == "127.0.0.1"
    assert not next_page(client, fields).startswith("https://evil.example")


def test_the_public_url_is_the_base_of_absolute_urls(start: StartServer) -> None:
    server = start(HTTP_PUBLIC_URL="https://public.example:8443/files/")
    client = token_client(server.url)
    assert next_page(client, {}).startswith("https://public.example:8443/files/api/files?limit=1&cursor=")
    put = client.put("/api/files/c", data=b"x", headers={"Origin": "https://public.example:8443"})
    assert put.status_code == 204


@direct("nginx writes these fields itself")
@pytest.mark.parametrize("trusted", [True, False])
def test_records_of_acts_name_the_client(start: StartServer, trusted: bool) -> None:
    server = start(**({"HTTP_TRUSTED_PROXIES": TRUSTED} if trusted else {}))
    member = new_member(server.url)
    sign_in = {"login": member.login, "password": member.password}
    answer = requests.post(server.url + "/api/v1/user/auth", json=sign_in, headers=CUSTOMARY, timeout=30)
    assert answer.status_code == 200
    acts = rows(server.data, "SELECT act, address FROM audit ORDER BY id")
    assert acts[0] == {"act": "register", "address": "127.0.0.1"}
    assert acts[-1] == {"act": "sign_in", "address": "192.0.2.7" if trusted else "127.0.0.1"}


WELL_FORMED = re.compile(r"<(https?://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)?/api/[^ <>]*>; rel=\"next\"")


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "a/b", "a:b", "a:b:c", "a:99999999", "user@a", "a?b", "a#b", "a<b>", 'a"b', "[::1", "::1", "é"],
)
@pytest.mark.parametrize("route", ["/api/files", "/api/v1/files"])
def test_a_host_that_is_none_is_in_no_url(server: Daemon, client: Client, host: str, route: str) -> None:
    for name in ("a", "b"):
        client.put_name(name)
    fields = f"Host: {host}\r\nX-Auth-Token: {client.headers['X-Auth-Token']}\r\n\r\n"
    with Wire(server.port) as wire:
        wire.send(f"GET {route}?limit=1 HTTP/1.1\r\n{fields}".encode())
        reply = wire.read_reply()
    if reply.status_code != 400:
        assert reply.status_code == 200
        assert WELL_FORMED.fullmatch(reply.headers["Link"]), reply.headers["Link"]


def test_an_empty_host_is_nobodys_origin(server: Daemon, client: Client) -> None:
    for origin in ("http://", "https://", "http:", "null"):
        fields = f"Host:\r\nOrigin: {origin}\r\nX-Auth-Token: {client.headers['X-Auth-Token']}\r\n"
        with Wire(server.port) as wire:
            wire.send(f"PUT /api/files/a HTTP/1.1\r\n{fields}Content-Length: 1\r\n\r\nx".encode())
            assert wire.read_reply().status_code in (400, 403), origin
    assert client.names() == []
