"""
Every kind of change, with the connection to the database cut at each of its COMMITs in turn, on either side of it: the
client is answered as if nothing had happened, and what was asked for has happened once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from client import Client, Member, basic, new_login, new_member, new_password, token_client
from commands import fsck
from daemon import Daemon
from stores import create_database, drop_stores, rows, use_database

from cluster import Cluster
from proxy import Proxy, Side

pytestmark = pytest.mark.stores("nodes")

NEW = b"other content"
ACCOUNT = "/api/v1/user"
SIDES = pytest.mark.parametrize("side", Side, ids=["before", "after"])

Subject = TypeVar("Subject")


class Service:
    """One node, whose only transactions are those of the tests."""

    def __init__(self, server: Daemon, proxy: Proxy):
        self.server = server
        self.proxy = proxy
        self.member = new_member(server.url)
        self.roots = map(str, itertools.count())

    def cut_in_turn(
        self,
        side: Side,
        prepare: Callable[[], Subject],
        act: Callable[[Subject], requests.Response],
        left: Callable[[Subject], Any],
        also: tuple[int, ...] = (),
    ) -> None:
        """
        Cuts the connection at the first COMMIT of an act, at the second when it is done anew, until there are no more.

        The answer and what is left must be as without a cut; the status may be one of `also`.
        """
        subject = prepare()
        status, expected = act(subject).status_code, left(subject)
        assert 200 <= status < 300
        for number in itertools.count(1):
            subject = prepare()
            trap = self.proxy.cut_at_commit(side, number)
            answer = act(subject)
            self.proxy.disarm()
            at = f"cut {side.value}, number {number}: {answer.text}"
            assert answer.status_code in (status, *also), at
            assert left(subject) == expected, at
            if not trap.sprung.is_set():
                break
        assert number > 1, "nothing was committed"
        print(f"{number - 1} COMMITs cut {side.value}")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory: Path = tmp_path_factory.mktemp("commits")
    with Cluster() as cluster, Proxy(create_database(cluster.url)) as proxy:
        with Daemon(directory, nodes=1, DATABASE_URL=proxy.url, UPKEEP_INTERVAL="1h", REVISIONS_KEEP="3") as server:
            use_database(server.data, proxy.target.geturl())
            yield Service(server.start(), proxy)
            findings = fsck(server)[0]
        drop_stores(directory)
    assert findings == []


# Files


@dataclass
class Folder:
    """A folder of somebody, and what can be done in it."""

    client: Client
    root: str

    def upload(self, path: str, content: bytes = NEW) -> requests.Response:
        return self.client.upload(f"/{self.root}/{path}", content)

    def make_folder(self, path: str) -> requests.Response:
        return self.client.make_folder(f"/{self.root}/{path}")

    def remove(self, path: str, **query: str) -> requests.Response:
        return self.client.remove(f"/{self.root}/{path}", **query)

    def move(self, source: str, target: str, **members: Any) -> requests.Response:
        return self.client.move(f"/{self.root}/{source}", f"/{self.root}/{target}", **members)

    def copy(self, source: str, target: str, **members: Any) -> requests.Response:
        return self.client.copy(f"/{self.root}/{source}", f"/{self.root}/{target}", **members)


CHANGES_OF_FILES: dict[str, Callable[[Folder], requests.Response]] = {
    "upload": lambda folder: folder.upload("new.bin"),
    "overwrite": lambda folder: folder.upload("docs/a.txt"),
    "make_folder": lambda folder: folder.make_folder("x/y/z"),
    "delete": lambda folder: folder.remove("docs/a.txt"),
    "delete_tree": lambda folder: folder.remove("docs", recursive="true"),
    "move": lambda folder: folder.move("docs/a.txt", "moved.txt"),
    "move_over": lambda folder: folder.move("docs/a.txt", "docs/b.txt", overwrite=True),
    "move_tree": lambda folder: folder.move("docs", "elsewhere"),
    "copy": lambda folder: folder.copy("docs/a.txt", "copied.txt"),
    "copy_over": lambda folder: folder.copy("docs/a.txt", "docs/b.txt", overwrite=True),
    "copy_tree": lambda folder: folder.copy("docs", "elsewhere"),
}
# Whether a folder that is there was made by the lost change, nothing can tell.
ALSO = {"make_folder": (200,)}


def revisions(data: Path, root: str) -> list[dict[str, Any]]:
    """Everything in a folder, with all revisions."""
    path = f"substr(convert_from(f.path, 'UTF8'), {len(root) + 2})"
    return rows(
        data,
        f"SELECT {path} AS path, f.type, encode(b.hash, 'hex') AS hash, r.number, r.id = f.revision_id AS is_current "
        "FROM files f LEFT JOIN revisions r ON r.file_id = f.id LEFT JOIN blobs b ON b.id = r.blob_id "
        f"WHERE convert_from(f.path, 'UTF8') LIKE '{root}/%' ORDER BY f.path, r.number",
    )


@SIDES
@pytest.mark.parametrize("change", CHANGES_OF_FILES)
def test_a_change_of_files_is_made_once(service: Service, change: str, side: Side) -> None:
    def prepare() -> Folder:
        folder = Folder(service.member.client, next(service.roots))
        for path, content in [("a.txt", b"a"), ("a.txt", b"a again"), ("b.txt", b"b"), ("c/d", b"d")]:
            assert folder.upload(f"docs/{path}", content).status_code in (200, 201)
        return folder

    def left(folder: Folder) -> list[dict[str, Any]]:
        return revisions(service.server.data, folder.root)

    service.cut_in_turn(side, prepare, CHANGES_OF_FILES[change], left, ALSO.get(change, ()))


@SIDES
def test_the_container_of_a_token_is_made_once(service: Service, side: Side) -> None:
    service.cut_in_turn(
        side,
        prepare=lambda: token_client(service.server.url),
        act=lambda client: client.put_name("first", NEW),
        left=lambda client: (client.names(), client.get("/api/files/first").content),
    )


# Accounts


def anonymous(member: Member) -> Client:
    return Client(member.client.url)


def fields(member: Member) -> dict[str, str]:
    return {"login": member.login, "password": member.password}


def register(member: Member) -> requests.Response:
    member.login = new_login()
    return anonymous(member).post(f"{ACCOUNT}/register", json=fields(member))


def sign_in_again(member: Member) -> requests.Response:
    answer = anonymous(member).post(f"{ACCOUNT}/auth", json=fields(member))
    member.token = answer.json().get("token", "")
    return answer


def sign_out(member: Member) -> requests.Response:
    return member.client.post(f"{ACCOUNT}/logout")


def end_session(member: Member) -> requests.Response:
    (session,) = member.client.get(f"{ACCOUNT}/sessions").json()["sessions"]
    own = Client(member.client.url, {"Authorization": basic(member.login, member.password)})
    return own.delete(f"{ACCOUNT}/sessions/{session['id']}")


def change_password(member: Member) -> requests.Response:
    old, member.password = member.password, new_password()
    return member.client.post(f"{ACCOUNT}/password", json={"password": old, "new_password": member.password})


def close_account(member: Member) -> requests.Response:
    return member.client.delete(ACCOUNT, json={"password": member.password})


@SIDES
@pytest.mark.parametrize(
    "change",
    [register, sign_in_again, sign_out, end_session, change_password, close_account],
    ids=lambda change: change.__name__,
)
def test_a_change_of_accounts_is_made_once(
    service: Service, change: Callable[[Member], requests.Response], side: Side
) -> None:
    def left(member: Member) -> tuple[Any, ...]:
        found = rows(
            service.server.data,
            "SELECT k.kind, k.revoked_at IS NULL AS holds FROM accounts a JOIN credentials k ON k.account_id = a.id "
            f"WHERE a.login = '{member.login}' ORDER BY 1, 2",
        )
        by_token = Client(member.client.url, {"Authorization": f"Bearer {member.token}"}).get("/api/v1/files")
        by_password = anonymous(member).post(f"{ACCOUNT}/auth", json=fields(member))
        return found, by_token.status_code, by_password.status_code

    service.cut_in_turn(side, lambda: new_member(service.server.url), change, left)
