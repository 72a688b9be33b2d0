"""Commands of the operator beside a running server, with the real binary on both sides."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import expect
from client import Client, Member, new_member, token_client
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment, run_command

EXIT_CONFIGURATION = 78
EXIT_NO_INPUT = 66
EXIT_NO_USER = 67

WaitUntil = Callable[[Callable[[], bool], float], None]


def command(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command on the server's data, from another directory."""
    return run_command(*arguments, directory=daemon.directory.parent, DATA_DIRECTORY=str(daemon.data))


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


def test_a_killed_import_is_finished_by_the_next(start: StartServer, source: Path, wait_until: WaitUntil) -> None:
    daemon = start()
    member = new_member(daemon.url)
    expected = contents(source)
    for share in (0.1, 0.5):
        process = start_import(daemon, source, member)
        wait_until(lambda: len(member.client.paths()) >= share * len(expected) or process.poll() is not None, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
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
        ("failed", "new\\u{a}line"),
        ("skipped", "link"),
        ("skipped", "linked"),
        ("skipped", "pipe"),
        ("skipped", "socket"),
    ]
    assert report(result) == {
        "stored": len(good), "updated": 0, "bytes": sum(len(name.encode()) for name in good), "already_there": 0,
        "folders": 1, "skipped": 4, "failed": 2, "is_dry_run": False,
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


# what all of them have in common


@pytest.mark.parametrize("arguments", [["gc"], ["import", ".", "--account", "ann"]], ids=lambda value: value[0])
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
