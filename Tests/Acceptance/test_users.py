"""Users of the hash dialect: registering, what administrators see, and the administrator made at a start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import expect
from client import Client, basic, new_login, new_member, new_password, sign_in
from conftest import StartServer, start_daemon
from daemon import Daemon
from lanes import direct
from wire import Part, form, form_type

USERS = "/api/users"
ADMIN = {"ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": "of all the words"}


def new_user() -> dict[str, str]:
    return {"email": f"{new_login()}@example.org", "password": new_password()}


def register(client: Client, encoding: str, fields: dict[str, str]) -> requests.Response:
    bodies = {
        "json": {"json": fields},
        "urlencoded": {"data": fields},
        "multipart": {
            "data": form(Part(name, value.encode()) for name, value in fields.items()),
            "headers": {"Content-Type": form_type()},
        },
    }
    return client.post(USERS, **bodies[encoding])


@pytest.fixture(scope="module")
def administered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server with an administrator."""
    daemon = start_daemon(tmp_path_factory.mktemp("administered"), **ADMIN)
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


@pytest.fixture
def administrator(administered: Daemon) -> Client:
    return Client(administered.url, {"Authorization": basic(*ADMIN.values())})


# Registering


@pytest.mark.parametrize("encoding", ["json", "urlencoded", "multipart"])
def test_a_user_registers_in_every_encoding(anonymous: Client, encoding: str) -> None:
    fields = new_user()
    answer = register(anonymous, encoding, fields)
    assert answer.status_code == 201, answer.text
    assert answer.json()["email"] == fields["email"] and answer.json()["id"] > 0
    assert answer.headers["Location"] == f"{USERS}/{answer.json()['id']}"
    assert sign_in(anonymous.url, *fields.values())
    expect.problem(register(anonymous, encoding, fields), 409)


@pytest.mark.parametrize("encoding", ["json", "urlencoded", "multipart"])
@pytest.mark.parametrize("mode", ["off", "admin"])
def test_nobody_registers_where_registration_is_closed(start: StartServer, mode: str, encoding: str) -> None:
    server = start(AUTH_REGISTRATION=mode, **ADMIN)
    fields = new_user()
    expect.problem(register(Client(server.url), encoding, fields), 403)
    expect.problem(Client(server.url).get(USERS, headers={"Authorization": basic(*fields.values())}), 401)
    administrator = Client(server.url, {"Authorization": basic(*ADMIN.values())})
    answer = register(administrator, encoding, fields)
    if mode == "off":
        expect.problem(answer, 403)
    else:
        assert answer.status_code == 201
        user = Client(server.url, {"Authorization": basic(*fields.values())})
        assert user.listing()["account"] == fields["email"]
        expect.problem(register(user, encoding, new_user()), 403)
    emails = [user["email"] for user in administrator.get(USERS).json()]
    assert emails == [ADMIN["ADMIN_EMAIL"], *([fields["email"]] if mode == "admin" else [])]


# What administrators see


@direct("behind a proxy nobody uploads without credentials")
def test_an_administrator_sees_every_user_and_nobody_else(administered: Daemon, administrator: Client) -> None:
    fields = new_user()
    made = register(Client(administered.url), "json", fields).json()
    member = new_member(administered.url)
    answer = administrator.get(USERS)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    listed = {user["email"]: user["id"] for user in answer.json()}
    assert listed[fields["email"]] == made["id"] and member.login in listed
    ids = [user["id"] for user in answer.json()]
    assert ids == sorted(set(ids))
    upload = requests.post(administered.url + "/http/upload", files={"file": b"x"}, timeout=30)
    assert upload.status_code == 200
    assert "public" not in [user["email"] for user in administrator.get(USERS).json()]
    for secret in (fields["password"], member.password, member.token, "scrypt"):
        assert secret not in answer.text
    head = administrator.head(USERS)
    assert head.status_code == 200 and head.content == b""


def test_an_administrator_sees_one_user(administered: Daemon, administrator: Client) -> None:
    fields = new_user()
    made = register(Client(administered.url), "json", fields)
    for url in (made.headers["Location"], made.headers["Location"] + "/"):
        user = administrator.get(url)
        assert user.status_code == 200
        assert user.json().items() >= {**made.json(), "role": "user"}.items()
        assert expect.TIME.match(user.json()["created_at"])
    assert administrator.head(made.headers["Location"]).status_code == 200
    own = next(user for user in administrator.get(USERS).json() if user["email"] == ADMIN["ADMIN_EMAIL"])
    assert administrator.get(f"{USERS}/{own['id']}").json()["role"] == "admin"
    for name in ("0", "-1", "999999999", "99999999999999999999", "x", fields["email"]):
        expect.problem(administrator.get(f"{USERS}/{name}"), 404)
    user = Client(administered.url, {"Authorization": basic(*fields.values())})
    for url in (USERS, made.headers["Location"]):
        expect.problem(user.get(url), 403)


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_pages_of_users_hold_every_user_once(administered: Daemon, administrator: Client, limit: int) -> None:
    for _ in range(3):
        assert register(Client(administered.url), "json", new_user()).status_code == 201
    whole = administrator.get(USERS).json()
    found: list[dict[str, object]] = []
    url: str | None = f"{administered.url}{USERS}?limit={limit}"
    while url:
        assert url.startswith(administered.url + USERS + "?"), "the link must be absolute"
        page = administrator.session.get(url, timeout=30)
        assert page.status_code == 200 and len(page.json()) <= limit
        found += page.json()
        url = page.links.get("next", {}).get("url")
        assert url is None or len(page.json()) == limit
    assert found == whole and len(whole) >= 4


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=2&cursor=!", "limit=2&cursor=-1"])
def test_a_page_of_users_that_is_none_is_a_bad_request(administrator: Client, query: str) -> None:
    expect.problem(administrator.get(f"{USERS}?{query}"), 400)


# The administrator of the configuration


def test_the_administrator_is_made_once_and_never_changed(start: StartServer) -> None:
    daemon = start(**ADMIN)
    administrator = Client(daemon.url, {"Authorization": basic(*ADMIN.values())})
    before = administrator.get(USERS).json()
    change = {"password": ADMIN["ADMIN_PASSWORD"], "new_password": "another phrase"}
    assert administrator.post("/api/v1/user/password", json=change).status_code == 204
    assert daemon.stop() == 0

    for password in (ADMIN["ADMIN_PASSWORD"], "a third phrase"):
        daemon = start(daemon.directory, ADMIN_EMAIL=ADMIN["ADMIN_EMAIL"], ADMIN_PASSWORD=password)
        changed = Client(daemon.url, {"Authorization": basic(ADMIN["ADMIN_EMAIL"], "another phrase")})
        assert changed.get(USERS).json() == before
        refused = Client(daemon.url, {"Authorization": basic(ADMIN["ADMIN_EMAIL"], password)})
        expect.problem(refused.get(USERS), 401)
        assert daemon.stop() == 0


def test_a_user_of_that_name_is_made_no_administrator(start: StartServer) -> None:
    daemon = start()
    fields = {"email": ADMIN["ADMIN_EMAIL"], "password": new_password()}
    assert register(Client(daemon.url), "json", fields).status_code == 201
    assert daemon.stop() == 0
    url = start(daemon.directory, **ADMIN).url
    user = Client(url, {"Authorization": basic(*fields.values())})
    assert user.listing()["account"] == fields["email"]
    expect.problem(user.get(USERS), 403)
    expect.problem(Client(url, {"Authorization": basic(*ADMIN.values())}).get(USERS), 401)
