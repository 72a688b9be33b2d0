"""Registration, sign-in, sign-out and ping of the accounts-and-paths dialect."""

from __future__ import annotations

import secrets
import string
import unicodedata
from collections.abc import Callable

import pytest

import expect
from client import Client, Member, basic, new_login, new_password, new_token, token_client
from conftest import StartServer
from daemon import Daemon
from lanes import on_disk
from stores import REDIS
from wire import Part, form, form_type

REGISTER = "/api/v1/user/register"
AUTH = "/api/v1/user/auth"


def register(client: Client, login: str, password: str, member: str = "login") -> int:
    return client.post(REGISTER, json={member: login, "password": password}).status_code


@pytest.mark.parametrize("member", ["login", "username", "email"])
@pytest.mark.parametrize("encoding", ["json", "urlencoded", "multipart"])
def test_registers_with_every_member_name_in_every_encoding(anonymous: Client, member: str, encoding: str) -> None:
    login = new_login() + ("@example.org" if member == "email" else "")
    fields = {member: login, "password": new_password()}
    bodies = {
        "json": {"json": fields},
        "urlencoded": {"data": fields},
        "multipart": {
            "data": form(Part(name, value.encode()) for name, value in fields.items()),
            "headers": {"Content-Type": form_type()},
        },
    }
    response = anonymous.post(REGISTER, **bodies[encoding])
    assert response.status_code == 201, response.text
    body = response.json()
    assert expect.is_uuid(body["id"])
    assert body["login"] == body["username"] == login
    assert anonymous.post(AUTH, **bodies[encoding]).status_code == 200


def test_a_taken_login_is_a_conflict_and_keeps_its_password(anonymous: Client) -> None:
    login, password = new_login(), new_password()
    assert register(anonymous, login, password) == 201
    other = new_password()
    expect.problem(anonymous.post(REGISTER, json={"login": login, "password": other}), 409)
    assert anonymous.post(AUTH, json={"login": login, "password": password}).status_code == 200
    expect.problem(anonymous.post(AUTH, json={"login": login, "password": other}), 401)


@pytest.mark.parametrize(
    ("login", "password", "field"),
    [
        pytest.param("", None, "login", id="empty login"),
        pytest.param("a" * 256, None, "login", id="login of 256 bytes"),
        pytest.param("ж" * 128, None, "login", id="login of 128 characters but 256 bytes"),
        pytest.param("with:colon", None, "login", id="colon"),
        pytest.param("line\nbreak", None, "login", id="line break"),
        pytest.param("carriage\r\nreturn", None, "login", id="CR LF"),
        pytest.param("nul\0", None, "login", id="NUL"),
        pytest.param("delete\x7f", None, "login", id="DEL"),
        pytest.param("public", None, "login", id="the built-in account"),
        pytest.param(None, "", "password", id="empty password"),
        pytest.param(None, "1234567", "password", id="7 bytes"),
        pytest.param(None, "x" * 1025, "password", id="1,025 bytes"),
        pytest.param(None, "password", "password", id="a common password"),
        pytest.param(None, "12345678", "password", id="another common password"),
    ],
)
def test_an_unacceptable_registration_names_its_field(
    anonymous: Client, login: str | None, password: str | None, field: str
) -> None:
    body = {
        "login": new_login() if login is None else login,
        "password": new_password() if password is None else password,
    }
    answer = expect.problem(anonymous.post(REGISTER, json=body), 422)
    assert field in answer["detail"]


