"""Moving the bytes between the disk and a bucket while the server runs, and what is found afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import expect
from buckets import Bucket, Server, server
from client import Client, Member, new_member, new_token, token_client
from commands import lines
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment, run_command
from stores import cluster, create_database, drop_database, use_bucket

EXIT_USAGE = 64
EXIT_CONFIGURATION = 78

WaitUntil = Callable[[Callable[[], bool], float], None]

# The stores are chosen by each test.
pytestmark = pytest.mark.stores("sqlite")


@dataclass
class Move:
    """A server whose bytes are on their way from one place to another."""

    start: StartServer
    directory: Path
    bucket: Bucket
    source: str
    target: str

    def settings(self, store: str, fallback: str | None = None) -> dict[str, str]:
        """With `store` in use, and perhaps the other place as the one that is left."""
        # Bytes in memory would hide that those in a store are gone.
        found = {"BLOBS_STORE": store, "BLOBS_MEMORY_CACHE": "0"}
        if "s3" in (store, fallback):
            found.update(self.bucket.settings)
        return {**found, "BLOBS_FALLBACK": fallback} if fallback else found

    def serve(self, store: str, fallback: str | None = None) -> Daemon:
        return self.start(self.directory, **self.settings(store, fallback))

    @property
    def command(self) -> tuple[str, ...]:
        return ("copy-blobs", "--from", self.source, "--to", self.target)

    @property
    def environment(self) -> dict[str, str]:
        """What the command is told: the same as the server while the bytes are on their way."""
        return {**self.settings(self.target, self.source), "DATA_DIRECTORY": str(self.directory / "data")}

    def copy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command(*self.command, *arguments, directory=self.directory, **self.environment)

    @contextlib.contextmanager
    def copying(self) -> Iterator[subprocess.Popen[str]]:
        """A copy in the background; nothing of it is left afterwards."""
        process = subprocess.Popen(
            [str(binary_path()), *self.command],
            cwd=self.directory,
            env=clean_environment(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def keys(self, place: str) -> list[str]:
        """The blobs that lie in a place."""
        if place == "s3":
            return [key for tree in ("store/", "containers/") for key in self.bucket.keys(tree)]
        data = self.directory / "data"
        files = [path for tree in ("store", "containers") for path in (data / tree).rglob("*") if path.is_file()]
        return [str(path.relative_to(data)) for path in files]

    def is_store(self, place: str) -> bool:
        if place == "s3":
            return "store.id" in self.bucket.keys()
        return (self.directory / "data" / "store.id").exists()

    def write(self, place: str, key: str, content: bytes) -> None:
        if place == "s3":
            self.bucket.write(key, content)
        else:
            (self.directory / "data" / key).write_bytes(content)

    def remove(self, place: str, key: str) -> None:
        if place == "s3":
            self.bucket.remove(key)
        else:
            (self.directory / "data" / key).unlink()

    def findings(self, store: str) -> list[str]:
        """What fsck says of a store alone."""
        if store == "s3":
            use_bucket(self.directory / "data", self.bucket)
        result = run_command(
            "fsck", "--read-data", directory=self.directory,
            DATA_DIRECTORY=str(self.directory / "data"), **self.settings(store),
        )  # fmt: skip
        return [] if result.returncode == 0 else [result.stdout + result.stderr]


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    if Server.named_by(os.environ) is None:
        pytest.skip("STORAGED_TEST_S3_ENDPOINT names no S3 server; `scripts/radosgw run COMMAND` starts one")
    one = Bucket.fresh(server())
    yield one
    one.clear()


@pytest.fixture(params=[("disk", "s3"), ("s3", "disk")], ids=["to a bucket", "to the disk"])
def move(request: pytest.FixtureRequest, start: StartServer, bucket: Bucket, tmp_path: Path) -> Move:
    return Move(start, tmp_path / "moved", bucket, *request.param)


def outcome(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The numbers at the end of a copy that went well."""
    assert result.returncode == 0, result.stdout + result.stderr
    return lines(result.stdout)[-1]


def at(daemon: Daemon, client: Client) -> Client:
    """The same client of a server that was started anew."""
    return Client(daemon.url, client.headers)


