"""Commands of the operator beside a running server, with the real binary on both sides."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess
import termios
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

import expect
from client import Client, Member, basic, new_member, sign_in, token_client
from commands import command, done, findings, lines
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment, run_command

EXIT_CONFIGURATION = 78
EXIT_NO_INPUT = 66
EXIT_NO_USER = 67


def report(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The numbers at the end of an import with --json."""
    return dict(json.loads(result.stdout.splitlines()[-1]))


def remarks(result: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in result.stdout.splitlines()[:-1]]
    return sorted((line["event"], line["name"]) for line in lines)


def real_files(limit: int) -> list[Path]:
    """Files that every system has, of many sizes and kinds."""
    found: list[Path] = []
    for folder, _, names in os.walk("/usr/share"):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
                found.append(path)
                if len(found) == limit:
                    return found
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of some hundred real files, with their folders."""
    root = tmp_path / "source"
    for path in real_files(400):
        target = root / path.relative_to("/usr/share")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def served(member: Member, prefix: str = "") -> dict[str, bytes]:
    paths = member.client.paths()
    return {path.removeprefix(prefix + "/"): member.client.download(path).content for path in paths}


def stored_blobs(daemon: Daemon) -> int:
    return sum(path.is_file() for place in ("store", "containers") for path in (daemon.data / place).rglob("*"))


# import


def test_a_real_folder_is_imported_and_served(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    result = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    expected = contents(source)
    assert report(result)["stored"] == len(expected) >= 300
    assert report(result)["bytes"] == sum(map(len, expected.values()))
    assert served(member) == expected
    again = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert again.returncode == 0
    assert report(again)["already_there"] == len(expected) and report(again)["stored"] == report(again)["bytes"] == 0


def test_an_import_into_a_folder_beside_what_clients_do(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    process = start_import(daemon, source, member, "--to", "/backup/2026/")
    number = 0
    while process.poll() is None:
        assert member.client.upload(f"/notes/{number}.txt", b"%d" % number, f"{number}.txt").status_code == 201
        number += 1
    assert process.returncode == 0
    paths = set(member.client.paths())
    assert {f"/notes/{index}.txt" for index in range(number)} <= paths
    assert {f"/backup/2026/{name}" for name in contents(source)} <= paths


def start_import(daemon: Daemon, source: Path, member: Member, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(binary_path()), "import", str(source), "--account", member.login, *arguments],
        cwd=daemon.directory,
        env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_import(process: subprocess.Popen[bytes], member: Member, count: int) -> None:
    """kill -9 as soon as that many files are there, or the import has ended."""
    while len(member.client.paths()) < count and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_import_is_finished_by_the_next(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    expected = contents(source)
    for share in (0.1, 0.5):
        kill_import(start_import(daemon, source, member), member, int(share * len(expected)))
        # Nothing half: what is listed is whole.
        assert all(expected[name] == content for name, content in served(member, "").items())
    done = len(member.client.paths())
    result = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert report(result)["already_there"] == done
    assert report(result)["stored"] == len(expected) - done
    assert served(member) == expected


def test_odd_names_and_things_that_are_no_files(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    source = tmp_path / "odd"
    (source / "empty" / "below").mkdir(parents=True)
    good = ["e\u0301.txt", "é.txt", "a b.txt", "漢字", "%41", "quote\"'", "back\\slash"]
    for name in good:
        (source / name).write_text(name)
    (source / "link").symlink_to("/etc/passwd")
    (source / "linked").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
    bad = os.fsencode(source) + b"/\xff\xfe"
    with open(bad, "wb") as file:
        file.write(b"not text")
    (source / "new\nline").write_text("control")
    result = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert result.returncode == 1
    assert "2 of the entries could not be imported" in result.stderr
    assert remarks(result) == [
        ("failed", "\\xff\\xfe"),
        ("failed", "new\nline"),
        ("skipped", "link"),
        ("skipped", "linked"),
        ("skipped", "pipe"),
        ("skipped", "socket"),
    ]
    assert report(result) == {
        "stored": len(good), "updated": 0, "bytes": sum(len(name.encode()) for name in good), "already_there": 0,
        "folders": 1, "skipped": 4, "failed": 2, "is_dry_run": False, "is_complete": True,
    }  # fmt: skip
    assert sorted(served(member)) == sorted(good)
    folders = member.client.listing(folder="/empty")["files"]
    assert [(record["path"], record["type"]) for record in folders] == [("/empty/below", "folder")]


def test_a_dry_run_changes_nothing(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    result = command(daemon, "import", str(source), "--account", member.login, "--dry-run", "--json")
    assert result.returncode == 0
    assert report(result)["is_dry_run"] and report(result)["stored"] == len(contents(source))
    assert member.client.paths() == []
    assert stored_blobs(daemon) == 0


def test_no_terminal_no_bar(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    result = command(daemon, "import", str(source), "--account", member.login)
    assert "\r" not in result.stdout + result.stderr and "\x1b" not in result.stdout + result.stderr
    assert result.stdout.startswith("imported ")
    shown = subprocess.run(
        ["script", "-qec", f"{binary_path()} import {source} --account {member.login}", "/dev/null"],
        cwd=daemon.directory,
        env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"\r\x1b[K[" in shown.stdout and b"% " in shown.stdout


def test_an_import_needs_a_folder_and_an_account(start: StartServer, source: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    nobody = command(daemon, "import", str(source), "--account", "nobody")
    assert nobody.returncode == EXIT_NO_USER and "nobody" in nobody.stderr
    missing = command(daemon, "import", str(source / "missing"), "--account", member.login)
    assert missing.returncode == EXIT_NO_INPUT and "missing" in missing.stderr
    within = command(daemon, "import", str(daemon.data / "store"), "--account", member.login)
    assert within.returncode == EXIT_NO_INPUT and "data directory" in within.stderr
    assert member.client.paths() == []


def test_the_data_directory_below_a_folder_is_left_out(start: StartServer) -> None:
    daemon = start()
    member = new_member(daemon.url)
    (daemon.directory / "note.txt").write_text("note")
    result = command(daemon, "import", str(daemon.directory), "--account", member.login, "--json")
    assert result.returncode == 0
    assert remarks(result) == [("skipped", "data")]
    assert "/note.txt" in member.client.paths()


def test_the_database_is_left_out_wherever_it_lies(start: StartServer, tmp_path: Path) -> None:
    source = tmp_path / "elsewhere"
    source.mkdir()
    (source / "note.txt").write_text("note")
    database = {"DATABASE_URL": f"sqlite:{source}/accounts.sqlite"}
    daemon = start(**database)
    member = new_member(daemon.url)
    arguments = ("import", str(source), "--account", member.login, "--json")
    result = run_command(*arguments, directory=tmp_path, DATA_DIRECTORY=str(daemon.data), **database)
    assert result.returncode == 0, result.stdout + result.stderr
    assert report(result)["stored"] == 1 and member.client.paths() == ["/note.txt"]
    assert ("skipped", "accounts.sqlite") in remarks(result)


def test_an_import_heals_what_the_store_has_lost(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    source = tmp_path / "source"
    source.mkdir()
    for name in ("missing", "short", "good"):
        (source / name).write_text(name)
    assert command(daemon, "import", str(source), "--account", member.login).returncode == 0
    blobs = {path.read_bytes().decode(): path for path in (daemon.data / "store").rglob("*") if path.is_file()}
    blobs["missing"].unlink()
    os.truncate(blobs["short"], 2)
    result = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert report(result)["updated"] == 2 and report(result)["already_there"] == 1
    assert served(member) == contents(source)


def test_an_import_over_the_quota_stores_what_there_is_room_for(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    source = tmp_path / "source"
    source.mkdir()
    (source / "large").write_bytes(b"x" * 1000)
    for number in range(20):
        (source / f"small-{number}").write_bytes(b"%d" % (number % 10))
    done(daemon, "user", "quota", member.login, "--bytes", "100")
    for arguments in (("--dry-run",), (), ()):
        result = command(daemon, "import", str(source), "--account", member.login, "--json", *arguments)
        assert result.returncode == 1, result.stdout + result.stderr
        assert remarks(result) == [("failed", "large")]
    assert report(result)["already_there"] == 20 and report(result)["failed"] == 1
    done(daemon, "user", "quota", member.login, "--bytes", "none", "--files", "20")
    result = command(daemon, "import", str(source), "--account", member.login, "--json")
    assert result.returncode == 1 and remarks(result) == [("failed", "large")]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_import_that_is_stopped_gives_back_its_room(
    start: StartServer, tmp_path: Path, number: int, status: int
) -> None:
    daemon = start()
    member = new_member(daemon.url)
    source = tmp_path / "source"
    source.mkdir()
    (source / "note.txt").write_text("note")
    with (source / "large").open("wb") as large:
        large.truncate(4 << 30)
    done(daemon, "user", "quota", member.login, "--bytes", "5GiB")
    process = subprocess.Popen(
        [str(binary_path()), "import", str(source), "--account", member.login, "--json"],
        env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while reserved(daemon) == 0 or not member.client.paths():
        assert process.poll() is None
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == status and "stopped by" in errors
    told = json.loads(output.splitlines()[-1])
    assert told["stored"] == 1 and told["failed"] == 0 and not told["is_complete"]
    assert reserved(daemon) == 0
    assert served(member) == {"note.txt": b"note"}


def reserved(daemon: Daemon) -> int:
    """Bytes that are set aside for uploads."""
    with sqlite3.connect(f"file:{daemon.data}/storaged.sqlite?mode=ro", uri=True) as database:
        return int(database.execute("SELECT COALESCE(SUM(reserved), 0) FROM uploads").fetchone()[0])


@pytest.mark.parametrize("target", ["", "x/../y", "a//b", "x\n"])
def test_an_import_goes_only_to_a_folder_that_can_be(tmp_path: Path, target: str) -> None:
    result = run_command("import", ".", "--account", "ann", f"--to={target}", directory=tmp_path)
    assert result.returncode == 64 and "--to" in result.stderr
    assert list(tmp_path.iterdir()) == []


# gc


def test_gc_beside_a_running_server(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    for number in range(20):
        assert client.put_name(f"{number}.bin", b"content %d" % number).status_code == 204
    for number in range(15):
        assert client.delete(f"/api/files/{number}.bin").status_code == 204
    assert json.loads(command(daemon, "gc", "--json").stdout) == {"blobs": 0, "bytes": 0}
    assert stored_blobs(daemon) == 20
    result = command(daemon, "gc", "--grace", "0", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"blobs": 15, "bytes": sum(len(b"content %d" % n) for n in range(15))}
    assert stored_blobs(daemon) == 5
    assert all(client.get(f"/api/files/{n}.bin").content == b"content %d" % n for n in range(15, 20))
    assert client.put_name("0.bin", b"content 0").status_code == 204
    assert client.get("/api/files/0.bin").content == b"content 0"
    assert "collected 0 blobs" in command(daemon, "gc", "--grace=0").stdout


def test_gc_again_and_again_while_clients_store_and_delete(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    for round_number in range(10):
        process = subprocess.Popen(
            [str(binary_path()), "gc", "--grace", "0"],
            env=clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
            stdout=subprocess.DEVNULL,
        )
        for number in range(20):
            assert client.put_name("same.bin", b"same bytes").status_code == 204
            assert client.get("/api/files/same.bin").content == b"same bytes"
            assert client.put_name("kept.bin", b"kept %d" % (round_number * 20 + number)).status_code == 204
            assert client.delete("/api/files/same.bin").status_code == 204
        assert process.wait(60) == 0
    assert client.get("/api/files/kept.bin").content == b"kept 199"


# user and token


def test_an_account_from_its_first_to_its_last_day(start: StartServer) -> None:
    daemon = start(AUTH_REGISTRATION="off")
    made = json.loads(done(daemon, "user", "add", "ada", "--password-stdin", "--json", given="correct horse\n"))
    assert made["login"] == "ada" and made["role"] == "user" and not made["is_disabled"]
    token = sign_in(daemon.url, "ada", "correct horse")
    client = Client(daemon.url, {"Authorization": f"Bearer {token}"})
    assert client.upload("/note.txt", b"12345", "note.txt").status_code == 201
    (listed,) = lines(done(daemon, "user", "list", "--json"))
    assert listed["id"] == made["id"] and listed["files"] == 1 and listed["bytes"] == 5

    done(daemon, "user", "disable", "ada")
    wait_for_status(client, 401)
    assert sign_in_status(daemon, "ada", "correct horse") == 401
    done(daemon, "user", "enable", "ada")
    wait_for_status(client, 200)

    done(daemon, "user", "password", "ada", "--password-stdin", given="another horse\n")
    wait_for_status(client, 401)
    assert sign_in_status(daemon, "ada", "correct horse") == 401
    client = Client(daemon.url, {"Authorization": f"Bearer {sign_in(daemon.url, 'ada', 'another horse')}"})
    assert client.download("/note.txt").content == b"12345"

    assert command(daemon, "user", "delete", "ada").returncode == 1
    wait_for_status(client, 200)
    done(daemon, "user", "delete", "ada", "--yes")
    wait_for_status(client, 401)
    assert lines(done(daemon, "user", "list", "--json")) == []
    assert json.loads(done(daemon, "gc", "--grace", "0", "--json"))["blobs"] == 1
    done(daemon, "user", "add", "ada", "--password-stdin", given="correct horse\n")
    again = Client(daemon.url, {"Authorization": basic("ada", "correct horse")})
    assert again.paths() == []


def sign_in_status(daemon: Daemon, login: str, password: str) -> int:
    body = {"login": login, "password": password}
    return Client(daemon.url).post("/api/v1/user/auth", json=body).status_code


def wait_for_status(client: Client, status: int) -> None:
    """A credential may be remembered for a second."""
    deadline = time.monotonic() + 5
    while client.get("/api/v1/files").status_code != status:
        assert time.monotonic() < deadline, f"not {status} in time"


def test_a_password_is_asked_for_on_a_terminal_and_not_shown(start: StartServer) -> None:
    daemon = start()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(
            str(binary_path()),
            ["storaged", "user", "add", "ada"],
            clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        )
    shown = b""
    for prompt in (b"Password: ", b"Once more: "):
        while not shown.endswith(prompt):
            shown += os.read(terminal, 1024)
        os.write(terminal, b"correct house\x7f\x7f\x7f\x7f\x7fhorse\r")
    try:
        while chunk := os.read(terminal, 1024):
            shown += chunk
    except OSError:
        pass  # The other end is closed.
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert b"correct" not in shown and b"horse" not in shown and b"made user ada" in shown
    assert sign_in(daemon.url, "ada", "correct horse")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_password_prompt_leaves_the_terminal_as_it_was(start: StartServer, number: int) -> None:
    daemon = start()
    child, keeper = pty.fork()
    if child == 0:
        os.execve(
            str(binary_path()),
            ["storaged", "user", "add", "ada"],
            clean_environment({"DATA_DIRECTORY": str(daemon.data)}),
        )
    shown = b""
    while not shown.endswith(b"Password: "):
        shown += os.read(keeper, 1024)
    assert not termios.tcgetattr(keeper)[3] & termios.ECHO
    os.kill(child, number)
    # The signal's own effect, or a failure where the one who started the tests ignores it.
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (-number, 1)
    assert termios.tcgetattr(keeper)[3] & termios.ECHO
    os.close(keeper)


def test_an_administrator_may_do_what_others_may_not(start: StartServer) -> None:
    daemon = start(AUTH_REGISTRATION="admin")
    done(daemon, "user", "add", "root", "--admin", "--password-stdin", given="correct horse\n")
    body = {"login": "bob", "password": "correct horse"}
    assert Client(daemon.url).post("/api/v1/user/register", json=body).status_code == 403
    root = Client(daemon.url, {"Authorization": basic("root", "correct horse")})
    assert root.post("/api/v1/user/register", json=body).status_code == 201
    table = done(daemon, "user", "list").splitlines()
    assert [row.split()[:2] for row in table] == [["LOGIN", "ROLE"], ["root", "admin"], ["bob", "user"]]


def test_a_quota_holds_at_once(start: StartServer) -> None:
    daemon = start()
    member = new_member(daemon.url)
    assert member.client.upload("/a", b"1234567890").status_code == 201
    assert "default" in done(daemon, "user", "quota", member.login)
    done(daemon, "user", "quota", member.login, "--bytes", "15")
    assert "15 bytes" in done(daemon, "user", "quota", member.login)
    wait_for_refusal(member, "/b")
    done(daemon, "user", "quota", member.login, "--bytes", "none", "--files", "2")
    deadline = time.monotonic() + 5
    while member.client.upload("/b", b"1234567890").status_code != 201:
        assert time.monotonic() < deadline
    assert member.client.upload("/c", b"").status_code == 507
    shown = json.loads(done(daemon, "user", "quota", member.login, "--json"))
    assert shown["limit_files"] == 2 and shown["files"] == 2


def wait_for_refusal(member: Member, path: str) -> None:
    deadline = time.monotonic() + 5
    while (response := member.client.upload(path, b"1234567890")).status_code != 507:
        assert response.status_code in (200, 201) and time.monotonic() < deadline
        assert member.client.remove(path).status_code == 204


def test_the_quota_of_the_settings_holds_for_everybody(start: StartServer) -> None:
    daemon = start(LIMITS_QUOTA="10", LIMITS_CONTAINER_QUOTA="20", LIMITS_FILES="2")
    member, client = new_member(daemon.url), token_client(daemon.url)
    assert member.client.upload("/a", b"x" * 11).status_code == 507
    assert member.client.upload("/a", b"x" * 10).status_code == 201
    assert client.put_name("a", b"x" * 11).status_code == 204
    assert client.put_name("b", b"x" * 11).status_code == 507
    assert client.put_name("b", b"").status_code == 204
    assert client.put_name("c", b"").status_code == 507
    done(daemon, "user", "quota", member.login, "--bytes", "none")
    deadline = time.monotonic() + 5
    while member.client.upload("/b", b"x" * 11).status_code != 201:
        assert time.monotonic() < deadline


def test_tokens_are_made_shown_and_revoked(start: StartServer) -> None:
    daemon = start()
    member = new_member(daemon.url)
    token = done(daemon, "token", "add", member.login, "--label", "backup job").strip()
    client = Client(daemon.url, {"Authorization": f"Bearer {token}"})
    assert client.upload("/a.txt", b"a").status_code == 201
    listed = lines(done(daemon, "token", "list", member.login, "--json"))
    assert sorted(row.get("label") or "" for row in listed) == ["", "backup job"]
    (backup,) = [row for row in listed if row.get("label") == "backup job"]
    assert token not in done(daemon, "token", "list", member.login)
    done(daemon, "token", "revoke", member.login, backup["id"])
    wait_for_status(client, 401)
    assert member.client.paths() == ["/a.txt"]
    assert command(daemon, "token", "revoke", member.login, backup["id"]).returncode == 1


def test_container_tokens_that_are_made_known(start: StartServer) -> None:
    daemon = start(AUTH_CONTAINERS="known")
    chosen = str(uuid.uuid4())
    assert token_client(daemon.url, chosen).put_name("a").status_code == 401
    assert done(daemon, "token", "add", "--container", "--token-stdin", given=f"{chosen.upper()}\n").strip() == chosen
    made = json.loads(done(daemon, "token", "add", "--container", "--json"))
    for token in (chosen, made["token"]):
        client = token_client(daemon.url, token)
        deadline = time.monotonic() + 5
        while client.put_name("a").status_code != 204:
            assert time.monotonic() < deadline
        assert client.names() == ["a"]
    assert token_client(daemon.url).put_name("a").status_code == 401
    (listed,) = lines(done(daemon, "token", "list", made["account"], "--json"))
    done(daemon, "token", "revoke", made["account"], listed["id"])
    wait_for_status(token_client(daemon.url, made["token"]), 401)


def test_a_revoked_container_token_is_refused_everywhere(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    assert client.put_name("a").status_code == 204
    (row,) = lines(done(daemon, "user", "list", "--json"))
    (token,) = lines(done(daemon, "token", "list", row["id"], "--json"))
    done(daemon, "token", "revoke", row["id"], token["id"])
    deadline = time.monotonic() + 5
    while client.get("/api/files").status_code != 401:
        assert time.monotonic() < deadline
    for response in (client.get("/api/files"), client.get("/api/files/a"), client.put_name("b")):
        expect.problem(response, 401)
    # The token of an account that was deleted is as dead.
    other = token_client(daemon.url)
    assert other.put_name("a").status_code == 204
    accounts = [account["id"] for account in lines(done(daemon, "user", "list", "--json"))]
    (deleted,) = [account for account in accounts if account != row["id"]]
    done(daemon, "user", "delete", deleted, "--yes")
    deadline = time.monotonic() + 5
    while other.get("/api/files").status_code != 401:
        assert time.monotonic() < deadline


# fsck


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


# what all of them have in common


COMMANDS = [
    ["gc"],
    ["fsck"],
    ["import", ".", "--account", "ann"],
    ["user", "list"],
    ["user", "disable", "ann"],
    ["token", "add", "--container"],
    ["migrate", "status"],
    ["migrate", "down", "--yes"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda value: " ".join(value[:2]))
def test_commands_make_nothing_where_there_is_no_store(tmp_path: Path, arguments: list[str]) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o700)
    (foreign / "letter.txt").write_text("private")
    for place in ("missing", "foreign"):
        result = run_command(*arguments, "--data-directory", place, directory=tmp_path)
        assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
        assert place in result.stderr and "data.directory" in result.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["foreign", "letter.txt"]
    memory = run_command(*arguments, "--database-url", "memory:", directory=tmp_path)
    assert memory.returncode == EXIT_CONFIGURATION and "memory" in memory.stderr


def test_undoing_the_schema_asks_first(start: StartServer) -> None:
    daemon = start()
    member = new_member(daemon.url)
    assert daemon.stop() == 0
    refused = command(daemon, "migrate", "down")
    assert refused.returncode == 1 and "--yes" in refused.stderr and "nothing was undone" in refused.stderr
    assert [row["login"] for row in lines(done(daemon, "user", "list", "--json"))] == [member.login]
    assert all(row["applied_at"] for row in lines(done(daemon, "migrate", "status", "--json")))
    steps = lines(done(daemon, "migrate", "down", "--yes", "--json"))
    assert steps[-1]["applied_at"] is None


def test_arguments_that_are_no_text_are_refused(tmp_path: Path) -> None:
    result = subprocess.run(
        [str(binary_path()), "user", "add", b"e\xff"], cwd=tmp_path, env=clean_environment({}), capture_output=True
    )
    assert result.returncode == 64 and b"argument 3 is not UTF-8" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_commands_do_not_wait_for_whoever_locks_the_directory(start: StartServer) -> None:
    daemon = start()
    directory = os.open(daemon.data, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    try:
        assert lines(done(daemon, "user", "list", "--json")) == []
    finally:
        os.close(directory)


def test_commands_work_on_a_store_that_nobody_serves(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    assert daemon.stop() == 0
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "note.txt").write_text("note")
    assert command(daemon, "import", str(tmp_path / "folder"), "--account", member.login).returncode == 0
    returned = start(daemon.directory)
    client = Client(returned.url, member.client.headers)
    assert client.download("/note.txt").content == b"note"
    expect.problem(client.download("/other.txt"), 404)
