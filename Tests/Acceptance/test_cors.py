"""Pages of other origins: what a browser asks before, what it may read after, and what it may never do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import expect
from client import Client, Member, basic, new_login, new_member, new_password, token_client
from conftest import start_daemon
from daemon import Daemon
from ways import WAYS, Way, by_name

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


# Every change, whatever the browser says


CROSS_SITE = [
    pytest.param({"Origin": EVIL}, id="origin"),
    pytest.param({"Origin": "null"}, id="opaque origin"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site without an origin"),
    pytest.param({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, id="image or form"),
    pytest.param({"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, id="script"),
]


@pytest.mark.parametrize("page", CROSS_SITE)
@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
def test_a_foreign_page_uploads_nothing(account: Client, way: Way, page: dict[str, str]) -> None:
    expect.problem(way.send(account, b"x", page), 403, "foreign_origin")
    assert account.paths(folder="/") == []


@pytest.mark.parametrize("page", CROSS_SITE)
@pytest.mark.parametrize("url", ["/http/upload", "/stream/upload"])
def test_a_foreign_page_uploads_nothing_in_the_name_of_this_machine(
    anonymous: Client, page: dict[str, str], url: str
) -> None:
    expect.problem(anonymous.post(url, files={"file": ("a.txt", b"x")}, headers=page), 403, "foreign_origin")


@pytest.mark.parametrize("page", CROSS_SITE)
def test_a_foreign_page_changes_nothing_and_reads_what_it_may(member: Member, page: dict[str, str]) -> None:
    client = member.client
    digest = client.post("/api/files", data=b"published by " + member.login.encode()).json()["hash"]
    client.stored("/a.txt", b"kept")
    (session,) = client.get("/api/v1/user/sessions").json()["sessions"]
    change = {"password": member.password, "new_password": "another phrase"}
    fields = {"login": new_login(), "password": new_password()}
    for method, target, body in (
        ("DELETE", "/api/files/a.txt", None),
        ("DELETE", "/api/v1/files?path=/a.txt", None),
        ("DELETE", f"/api/files?hash={digest}", None),
        ("DELETE", f"/api/files/by-hash/{digest}", None),
        ("POST", "/api/v1/files/move", {"from": "/a.txt", "to": "/b.txt"}),
        ("POST", "/api/v1/files/copy", {"from": "/a.txt", "to": "/b.txt"}),
        ("POST", "/api/v1/folders", {"path": "/folder"}),
        ("POST", "/api/v1/user/logout", None),
        ("POST", "/api/v1/user/password", change),
        ("DELETE", "/api/v1/user", {"password": member.password}),
        ("DELETE", f"/api/v1/user/sessions/{session['id']}", None),
        ("POST", "/api/v1/user/register", fields),
        ("POST", "/api/v1/user/auth", {"login": member.login, "password": member.password}),
        ("POST", "/api/users", {"email": fields["login"], "password": fields["password"]}),
    ):
        answer = client.request(method, target, json=body, headers=page)
        expect.problem(answer, 403, "foreign_origin")
    assert client.paths(folder="/") == ["/a.txt", "/by-hash"]
    assert len(client.get("/api/v1/user/sessions", headers=page).json()["sessions"]) == 1
    assert client.get(f"/api/files?hash={digest}", headers=page).status_code == 200
    unknown = Client(client.url, {"Authorization": basic(*fields.values())})
    expect.problem(unknown.get("/api/v1/files"), 401)


@pytest.fixture(scope="module")
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that every page may use."""
    daemon = start_daemon(tmp_path_factory.mktemp("open"), HTTP_CORS_ORIGINS="*")
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


MODES = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
]


@pytest.mark.parametrize("page", MODES, ids=["no mode", "opaque, no mode", "script"])
@pytest.mark.parametrize("kind", ["Bearer", "X-Auth-Token", "Basic"])
def test_where_every_page_may_write_a_password_that_a_browser_keeps_is_not_enough(
    open_to_all: Daemon, page: dict[str, str], kind: str
) -> None:
    member = new_member(open_to_all.url)
    client = {
        "Bearer": member.client,
        "X-Auth-Token": token_client(open_to_all.url),
        "Basic": Client(open_to_all.url, {"Authorization": basic(member.login, member.password)}),
    }[kind]
    answer = client.put("/api/files/a", data=b"x", headers=page)
    if kind == "Basic":
        expect.problem(answer, 403, "foreign_origin")
        assert client.names() == []
    else:
        assert answer.status_code == 204 and answer.headers["Access-Control-Allow-Origin"] == "*"
        assert client.get("/api/files/a").content == b"x"
    assert client.get("/api/files", headers=page).status_code == 200


@pytest.mark.parametrize("mode", ["navigate", "no-cors", "same-origin", "websocket"])
@pytest.mark.parametrize("way", [way for way in WAYS if not way.is_chunked], ids=lambda way: way.name)
def test_where_every_page_may_write_a_form_that_navigates_does_not(open_to_all: Daemon, way: Way, mode: str) -> None:
    page = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    client = Client(open_to_all.url) if way.is_uid else token_client(open_to_all.url)
    if way.is_hash:
        client = Client(open_to_all.url, {"Authorization": basic("somebody", "a password")})
    expect.problem(way.send(client, b"x", page), 403, "foreign_origin")
