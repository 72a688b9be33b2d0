"""What an account holds, in all and by its folders at the root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import expect
from client import Client, Member, new_member
from conftest import start_daemon
from daemon import Daemon


def put(client: Client, path: str, content: bytes) -> None:
    """Stores a file at just this path, whatever its name."""
    assert client.put_name(path.removeprefix("/"), content).status_code == 204


def folders(status: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Bytes and files by the names of the folders."""
    found = {}
    for one in status["folders"]:
        ((name, usage),) = one.items()
        assert set(usage) == {"allocated", "used", "files"}
        assert isinstance(usage["allocated"], str) and isinstance(usage["used"], str)
        found[name] = (int(usage["used"]), usage["files"])
    assert list(found) == sorted(found, key=lambda name: name.encode())
    return found


def test_an_account_that_is_new_holds_nothing(member: Member) -> None:
    status = member.client.status()
    identifier = member.client.listing()["account_id"]
    root = status["info"]["root_folder_id"]
    assert expect.is_uuid(root) and root != identifier
    assert status == {
        "account_id": identifier,
        "info": {"root_folder_id": root, "home_folder_id": root},
        "folders": [],
        "quota": None,
        "used": 0,
        "files": 0,
    }


def test_each_folder_at_the_root_counts_what_is_below_it(member: Member) -> None:
    client = member.client
    for path, size in {"/a/x": 1, "/a/b/c/y": 10, "/b/x": 100, "/top": 1000, "/a!/z": 10_000, "/a.b/é/z": 0}.items():
        put(client, path, b"x" * size)
    client.make_folder("/empty/inside")
    status = client.status()
    assert folders(status) == {"a": (11, 2), "a!": (10_000, 1), "a.b": (0, 1), "b": (100, 1), "empty": (0, 0)}
    assert (status["used"], status["files"], status["quota"]) == (11_111, 6, None)
    for one in status["folders"]:
        for usage in one.values():
            assert usage["allocated"] == usage["used"]


def test_older_revisions_do_not_count(member: Member) -> None:
    client = member.client
    put(client, "/a/x", b"x" * 100)
    put(client, "/a/x", b"y" * 7)
    status = client.status()
    assert (folders(status), status["used"], status["files"]) == ({"a": (7, 1)}, 7, 1)


def test_it_follows_moves_and_deletions(member: Member) -> None:
    client = member.client
    before = client.status()["info"]
    put(client, "/a/x", b"x" * 10)
    put(client, "/a/y", b"y" * 5)
    client.move("/a", "/b/inner")
    assert folders(client.status()) == {"b": (15, 2)}
    client.remove("/b/inner/x")
    status = client.status()
    assert (folders(status), status["used"], status["files"]) == ({"b": (5, 1)}, 5, 1)
    assert status["info"] == before


def test_folders_with_unusual_names(client: Client) -> None:
    names = ["%", "_", "a\\b", '"', "e\u0301", "é", "\U0001f600", "with space", "{}", "allocated", "__proto__"]
    for name in names:
        put(client, f"/{name}/file", b"abc")
    assert folders(client.status()) == {name: (3, 1) for name in names}


def test_more_files_than_one_stretch_has(client: Client) -> None:
    for number in range(1200):
        assert client.put_name(f"f{number % 3}/{number}", b"12").status_code == 204
    assert folders(client.status()) == {f"f{number}": (800, 400) for number in range(3)}


def test_a_token_that_wrote_nothing_has_no_account(client: Client) -> None:
    status = client.status()
    assert status == {
        "account_id": None,
        "info": {"root_folder_id": None, "home_folder_id": None},
        "folders": [],
        "quota": None,
        "used": 0,
        "files": 0,
    }
    put(client, "/a/b", b"x")
    status = client.status()
    assert expect.is_uuid(status["account_id"]) and expect.is_uuid(status["info"]["root_folder_id"])
    assert client.headers["X-Auth-Token"] not in str(status)


def test_nothing_of_another_principal_counts(client: Client, stranger: Client) -> None:
    put(client, "/a/b", b"x")
    put(stranger, "/c/d", b"xy")
    assert folders(client.status()) == {"a": (1, 1)}
    assert folders(stranger.status()) == {"c": (2, 1)}
    assert client.status()["info"] != stranger.status()["info"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = start_daemon(tmp_path_factory.mktemp("limited"), LIMITS_QUOTA="1000000")
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


def test_folders_share_what_the_account_may_hold(limited: Daemon) -> None:
    client = new_member(limited.url).client
    put(client, "/cats/tom", b"x" * 395_870)
    client.make_folder("/dogs")
    status = client.status()
    assert status["folders"] == [
        {"cats": {"allocated": "1000000", "used": "395870", "files": 1}},
        {"dogs": {"allocated": "1000000", "used": "0", "files": 0}},
    ]
    assert (status["quota"], status["used"], status["files"]) == (1_000_000, 395_870, 1)


def test_it_needs_credentials_and_is_not_cached(anonymous: Client, client: Client) -> None:
    expect.problem(anonymous.get("/api/v1/user/status"), 401)
    response = client.get("/api/v1/user/status")
    assert response.headers["Cache-Control"] == "no-store" and "Authorization" in response.headers["Vary"]
    head = client.head("/api/v1/user/status")
    assert (head.status_code, head.content) == (200, b"")
    expect.problem(client.post("/api/v1/user/status"), 405)
