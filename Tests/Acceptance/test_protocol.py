"""What holds for every route: HEAD, OPTIONS, 405, trailing slashes, unknown routes, problem answers, request ids."""

from __future__ import annotations

import re
import secrets

import pytest

import expect
from client import Client, Member, basic, new_login, new_password
from daemon import Daemon
from wire import Wire, head

# Every route of this server with the methods it must allow.
ROUTES: dict[str, set[str]] = {
    "/api/v1/files/ping": {"GET", "HEAD"},
    "/api/v1/user/register": {"POST"},
    "/api/v1/user/auth": {"POST"},
    "/api/v1/user/logout": {"POST"},
    "/api/v1/files": {"GET", "HEAD", "DELETE"},
    "/api/v1/files/upload": {"POST"},
    "/api/v1/files/download": {"GET", "HEAD"},
    "/api/v1/folders": {"POST"},
    "/api/v1/files/move": {"POST"},
    "/api/v1/files/copy": {"POST"},
    "/api/v1/user": {"DELETE"},
    "/api/v1/user/password": {"POST"},
    "/api/v1/user/sessions": {"GET", "HEAD"},
    "/api/v1/user/sessions/x": {"DELETE"},
    "/api/users": {"GET", "HEAD", "POST"},
    "/api/users/1": {"GET", "HEAD"},
    "/http/upload": {"POST"},
    "/stream/upload": {"POST"},
    "/http/load/x": {"GET", "HEAD"},
    "/stream/load/x": {"GET", "HEAD"},
    "/api/files": {"GET", "HEAD"},
    "/api/files/a.txt": {"GET", "HEAD", "PUT", "DELETE"},
    "/healthz": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
}


def allowed(header: str) -> set[str]:
    return {method.strip() for method in header.split(",")}


@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_method_is_405_and_names_the_right_ones(client: Client, route: str) -> None:
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - ROUTES[route]:
        if (method, route) in {("POST", "/api/v1/files"), ("DELETE", "/api/files"), ("POST", "/api/files")}:
            continue  # other dialects may have a meaning for these
        response = client.request(method, route)
        expect.problem(response, 405)
        assert allowed(response.headers["Allow"]) >= ROUTES[route]
        assert method not in allowed(response.headers["Allow"])


def test_a_container_takes_no_post(client: Client) -> None:
    response = client.post("/api/files", data=b"x")
    expect.problem(response, 405)
    assert "GET" in allowed(response.headers["Allow"])


@pytest.mark.parametrize("route", ROUTES)
def test_options_are_answered_without_credentials(anonymous: Client, route: str) -> None:
    response = anonymous.request("OPTIONS", route)
    assert response.status_code in (200, 204), response.text
    assert allowed(response.headers["Allow"]) >= ROUTES[route] | {"OPTIONS"}


# Those that answer a container token with something.
READABLE = [
    route for route, methods in ROUTES.items() if "HEAD" in methods and "/users" not in route and "/load/" not in route
]


@pytest.mark.parametrize("route", [route for route, methods in ROUTES.items() if "HEAD" in methods])
def test_head_tells_the_same_status(client: Client, member: Member, route: str) -> None:
    for principal in (client, member.client):
        assert principal.raw("HEAD", route).status_code == principal.get(route).status_code


def test_the_hash_dialect_allows_its_methods_without_a_container_token(anonymous: Client) -> None:
    for route, methods in {"/api/files": {"GET", "POST", "DELETE"}, "/api/files/by-hash/x": {"GET", "DELETE"}}.items():
        for headers in ({}, {"Authorization": "Bearer x"}):
            answer = anonymous.request("OPTIONS", route, headers=headers)
            assert allowed(answer.headers["Allow"]) >= methods | {"HEAD", "OPTIONS"}
            refused = anonymous.request("PATCH", route, headers=headers)
            expect.problem(refused, 405)
            assert allowed(refused.headers["Allow"]) >= methods | {"HEAD", "OPTIONS"}
    refused = anonymous.put("/api/files", data=b"x")
    expect.problem(refused, 405)


