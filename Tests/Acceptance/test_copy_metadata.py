"""Moving the metadata into another database, beside a running server and without one."""

from __future__ import annotations

import json
import secrets
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import expect
from client import Client, basic, new_member, new_token, token_client
from commands import command, done, findings, stored_blobs
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment, run_command
from stores import MODE, blob, change, cluster, create_database, database_of, rows, use_database

EXIT_USAGE = 64
EXIT_UNAVAILABLE = 69
EXIT_CONFIGURATION = 78

WaitUntil = Callable[[Callable[[], bool], float], None]


# With `postgres`, it is the source that is a database there; the way back is below.
pytestmark = pytest.mark.stores("sqlite", "postgres")


def source_of(daemon: Daemon) -> str:
    return f"sqlite:{daemon.data}/storaged.sqlite" if MODE == "sqlite" else database_of(daemon.data)


def shown(url: str) -> str:
    """An address as people may see it."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url


def target_of(daemon: Daemon) -> str:
    return f"sqlite:{daemon.directory}/moved.sqlite"


def copy(daemon: Daemon, *arguments: str, to: str | None = None) -> subprocess.CompletedProcess[str]:
    return run_command(
        "copy-metadata", "--from", source_of(daemon), "--to", to or target_of(daemon), *arguments,
        directory=daemon.directory,
    )  # fmt: skip


def give_up(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    return run_command("copy-metadata", "--from", source_of(daemon), "--give-up", directory=daemon.directory)


@contextmanager
def copying(daemon: Daemon, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A copy in the background; nothing of it is left afterwards."""
    process = subprocess.Popen(
        [str(binary_path()), "copy-metadata", "--from", source_of(daemon), "--to", target_of(daemon), *arguments],
        cwd=daemon.directory,
        env=clean_environment({}),
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


def state(daemon: Daemon) -> str:
    """What the source says of itself, in one word."""
    found = rows(daemon.data, "SELECT value FROM settings WHERE key = 'database.state'")
    return str(found[0]["value"]).split()[0] if found else "open"


NOW = {
    "sqlite": "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)",
    "postgres": "CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT)",
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    "SELECT randomblob(16), i, 'sign_in' FROM n",
    "postgres": "SELECT decode(md5(i::text), 'hex'), i, 'sign_in' FROM generate_series(1, {count}) AS i",
}


def open_upload(daemon: Daemon) -> None:
    """Leaves an upload in the database that is still under way, as a node that is busy with a large body has it."""
    change(
        daemon.data,
        "INSERT INTO uploads (id, container_id, started_at, heartbeat_at) "
        f"SELECT {blob(secrets.token_hex(16))}, id, {NOW[MODE]}, {NOW[MODE]} FROM containers LIMIT 1",
    )


def end_uploads(daemon: Daemon) -> None:
    change(daemon.data, "UPDATE uploads SET abandoned_at = heartbeat_at WHERE committed_at IS NULL")


def many_rows(daemon: Daemon) -> None:
    """So many more rows than files make that a copy takes its time."""
    change(daemon.data, "INSERT INTO audit (id, at, act) " + NUMBERS[MODE].format(count=20_000))


TABLES = (
    "accounts", "credentials", "containers", "usage_deltas", "blobs", "files", "revisions", "links", "uploads", "audit",
)  # fmt: skip


def source_tables(daemon: Daemon) -> dict[str, list[str]]:
    """Every row of every table that belongs to the metadata, the state of the source left out."""
    return {name: sorted(map(text, rows(daemon.data, f"SELECT * FROM {name}"))) for name in TABLES}


def target_tables(path: Path) -> dict[str, list[str]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        return {name: sorted(text(dict(row)) for row in database.execute(f"SELECT * FROM {name}")) for name in TABLES}


def text(row: dict[str, object]) -> str:
    """A row that is the same text whichever database it comes from."""
    return json.dumps(row, sort_keys=True, default=lambda value: "\\x" + value.hex())


def refused(client: Client, name: str) -> None:
    """A write that is refused for a while, and what clients are told then."""
    response = client.put_name(name, b"too late")
    assert response.status_code == 503, response.text
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["code"] == "unavailable" and "moved" in response.json()["detail"]


# The whole way


def test_everything_is_there_after_a_move(start: StartServer) -> None:
    daemon = start()
    member, token = new_member(daemon.url), new_token()
    container = token_client(daemon.url, token)
    for number in range(30):
        member.client.stored(f"/docs/{number}.txt", b"first %d" % number)
        member.client.stored(f"/docs/{number}.txt", b"second %d" % number)
        container.put_name(f"{number}.bin", b"%d" % number)
    published = member.client.post("/api/files", files={"file": ("all.txt", b"for everybody")})
    assert published.status_code in (200, 201), published.text
    digest = expect.digest(b"for everybody")
    done(daemon, "user", "quota", member.login, "--files", "500")
    listed = member.client.listing()["files"]

    result = copy(daemon, "--json")
    assert result.returncode == 0, result.stderr
    outcome = json.loads(result.stdout)
    assert outcome["rows"] > 200 and outcome["from"] == shown(source_of(daemon)) and outcome["to"] == target_of(daemon)
    refused(container, "late.bin")
    refused(member.client, "late.bin")
    assert container.get("/api/files/7.bin").content == b"7", "reads go on"
    assert daemon.ready()
    assert daemon.stop() == 0
    assert source_tables(daemon) == target_tables(daemon.directory / "moved.sqlite")

    moved = start(daemon.directory, DATABASE_URL=target_of(daemon))
    member.client.url = container.url = moved.url
    member.client.session.close()
    assert member.client.listing()["files"] == listed
    for number in range(30):
        assert member.client.download(f"/docs/{number}.txt").content == b"second %d" % number
        assert container.get(f"/api/files/{number}.bin").content == b"%d" % number
    assert Client(moved.url).get("/api/files", params={"hash": digest}).content == b"for everybody"
    assert container.put_name("new.bin", b"new").status_code == 204
    found = run_command(
        "fsck", "--read-data", directory=daemon.directory,
        DATA_DIRECTORY=str(daemon.data), DATABASE_URL=target_of(daemon),
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_a_moved_database_is_never_served_written_or_collected_again(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("a", b"content of a")
    client.put_name("b", b"content of b")
    assert client.delete("/api/files/a").status_code == 204
    assert copy(daemon).returncode == 0
    assert daemon.stop() == 0
    for arguments in [
        ("serve",), ("gc", "--grace", "0"), ("user", "list"), ("token", "add", "--container"), ("fsck",),
        ("migrate", "up"), ("import", ".", "--account", "ann"),
    ]:  # fmt: skip
        result = command(daemon, *arguments)
        assert result.returncode == EXIT_CONFIGURATION, (arguments, result.stderr)
        assert "moved to " + target_of(daemon) in result.stderr
        assert "database.url" in result.stderr
    for result in (copy(daemon, to=f"sqlite:{daemon.directory}/other.sqlite"), give_up(daemon)):
        assert result.returncode == EXIT_CONFIGURATION and "moved to" in result.stderr
    assert state(daemon) == "moved"
    assert stored_blobs(daemon) == 2, "what nobody refers to any more is left to the new database"


@pytest.mark.stores("postgres")
def test_a_file_is_moved_to_a_server(start: StartServer, tmp_path: Path) -> None:
    home = tmp_path / "server"
    file = f"sqlite:{home}/data/storaged.sqlite"
    daemon = start(home, DATABASE_URL=file)
    member = new_member(daemon.url)
    for number in range(20):
        member.client.stored(f"/docs/{number}.txt", b"%d" % number)
    listed = member.client.listing()["files"]
    server = create_database(cluster())
    use_database(home / "data", server)
    result = run_command("copy-metadata", "--from", file, "--to", server, directory=home)
    assert result.returncode == 0, result.stderr
    password = urlsplit(server).password
    assert password and password not in result.stdout + result.stderr
    refused(member.client, "late.bin")
    assert daemon.stop() == 0
    again = run_command("gc", directory=home, DATA_DIRECTORY=f"{home}/data", DATABASE_URL=file)
    assert again.returncode == EXIT_CONFIGURATION
    assert "moved to " + shown(server) in again.stderr and password not in again.stderr

    moved = start(home)
    member.client.url = moved.url
    member.client.session.close()
    assert member.client.listing()["files"] == listed
    assert member.client.download("/docs/7.txt").content == b"7"
    assert member.client.put_name("new.bin", b"new").status_code == 204
    assert findings(moved) == []


# While uploads are under way


def test_a_server_lets_uploads_end_and_refuses_new_ones(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start()
    member = new_member(daemon.url)
    member.client.stored("/a.txt", b"before")
    open_upload(daemon)
    with copying(daemon) as process:
        wait_until(lambda: state(daemon) == "closing", 30)
        refused(member.client, "late.bin")
        assert member.client.remove("/a.txt").status_code == 204, "all else goes on"
        end_uploads(daemon)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert output.startswith("moved ")
    assert state(daemon) == "moved"
    assert member.client.paths() == []


def test_an_upload_with_a_reservation_ends_well(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start(LIMITS_QUOTA="100MiB")
    member = new_member(daemon.url)
    go = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"x" * 100_000
        assert go.wait(60)
        yield b"y" * 100_000

    statuses: list[int] = []
    upload = threading.Thread(
        target=lambda: statuses.append(member.client.put("/api/files/slow.bin", data=body()).status_code)
    )
    upload.start()
    wait_until(lambda: daemon.staging_files() == 1, 30)
    with copying(daemon) as process:
        wait_until(lambda: state(daemon) == "closing", 30)
        other = Client(daemon.url, {"Authorization": basic(member.login, member.password)})
        refused(other, "late.bin")
        go.set()
        upload.join(60)
        assert statuses == [204]
        assert process.wait(60) == 0
    moved = run_command(
        "user", "list", "--json", directory=daemon.directory,
        DATA_DIRECTORY=str(daemon.data), DATABASE_URL=target_of(daemon),
    )  # fmt: skip
    assert json.loads(moved.stdout.splitlines()[0])["files"] == 1


def test_uploads_that_do_not_end_in_time_end_the_copy(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("a")
    open_upload(daemon)
    result = copy(daemon, "--wait", "300ms")
    assert result.returncode == EXIT_UNAVAILABLE
    assert "1 uploads are still under way" in result.stderr and "takes writes again" in result.stderr
    assert state(daemon) == "open"
    assert client.put_name("b").status_code == 204
    end_uploads(daemon)
    assert copy(daemon).returncode == 0, "a copy that was given up is begun anew"


# Copies that end early


def frozen(daemon: Daemon, process: subprocess.Popen[str]) -> None:
    """Returns while the copy reads the frozen source."""
    while state(daemon) != "frozen":
        assert process.poll() is None, "the copy has ended before it was stopped: it needs more rows"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_copy_that_is_stopped_thaws(start: StartServer, number: int, status: int) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("a")
    many_rows(daemon)
    with copying(daemon) as process:
        frozen(daemon, process)
        refused(client, "late")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert "stopped by" in errors and "takes writes again" in errors
    assert state(daemon) == "open"
    assert client.put_name("b").status_code == 204
    assert findings(daemon) == []


def test_a_copy_that_is_killed_leaves_a_frozen_source_that_the_next_call_moves(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("a", b"content of a")
    many_rows(daemon)
    with copying(daemon) as process:
        frozen(daemon, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert state(daemon) == "frozen"
    daemon.kill()
    again = start(daemon.directory)
    client.url = again.url
    client.session.close()
    refused(client, "late")
    assert client.get("/api/files/a").content == b"content of a"
    unfinished = run_command(
        "serve", directory=daemon.directory, DATA_DIRECTORY=f"{daemon.directory}/other",
        DATABASE_URL=target_of(daemon),
    )  # fmt: skip
    assert unfinished.returncode == EXIT_CONFIGURATION and "unfinished copy" in unfinished.stderr

    assert "takes writes again" in give_up(again).stdout
    assert client.put_name("b").status_code == 204
    assert "was not frozen" in give_up(again).stdout
    with copying(again) as process:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert source_tables(daemon) == target_tables(daemon.directory / "moved.sqlite")


def test_upkeep_stands_still_and_goes_on(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start()
    client = token_client(daemon.url)
    client.put_name("a", b"content of a")
    client.put_name("b", b"content of b")
    assert client.delete("/api/files/a").status_code == 204
    many_rows(daemon)
    with copying(daemon) as process:
        frozen(daemon, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert daemon.stop() == 0

    eager = start(daemon.directory, UPKEEP_GRACE="0", UPKEEP_INTERVAL="1s")
    client.url = eager.url
    client.session.close()
    wait_until(lambda: "upkeep waits for the database" in eager.log(), 30)
    time.sleep(2.5)
    assert eager.log().count("upkeep waits for the database") <= 2, "once for each service"
    assert stored_blobs(daemon) == 2
    assert client.get("/api/files/b").content == b"content of b"
    assert eager.ready()
    assert give_up(eager).returncode == 0
    wait_until(lambda: stored_blobs(daemon) == 1 and "upkeep goes on" in eager.log(), 30)


# What is refused


def test_a_target_that_holds_something_is_refused(start: StartServer, tmp_path: Path) -> None:
    daemon, other = start(), start(tmp_path / "other")
    token_client(daemon.url).put_name("a")
    result = copy(daemon, to=source_of(other))
    assert result.returncode == EXIT_CONFIGURATION and "not empty" in result.stderr
    itself = copy(daemon, to=source_of(daemon))
    assert itself.returncode == EXIT_CONFIGURATION and "not empty" in itself.stderr
    assert state(daemon) == state(other) == "open"
    assert token_client(daemon.url).put_name("b").status_code == 204


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), EXIT_USAGE, "--from"),
        (("--from", "sqlite:a"), EXIT_USAGE, "--to or --give-up"),
        (("--from", "sqlite:a", "--to", "sqlite:b", "--give-up"), EXIT_USAGE, "--to or --give-up"),
        (("--from", "mysql://ann:hunter2@localhost/x", "--to", "sqlite:b"), EXIT_USAGE, "--from"),
        (("--from", "sqlite:a", "--to", "hunter2"), EXIT_USAGE, "--to"),
        (("--from", "sqlite:a", "--to", "sqlite:b", "--wait", "soon"), EXIT_USAGE, "a duration"),
        (("--from", "memory:", "--to", "sqlite:b"), EXIT_CONFIGURATION, "--from: a database in memory"),
        (("--from", "sqlite:a", "--to", "sqlite:b"), EXIT_CONFIGURATION, "--from: The database file"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = run_command("copy-metadata", *arguments, directory=tmp_path)
    assert result.returncode == status, result.stderr
    assert words in result.stderr
    assert "hunter2" not in result.stderr + result.stdout
    assert list(tmp_path.iterdir()) == []

