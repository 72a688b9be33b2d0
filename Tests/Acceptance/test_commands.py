"""What the commands of the operator have in common, with the real binary beside a running server or alone."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

import expect
from client import Client, new_member
from commands import command, done, lines
from conftest import StartServer
from daemon import binary_path, clean_environment, run_command
from lanes import direct

pytestmark = direct("commands do not go through nginx")

EXIT_CONFIGURATION = 78


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


@pytest.mark.stores("sqlite")
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
