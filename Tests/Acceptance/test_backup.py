"""deploy/backup: a backup beside a busy server is whole, and is restored elsewhere without a finding."""

from __future__ import annotations

import fcntl
import random
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backups import backed_up, program, run
from client import Client, new_member, new_token, token_client
from conftest import StartServer
from daemon import Daemon, free_port
from stores import ON_POSTGRES, bucket_of, database_of, psql

pytestmark = pytest.mark.stores("sqlite", "postgres", "s3", "stack")


class Busy(threading.Thread):
    """Stores, replaces and deletes, on top of what is there, until it is stopped."""

    def __init__(self, url: str):
        super().__init__()
        self.url = url
        self.ended = threading.Event()
        self.changes = 0
        self.unexpected: list[str] = []

    def run(self) -> None:
        rng, client = random.Random(), token_client(self.url)
        while not self.ended.is_set():
            name = f"{rng.randrange(20)}.bin"
            answer = client.put_name(name, secrets.token_bytes(rng.choice((0, 100, 100_000))))
            if rng.random() < 0.4:
                answer = client.delete(f"/api/files/{name}")
            if answer.status_code not in (204, 404):
                self.unexpected.append(answer.text)
            self.changes += 1

    def __enter__(self) -> Busy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()


def held_by_backups(daemon: Daemon) -> list[Path]:
    return list(daemon.data.glob(".backup.??????"))


def state(client: Client) -> dict[str, bytes]:
    return {record["path"]: client.download(record["id"]).content for record in client.listing()["files"]}


def test_a_backup_under_load_is_restored_elsewhere_and_nothing_is_missing(
    start: StartServer, tmp_path: Path, wait_until: Callable[[Callable[[], bool], float], None]
) -> None:
    daemon = start(UPKEEP_INTERVAL="1s")
    member, token = new_member(daemon.url), new_token()
    owners = [member.client, token_client(daemon.url, token)]
    for number, owner in enumerate(owners):
        for size in (0, 10, 70_000, 2_000_000):
            owner.stored(f"/docs/{size}.bin", secrets.token_bytes(size))
        owner.stored("/docs/отчёт.txt", b"old")
        owner.stored("/docs/отчёт.txt", b"new %d" % number)
    before = [state(owner) for owner in owners]
    with Busy(daemon.url) as busy:
        wait_until(lambda: busy.changes > 20, 60)
        backup = backed_up(daemon, tmp_path / "backups")
        seen = busy.changes
        wait_until(lambda: busy.changes > seen + 10, 60)
    assert busy.unexpected == []
    # What is deleted after the backup is in it all the same.
    assert owners[1].remove("/docs", recursive="true").status_code == 204
    assert daemon.stop() == 0

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = run("storaged-restore", backup, DATA_DIRECTORY=str(elsewhere / "data"))
    assert result.returncode == 0, result.stdout + result.stderr
    again = start(elsewhere)
    restored = [
        Client(again.url, {"Authorization": f"Bearer {member.token}"}),
        token_client(again.url, token),
    ]
    assert [state(owner) for owner in restored] == before
    assert len(restored[0].revisions("/docs/отчёт.txt")) == 2
    restored[0].stored("/docs/new.bin", b"and it goes on")
    assert run("storaged-restore", backup, DATA_DIRECTORY=str(elsewhere / "data")).returncode != 0, "not empty any more"


@pytest.mark.stores("sqlite", "s3")
def test_a_second_backup_shares_what_the_first_one_has(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("old.bin", secrets.token_bytes(500_000))
    first = backed_up(daemon, tmp_path / "backups")
    (old,) = [path for path in first.glob("containers/**/*") if path.is_file()]
    client.put_name("new.bin", secrets.token_bytes(500_000))
    threading.Event().wait(1.1)  # backups are named by the second
    second = backed_up(daemon, tmp_path / "backups")
    files = [path for path in second.glob("containers/**/*") if path.is_file()]
    assert first != second and len(files) == 2
    assert {path.stat().st_nlink for path in files} == {1, 2}
    assert (second / old.relative_to(first)).samefile(old)
    # Never the server's own file: what happens to that would happen to the backup.
    assert not any(path.samefile(old) for path in daemon.data.rglob("*") if path.is_file())
    assert held_by_backups(daemon) == []


@pytest.mark.stores("sqlite")
def test_a_backup_that_took_longer_than_the_grace_is_none(start: StartServer, tmp_path: Path) -> None:
    daemon = start(UPKEEP_GRACE="0s")
    token_client(daemon.url).put_name("a", b"x")
    result = run("storaged-backup", tmp_path / "backups", DATA_DIRECTORY=str(daemon.data), UPKEEP_GRACE="0s")
    assert result.returncode == 75 and "upkeep.grace" in result.stderr
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".lock"]


