"""Conditional uploads, overwrites and deletes: decided inside the commit, 412 and nothing changed otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate, parsedate_to_datetime

import pytest
import requests

import expect
from client import Client, token_client

PATH = "/docs/a.txt"
Write = Callable[..., requests.Response]


def post_form(client: Client, content: bytes, headers: dict[str, str]) -> requests.Response:
    return client.upload(PATH, content, "a.txt", **headers)


def post_raw(client: Client, content: bytes, headers: dict[str, str]) -> requests.Response:
    return client.post("/api/v1/files/upload?path=" + PATH, data=content, headers=headers)


def put_name(client: Client, content: bytes, headers: dict[str, str]) -> requests.Response:
    return client.put("/api/files" + PATH, data=content, headers=headers)


def delete_path(client: Client, content: bytes, headers: dict[str, str]) -> requests.Response:
    return client.remove(PATH, headers=headers)


def delete_name(client: Client, content: bytes, headers: dict[str, str]) -> requests.Response:
    return client.delete("/api/files" + PATH, headers=headers)


UPLOADS = [post_form, post_raw, put_name]
WRITES = [*UPLOADS, delete_path, delete_name]


def by_name(function: Callable[..., object]) -> str:
    return function.__name__


@pytest.fixture
def etag(client: Client) -> str:
    """The tag of the file at PATH, which was overwritten once."""
    client.stored(PATH, b"oldest", "a.txt")
    return expect.strong_etag(client.upload(PATH, b"old", "a.txt"))


def assert_unchanged(client: Client, etag: str) -> None:
    response = client.download(PATH)
    assert response.content == b"old" and expect.strong_etag(response) == etag


@pytest.mark.parametrize("write", WRITES, ids=by_name)
@pytest.mark.parametrize(
    "condition",
    [
        {"If-Match": '"other"'},
        {"If-Match": '"other", "another"'},
        {"If-Match": "W/{etag}"},
        {"If-None-Match": "*"},
        {"If-None-Match": "{etag}"},
        {"If-None-Match": '"other", {etag}'},
        {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Match": "{etag}", "If-None-Match": "{etag}"},
    ],
    ids=str,
)
def test_a_condition_that_fails_changes_nothing(
    client: Client, etag: str, write: Write, condition: dict[str, str]
) -> None:
    headers = {name: value.replace("{etag}", etag) for name, value in condition.items()}
    expect.problem(write(client, b"new", headers), 412)
    assert_unchanged(client, etag)


@pytest.mark.parametrize("write", WRITES, ids=by_name)
@pytest.mark.parametrize(
    "condition",
    [
        {"If-Match": "{etag}"},
        {"If-Match": '"other", {etag}'},
        {"If-Match": "*"},
        {"If-None-Match": '"other"'},
        {"If-Unmodified-Since": "{modified}"},
        {"If-Unmodified-Since": formatdate(4_000_000_000, usegmt=True)},
        {"If-Match": "{etag}", "If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ],
    ids=str,
)
def test_a_condition_that_holds_lets_the_change_through(
    client: Client, etag: str, write: Write, condition: dict[str, str]
) -> None:
    modified = client.download(PATH).headers["Last-Modified"]
    assert parsedate_to_datetime(modified)
    headers = {name: value.replace("{etag}", etag).replace("{modified}", modified) for name, value in condition.items()}
    response = write(client, b"new", headers)
    assert response.status_code in (200, 204), response.text
    if write in UPLOADS:
        assert client.download(PATH).content == b"new"
        expect.problem(write(client, b"newer", {"If-Match": etag}), 412)
    else:
        assert client.paths() == []


@pytest.mark.parametrize("write", UPLOADS, ids=by_name)
def test_a_new_file_can_demand_that_there_is_none(client: Client, write: Write) -> None:
    expect.problem(write(client, b"new", {"If-Match": "*"}), 412)
    expect.problem(write(client, b"new", {"If-Match": '"some"'}), 412)
    assert client.paths(folder="/") == [], "a refused upload must not leave its folders behind"
    assert write(client, b"new", {"If-None-Match": "*"}).status_code in (201, 204)
    expect.problem(write(client, b"again", {"If-None-Match": "*"}), 412)
    assert client.download(PATH).content == b"new"


@pytest.mark.parametrize("write", [delete_path, delete_name], ids=by_name)
def test_a_conditional_delete_of_nothing_deletes_nothing(client: Client, write: Write) -> None:
    assert write(client, b"", {"If-Match": "*"}).status_code in (404, 412)


@pytest.mark.parametrize("write", UPLOADS, ids=by_name)
def test_of_20_simultaneous_creations_exactly_one_wins(client: Client, write: Write) -> None:
    token = client.headers["X-Auth-Token"]
    barrier = threading.Barrier(20)

    def create(number: int) -> int:
        own = token_client(client.url, token)
        barrier.wait()
        return write(own, b"by %d" % number, {"If-None-Match": "*"}).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(create, range(20)))
    winners = [number for number, status in enumerate(statuses) if status in (201, 204)]
    assert len(winners) == 1 and statuses.count(412) == 19, statuses
    assert client.download(PATH).content == b"by %d" % winners[0]
    assert client.paths() == [PATH]


def test_of_20_simultaneous_overwrites_of_one_revision_exactly_one_wins(client: Client, etag: str) -> None:
    token = client.headers["X-Auth-Token"]
    barrier = threading.Barrier(20)

    def overwrite(number: int) -> int:
        own = token_client(client.url, token)
        barrier.wait()
        return put_name(own, b"by %d" % number, {"If-Match": etag}).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(overwrite, range(20)))
    assert statuses.count(204) == 1 and statuses.count(412) == 19, statuses
    assert client.download(PATH).content == b"by %d" % statuses.index(204)
