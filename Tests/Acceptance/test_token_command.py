"""`storaged token`: tokens of accounts and of containers, beside a running server."""

from __future__ import annotations

import json
import time
import uuid

import expect
from client import Client, new_member, token_client
from commands import command, done, lines, wait_for_status
from conftest import StartServer
from lanes import direct

pytestmark = direct("commands do not go through nginx")


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
