"""Quotas and the number of files: 507 whichever way the bytes come, nothing kept, and the room is free again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
from client import Client, new_member, token_client
from conftest import start_daemon
from daemon import Daemon
from ways import WAYS, Way, by_name
from wire import Wire, head

MIB = 1 << 20
QUOTA = 200_000
WaitUntil = Callable[[Callable[[], bool], float], None]

NAMED = [way for way in WAYS if not way.is_hash and not way.is_uid]
WITH_A_TOKEN = [way for way in WAYS if not way.is_hash]
WITH_A_LENGTH = [way for way in WAYS if not way.is_chunked]
HASH = [way for way in WAYS if way.is_hash]

EVERY_WAY = pytest.mark.parametrize(
    ("way", "kind"),
    [(way, "account") for way in WAYS] + [(way, "token") for way in WITH_A_TOKEN],
    ids=[f"{way.name}, account" for way in WAYS] + [f"{way.name}, token" for way in WITH_A_TOKEN],
)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server on which nobody may keep more than QUOTA bytes."""
    daemon = start_daemon(tmp_path_factory.mktemp("quota"), LIMITS_QUOTA=str(QUOTA), LIMITS_CONTAINER_QUOTA=str(QUOTA))
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server on which nobody may keep more than two files."""
    daemon = start_daemon(tmp_path_factory.mktemp("files"), LIMITS_FILES="2")
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


def principal(server: Daemon, kind: str) -> Client:
    return new_member(server.url).client if kind == "account" else token_client(server.url)


def remove_all(client: Client) -> None:
    for path in client.paths():
        assert client.remove(path).status_code == 204


# Bytes


@EVERY_WAY
def test_what_is_over_the_quota_is_refused_and_takes_no_room(
    limited: Daemon, wait_until: WaitUntil, way: Way, kind: str
) -> None:
    client = principal(limited, kind)
    for number in range(3):
        reply = way.send(client, bytes([number]) * (QUOTA + 1))
        assert not way.is_stored(reply)
        way.refused(reply, 507, "quota_exceeded")
    wait_until(lambda: limited.staging_files() == 0, 10)
    assert client.paths(folder="/") == [], "neither a file nor a folder for it"

    whole = b"w" * QUOTA
    way.store(client, whole)
    (path,) = client.paths()
    assert client.download(path).content == whole
    way.refused(way.at("other.txt").send(client, b"one more"), 507, "quota_exceeded")
    assert client.paths() == [path]
    remove_all(client)
    way.store(client, b"n" * QUOTA)


@pytest.mark.parametrize("way", NAMED, ids=by_name(NAMED))
@pytest.mark.parametrize("kind", ["account", "token"])
def test_older_revisions_give_way_to_an_overwrite(limited: Daemon, way: Way, kind: str) -> None:
    client = principal(limited, kind)
    for percent in (90, 60, 100, 50):
        way.store(client, bytes([percent]) * (QUOTA * percent // 100))
    way.refused(way.send(client, b"x" * (QUOTA + 1)), 507, "quota_exceeded")
    assert client.download("/sent.txt").content == bytes([50]) * (QUOTA // 2)


@pytest.mark.parametrize("way", HASH, ids=by_name(HASH))
def test_published_bytes_are_sent_again_into_a_full_account(limited: Daemon, way: Way) -> None:
    client = new_member(limited.url).client
    content = b"f" * QUOTA
    first = way.store(client, content)
    again = way.store(client, content)
    assert again.json() == first.json() and again.headers["ETag"] == first.headers["ETag"]
    renamed = client.post("/api/files", files={"file": ("new.txt", content)})
    assert renamed.status_code == 200 and renamed.json()["name"] == "new.txt"
    assert len(client.names()) == 1


def test_a_copy_needs_room(limited: Daemon) -> None:
    client = token_client(limited.url)
    assert client.put_name("folder/half", b"h" * (QUOTA * 6 // 10)).status_code == 204
    for source, target in (("/folder/half", "/copy"), ("/folder", "/other")):
        expect.problem(client.copy(source, target), 507, "quota_exceeded")
    assert client.names() == ["folder/half"]
    assert client.move("/folder/half", "/moved").status_code == 200
    assert client.put_name("moved", b"h" * (QUOTA * 5 // 10)).status_code == 204
    assert client.copy("/moved", "/copy").status_code == 200
    assert client.names() == ["copy", "moved"]


def test_of_simultaneous_uploads_no_more_are_taken_than_there_is_room_for(limited: Daemon) -> None:
    token = token_client(limited.url).headers["X-Auth-Token"]
    barrier = threading.Barrier(8)

    def put(number: int) -> int:
        client = token_client(limited.url, token)
        barrier.wait()
        return client.put_name(f"{number}", bytes([number]) * (QUOTA * 6 // 10)).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(put, range(8)))
    assert statuses.count(204) <= 1 and set(statuses) <= {204, 507}, statuses
    client = token_client(limited.url, token)
    assert len(client.names()) == statuses.count(204)
    remove_all(client)
    assert client.put_name("whole", b"w" * QUOTA).status_code == 204, "what was refused has given its room back"


# Files


@EVERY_WAY
def test_one_file_too_many_is_refused_and_a_deleted_one_makes_room(
    few: Daemon, wait_until: WaitUntil, way: Way, kind: str
) -> None:
    client = principal(few, kind)
    for number in range(2):
        way.at(f"{number}.txt").store(client, b"%d" % number)
    paths = client.paths()
    way.refused(way.at("third.txt").send(client, b"third"), 507, "quota_exceeded")
    wait_until(lambda: few.staging_files() == 0, 10)
    assert client.paths() == paths and len(paths) == 2
    assert client.remove(paths[0]).status_code == 204
    way.at("third.txt").store(client, b"third")
    assert len(client.paths()) == 2 and paths[1] in client.paths()


@pytest.mark.parametrize("way", [*NAMED, *HASH], ids=by_name([*NAMED, *HASH]))
def test_what_is_there_already_is_not_one_more(few: Daemon, way: Way) -> None:
    client = principal(few, "account" if way.is_hash else "token")
    for number in range(2):
        way.at(f"{number}.txt").store(client, b"%d" % number)
    way.at("0.txt").store(client, b"0")
    if not way.is_hash:
        way.at("0.txt").store(client, b"other")
        assert client.download("/0.txt").content == b"other"
    assert len(client.paths()) == 2


def test_a_copy_is_one_more_and_a_move_is_not(few: Daemon) -> None:
    client = token_client(few.url)
    for name in ("a", "b"):
        assert client.put_name(name).status_code == 204
    expect.problem(client.copy("/a", "/c"), 507, "quota_exceeded")
    assert client.names() == ["a", "b"]
    assert client.move("/a", "/c").status_code == 200
    assert client.copy("/c", "/b", overwrite=True).status_code == 200
    assert client.names() == ["b", "c"]


# Before the body


EXPECT = ("Expect", "100-continue")


@pytest.mark.parametrize("way", WITH_A_LENGTH, ids=by_name(WITH_A_LENGTH))
def test_a_length_over_the_quota_is_refused_before_the_body(limited: Daemon, way: Way) -> None:
    client = principal(limited, "account" if way.is_hash else "token")
    with Wire(limited.port) as wire:
        wire.send(head(way.method, way.target, [*client.headers.items(), EXPECT, *way.fields(8 * MIB)]))
        assert wire.read_refusal().status_code == 507, "not 100"
    assert client.paths(folder="/") == []


@pytest.fixture
def full(few: Daemon) -> Client:
    """A container with as many files as it may have."""
    client = token_client(few.url)
    for name in ("a", "b"):
        assert client.put_name(name).status_code == 204
    return client


@pytest.mark.parametrize("way", WITH_A_TOKEN, ids=by_name(WITH_A_TOKEN))
def test_one_file_too_many_is_refused_before_the_body(full: Client, way: Way) -> None:
    with Wire(full.port) as wire:
        wire.send(head(way.method, way.target, [*full.headers.items(), EXPECT, *way.fields(1000)]))
        assert wire.read_refusal().status_code == 507, "not 100"
    assert full.names() == ["a", "b"]


def test_a_full_container_is_told_before_the_report_begins(full: Client) -> None:
    for way in (way for way in WAYS if way.is_reported):
        reply = way.send(full, b"x" * MIB)
        expect.problem(reply, 507, "quota_exceeded")
