"""`storaged fsck` beside a running server: it finds every sort of damage by itself, and nothing where there is none."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from blobs import Blob, blob_of, blobs_of
from client import new_member, token_client
from commands import command, done, findings, fsck
from conftest import StartServer
from daemon import Daemon
from importing import contents, start_import
from lanes import direct, on_disk
from stores import blob, change

pytestmark = direct("commands do not go through nginx")

Places = dict[str, Blob]

SIZE = 100_000  # more than one part in memory

DAY = 86_400_000_000


def of(stored: Blob) -> str:
    """The condition that means a blob of the store."""
    return f"hash = {blob(stored.name[:64])}"


def age(daemon: Daemon, stored: Blob, days: float, *columns: str) -> None:
    """Makes what the database remembers of a blob older than it is."""
    changes = ", ".join(f"{column} = {column} - {int(days * DAY)}" for column in columns)
    assert change(daemon.data, f"UPDATE blobs SET {changes} WHERE {of(stored)}") == 1


def content(letter: str) -> bytes:
    return letter.encode() * SIZE


@pytest.fixture
def stored(start: StartServer) -> tuple[Daemon, Places]:
    """A server with files a to f, and where their bytes lie."""
    daemon = start()
    client = new_member(daemon.url).client
    for letter in "abcdef":
        client.stored(f"/{letter}", content(letter))
    places = {blob.read()[:1].decode(): blob for blob in blobs_of(daemon.data, "store")}
    assert sorted(places) == list("abcdef")
    return daemon, places


def flip(places: Places) -> None:
    places["a"].write(places["a"].read()[:-1] + b"b")


def truncate(places: Places) -> None:
    places["a"].write(places["a"].read()[:-1])


def extend(places: Places) -> None:
    places["a"].write(places["a"].read() + b"a")


def swap(places: Places) -> None:
    (a, b) = (places["a"].read(), places["b"].read())
    places["a"].write(b)
    places["b"].write(a)


def remove(places: Places) -> None:
    places["a"].remove()


def put_folder(places: Places) -> None:
    places["a"].remove()
    places["a"].path.mkdir()


def put_fifo(places: Places) -> None:
    places["a"].remove()
    os.mkfifo(places["a"].path)


def put_symlink(places: Places) -> None:
    aside = places["a"].path.with_name("aside")
    places["a"].path.rename(aside)
    places["a"].path.symlink_to(aside)


# The damage, what a look at sizes finds, what reading finds, and whose files are no more what they were.
DAMAGES: list[tuple[Callable[[Places], None], list[str], list[str], str]] = [
    (flip, [], ["wrong_digest"], "a"),
    (swap, [], ["wrong_digest", "wrong_digest"], "ab"),
    (truncate, ["wrong_size"], ["wrong_size"], "a"),
    (extend, ["wrong_size"], ["wrong_size"], "a"),
    (remove, ["missing"], ["missing"], "a"),
    (put_folder, ["missing"], ["missing"], "a"),
    (put_fifo, ["missing"], ["missing"], "a"),
    (put_symlink, ["missing", "unrecognised"], ["missing", "unrecognised"], "a"),
]
ONLY_ON_DISK = (put_folder, put_fifo, put_symlink)


@pytest.mark.parametrize(
    ("damage", "quick", "thorough", "hurt"),
    [pytest.param(*row, id=row[0].__name__, marks=[on_disk] if row[0] in ONLY_ON_DISK else []) for row in DAMAGES],
)
def test_damage_is_found_and_named(
    stored: tuple[Daemon, Places],
    damage: Callable[[Places], None],
    quick: list[str],
    thorough: list[str],
    hurt: str,
) -> None:
    daemon, places = stored
    assert findings(daemon) == []
    damage(places)
    assert findings(daemon, read_data=False) == quick
    found, summary = fsck(daemon)
    assert sorted(row["finding"] for row in found) == thorough
    blobs = [row["subject"] for row in found if row["finding"] != "unrecognised"]
    assert sorted(blobs) == sorted(places[letter].key for letter in hurt)
    assert summary["read_bytes"] >= SIZE * (6 - len(hurt))


def test_the_numbers_at_the_end_are_those_of_the_store(stored: tuple[Daemon, Places]) -> None:
    daemon, _ = stored
    _, quick = fsck(daemon, read_data=False)
    assert quick == {"blobs": 6, "bytes": 6 * SIZE, "containers": 1, "files": 6, "read_bytes": 0, "findings": 0}
    _, thorough = fsck(daemon)
    assert thorough == {**quick, "read_bytes": 6 * SIZE}
    assert "all is well" in done(daemon, "fsck") and "of them read" in done(daemon, "fsck", "--read-data")


def test_what_nobody_stored_is_found_and_left_alone(stored: tuple[Daemon, Places]) -> None:
    daemon, places = stored
    folder = places["a"].key.rpartition("/")[0]
    unknown = blob_of(daemon.data, f"{folder}/{folder[-2:]}{'0' * 62}")
    unknown.write(b"bytes without a row")
    generation = blob_of(daemon.data, places["a"].key + ".7")
    generation.write(places["a"].read())
    names = [f"{folder}/notes\n\x1b[2J.txt", "store/README", "containers/backup"]
    foreign = [blob_of(daemon.data, name) for name in names]
    for stray in foreign:
        stray.write(b"whatever")
    found, _ = fsck(daemon)
    expected = [("unknown", unknown), ("unknown", generation), *(("unrecognised", stray) for stray in foreign)]
    assert sorted((row["finding"], row["subject"]) for row in found) == sorted(
        (kind, stray.key) for kind, stray in expected
    )
    text = command(daemon, "fsck").stdout
    assert "\x1b" not in text and r"notes\u{a}\u{1b}[2J.txt" in text
    assert all(stray.exists() for _, stray in expected)


@on_disk
def test_half_an_upload_is_found_when_it_is_old(stored: tuple[Daemon, Places]) -> None:
    daemon, _ = stored
    foreign, old = daemon.data / "staging" / "upload.part", daemon.data / "staging" / ("0a" * 16)
    foreign.write_bytes(b"whatever")
    old.write_bytes(b"half an upload")
    assert findings(daemon) == ["unrecognised"]  # the other one is too young
    os.utime(old, (time.time() - 90_000,) * 2)
    found, _ = fsck(daemon)
    assert [(row["finding"], row["subject"]) for row in found] == [
        ("left_over", str(old.relative_to(daemon.data))),
        ("unrecognised", str(foreign.relative_to(daemon.data))),
    ]
    assert foreign.exists() and old.exists()


def test_what_came_back_after_it_was_collected_is_found(stored: tuple[Daemon, Places]) -> None:
    daemon, places = stored
    client = token_client(daemon.url)
    client.put_name("gone", b"gone")
    (place,) = blobs_of(daemon.data, "containers")
    assert client.delete("/api/files/gone").status_code == 204
    done(daemon, "gc", "--grace", "0")
    place.write(b"gone")
    assert findings(daemon) == []  # an upload may have written it late, and tells the collector
    age(daemon, place, 1, "state_at")
    found, _ = fsck(daemon)
    assert [(row["finding"], row["subject"]) for row in found] == [("left_over", place.key)]
    assert all(blob.exists() for blob in places.values())


def test_what_waits_too_long_is_found(stored: tuple[Daemon, Places]) -> None:
    daemon, places = stored
    assert daemon.stop() == 0
    now = time.time_ns() // 1000
    for statement in (
        "DELETE FROM links",
        "DELETE FROM revisions",
        "DELETE FROM files",
        "UPDATE containers SET used_bytes = 0, used_files = 0",
        "DELETE FROM usage_deltas",
        "UPDATE blobs SET released_at = state_at",
        f"UPDATE blobs SET state = 'doomed' WHERE {of(places['a'])}",
        f"UPDATE blobs SET state = 'pending', claimed_until = state_at WHERE {of(places['b'])}",
        "INSERT INTO uploads (id, container_id, started_at, heartbeat_at) "
        f"SELECT {blob(uuid.uuid4().hex)}, id, {now}, {now} FROM containers",
    ):
        change(daemon.data, statement)
    assert findings(daemon) == []
    age(daemon, places["a"], 1.1, "state_at")
    assert findings(daemon) == ["stuck"]
    age(daemon, places["b"], 1.1, "claimed_until")
    assert findings(daemon) == ["stuck"] * 2
    late = f"UPDATE uploads SET heartbeat_at = heartbeat_at - {DAY + DAY // 10} WHERE committed_at IS NULL"
    assert change(daemon.data, late) == 1
    assert findings(daemon) == ["stuck"] * 3
    done(daemon, "gc", "--grace", "0")
    assert findings(daemon) == []


def test_wrong_counts_and_lost_references_are_found(stored: tuple[Daemon, Places]) -> None:
    daemon, places = stored
    assert daemon.stop() == 0
    assert change(daemon.data, "UPDATE containers SET used_bytes = used_bytes + 1") == 1
    assert change(daemon.data, f"UPDATE blobs SET state = 'corrupt' WHERE {of(places['c'])}") == 1
    assert findings(daemon) == ["damaged", "miscounted"]
    text = command(daemon, "fsck").stdout
    assert "but it is corrupt" in text and "2 findings" in text


def test_files_that_are_not_what_their_revisions_say_are_found(stored: tuple[Daemon, Places]) -> None:
    daemon, places = stored
    assert change(daemon.data, f"UPDATE files SET size = size + 1 WHERE {of(places['a'])}") == 1
    assert change(daemon.data, f"UPDATE files SET sent_name = 'x' WHERE {of(places['b'])}") == 1
    assert change(daemon.data, f"UPDATE files SET gen = 7 WHERE {of(places['c'])}") == 1
    found, _ = fsck(daemon, read_data=False)
    assert [row["finding"] for row in found] == ["miscopied"]
    assert found[0]["detail"].startswith("3 files")


def test_a_clean_store_in_use_has_no_findings(start: StartServer) -> None:
    daemon = start(UPKEEP_INTERVAL="1s", UPKEEP_GRACE="0s", REVISIONS_KEEP="0")
    client = new_member(daemon.url).client
    for number in range(120):
        client.stored(f"/{number % 7}.bin", content("xyz"[number % 3]))
        if number % 2:
            assert client.remove(f"/{number % 7}.bin").status_code == 204
        if number % 20 == 0:
            done(daemon, "gc", "--grace", "0")
            assert findings(daemon) == []
    assert findings(daemon) == []


def test_fsck_beside_a_busy_server(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    process = start_import(daemon, source, member)
    while process.poll() is None:
        assert findings(daemon) == []
    assert process.returncode == 0
    assert member.client.remove("/" + sorted(contents(source))[0]).status_code == 204
    done(daemon, "gc", "--grace", "0")
    assert findings(daemon) == []
    assert "all is well" in done(daemon, "fsck")