@pytest.mark.parametrize("route", READABLE)
def test_head_wherever_get_is(client: Client, route: str) -> None:
    client.put_name("a.txt", b"content")
    target = route + ("?path=/a.txt" if route.endswith("/download") else "")
    got, headed = client.get(target), client.raw("HEAD", target)
    assert headed.status_code == got.status_code == 200
    assert headed.content == b""
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]


def test_head_of_an_error_has_no_body_and_the_connection_goes_on(server: Daemon) -> None:
    with Wire(server.port) as wire:
        wire.send(head("HEAD", "/api/v1/files") + head("GET", "/healthz"))
        assert wire.read_reply("HEAD").status_code == 401
        assert wire.read_reply().status_code == 200


@pytest.mark.parametrize(
    "target", ["/nope", "/api", "/api/v1", "/api/v1/nope", "/api/v2/files", "/api/v1/files/nope", "/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_route_is_a_problem_404(client: Client, method: str, target: str) -> None:
    reply = client.raw(method, target, body=b"" if method in ("POST", "PUT") else None)
    expect.problem(reply, 404 if target != "/%00" else reply.status_code)
    assert reply.status_code in (400, 404)


def test_an_unknown_route_needs_no_credentials(anonymous: Client) -> None:
    expect.problem(anonymous.get("/nope"), 404)


def test_a_trailing_slash_never_matters(client: Client) -> None:
    response = client.post("/api/v1/files/upload/?path=/docs/a.txt", data=b"slashed")
    assert response.status_code == 201, "a request with a body is never redirected"
    record = response.json()
    assert client.get("/api/v1/files/").json() == client.get("/api/v1/files").json()
    assert client.get("/api/v1/files/download/?path=/docs/a.txt").content == b"slashed"
    assert client.get("/api/v1/files/ping/").status_code == 200
    assert client.get("/api/files/").json() == ["docs/a.txt"]
    assert client.post("/api/v1/folders/", json={"path": "/new"}).status_code == 201
    assert client.post("/api/v1/files/move/", json={"from": record["id"], "to": "/b.txt"}).status_code == 200
    assert client.delete("/api/v1/files/?path=/b.txt").status_code == 204
    assert client.get("/healthz/").status_code == 200


def test_a_trailing_slash_matters_for_no_account(server: Daemon, anonymous: Client) -> None:
    fields = {"login": new_login(), "password": new_password()}
    assert anonymous.post("/api/v1/user/register/", json=fields).status_code == 201
    made = anonymous.post("/api/users/", json={"email": new_login(), "password": new_password()})
    assert made.status_code == 201
    token = anonymous.post("/api/v1/user/auth/", json=fields).json()["token"]
    client = Client(server.url, {"Authorization": f"Bearer {token}"})
    expect.problem(client.get("/api/users/"), 403)
    expect.problem(client.get(made.headers["Location"] + "/"), 403)
    assert len(client.get("/api/v1/user/sessions/").json()["sessions"]) == 1
    change = {"password": fields["password"], "new_password": new_password()}
    assert client.post("/api/v1/user/password/", json=change).status_code == 204
    assert client.post("/api/v1/user/logout/").status_code == 204
    by_password = Client(server.url, {"Authorization": basic(fields["login"], change["new_password"])})
    ended = by_password.delete("/api/v1/user/", json={"password": change["new_password"]})
    assert ended.status_code == 204
    expect.problem(anonymous.post("/api/v1/user/auth/", json={**fields, "password": change["new_password"]}), 401)


def test_a_trailing_slash_matters_for_nothing_published(member: Member, anonymous: Client) -> None:
    client = member.client
    content = secrets.token_bytes(20)
    digest = client.post("/api/files/", data=content).json()["hash"]
    for url in (f"/api/files/?hash={digest}", f"/api/files/by-hash/{digest}/"):
        assert anonymous.get(url).content == content
    assert client.delete(f"/api/files/by-hash/{digest}/").status_code == 204
    assert client.post("/api/files/", files={"file": ("a.txt", content)}).status_code == 200
    assert client.delete(f"/api/files/?hash={digest}").status_code == 200
    assert client.names() == []
    uids = [client.post("/http/upload/", files={"file": ("a.txt", content)}).json()["uid"]]
    uids += [client.post("/stream/upload/", files={"file": ("a.txt", content)}).text.split()[-1]]
    for uid in uids:
        for route in ("/http/load/", "/stream/load/"):
            assert anonymous.get(f"{route}{uid}/").content == content
    copy = {"from": client.paths()[0], "to": "/copy.txt"}
    assert client.post("/api/v1/files/copy/", json=copy).status_code == 200
    assert client.get("/api/files/copy.txt").content == content


def test_a_request_id_of_the_client_is_kept_in_answers_and_problems(client: Client) -> None:
    for request_id in ("abc-123", "0af7651916cd43dd8448eb211c80319c", "f47ac10b-58cc-4372-a567-0e02b2c3d479"):
        headers = {"X-Request-ID": request_id}
        assert client.get("/api/v1/files", headers=headers).headers["X-Request-ID"] == request_id
        body = expect.problem(client.get("/nope", headers=headers), 404)
        assert body["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["x" * 5000, "", "a\tb", "\xff\xfe"], ids=["long", "empty", "tab", "not ASCII"])
def test_a_request_id_that_is_not_sane_is_replaced(anonymous: Client, request_id: str) -> None:
    reply = anonymous.raw("GET", "/nope", [("X-Request-ID", request_id)])
    expect.problem(reply, 404)
    assert reply.headers["X-Request-ID"] != request_id
    assert re.fullmatch(r"[A-Za-z0-9._:/+=-]{8,128}", reply.headers["X-Request-ID"])


def test_every_answer_has_a_request_id_of_its_own(client: Client) -> None:
    client.put_name("a.txt")
    routes = ["/api/v1/files", "/api/files", "/api/files/a.txt", "/healthz", "/nope", "/api/v1/files/ping"]
    ids = [client.get(route).headers["X-Request-ID"] for route in routes]
    assert len(set(ids)) == len(ids)


def test_a_traceparent_disturbs_nothing(client: Client) -> None:
    for value in ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense", "00-" + "0" * 32 + "-1-01"):
        assert client.get("/api/v1/files", headers={"traceparent": value}).status_code == 200


def test_json_answers_are_typed(client: Client) -> None:
    for route in ("/api/v1/files", "/api/files", "/api/v1/files/ping"):
        assert client.get(route).headers["Content-Type"].split(";")[0] == "application/json"


def test_health_shows_nothing_but_the_state(anonymous: Client) -> None:
    for route in ("/healthz", "/readyz"):
        response = anonymous.get(route)
        assert response.status_code == 200
        assert len(response.content) < 200 and b"/" not in response.content


def test_pipelined_requests_are_answered_in_order(server: Daemon, client: Client) -> None:
    client.put_name("a.txt", b"first")
    client.put_name("b.txt", b"second")
    headers = list(client.headers.items())
    with Wire(server.port) as wire:
        wire.send(head("GET", "/api/files/a.txt", headers) + head("GET", "/api/files/b.txt", headers))
        assert [wire.read_reply().content, wire.read_reply().content] == [b"first", b"second"]


def test_an_answer_says_nothing_of_the_inside(client: Client) -> None:
    targets = [
        "/api/v1/files/download?path=/x'",
        "/api/v1/files?limit=x",
        "/api/files/%00",
        "/nope",
        "/api/v1/files?cursor=!",
    ]
    for target in targets:
        text = client.raw("GET", target).content.decode().lower()
        for word in ("sqlite", "select ", "/data", "swift", ".swift", "fatal", "grdb", "store/"):
            assert word not in text, (target, text)
