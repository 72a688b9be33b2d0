"""Which credentials are let in where: one matrix for every route that needs a principal."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable

import pytest

import expect
from client import Client, Member, basic, new_member, new_password, new_token
from conftest import StartServer
from daemon import Daemon, run_command
from wire import Part, Reply, form, form_type

FILE = form([Part("file", b"x", "x.txt")])
# Every route that needs a principal, with a body where it takes one. `{id}` and `{path}` are filled in where needed.
PROTECTED = [
    ("GET", "/api/v1/files", None),
    ("HEAD", "/api/v1/files", None),
    ("DELETE", "/api/v1/files?path=/x", None),
    ("POST", "/api/v1/files/upload?path=/x.bin", b"x"),
    ("GET", "/api/v1/files/download?path=/x", None),
    ("HEAD", "/api/v1/files/download?path=/x", None),
    ("POST", "/api/v1/folders", b'{"path": "/x"}'),
    ("POST", "/api/v1/files/move", b'{"from": "/x", "to": "/y"}'),
    ("POST", "/api/v1/files/copy", b'{"from": "/x", "to": "/y"}'),
    ("GET", "/api/files", None),
    ("PUT", "/api/files/x", b"x"),
    ("GET", "/api/files/x", None),
    ("HEAD", "/api/files/x", None),
    ("DELETE", "/api/files/x", None),
    ("DELETE", "/api/files/by-hash/" + "0" * 64, None),
    ("POST", "/api/v1/user/logout", b""),
    ("POST", "/api/v1/user/password", b'{"password": "x", "new_password": "y"}'),
    ("GET", "/api/v1/user/sessions", None),
    ("HEAD", "/api/v1/user/sessions", None),
    ("DELETE", "/api/v1/user/sessions/x", None),
    ("DELETE", "/api/v1/user", b'{"password": "x"}'),
    ("GET", "/api/users", None),
    ("HEAD", "/api/users", None),
    ("GET", "/api/users/1", None),
    ("POST", "/http/upload", FILE),
    ("POST", "/stream/upload", FILE),
]
# The same, where a container token selects another dialect, which does not know the method.
HASH_ONLY = [
    ("POST", "/api/files", b"x"),
    ("POST", "/api/files", FILE),
    ("DELETE", "/api/files?hash=" + "0" * 64, None),
    ("DELETE", "/api/files", b'{"file_hash": "x"}'),
]
PROTECTED_IDS = [f"{method} {target.partition('?')[0]}" for method, target, _ in PROTECTED]

Call = Callable[..., Reply]


@pytest.fixture(params=PROTECTED, ids=PROTECTED_IDS)
def call(request: pytest.FixtureRequest, anonymous: Client) -> Call:
    """Calls one protected route with the given header lines."""
    method, target, body = request.param

    return lambda *headers: send(anonymous, method, target, body, *headers)


@pytest.fixture(params=HASH_ONLY, ids=lambda row: f"{row[0]} {row[1].partition('?')[0]}")
def hash_call(request: pytest.FixtureRequest, anonymous: Client) -> Call:
    """The same for the routes of the hash dialect alone."""
    method, target, body = request.param
    return lambda *headers: send(anonymous, method, target, body, *headers)


def send(client: Client, method: str, target: str, body: bytes | None, *headers: tuple[str, str]) -> Reply:
    kinds = {b"{": "application/json", b"-": form_type()}
    kind = [("Content-Type", kinds[body[:1]])] if body and body[:1] in kinds else []
    # Uploads by uid need no principal on this machine, but through a proxy they do.
    proxy = [("X-Real-IP", "192.0.2.1")] if target.endswith("/upload") else []
    reply = client.raw(method, target, [*headers, *kind, *proxy], body)
    if method == "HEAD":
        assert reply.content == b""
    return reply


def refused(reply: Reply, *statuses: int) -> None:
    """A refusal of one of those statuses; a 401 invites both schemes. (An answer to HEAD has no body to look at.)"""
    assert reply.status_code in statuses, (reply.status_code, reply.content)
    if reply.content:
        expect.problem(reply, reply.status_code)
    if reply.status_code == 401:
        challenges = sorted(reply.headers.get_all("WWW-Authenticate", []))
        assert len(challenges) == 2, challenges
        assert challenges[0].startswith("Basic ")
        assert 'realm="storaged"' in challenges[0] and 'charset="UTF-8"' in challenges[0]
        assert challenges[1].startswith("Bearer")


def test_no_credentials_are_refused(call: Call) -> None:
    refused(call(), 401)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("Authorization", "Bearer " + "A" * 43)], id="unknown bearer token"),
        pytest.param([("Authorization", "Basic " + b64encode(b"nobody:nothing here").decode())], id="unknown login"),
        pytest.param([("X-Auth-Token", "not-a-uuid")], id="malformed token"),
    ],
)
def test_wrong_credentials_are_refused(call: Call, headers: list[tuple[str, str]]) -> None:
    refused(call(*headers), 401)


def test_two_kinds_or_a_repeated_header_are_a_bad_request(call: Call) -> None:
    token, uuid, login = (
        ("Authorization", "Bearer x"),
        ("X-Auth-Token", new_token()),
        ("Authorization", basic("a", "b")),
    )
    for headers in ([token, uuid], [uuid, login], [token, login], [token, token], [login, login], [uuid, uuid]):
        refused(call(*headers), 400)


def test_the_hash_dialect_takes_accounts_only(hash_call: Call) -> None:
    refused(hash_call(), 401)
    for header in ("Bearer " + "A" * 43, basic("nobody", "nothing here")):
        refused(hash_call(("Authorization", header)), 401)
    for header in ("Bearer x", basic("a", "b")):
        refused(hash_call(("Authorization", header), ("Authorization", header)), 400)
        refused(hash_call(("Authorization", header), ("X-Auth-Token", new_token())), 400, 405)
    refused(hash_call(("X-Auth-Token", new_token())), 405)
    refused(hash_call(("X-Auth-Token", "x")), 401, 405)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Basic", "basic", "X-Auth-Token"])
def test_each_kind_opens_every_route(server: Daemon, member: Member, scheme: str) -> None:
    headers = {
        "bearer": {"Authorization": f"{scheme} {member.token}"},
        "basic": {"Authorization": scheme + basic(member.login, member.password)[5:]},
        "x-auth-token": {"X-Auth-Token": new_token()},
    }
    client = Client(server.url, headers[scheme.lower()])
    assert client.listing()["files"] == []
    record = client.stored("/docs/a.txt", b"one")
    assert client.download("/docs/a.txt").content == b"one"
    assert client.head("/api/v1/files/download?path=" + record["id"]).status_code == 200
    assert client.make_folder("/empty").status_code == 201
    assert client.copy("/docs/a.txt", "/docs/b.txt").status_code == 200
    assert client.move("/docs/b.txt", "/docs/c.txt").status_code == 200
    assert client.put_name("d.txt", b"two").status_code == 204
    assert client.get("/api/files/d.txt").content == b"two"
    assert client.names() == ["d.txt", "docs/a.txt", "docs/c.txt"]
    assert client.delete("/api/files/d.txt").status_code == 204
    assert client.remove("/docs/c.txt").status_code == 204
    assert client.paths() == ["/docs/a.txt"]


def test_one_account_is_the_same_principal_by_basic_and_bearer(server: Daemon, member: Member) -> None:
    member.client.stored("/mine.txt", b"mine")
    by_password = Client(server.url, {"Authorization": basic(member.login, member.password)})
    assert by_password.download("/mine.txt").content == b"mine"
    assert by_password.listing() == member.client.listing()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b":").decode(),
        "Basic " + b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + b64encode(b"a\0b:password").decode(),
        "Basic YTpi=",
        "Bearer",
        "Bearer ",
        "Bearer two words",
        "Bearer \xff",
        "Bearer " + "x" * 4000,
        "Digest username=x",
        "Negotiate abc",
        "nonsense",
    ],
)
def test_malformed_authorization_is_refused_and_harms_nothing(anonymous: Client, value: str) -> None:
    refused(anonymous.raw("GET", "/api/v1/files", [("Authorization", value)]), 400, 401)


def test_a_wrong_password_and_an_unknown_login_look_alike_by_basic(anonymous: Client, member: Member) -> None:
    wrong = anonymous.raw("GET", "/api/v1/files", [("Authorization", basic(member.login, new_password()))])
    unknown = anonymous.raw("GET", "/api/v1/files", [("Authorization", basic("nobody-" + member.login, "whatever"))])
    answers = [expect.without_request_id(expect.problem(reply, 401)) for reply in (wrong, unknown)]
    assert answers[0] == answers[1]


def test_a_disabled_account_looks_like_an_unknown_one(start: StartServer) -> None:
    daemon = start()
    member, client = new_member(daemon.url), Client(daemon.url)
    member.client.stored("/kept.txt", b"kept")
    by_password = ("Authorization", basic(member.login, member.password))

    def answers(login: str, password: str) -> list[str]:
        signing_in = client.post("/api/v1/user/auth", json={"login": login, "password": password})
        listing = client.raw("GET", "/api/v1/files", [("Authorization", basic(login, password))])
        found = [expect.without_request_id(expect.problem(reply, 401)) for reply in (signing_in, listing)]
        challenges = listing.headers.get_all("WWW-Authenticate", [])
        assert signing_in.raw.headers.getlist("WWW-Authenticate") == challenges
        return [str(found), str(challenges)]

    def change(action: str) -> None:
        place = {"DATA_DIRECTORY": str(daemon.data)}
        assert run_command("user", action, member.login, directory=daemon.directory, **place).returncode == 0

    unknown = answers("nobody at all", member.password)
    assert answers(member.login, "not the password") == unknown
    change("disable")
    deadline = time.monotonic() + 5
    while client.raw("GET", "/api/v1/files", [by_password]).status_code != 401:
        assert time.monotonic() < deadline, "a credential may be remembered for a second"
    assert answers(member.login, member.password) == unknown
    assert answers(member.login, "not the password") == unknown
    token = expect.problem(member.client.get("/api/v1/files"), 401)
    stray = expect.problem(client.get("/api/v1/files", headers={"Authorization": "Bearer " + "A" * 43}), 401)
    assert expect.without_request_id(token) == expect.without_request_id(stray)
    change("enable")
    while client.raw("GET", "/api/v1/files", [by_password]).status_code != 200:
        assert time.monotonic() < deadline + 5
    assert member.client.download("/kept.txt").content == b"kept"


def test_a_login_in_cyrillic_works_by_basic(server: Daemon, anonymous: Client) -> None:
    login, password = "Анна-" + new_token(), "пароль:" + new_password()
    assert anonymous.post("/api/v1/user/register", json={"login": login, "password": password}).status_code == 201
    client = Client(server.url, {"Authorization": basic(login, password)})
    assert client.listing()["account"] == login
