"""What an account does with itself: another password, its sign-ins, its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import expect
from blobs import shared_blob
from client import Client, Member, basic, new_login, new_member, new_password, sign_in, token_client
from conftest import StartServer
from daemon import Daemon, run_command
from lanes import direct
from wire import Part, form, form_type

SESSIONS = "/api/v1/user/sessions"
PASSWORD = "/api/v1/user/password"
ACCOUNT = "/api/v1/user"

WaitUntil = Callable[[Callable[[], bool], float], None]
Encode = Callable[[dict[str, str]], dict[str, object]]

ENCODINGS: dict[str, Encode] = {
    "json": lambda fields: {"json": fields},
    "urlencoded": lambda fields: {"data": fields},
    "multipart": lambda fields: {
        "data": form(Part(name, value.encode()) for name, value in fields.items()),
        "headers": {"Content-Type": form_type()},
    },
}


def with_token(server: Daemon, member: Member) -> Client:
    """A further sign-in of the same account."""
    return Client(server.url, {"Authorization": f"Bearer {sign_in(server.url, member.login, member.password)}"})


def with_password(server: Daemon, member: Member) -> Client:
    return Client(server.url, {"Authorization": basic(member.login, member.password)})


def is_refused(client: Client) -> bool:
    """By two requests in a row, for two nodes."""
    return all(client.get("/api/v1/files").status_code == 401 for _ in range(2))


def sessions(client: Client) -> list[dict[str, object]]:
    answer = client.get(SESSIONS)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["sessions"])


# Another password


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["Bearer", "Basic"])
def test_a_new_password_replaces_the_old_one_and_ends_other_tokens(
    server: Daemon, member: Member, anonymous: Client, wait_until: WaitUntil, kind: str, encoding: str
) -> None:
    other = with_token(server, member)
    client = member.client if kind == "Bearer" else with_password(server, member)
    member.client.stored("/kept.txt", b"kept")
    new = new_password()
    answer = client.post(PASSWORD, **ENCODINGS[encoding]({"password": member.password, "new_password": new}))
    assert (answer.status_code, answer.content) == (204, b"")

    wait_until(lambda: is_refused(other), 2)
    wait_until(lambda: is_refused(with_password(server, member)), 2)
    expect.problem(anonymous.post("/api/v1/user/auth", json={"login": member.login, "password": member.password}), 401)
    if kind == "Bearer":
        assert member.client.download("/kept.txt").content == b"kept", "the token that asked for it stays"
    else:
        wait_until(lambda: is_refused(member.client), 2)
    member.password = new
    for renewed in (with_token(server, member), with_password(server, member)):
        assert renewed.download("/kept.txt").content == b"kept"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"password": "not the password", "new_password": "a fine phrase"}, 403, "password"),
        ({"password": "{password}", "new_password": "short"}, 422, "password"),
        ({"password": "{password}", "new_password": "password"}, 422, "password"),
        ({"password": "{password}"}, 422, "new_password"),
        ({"new_password": "a fine phrase"}, 422, "password"),
    ],
    ids=["wrong", "too short", "common", "no new one", "no present one"],
)
def test_a_refused_change_of_the_password_changes_nothing(
    server: Daemon, member: Member, body: dict[str, str], status: int, field: str
) -> None:
    other = with_token(server, member)
    filled = {name: value.replace("{password}", member.password) for name, value in body.items()}
    assert field in expect.problem(member.client.post(PASSWORD, json=filled), status)["detail"]
    assert not is_refused(other) and not is_refused(with_password(server, member))
    if new := body.get("new_password"):
        assert is_refused(Client(server.url, {"Authorization": basic(member.login, new)}))


# Sign-ins


def test_sign_ins_are_listed_without_their_tokens_and_ended_one_by_one(
    server: Daemon, member: Member, wait_until: WaitUntil
) -> None:
    others = [with_token(server, member) for _ in range(2)]
    listed = sessions(member.client)
    assert len(listed) == 3 and len({session["id"] for session in listed}) == 3
    assert [session["is_current"] for session in listed].count(True) == 1
    for session in listed:
        assert expect.TIME.match(str(session["created_at"])) and expect.TIME.match(str(session["expires_at"]))
    answer = member.client.get(SESSIONS)
    assert "no-store" in answer.headers["Cache-Control"]
    for client in (member.client, *others):
        assert client.headers["Authorization"].split()[1] not in answer.text

    (current,) = [session["id"] for session in sessions(others[0]) if session["is_current"]]
    ended = member.client.delete(f"{SESSIONS}/{current}")
    assert (ended.status_code, ended.content) == (204, b"")
    wait_until(lambda: is_refused(others[0]), 2)
    assert not is_refused(others[1]) and not is_refused(member.client)
    assert {session["id"] for session in sessions(member.client)} == {s["id"] for s in listed} - {current}
    expect.problem(member.client.delete(f"{SESSIONS}/{current}"), 404)


def test_a_slash_behind_a_sign_in_does_not_matter(server: Daemon, member: Member, wait_until: WaitUntil) -> None:
    other = with_token(server, member)
    assert sessions(member.client) == member.client.get(SESSIONS + "/").json()["sessions"]
    (current,) = [session["id"] for session in sessions(other) if session["is_current"]]
    assert member.client.delete(f"{SESSIONS}/{current}/").status_code == 204
    wait_until(lambda: is_refused(other), 2)


def test_the_own_sign_in_can_be_ended_and_the_password_lists_all(
    server: Daemon, member: Member, wait_until: WaitUntil
) -> None:
    by_password = with_password(server, member)
    (session,) = sessions(by_password)
    assert session["is_current"] is False
    assert member.client.delete(f"{SESSIONS}/{session['id']}").status_code == 204
    wait_until(lambda: is_refused(member.client), 2)
    assert sessions(by_password) == []
    assert member.client.post("/api/v1/user/logout").status_code == 401


@direct("nginx refuses some of these targets itself")
def test_sign_ins_of_others_do_not_exist(server: Daemon, member: Member) -> None:
    intruder = new_member(server.url)
    (session,) = sessions(member.client)
    token = token_client(server.url)
    assert token.put_name("a.txt").status_code == 204
    unknown = expect.problem(intruder.client.delete(f"{SESSIONS}/{'0' * 8}-0000-7000-8000-{'0' * 12}"), 404)
    for client in (intruder.client, with_password(server, intruder), token):
        found = expect.problem(client.delete(f"{SESSIONS}/{session['id']}"), 404)
        assert expect.without_request_id(found) == expect.without_request_id(unknown)
        assert session["id"] not in [one["id"] for one in sessions(client)]
    for name in ("x", "..%2f..", "%00", member.token):
        expect.problem(intruder.client.raw("DELETE", f"{SESSIONS}/{name}"), 404)
    assert not is_refused(member.client)


# The end of an account


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["Bearer", "Basic"])
def test_an_account_ends_with_all_that_it_had(
    server: Daemon, anonymous: Client, wait_until: WaitUntil, kind: str, encoding: str
) -> None:
    member, neighbour = new_member(server.url), new_member(server.url)
    other = with_token(server, member)
    same, own = new_login().encode(), new_login().encode()
    for owner in (member, neighbour):
        assert owner.client.post("/api/files", files={"file": (f"{owner.login}.txt", same)}).status_code == 200
        assert owner.client.put_name("same.txt", same).status_code == 204
    assert member.client.post("/api/files", data=own).status_code == 200
    uid = member.client.post("/http/upload", files={"file": ("a.txt", own)}).json()["uid"]
    record = member.client.listing()["files"][0]

    client = member.client if kind == "Bearer" else with_password(server, member)
    answer = client.delete(ACCOUNT, **ENCODINGS[encoding]({"password": member.password}))
    assert (answer.status_code, answer.content) == (204, b"")
    for ended in (member.client, other, with_password(server, member)):
        wait_until(lambda ended=ended: is_refused(ended), 2)
        for method, target in (("GET", f"/api/v1/files/download?path={record['id']}"), ("PUT", "/api/files/late")):
            expect.problem(ended.request(method, target), 401)
    for url in (f"/api/files?hash={expect.digest(own)}", f"/http/load/{uid}", f"/stream/load/{uid}"):
        expect.problem(anonymous.get(url), 404)
    left = anonymous.get(f"/api/files/by-hash/{expect.digest(same)}")
    assert left.content == same and neighbour.login in left.headers["Content-Disposition"]
    assert neighbour.client.get("/api/files/same.txt").content == same

    fields = {"login": member.login, "password": new_password()}
    assert anonymous.post("/api/v1/user/register", json=fields).status_code == 201, "the login is free again"
    again = Client(server.url, {"Authorization": basic(*fields.values())})
    assert again.paths(folder="/") == [] and sessions(again) == []
    expect.problem(again.download(record["id"]), 404)


def test_the_bytes_of_an_ended_account_are_collected(start: StartServer) -> None:
    daemon = start()
    member, neighbour = new_member(daemon.url), new_member(daemon.url)
    for owner in (member, neighbour):
        assert owner.client.post("/api/files", data=b"same").status_code == 200
    assert member.client.put_name("own.txt", b"own").status_code == 204
    same, own = (shared_blob(daemon.data, expect.digest(content)) for content in (b"same", b"own"))
    assert same.exists() and own.exists()
    assert member.client.delete(ACCOUNT, json={"password": member.password}).status_code == 204
    result = run_command("gc", "--grace", "0", directory=daemon.directory, DATA_DIRECTORY=str(daemon.data))
    assert result.returncode == 0, result.stderr
    assert not own.exists()
    assert same.read() == b"same" and neighbour.client.paths() == [f"/by-hash/{expect.digest(b'same')}"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({"password": "not the password"}, 403), ({}, 422), ({"password": ""}, 403), ({"password": 7}, 422)],
    ids=["wrong", "missing", "empty", "a number"],
)
def test_an_account_ends_only_with_its_password(member: Member, body: dict[str, object], status: int) -> None:
    member.client.stored("/kept.txt", b"kept")
    assert "password" in expect.problem(member.client.delete(ACCOUNT, json=body), status)["detail"]
    assert member.client.delete(ACCOUNT).status_code in (400, 422)
    assert member.client.download("/kept.txt").content == b"kept"


def test_a_container_token_has_no_password(client: Client) -> None:
    assert sessions(client) == []
    client.put_name("kept.txt", b"kept")
    assert client.headers["X-Auth-Token"] not in client.get(SESSIONS).text
    expect.problem(client.delete(ACCOUNT, json={"password": "whatever it is"}), 403)
    expect.problem(client.post(PASSWORD, json={"password": "whatever", "new_password": new_password()}), 403)
    assert client.get("/api/files/kept.txt").content == b"kept"