@pytest.mark.stores("sqlite")
def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("storaged-restore", tmp_path / "empty", DATA_DIRECTORY=str(tmp_path / "data"))
    assert result.returncode == 66 and not (tmp_path / "data").exists()


# What is in the way of a restore is seen before anything is written


def nothing_was_restored(data: Path) -> bool:
    if ON_POSTGRES:
        return psql(database_of(data), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"
    return not (data / "storaged.sqlite").exists()


def test_a_restore_into_a_store_that_is_not_empty_writes_nothing(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    token_client(daemon.url).put_name("a", b"x" * 1000)
    backup = backed_up(daemon, tmp_path / "backups")
    data = tmp_path / "elsewhere" / "data"
    data.mkdir(parents=True)
    bucket = bucket_of(data)
    if bucket is not None:
        bucket.write("store.id", b"somebody's")
    else:
        (data / "store").mkdir()
        (data / "store" / "somebody's").write_bytes(b"x")
    result = run("storaged-restore", backup, DATA_DIRECTORY=str(data))
    assert result.returncode == 73 and "there is a store in" in result.stderr, result.stderr
    assert nothing_was_restored(data)
    # The same command goes through once that is gone.
    if bucket is not None:
        bucket.clear()
    else:
        (data / "store" / "somebody's").unlink()
    result = run("storaged-restore", backup, DATA_DIRECTORY=str(data))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.stores("s3", "stack")
def test_a_bucket_that_cannot_be_reached_is_not_taken_for_empty(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    token_client(daemon.url).put_name("a", b"x" * 1000)
    backup = backed_up(daemon, tmp_path / "backups")
    data = tmp_path / "elsewhere" / "data"
    bucket = bucket_of(data)
    assert bucket is not None
    away = bucket.at(f"http://127.0.0.1:{free_port()}").settings
    result = run("storaged-restore", backup, DATA_DIRECTORY=str(data), **away)
    assert result.returncode == 69 and "cannot be listed" in result.stderr, result.stderr
    assert nothing_was_restored(data)


@pytest.mark.stores("postgres", "stack")
def test_a_restore_into_a_database_that_is_not_empty_writes_nothing(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    token_client(daemon.url).put_name("a", b"x" * 1000)
    backup = backed_up(daemon, tmp_path / "backups")
    data = tmp_path / "elsewhere" / "data"
    psql(database_of(data), "CREATE TABLE somebody (id int)")
    result = run("storaged-restore", backup, DATA_DIRECTORY=str(data))
    assert result.returncode == 73 and "there are tables in" in result.stderr, result.stderr
    assert "***" not in result.stderr and not (data / "store").exists()
    bucket = bucket_of(data)
    assert bucket is None or bucket.keys() == []


# What a killed one leaves


@pytest.mark.stores("sqlite")
def test_what_a_killed_backup_has_left_goes_with_the_next(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    token_client(daemon.url).put_name("a", b"x" * 1000)
    folder, killed = tmp_path / "backups", tmp_path / "killed"
    path = program(tmp_path / "bin", "rsync", f'"$REAL" "$@"\n[ -e {killed} ] || {{ touch {killed}; kill -9 $PPID; }}\n')
    result = run("storaged-backup", folder, DATA_DIRECTORY=str(daemon.data), PATH=path)
    assert result.returncode == -9
    assert len(held_by_backups(daemon)) == 1 and len(list(folder.glob(".part.*"))) == 1
    backup = backed_up(daemon, folder, PATH=path)
    assert held_by_backups(daemon) == []
    assert sorted(path.name for path in folder.iterdir()) == [".lock", backup.name]


@pytest.mark.stores("sqlite")
def test_two_backups_of_one_disk_do_not_meet(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    with (daemon.data / ".backup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("storaged-backup", tmp_path / "backups", DATA_DIRECTORY=str(daemon.data))
    assert result.returncode == 75 and "under way" in result.stderr
