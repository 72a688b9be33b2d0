"""`storaged import`: a folder into an account, beside a running server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blobs import blobs_of
from client import Member, new_member
from commands import command, done, stored_blobs
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment, run_command
from importing import contents, start_import
from lanes import direct
from stores import rows

pytestmark = direct("commands do not go through nginx")

EXIT_NO_INPUT = 66
EXIT_NO_USER = 67


def report(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The numbers at the end of an import with --json."""
    return dict(json.loads(result.stdout.splitlines()[-1]))


def remarks(result: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in result.stdout.splitlines()[:-1]]
    return sorted((line["event"], line["name"]) for line in lines)


def served(member: Member, prefix: str = "") -> dict[str, bytes]:
    paths = member.client.paths()
    return {path.removeprefix(prefix + "/"): member.client.download(path).content for path in paths}


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
    within = command(daemon, "import", str(daemon.data), "--account", member.login)
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


@pytest.mark.stores("sqlite")
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
    blobs = {blob.read().decode(): blob for blob in blobs_of(daemon.data, "store")}
    blobs["missing"].remove()
    blobs["short"].write(b"sh")
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
    return int(rows(daemon.data, "SELECT COALESCE(SUM(reserved), 0) AS bytes FROM uploads")[0]["bytes"])


@pytest.mark.parametrize("target", ["", "x/../y", "a//b", "x\n"])
def test_an_import_goes_only_to_a_folder_that_can_be(tmp_path: Path, target: str) -> None:
    result = run_command("import", ".", "--account", "ann", f"--to={target}", directory=tmp_path)
    assert result.returncode == 64 and "--to" in result.stderr
    assert list(tmp_path.iterdir()) == []
