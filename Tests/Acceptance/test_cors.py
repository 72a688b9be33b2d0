"""Pages of other origins: what a browser asks before, what it may read after, and what it may never do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import expect
from client import Client, new_member, token_client
from daemon import Daemon

APP = "https://app.example"
EVIL = "https://evil.example"

StartServer = Callable[..., Daemon]


def preflight(client: Client, path: str, origin: str, method: str = "PUT") -> dict[str, str]:
    """What a browser is told before it sends a request with credentials of the page's own."""
    answer = client.request(
        "OPTIONS",
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,x-auth-token",
        },
    )
    assert answer.status_code == 204
    return {name.lower(): value for name, value in answer.headers.items()}


def names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


def test_an_allowed_page_uses_the_api(start: StartServer) -> None:
    server = start(HTTP_CORS_ORIGINS=f"{APP}, http://localhost:5173")
    client = token_client(server.url)
    told = preflight(client, "/api/files/a.txt", APP)
    assert told["access-control-allow-origin"] == APP
    assert {"put", "get", "delete"} <= names(told["access-control-allow-methods"])
    assert {"authorization", "x-auth-token", "content-type", "if-match", "range"} <= names(
        told["access-control-allow-headers"]
    )
    assert "origin" in names(told["vary"])
    assert "access-control-allow-credentials" not in told

    page = {"Origin": APP, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    put = client.put("/api/files/a.txt", data=b"hello", headers=page)
    assert put.status_code == 204 and put.headers["Access-Control-Allow-Origin"] == APP
    exposed = names(put.headers["Access-Control-Expose-Headers"])
    assert {"etag", "repr-digest", "location", "link", "content-range", "x-request-id"} <= exposed
    part = client.get("/api/files/a.txt", headers={**page, "Range": "bytes=0-1"})
    assert (part.content, part.headers["Access-Control-Allow-Origin"]) == (b"he", APP)
    assert {"authorization", "x-auth-token", "origin"} <= names(part.headers["Vary"])
    missing = client.get("/api/files/nothing", headers=page)
    expect.problem(missing, 404)
    assert missing.headers["Access-Control-Allow-Origin"] == APP


def test_other_pages_stay_out(start: StartServer) -> None:
    client = token_client(start(HTTP_CORS_ORIGINS=APP).url)
    told = preflight(client, "/api/files/a.txt", EVIL)
    assert not any(name.startswith("access-control-") for name in told)
    answer = client.put("/api/files/a.txt", data=b"x", headers={"Origin": EVIL})
    expect.problem(answer, 403, "foreign_origin")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.names() == []
    # A cache must not give one page the answer to another.
    assert "origin" in names(client.get("/api/files").headers["Vary"])


def test_every_origin_may_be_allowed_but_no_form(start: StartServer) -> None:
    server = start(HTTP_CORS_ORIGINS="*")
    member = new_member(server.url)
    page = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    put = member.client.put("/api/files/a", data=b"x", headers=page)
    assert put.status_code == 204 and put.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in put.headers
    form = {**page, "Sec-Fetch-Mode": "navigate"}
    expect.problem(member.client.put("/api/files/b", data=b"x", headers=form), 403, "foreign_origin")


@pytest.mark.parametrize("origin", [APP, "null"])
def test_nothing_is_allowed_by_default(client: Client, origin: str) -> None:
    told = preflight(client, "/api/files/a.txt", origin)
    assert not any(name.startswith("access-control-") for name in told)
    expect.problem(client.put("/api/files/a.txt", data=b"x", headers={"Origin": origin}), 403, "foreign_origin")
