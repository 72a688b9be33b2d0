"""`storaged fsck` beside a running server: it finds every sort of damage by itself, and nothing where there is none."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from client import new_member, token_client
from commands import command, done, findings, fsck
from conftest import StartServer
from daemon import Daemon
from importing import contents, start_import
from stores import blob, change

SIZE = 100_000  # more than one part in memory

DAY = 86_400_000_000


def of(key: Path) -> str:
    """The condition that means the blob in a file of the store."""
    return f"hash = {blob(key.name[:64])}"


def age(daemon: Daemon, key: Path, days: float, *columns: str) -> None:
    """Makes what the database remembers of a blob older than it is."""
    changes = ", ".join(f"{column} = {column} - {int(days * DAY)}" for column in columns)
    assert change(daemon.data, f"UPDATE blobs SET {changes} WHERE {of(key)}") == 1


def content(letter: str) -> bytes:
    return letter.encode() * SIZE


@pytest.fixture
def stored(start: StartServer) -> tuple[Daemon, dict[str, Path]]:
    """A server with files a to f, and where their bytes lie."""
    daemon = start()
    client = new_member(daemon.url).client
    for letter in "abcdef":
        client.stored(f"/{letter}", content(letter))
    places = {path.read_bytes()[:1].decode(): path for path in (daemon.data / "store").rglob("*") if path.is_file()}
    assert sorted(places) == list("abcdef")
    return daemon, places


def flip(places: dict[str, Path]) -> None:
    with places["a"].open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"b")


def truncate(places: dict[str, Path]) -> None:
    os.truncate(places["a"], SIZE - 1)


def extend(places: dict[str, Path]) -> None:
    with places["a"].open("ab") as file:
        file.write(b"a")


def swap(places: dict[str, Path]) -> None:
    (a, b) = (places["a"].read_bytes(), places["b"].read_bytes())
    places["a"].write_bytes(b)
    places["b"].write_bytes(a)


def remove(places: dict[str, Path]) -> None:
    places["a"].unlink()


def put_folder(places: dict[str, Path]) -> None:
    places["a"].unlink()
    places["a"].mkdir()


def put_fifo(places: dict[str, Path]) -> None:
    places["a"].unlink()
    os.mkfifo(places["a"])


def put_symlink(places: dict[str, Path]) -> None:
    aside = places["a"].with_name("aside")
    places["a"].rename(aside)
    places["a"].symlink_to(aside)


# The damage, what a look at sizes finds, what reading finds, and whose files are no more what they were.
DAMAGES: list[tuple[Callable[[dict[str, Path]], None], list[str], list[str], str]] = [
    (flip, [], ["wrong_digest"], "a"),
    (swap, [], ["wrong_digest", "wrong_digest"], "ab"),
    (truncate, ["wrong_size"], ["wrong_size"], "a"),
    (extend, ["wrong_size"], ["wrong_size"], "a"),
    (remove, ["missing"], ["missing"], "a"),
    (put_folder, ["missing"], ["missing"], "a"),
    (put_fifo, ["missing"], ["missing"], "a"),
    (put_symlink, ["missing", "unrecognised"], ["missing", "unrecognised"], "a"),
]


@pytest.mark.parametrize(
    ("damage", "quick", "thorough", "hurt"), DAMAGES, ids=[damage.__name__ for damage, *_ in DAMAGES]
)
def test_damage_is_found_and_named(
    stored: tuple[Daemon, dict[str, Path]],
    damage: Callable[[dict[str, Path]], None],
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
    assert sorted(blobs) == sorted(str(places[letter].relative_to(daemon.data)) for letter in hurt)
    assert summary["read_bytes"] >= SIZE * (6 - len(hurt))


def test_the_numbers_at_the_end_are_those_of_the_store(stored: tuple[Daemon, dict[str, Path]]) -> None:
    daemon, _ = stored
    _, quick = fsck(daemon, read_data=False)
    assert quick == {"blobs": 6, "bytes": 6 * SIZE, "containers": 1, "files": 6, "read_bytes": 0, "findings": 0}
    _, thorough = fsck(daemon)
    assert thorough == {**quick, "read_bytes": 6 * SIZE}
    assert "all is well" in done(daemon, "fsck") and "of them read" in done(daemon, "fsck", "--read-data")


def test_what_nobody_stored_is_found_and_left_alone(stored: tuple[Daemon, dict[str, Path]]) -> None:
    daemon, places = stored
    folder = places["a"].parent
    unknown = folder / (folder.name + "0" * 62)
    unknown.write_bytes(b"bytes without a row")
    generation = folder / (places["a"].name + ".7")
    shutil.copy(places["a"], generation)
    foreign = [
        folder / "notes\n\x1b[2J.txt",
        daemon.data / "store" / "README",
        daemon.data / "containers" / "backup",
        daemon.data / "staging" / "upload.part",
    ]
    for path in foreign:
        path.write_bytes(b"whatever")
    old = daemon.data / "staging" / ("0a" * 16)
    old.write_bytes(b"half an upload")
    assert findings(daemon) == ["unknown"] * 2 + ["unrecognised"] * 4  # the last one is too young
    os.utime(old, (time.time() - 90_000,) * 2)
    found, _ = fsck(daemon)
    expected = [("left_over", old), ("unknown", unknown), ("unknown", generation)]
    expected += [("unrecognised", path) for path in foreign]
    assert sorted((row["finding"], row["subject"]) for row in found) == sorted(
        (kind, str(path.relative_to(daemon.data))) for kind, path in expected
    )
    text = command(daemon, "fsck").stdout
    assert "\x1b" not in text and r"notes\u{a}\u{1b}[2J.txt" in text
    assert all(path.exists() for path in (unknown, generation, old, *foreign))


def test_what_came_back_after_it_was_collected_is_found(stored: tuple[Daemon, dict[str, Path]]) -> None:
    daemon, places = stored
    client = token_client(daemon.url)
    client.put_name("gone", b"gone")
    (place,) = [path for path in (daemon.data / "containers").rglob("*") if path.is_file()]
    assert client.delete("/api/files/gone").status_code == 204
    done(daemon, "gc", "--grace", "0")
    place.write_bytes(b"gone")
    assert findings(daemon) == []  # an upload may have written it late, and tells the collector
    age(daemon, place, 1, "state_at")
    found, _ = fsck(daemon)
    assert [(row["finding"], row["subject"]) for row in found] == [("left_over", str(place.relative_to(daemon.data)))]
    assert all(path.exists() for path in places.values())


def test_what_waits_too_long_is_found(stored: tuple[Daemon, dict[str, Path]]) -> None:
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


def test_wrong_counts_and_lost_references_are_found(stored: tuple[Daemon, dict[str, Path]]) -> None:
    daemon, places = stored
    assert daemon.stop() == 0
    assert change(daemon.data, "UPDATE containers SET used_bytes = used_bytes + 1") == 1
    assert change(daemon.data, f"UPDATE blobs SET state = 'corrupt' WHERE {of(places['c'])}") == 1
    assert findings(daemon) == ["damaged", "miscounted"]
    text = command(daemon, "fsck").stdout
    assert "but it is corrupt" in text and "2 findings" in text


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