class Contents:
    """Files of an account and of a token, and what is in them."""

    def __init__(self, daemon: Daemon, count: int, size: int = 3_000):
        self.member: Member = new_member(daemon.url)
        self.token = new_token()
        self.of_account = {f"/docs/{number}.bin": secrets.token_bytes(size + number) for number in range(count)}
        self.of_token = {f"{number}.bin": secrets.token_bytes(100 + number) for number in range(count // 2)}
        for path, content in self.of_account.items():
            self.member.client.stored(path, content)
        container = token_client(daemon.url, self.token)
        for name, content in self.of_token.items():
            assert container.put_name(name, content).status_code == 204

    def check(self, daemon: Daemon) -> None:
        client, container = at(daemon, self.member.client), token_client(daemon.url, self.token)
        for path, content in self.of_account.items():
            assert client.download(path).content == content, path
        for name, content in self.of_token.items():
            assert container.get(f"/api/files/{name}").content == content, name


def test_everything_is_there_after_a_move(move: Move) -> None:
    daemon = move.serve(move.source)
    contents = Contents(daemon, 40)
    large = secrets.token_bytes(1 << 20) * 66
    contents.of_account["/large.bin"] = large
    contents.member.client.stored("/large.bin", large)
    before = sorted(move.keys(move.source))
    assert len(before) == 61 and move.keys(move.target) == []
    assert daemon.stop() == 0

    daemon = move.serve(move.target, move.source)
    contents.check(daemon)
    late = at(daemon, contents.member.client)
    late.stored("/late.bin", b"written while it is moved")
    contents.of_account["/late.bin"] = b"written while it is moved"
    assert len(move.keys(move.target)) == 1 and sorted(move.keys(move.source)) == before
    result = move.copy()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "\r" not in result.stderr and "\x1b" not in result.stderr
    assert result.stdout.startswith("copied 61 blobs ") and "blobs.fallback is needed no more" in result.stdout
    assert set(before) < set(move.keys(move.target))
    again = outcome(move.copy("--json"))
    assert (again["copied"], again["bytes"], again["present"], again["failed"]) == (0, 0, 62, 0)
    contents.check(daemon)
    assert daemon.stop() == 0

    for key in move.keys(move.source):
        move.remove(move.source, key)
    daemon = move.serve(move.target)
    contents.check(daemon)
    assert move.findings(move.target) == []


def test_a_move_of_a_store_that_is_in_use(move: Move) -> None:
    """Clients store, overwrite, read and delete, and bytes are collected, from the first copy to the last."""
    daemon = move.serve(move.source)
    contents = Contents(daemon, 300)
    member = contents.member
    assert daemon.stop() == 0
    daemon = move.serve(move.target, move.source)
    over, failures = threading.Event(), list[str]()
    changed: dict[str, bytes | None] = {}

    def use(number: int) -> None:
        client = at(daemon, member.client)
        count = 0
        while not over.is_set() or count < 20:
            count += 1
            path = f"/docs/{count * 7 % 300}.bin" if number == 0 else f"/new-{number}/{count % 30}.bin"
            if number == 0 and count % 3 == 0:
                answer = client.remove(path)
                wanted, changed[path] = (204, 404), None
            else:
                content = secrets.token_bytes(2_000)
                answer = client.upload(path, content)
                wanted, changed[path] = (200, 201), content
            if answer.status_code not in wanted:
                failures.append(f"{path}: {answer.status_code} {answer.text}")
            expected = changed[path]
            read = client.download(path)
            if (read.content if read.status_code == 200 else None) != expected:
                failures.append(f"{path} was read as {read.status_code} after it was changed")

    def collect() -> None:
        while not over.is_set():
            told = {**move.environment, "REVISIONS_KEEP": "0"}
            result = run_command("gc", "--grace", "0", directory=move.directory, **told)
            if result.returncode != 0:
                failures.append(result.stderr)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(3)] + [threading.Thread(target=collect)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            result = move.copy()
            assert result.returncode == 0, result.stdout + result.stderr
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert move.copy().returncode == 0
    assert daemon.stop() == 0

    daemon = move.serve(move.target)
    contents.of_account.update({path: content for path, content in changed.items() if content is not None})
    for path in [path for path, content in changed.items() if content is None]:
        contents.of_account.pop(path, None)
        assert at(daemon, member.client).download(path).status_code == 404
    contents.check(daemon)
    told = {**move.settings(move.target), "DATA_DIRECTORY": str(daemon.data)}
    assert run_command("gc", "--grace", "0", directory=move.directory, **told).returncode == 0
    assert move.findings(move.target) == [], "no copy is left whose row is no longer live"


def test_a_copy_that_is_killed_again_and_again_is_completed(move: Move) -> None:
    daemon = move.serve(move.source)
    contents = Contents(daemon, 200)
    assert daemon.stop() == 0
    daemon = move.serve(move.target, move.source)
    copied = 0
    for round_number in range(3):
        with move.copying() as process:
            deadline = time.monotonic() + 30
            while len(move.keys(move.target)) < copied + 40 and process.poll() is None:
                assert time.monotonic() < deadline, "nothing is copied"
            process.send_signal(signal.SIGKILL)
            process.wait()
        now = len(move.keys(move.target))
        assert now > copied or now == 300, "each round goes on where the last one ended"
        copied = now
        if round_number == 0:
            contents.check(daemon)
    rest = outcome(move.copy("--json"))
    assert rest["copied"] + rest["present"] == 300 and rest["present"] >= min(copied, 300)
    assert daemon.stop() == 0
    daemon = move.serve(move.target)
    contents.check(daemon)
    assert move.findings(move.target) == []
    assert move.bucket.uploads() == []


def test_a_copy_settles_nothing_when_the_move_is_turned_round_meanwhile(move: Move, wait_until: WaitUntil) -> None:
    daemon = move.serve(move.source)
    contents = Contents(daemon, 300)
    assert daemon.stop() == 0
    daemon = move.serve(move.target, move.source)
    assert daemon.stop() == 0
    with move.copying() as process:
        wait_until(lambda: len(move.keys(move.target)) > 10, 30)
        process.send_signal(signal.SIGSTOP)
        assert len(move.keys(move.target)) < 450, "it has ended before it could be stopped"
        daemon = move.serve(move.source, move.target)
        late = at(daemon, contents.member.client)
        late.stored("/late.bin", b"written after the move was turned round")
        assert daemon.stop() == 0
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == EXIT_CONFIGURATION, errors
        assert "Blobs go to another store by now" in errors
    for store in (move.source, move.target):
        told = {**move.settings(store), "DATA_DIRECTORY": str(daemon.data)}
        result = run_command("serve", "--http-port", "0", directory=move.directory, **told)
        assert result.returncode == EXIT_CONFIGURATION, "neither has everything"
    told = {**move.settings(move.source, move.target), "DATA_DIRECTORY": str(daemon.data)}
    back = ("copy-blobs", "--from", move.target, "--to", move.source)
    assert run_command(*back, directory=move.directory, **told).returncode == 0
    daemon = move.serve(move.source)
    contents.check(daemon)
    assert at(daemon, contents.member.client).download("/late.bin").status_code == 200
    assert move.findings(move.source) == []


def test_a_daemon_that_was_forgotten_ends_when_a_move_begins(tmp_path: Path, wait_until: WaitUntil) -> None:
    if not os.environ.get("STORAGED_TEST_POSTGRES"):
        pytest.skip("STORAGED_TEST_POSTGRES names no Postgres; `scripts/postgres run COMMAND` starts one")
    url = create_database(cluster())
    old, new = tmp_path / "old", tmp_path / "new"
    for directory in (old, new, tmp_path / "empty"):
        directory.mkdir()
    fallback = {"BLOBS_FALLBACK": f"disk:{old}/data"}
    forgotten = Daemon(old, DATABASE_URL=url, BLOBS_MEMORY_CACHE="0")
    moving = Daemon(new, DATABASE_URL=url, BLOBS_MEMORY_CACHE="0", **fallback)
    try:
        contents = Contents(forgotten.start(), 10)
        moving.start()
        wait_until(lambda: not forgotten.alive, 15)
        assert [process.wait() for process in forgotten.processes] == [EXIT_CONFIGURATION]
        said = forgotten.log()
        assert "CRITICAL" in said.upper() and "blobs.fallback" in said
        contents.check(moving)
        assert moving.alive

        listed = run_command("user", "list", directory=tmp_path / "empty", DATABASE_URL=url)
        assert listed.returncode == 0 and list((tmp_path / "empty").iterdir()) == []
        told = {"DATABASE_URL": url, "DATA_DIRECTORY": str(moving.data)}
        move = ("copy-blobs", "--from", f"disk:{old}/data", "--to", "disk", "--json")
        assert outcome(run_command(*move, directory=new, **told, **fallback))["copied"] == 15
        assert moving.stop() == 0
        contents.check(Daemon(new, DATABASE_URL=url).start())
    finally:
        forgotten.kill()
        moving.kill()
        drop_database(url)


def test_what_was_found_damaged_before_is_named(move: Move) -> None:
    daemon = move.serve(move.source)
    client = new_member(daemon.url).client
    content = {name: name.encode() * 50_000 for name in ("good", "bad")}
    for name, body in content.items():
        client.stored(f"/{name}.bin", body)
    digest = expect.digest(content["bad"])
    key = f"store/{digest[:2]}/{digest}"
    assert daemon.stop() == 0
    with sqlite3.connect(daemon.data / "storaged.sqlite") as database:
        database.execute("UPDATE blobs SET state = 'corrupt' WHERE hash = ?", (bytes.fromhex(digest),))
    result = move.copy("--json")
    assert result.returncode == 1 and "had been found damaged before" in result.stderr, result.stdout + result.stderr
    row, summary = lines(result.stdout)
    assert (row["failure"], row["blob"]) == ("corrupt", key) and "has its bytes whole" in row["detail"]
    assert (summary["copied"], summary["failed"], summary["corrupt"]) == (1, 0, 1)
    told = move.copy()
    assert "everything but 1 damaged before is in" in told.stdout

    daemon = move.serve(move.target)
    assert at(daemon, client).download("/good.bin").content == content["good"]
    assert at(daemon, client).download("/bad.bin").status_code == 500
    at(daemon, client).stored("/copy.bin", content["bad"])
    assert at(daemon, client).download("/bad.bin").content == content["bad"]
    assert daemon.stop() == 0


def test_what_is_damaged_is_named_and_not_copied(move: Move) -> None:
    daemon = move.serve(move.source)
    client = new_member(daemon.url).client
    contents = {letter: letter.encode() * 50_000 for letter in "abcde"}
    for letter, content in contents.items():
        client.stored(f"/{letter}", content)
    keys = {letter: f"store/{expect.digest(c)[:2]}/{expect.digest(c)}" for letter, c in contents.items()}
    assert daemon.stop() == 0
    move.write(move.source, keys["a"], b"b" + contents["a"][1:])
    move.write(move.source, keys["b"], contents["b"][:-1])
    move.remove(move.source, keys["c"])
    result = move.copy("--json")
    assert result.returncode == 1, result.stdout + result.stderr
    *found, summary = lines(result.stdout)
    assert sorted((row["blob"], row["failure"]) for row in found) == sorted(
        [(keys["a"], "damaged"), (keys["b"], "damaged"), (keys["c"], "missing")]
    )
    assert (summary["copied"], summary["failed"]) == (2, 3) and "blobs.fallback stays needed" in result.stderr
    assert sorted(move.keys(move.target)) == sorted(keys[letter] for letter in "de")

    # Once somebody has put them right, it goes on.
    for letter in "abc":
        move.write(move.source, keys[letter], contents[letter])
    result = move.copy()
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(move.keys(move.target)) == sorted(keys.values())


def test_a_deletion_removes_both_copies(move: Move, wait_until: WaitUntil) -> None:
    daemon = move.serve(move.source)
    contents = Contents(daemon, 4)
    assert daemon.stop() == 0
    assert move.copy().returncode == 0
    daemon = move.serve(move.target, move.source)
    client = at(daemon, contents.member.client)
    content = contents.of_account["/docs/0.bin"]
    key = f"store/{expect.digest(content)[:2]}/{expect.digest(content)}"
    assert key in move.keys(move.source) and key in move.keys(move.target)
    assert client.remove("/docs/0.bin").status_code == 204
    told = {**move.environment}
    assert run_command("gc", "--grace", "0", directory=move.directory, **told).returncode == 0
    assert key not in move.keys(move.source) and key not in move.keys(move.target)
    assert client.download("/docs/0.bin").status_code == 404


def test_a_move_shows_a_bar_on_a_terminal(move: Move) -> None:
    daemon = move.serve(move.source)
    Contents(daemon, 30)
    assert daemon.stop() == 0
    shown = subprocess.run(
        ["script", "-qec", f"{binary_path()} {' '.join(move.command)}", "/dev/null"],
        cwd=move.directory,
        env=clean_environment(move.environment),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"\r\x1b[K[" in shown.stdout and b"% " in shown.stdout


# What is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--from"),
        (("--from", "disk"), "--to"),
        (("--from", "tape", "--to", "s3"), "--from"),
        (("--from", "disk", "--to", "tape"), "--to"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run_command("copy-blobs", *arguments, directory=tmp_path)
    assert result.returncode in (EXIT_USAGE, EXIT_CONFIGURATION), result.stderr
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_not_copied_into_itself(move: Move) -> None:
    daemon = move.serve(move.source)
    Contents(daemon, 2)
    assert daemon.stop() == 0
    told = {**move.settings(move.source), "DATA_DIRECTORY": str(daemon.data)}
    place = ("copy-blobs", "--from", move.source, "--to", move.source)
    result = run_command(*place, directory=move.directory, **told)
    assert result.returncode in (EXIT_USAGE, EXIT_CONFIGURATION), result.stdout + result.stderr


def test_a_move_without_a_fallback_is_refused_to_the_server(move: Move) -> None:
    """The database knows where its bytes are: another place, empty or not, needs the old one beside it."""
    daemon = move.serve(move.source)
    Contents(daemon, 2)
    assert daemon.stop() == 0
    told = {**move.settings(move.target), "DATA_DIRECTORY": str(daemon.data)}
    result = run_command("serve", "--http-port", "0", directory=move.directory, **told)
    assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
    assert move.keys(move.target) == [] and not move.is_store(move.target), "nothing was made of it"
    move.serve(move.source)
    assert move.findings(move.source) == []
