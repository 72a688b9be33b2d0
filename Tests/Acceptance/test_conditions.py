"""Conditional uploads, overwrites and deletes: decided inside the commit, 412 and nothing changed otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate, parsedate_to_datetime

import pytest
import requests

import expect
from client import Client, Member, token_client
from ways import WAYS, Way
from ways import by_name as way_names
from wire import Wire, head

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
    since = client.download(PATH).headers["Last-Modified"]
    assert parsedate_to_datetime(since)
    headers = {name: value.replace("{etag}", etag).replace("{modified}", since) for name, value in condition.items()}
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


# By hash


CONTENT = b"published under a condition"


def publish_form(client: Client, headers: dict[str, str]) -> requests.Response:
    return client.post("/api/files", files={"file": ("renamed.txt", CONTENT)}, headers=headers)


def publish_raw(client: Client, headers: dict[str, str]) -> requests.Response:
    return client.post("/api/files", data=CONTENT, headers={"Content-Type": "text/x-other", **headers})


def unpublish(client: Client, headers: dict[str, str]) -> requests.Response:
    return client.delete("/api/files", params={"hash": expect.digest(CONTENT)}, headers=headers)


def unpublish_path(client: Client, headers: dict[str, str]) -> requests.Response:
    return client.delete("/api/files/by-hash/" + expect.digest(CONTENT), headers=headers)


PUBLISHES = [publish_form, publish_raw]
UNPUBLISHES = [unpublish, unpublish_path]


@pytest.fixture
def published(member: Member) -> requests.Response:
    """The answer to a publication."""
    answer = member.client.post("/api/files", files={"file": ("first.txt", CONTENT, "text/plain")})
    assert answer.status_code == 200, answer.text
    return answer


def state(client: Client) -> tuple[object, ...]:
    found = client.download("/by-hash/" + expect.digest(CONTENT))
    return (found.content, found.headers["ETag"], found.headers["Content-Type"], client.listing()["files"])


@pytest.mark.parametrize("write", [*PUBLISHES, *UNPUBLISHES], ids=by_name)
def test_a_condition_that_fails_leaves_a_publication_as_it_is(
    member: Member, published: requests.Response, write: Write
) -> None:
    etag = expect.strong_etag(published)
    before = state(member.client)
    for headers in (
        {"If-Match": '"other"'},
        {"If-Match": f"W/{etag}"},
        {"If-None-Match": "*"},
        {"If-None-Match": etag},
        {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        expect.problem(write(member.client, headers), 412, "precondition_failed")
        assert state(member.client) == before, headers


@pytest.mark.parametrize("write", [*PUBLISHES, *UNPUBLISHES], ids=by_name)
@pytest.mark.parametrize(
    "condition", [{"If-Match": "{etag}"}, {"If-Match": "*"}, {"If-None-Match": '"other"'}], ids=str
)
def test_a_condition_that_holds_lets_a_publication_change(
    member: Member, anonymous: Client, published: requests.Response, write: Write, condition: dict[str, str]
) -> None:
    headers = {name: value.replace("{etag}", expect.strong_etag(published)) for name, value in condition.items()}
    answer = write(member.client, headers)
    assert answer.status_code in (200, 204), answer.text
    if write is publish_form:
        assert answer.json()["name"] == "renamed.txt"
        assert answer.headers["ETag"] == state(member.client)[1] != expect.strong_etag(published)
    elif write in UNPUBLISHES:
        assert member.client.names() == []


@pytest.mark.parametrize("write", PUBLISHES, ids=by_name)
def test_a_publication_can_demand_that_there_is_none(member: Member, write: Write) -> None:
    for headers in ({"If-Match": "*"}, {"If-Match": '"some"'}):
        expect.problem(write(member.client, headers), 412)
        assert member.client.paths(folder="/") == [], "a refused upload must not leave its folder behind"
    assert write(member.client, {"If-None-Match": "*"}).status_code == 200
    expect.problem(write(member.client, {"If-None-Match": "*"}), 412)
    assert len(member.client.names()) == 1


@pytest.mark.parametrize("write", UNPUBLISHES, ids=by_name)
def test_a_conditional_delete_of_an_unknown_hash_deletes_nothing(member: Member, write: Write) -> None:
    digest = expect.digest(CONTENT)
    assert member.client.get(f"/api/files?hash={digest}").status_code in (200, 404)
    assert write(member.client, {"If-Match": "*"}).status_code in (403, 404, 412)
    assert member.client.names() == []


@pytest.mark.parametrize("write", PUBLISHES, ids=by_name)
def test_of_20_simultaneous_publications_exactly_one_is_the_first(member: Member, write: Write) -> None:
    barrier = threading.Barrier(20)

    def create(_: int) -> requests.Response:
        own = Client(member.client.url, member.client.headers)
        barrier.wait()
        return write(own, {"If-None-Match": "*"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1 and statuses.count(412) == 19, statuses
    (winner,) = [answer for answer in answers if answer.status_code == 200]
    assert "Location" in winner.headers
    (record,) = member.client.listing()["files"]
    assert record["id"] == winner.json()["id"]
    assert state(member.client)[1] == winner.headers["ETag"]


# Before the body


@pytest.mark.parametrize("way", WAYS, ids=way_names(WAYS))
@pytest.mark.parametrize("field", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["bare", '"unclosed', '"a" "b"', "W/*"])
def test_a_malformed_condition_is_refused_before_the_body(account: Client, way: Way, field: str, value: str) -> None:
    fields = [*account.headers.items(), (field, value), ("Expect", "100-continue"), *way.fields(1000)]
    with Wire(account.port) as wire:
        wire.send(head(way.method, way.target, fields))
        assert wire.read_refusal().status_code == 400, "not 100"
    expect.problem(way.send(account, b"x", {field: value}), 400, "invalid_precondition")
    assert account.paths(folder="/") == []


def modified(answer: requests.Response) -> float:
    return parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp()


def test_what_is_moved_to_a_path_is_newer_than_what_was_there(client: Client) -> None:
    def when_it_would_show(answer: requests.Response) -> requests.Response:
        """Dates have whole seconds."""
        time.sleep(max(0.0, modified(answer) + 1.01 - time.time()))
        return answer

    client.stored("/old.txt", b"old")
    when_it_would_show(client.download("/old.txt"))
    client.stored(PATH, b"new")
    since = when_it_would_show(client.download(PATH)).headers["Last-Modified"]
    assert client.move("/old.txt", PATH, overwrite=True).status_code == 200
    moved = client.download(PATH, headers={"If-Modified-Since": since})
    assert (moved.status_code, moved.content) == (200, b"old")
    expect.problem(post_raw(client, b"newer", {"If-Unmodified-Since": since}), 412)
    # Back from elsewhere it has the same revision, and another date.
    when_it_would_show(client.download(PATH))
    assert client.move(PATH, "/elsewhere.txt").status_code == 200
    assert client.move("/elsewhere.txt", PATH).status_code == 200
    back = client.download(PATH)
    assert back.headers["ETag"] == moved.headers["ETag"] and modified(back) > modified(moved)