@pytest.mark.parametrize("email", ["a\0b", "a\nb", "a\x7fb", "a" * 256], ids=["NUL", "line break", "DEL", "256 bytes"])
@pytest.mark.parametrize("encoding", ["json", "data"])
def test_an_unacceptable_email_is_named(anonymous: Client, encoding: str, email: str) -> None:
    body = {"login": new_login(), "password": new_password(), "email": email}
    answer = expect.problem(anonymous.post(REGISTER, **{encoding: body}), 422)
    assert answer["detail"].startswith("email:")
    assert register(anonymous, body["login"], body["password"]) == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "a good long one"}, "login"),
        ({"login": "somebody"}, "password"),
        ({"login": 7, "password": "a good long one"}, "login"),
        ({"login": "somebody", "password": ["a good long one"]}, "password"),
        ({"login": None, "password": "a good long one"}, "login"),
    ],
)
@pytest.mark.parametrize("route", [REGISTER, AUTH])
def test_a_missing_or_mistyped_member_is_named(
    anonymous: Client, route: str, body: dict[str, object], field: str
) -> None:
    assert field in expect.problem(anonymous.post(route, json=body), 422)["detail"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"login": "x", }', b"{'login': 'x'}", b'{"login": "\xff"}', b"nonsense", b"[" * 8000 + b"]" * 8000],
    ids=["empty", "cut off", "trailing comma", "single quotes", "invalid UTF-8", "text", "nested 8,000 deep"],
)
@pytest.mark.parametrize("route", [REGISTER, AUTH])
def test_malformed_json_is_a_bad_request(anonymous: Client, route: str, body: bytes) -> None:
    expect.problem(anonymous.post(route, data=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("route", [REGISTER, AUTH])
def test_an_endless_json_body_is_too_large(anonymous: Client, route: str) -> None:
    body = b'{"login": "' + b"x" * 200_000 + b'"}'
    expect.problem(anonymous.post(route, data=body, headers={"Content-Type": "application/json"}), 413)


def test_unknown_members_are_ignored(anonymous: Client) -> None:
    body = {"login": new_login(), "password": new_password(), "first_name": "Anna", "tags": [{"a": 1}]}
    assert anonymous.post(REGISTER, json=body).status_code == 201


@pytest.mark.parametrize("length", [1, 255])
def test_logins_of_the_shortest_and_longest_length(anonymous: Client, length: int) -> None:
    for _ in range(20):
        login = "".join(secrets.choice(string.ascii_letters) for _ in range(length))
        if (status := register(anonymous, login, new_password())) != 409:
            break
    assert status == 201


@pytest.mark.parametrize("password", ["x7Kq!2pZ", "длинный пароль", "pass:with:colons", "Ф" * 512])
def test_passwords_are_any_bytes_from_8_to_1024(server: Daemon, anonymous: Client, password: str) -> None:
    login = new_login()
    assert register(anonymous, login, password) == 201
    assert anonymous.post(AUTH, json={"login": login, "password": password}).status_code == 200
    assert Client(server.url, {"Authorization": basic(login, password)}).get("/api/v1/files").status_code == 200


def test_logins_and_passwords_are_compared_byte_by_byte(anonymous: Client) -> None:
    login, password = new_login() + "é", new_password() + "é"
    decomposed = unicodedata.normalize("NFD", login)
    assert register(anonymous, login, password) == 201
    assert register(anonymous, decomposed, password) == 201
    assert register(anonymous, login.upper(), password) == 201
    wrong = {"login": login, "password": unicodedata.normalize("NFD", password)}
    expect.problem(anonymous.post(AUTH, json=wrong), 401)


def test_registration_can_be_closed(start: StartServer) -> None:
    closed = Client(start(AUTH_REGISTRATION="off").url)
    expect.problem(closed.post(REGISTER, json={"login": new_login(), "password": new_password()}), 403)


def test_sign_in_answers_for_both_kinds_of_client(anonymous: Client, member: Member) -> None:
    body = anonymous.post(AUTH, json={"login": member.login, "password": member.password}).json()
    assert body["token"] == body["access_token"] and len(body["token"]) >= 32
    assert body["token_type"] == "bearer"
    assert isinstance(body["expires_in"], int) and body["expires_in"] > 0
    assert body["token"] != member.token


def test_sign_in_takes_an_oauth2_password_form(server: Daemon, anonymous: Client, member: Member) -> None:
    fields = {
        "grant_type": "password",
        "username": member.login,
        "password": member.password,
        "scope": "",
        "client_id": "",
        "client_secret": "",
    }
    token = anonymous.post(AUTH, data=fields).json()["access_token"]
    signed_in = Client(server.url, {"Authorization": f"Bearer {token}"})
    assert signed_in.listing()["account"] == member.login


def test_a_wrong_password_and_an_unknown_login_answer_alike(anonymous: Client, member: Member) -> None:
    wrong = anonymous.post(AUTH, json={"login": member.login, "password": new_password()})
    unknown = anonymous.post(AUTH, json={"login": new_login(), "password": new_password()})
    answers = [expect.without_request_id(expect.problem(response, 401)) for response in (wrong, unknown)]
    assert answers[0] == answers[1]


def test_a_signed_out_token_is_refused_everywhere_within_a_second(
    server: Daemon, anonymous: Client, member: Member, wait_until: Callable[[Callable[[], bool], float], None]
) -> None:
    body = anonymous.post(AUTH, json={"login": member.login, "password": member.password}).json()
    leaving = Client(server.url, {"Authorization": f"Bearer {body['token']}"})
    assert leaving.get("/api/v1/files").status_code == 200
    response = leaving.post("/api/v1/user/logout")
    assert (response.status_code, response.content) == (204, b"")
    # Two requests in a row, for two nodes.
    wait_until(lambda: all(leaving.get("/api/v1/files").status_code == 401 for _ in range(2)), 1.0)
    for method, path in [("GET", "/api/files"), ("PUT", "/api/files/late.txt"), ("POST", "/api/v1/user/logout")]:
        expect.problem(leaving.request(method, path, data=b"" if method == "PUT" else None), 401)
    assert member.client.get("/api/v1/files").status_code == 200, "another token of the account must go on working"


def test_signing_out_needs_a_token(anonymous: Client) -> None:
    expect.problem(anonymous.post("/api/v1/user/logout"), 401)


def test_ping_tells_the_round_trips_without_credentials(anonymous: Client) -> None:
    response = anonymous.get("/api/v1/files/ping")
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"db", "storage"} | ({"cache"} if REDIS else set()), "services that are not configured are left out"
    assert all(isinstance(value, (int, float)) and 0 <= value < 10_000 for value in body.values())


@on_disk
@pytest.mark.parametrize("fault", ["moved away", "a file in its place"])
def test_ping_tells_that_the_store_is_down(start: StartServer, fault: str) -> None:
    daemon = start()
    client = Client(daemon.url)
    store, aside = daemon.data / "store", daemon.data / "aside"
    store.rename(aside)
    if fault == "a file in its place":
        store.write_bytes(b"")
    down = client.get("/api/v1/files/ping")
    assert down.status_code == 503, down.text
    assert down.json()["storage"] is None and down.json()["db"] >= 0
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    store.unlink(missing_ok=True)
    aside.rename(store)
    again = client.get("/api/v1/files/ping")
    assert again.status_code == 200 and again.json()["storage"] >= 0
    assert client.get("/readyz").status_code == 200


def test_routes_that_need_no_credentials_ignore_wrong_ones(server: Daemon) -> None:
    for authorization in ("Bearer nonsense", "Basic bm9ib2R5OndoYXRldmVy"):
        wrong = Client(server.url, {"Authorization": authorization})
        assert wrong.get("/api/v1/files/ping").status_code == 200
        assert register(wrong, new_login(), new_password()) == 201


def test_the_listing_names_the_account(server: Daemon, member: Member) -> None:
    body = member.client.listing()
    assert body["account"] == member.login
    assert expect.is_uuid(body["account_id"])
    assert body["files"] == []


def test_a_token_has_no_login_and_no_account_before_its_first_write(server: Daemon) -> None:
    client = token_client(server.url, new_token())
    assert client.listing() == {"account": None, "account_id": None, "files": []}
    client.stored("/first.txt")
    body = client.listing()
    assert body["account"] is None and expect.is_uuid(body["account_id"])
