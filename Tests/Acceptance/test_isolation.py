"""One principal never reaches another's files: what it may not see answers exactly like what does not exist."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import expect
from client import Client, new_member, token_client
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
    ("GET", "/api/files/{it}", None),
    ("HEAD", "/api/files/{it}", None),
    ("DELETE", "/api/files/{it}", None),
]


def call(client: Client, route: tuple[str, str, dict[str, Any] | None], it: str) -> Any:
    method, target, body = route
    name = it.lstrip("/") if target.startswith("/api/files/") else it
    filled = {key: value.replace("{it}", name) if key == "from" else value for key, value in (body or {}).items()}
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
