"""`storaged user`: accounts, their passwords and their quotas, beside a running server."""

from __future__ import annotations

import json
import os
import pty
import signal
import termios
import time

import pytest

from client import Client, Member, basic, new_member, sign_in, token_client
from commands import command, done, lines, wait_for_status
from conftest import StartServer
from daemon import Daemon, binary_path, clean_environment
from lanes import direct

pytestmark = direct("commands do not go through nginx")


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


def add_on_a_terminal(daemon: Daemon) -> tuple[int, int]:
    """`storaged user add ada`, which asks for the password; the process and its terminal."""
    child, terminal = pty.fork()
    if child == 0:
        environment = clean_environment({"DATA_DIRECTORY": str(daemon.data)})
        os.execve(str(binary_path()), ["storaged", "user", "add", "ada"], environment)
    return child, terminal


def test_a_password_is_asked_for_on_a_terminal_and_not_shown(start: StartServer) -> None:
    daemon = start()
    child, terminal = add_on_a_terminal(daemon)
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
    child, keeper = add_on_a_terminal(daemon)
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
