"""One principal never reaches another's files: what it may not see answers exactly like what does not exist."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import expect
from client import Client, Member, new_member, token_client
from daemon import Daemon

CONTENT = b"not yours"

# Every route that takes a file or folder of the principal: method, target, JSON body. {it} is an id, path or name.
ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/api/v1/files/download?path={it}", None),
    ("HEAD", "/api/v1/files/download?path={it}", None),
    ("DELETE", "/api/v1/files?path={it}", None),
    ("DELETE", "/api/v1/files?path={it}&recursive=true", None),
    ("POST", "/api/v1/files/move", {"from": "{it}", "to": "/stolen.txt"}),
    ("POST", "/api/v1/files/copy", {"from": "{it}", "to": "/stolen.txt"}),
    ("POST", "/api/v1/files/copy", {"from": "{it}", "to": "/stolen.txt", "overwrite": True}),
    ("GET", f"/api/v1/files/download?path={{it}}&rev={uuid.uuid4()}", None),
    ("POST", "/api/v1/files/revisions", {"path": "{it}"}),
    ("POST", "/api/v1/files/revisions/restore", {"path": "{it}", "rev_id": str(uuid.uuid4())}),
    ("GET", "/api/files/{it}", None),
    ("HEAD", "/api/files/{it}", None),
    ("DELETE", "/api/files/{it}", None),
]
# Every route that anybody may call, with what is no hash and no uid of a published file.
PUBLIC: list[tuple[str, str, dict[str, Any] | None]] = [
    (method, target, None)
    for method in ("GET", "HEAD")
    for target in (
        "/api/files?hash={it}",
        "/api/files?file_hash={it}",
        "/api/files/by-hash/{it}",
        "/http/load/{it}",
        "/http/load/{it}.txt",
        "/stream/load/{it}",
    )
]
# Every route of the hash dialect that deletes what the principal published.
UNPUBLISH: list[tuple[str, str, dict[str, Any] | None]] = [
    ("DELETE", "/api/files?hash={it}", None),
    ("DELETE", "/api/files?file_hash={it}", None),
    ("DELETE", "/api/files/by-hash/{it}", None),
]


def call(client: Client, route: tuple[str, str, dict[str, Any] | None], it: str) -> Any:
    method, target, body = route
    name = it.lstrip("/") if target.startswith("/api/files/") else it
    filled = {key: value.replace("{it}", name) if key in ("from", "path") else value for key, value in (body or {}).items()}
    return client.request(method, target.replace("{it}", name), json=filled or None)


@pytest.fixture(params=["token", "account"])
def owner(request: pytest.FixtureRequest, server: Daemon) -> Client:
    return token_client(server.url) if request.param == "token" else new_member(server.url).client


@pytest.fixture(params=["other token", "other account"])
def intruder(request: pytest.FixtureRequest, server: Daemon) -> Client:
    return token_client(server.url) if request.param == "other token" else new_member(server.url).client


@pytest.fixture
def victim(owner: Client) -> Iterator[dict[str, Any]]:
    """A file of the owner, which must be untouched at the end."""
    uploaded = owner.upload("/private/a.txt", CONTENT, "a.txt")
    record: dict[str, Any] = uploaded.json()
    yield record
    response = owner.download(record["id"])
    assert response.content == CONTENT
    assert response.headers["ETag"] == uploaded.headers["ETag"]
    assert owner.listing()["files"] == [record]


def test_ids_and_paths_of_others_do_not_exist_on_any_route(
    owner: Client, intruder: Client, victim: dict[str, Any]
) -> None:
    folder = owner.make_folder("/private").json()
    unknown = str(uuid.uuid4())
    for route in ROUTES:
        for it in (victim["id"], folder["id"], victim["path"], folder["path"]):
            response, nothing = call(intruder, route, it), call(intruder, route, unknown)
            assert response.status_code == nothing.status_code == 404, (route, it, response.status_code)
            if route[0] != "HEAD":
                answers = [expect.without_request_id(expect.problem(answer, 404)) for answer in (response, nothing)]
                assert str(answers[0]).replace(it, "") == str(answers[1]).replace(unknown, ""), route
    assert intruder.paths() == [] and intruder.names() == []


def test_private_files_are_on_no_public_route(
    anonymous: Client, member: Member, owner: Client, victim: dict[str, Any]
) -> None:
    assert member.client.put_name("same.txt", CONTENT).status_code == 204
    unknown = {"hash": "0" * 64, "id": str(uuid.uuid4())}
    for reader, routes in ((anonymous, PUBLIC), (member.client, PUBLIC + UNPUBLISH)):
        for route in routes:
            for name in ("hash", "id"):
                response, nothing = call(reader, route, victim[name]), call(reader, route, unknown[name])
                assert response.status_code == nothing.status_code == 404, (route, name, response.status_code)
                if route[0] != "HEAD":
                    answers = [expect.without_request_id(expect.problem(answer, 404)) for answer in (response, nothing)]
                    assert str(answers[0]) == str(answers[1]), route
    assert member.client.get("/api/files/same.txt").content == CONTENT


def test_others_never_delete_what_is_published(anonymous: Client, member: Member, server: Daemon) -> None:
    publisher = new_member(server.url)
    content = secrets.token_bytes(30)
    digest = publisher.client.post("/api/files", data=content).json()["hash"]
    uid = publisher.client.post("/http/upload", files={"file": ("a.txt", content)}).json()["uid"]
    for route in UNPUBLISH:
        expect.problem(call(member.client, route, digest), 403, "forbidden")
        expect.problem(call(anonymous, route, digest), 401)
        expect.problem(call(member.client, route, uid), 404)
    for route in ROUTES:
        for it in (f"/by-hash/{digest}", f"/txt_files/{uid}.txt"):
            is_public = route[1] == "/api/files/{it}" and it.startswith("/by-hash/")
            expected = ({"DELETE": 403}.get(route[0], 200)) if is_public else 404
            assert call(member.client, route, it).status_code == expected, (route, it)
    assert anonymous.get(f"/api/files?hash={digest}").content == content
    assert anonymous.get(f"/http/load/{uid}").content == content
    assert len(publisher.client.names()) == 2


def test_sign_ins_of_others_are_not_ended(member: Member, intruder: Client) -> None:
    (session,) = member.client.get("/api/v1/user/sessions").json()["sessions"]
    route = ("DELETE", "/api/v1/user/sessions/{it}", None)
    answers = [call(intruder, route, it) for it in (session["id"], str(uuid.uuid4()))]
    bodies = [expect.without_request_id(expect.problem(answer, 404)) for answer in answers]
    assert bodies[0] == bodies[1]
    assert member.client.paths() == []


def test_the_same_path_is_another_file(owner: Client, intruder: Client, victim: dict[str, Any]) -> None:
    own = intruder.upload(victim["path"], b"my own", "a.txt")
    assert own.status_code == 201 and own.json()["id"] != victim["id"]
    assert intruder.put_name("private/b.txt", CONTENT).status_code == 204
    assert intruder.download(victim["path"]).content == b"my own"
    assert intruder.remove("/private", recursive="true").status_code == 204


def test_conditions_and_ids_as_names_reveal_nothing(owner: Client, intruder: Client, victim: dict[str, Any]) -> None:
    etag = owner.download(victim["id"]).headers["ETag"]
    for headers in ({"If-None-Match": etag}, {"If-Match": etag}, {"Range": "bytes=0-1"}):
        expect.problem(intruder.download(victim["id"], headers=headers), 404)
    expect.problem(intruder.put("/api/files/private/a.txt", data=b"x", headers={"If-Match": etag}), 412)


def test_strangers_without_credentials_are_sent_away(anonymous: Client, owner: Client, victim: dict[str, Any]) -> None:
    for route in ROUTES:
        for it in (victim["id"], victim["path"]):
            response = call(anonymous, route, it)
            assert response.status_code == 401, (route, response.status_code)


def test_lists_are_the_owners_alone(owner: Client, intruder: Client, victim: dict[str, Any]) -> None:
    assert intruder.paths() == intruder.paths(folder="/private", limit=10) == intruder.paths(prefix="/private") == []
    intruder.stored("/zzz.txt")
    intruder.stored("/zzzz.txt")
    cursor = intruder.listing(limit=1)["cursor"]
    response = owner.get("/api/v1/files", params={"limit": 10, "cursor": cursor})
    assert response.status_code in (200, 400)
    assert response.status_code == 400 or all(r["id"] == victim["id"] for r in response.json()["files"])
