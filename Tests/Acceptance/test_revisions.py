"""Older revisions: listed, downloaded and restored."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import expect
from client import Client, Member, new_member
from conftest import StartServer, start_daemon
from daemon import Daemon
from stores import blob, change

VERSIONS = [b"one", b"version two", b"the third version"]


def put(client: Client, path: str, content: bytes) -> None:
    """Stores a file at just this path, whatever its name."""
    assert client.put_name(path.removeprefix("/"), content).status_code == 204


@pytest.fixture
def versions(member: Member) -> Client:
    """A member whose file /docs/a.txt has three revisions."""
    for number, content in enumerate(VERSIONS):
        response = member.client.upload("/docs/a.txt", content, f"sent {number}.txt", f"text/x-{number}")
        assert response.status_code in (200, 201)
    return member.client


def test_the_newest_comes_first_and_the_current_one_is_there(versions: Client) -> None:
    current = versions.listing()["files"][0]
    revisions = versions.revisions("/docs/a.txt")
    assert [one["size"] for one in revisions] == [len(content) for content in reversed(VERSIONS)]
    for one, content in zip(revisions, reversed(VERSIONS), strict=True):
        expect.file_record(one, "/docs/a.txt", content)
        assert expect.is_uuid(one["rev_id"])
        assert (one["id"], one["created_at"]) == (current["id"], current["created_at"])
    assert [one["media_type"] for one in revisions] == ["text/x-2", "text/x-1", "text/x-0"]
    assert len({one["rev_id"] for one in revisions}) == 3
    assert f'"{revisions[0]["rev_id"]}"' == expect.strong_etag(versions.download("/docs/a.txt"))
    times = [expect.moment(one["modified_at"]) for one in revisions]
    assert times == sorted(times, reverse=True)


def test_a_list_is_of_a_file_by_path_or_id_and_no_longer_than_wanted(versions: Client) -> None:
    identifier = versions.listing()["files"][0]["id"]
    everything = versions.revisions("/docs/a.txt")
    assert versions.revisions("docs/a.txt") == versions.revisions(identifier) == everything
    for limit in (1, 2, 3, 1000):
        assert versions.revisions("/docs/a.txt", limit=limit) == everything[:limit]
    assert versions.revisions("/docs/a.txt", limit=None) == everything


@pytest.mark.parametrize("limit", [0, -1, 1001, 1 << 63, 1.5, "2", True, [], {}])
def test_a_wrong_limit_is_named(versions: Client, limit: object) -> None:
    response = versions.post("/api/v1/files/revisions", json={"path": "/docs/a.txt", "limit": limit})
    assert "limit" in expect.problem(response, 422)["detail"]


def test_forms_work_as_well(versions: Client) -> None:
    everything = versions.revisions("/docs/a.txt")
    answer = versions.post("/api/v1/files/revisions", data={"path": "/docs/a.txt", "limit": "2"})
    assert answer.json()["revisions"] == everything[:2]
    expect.problem(versions.post("/api/v1/files/revisions", data={"path": "/docs/a.txt", "limit": "+2"}), 400, "invalid_limit")
    oldest = everything[-1]["rev_id"]
    fields = {"path": (None, "/docs/a.txt"), "rev_id": (None, oldest)}
    assert versions.post("/api/v1/files/revisions/restore", files=fields).json()["size"] == 3


def test_what_has_no_revisions(versions: Client, stranger: Client) -> None:
    expect.problem(versions.post("/api/v1/files/revisions", json={"path": "/none"}), 404)
    assert "path" in expect.problem(versions.post("/api/v1/files/revisions", json={"path": "/docs"}), 422)["detail"]
    assert "path" in expect.problem(versions.post("/api/v1/files/revisions", json={}), 422)["detail"]
    expect.problem(versions.post("/api/v1/files/revisions", json={"path": "/a/../b"}), 400, "invalid_path")
    expect.problem(versions.post("/api/v1/files/revisions", data=b"no json"), 400, "invalid_json")
    expect.problem(stranger.post("/api/v1/files/revisions", json={"path": "/docs/a.txt"}), 404)


def test_each_is_downloaded_as_it_was(versions: Client) -> None:
    for number, one in enumerate(reversed(versions.revisions("/docs/a.txt"))):
        response = versions.download("/docs/a.txt", rev=one["rev_id"])
        assert response.content == VERSIONS[number]
        assert response.headers["ETag"] == f'"{one["rev_id"]}"'
        assert response.headers["Content-Type"] == f"text/x-{number}"
        assert f'filename="sent {number}.txt"' in response.headers["Content-Disposition"]
        head = versions.head("/api/v1/files/download", params={"path": one["id"], "rev": one["rev_id"]})
        assert (head.headers["ETag"], head.headers["Content-Length"]) == (
            response.headers["ETag"],
            str(len(VERSIONS[number])),
        )
    # The name of the current one is its path's.
    assert 'filename="a.txt"' in versions.download("/docs/a.txt").headers["Content-Disposition"]


def test_ranges_and_conditions_are_those_of_the_revision(versions: Client) -> None:
    oldest = versions.revisions("/docs/a.txt")[-1]["rev_id"]

    def get(**headers: str) -> object:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        response = versions.download("/docs/a.txt", fields, rev=oldest)
        return response.status_code, response.content if response.status_code < 300 else b""

    current = versions.revisions("/docs/a.txt")[0]["rev_id"]
    assert get(Range="bytes=1-") == (206, b"ne")
    assert get(Range="bytes=3-") == (416, b"")
    assert get(If_None_Match=f'"{oldest}"') == (304, b"")
    assert get(If_None_Match=f'"{current}"') == (200, b"one")
    assert get(If_Match=f'"{oldest}"') == (200, b"one")
    assert get(If_Match=f'"{current}"') == (412, b"")
    assert get(Range="bytes=0-0", If_Range=f'"{oldest}"') == (206, b"o")
    assert get(Range="bytes=0-0", If_Range=f'"{current}"') == (200, b"one")


def test_the_current_download_is_never_answered_by_an_older_one(versions: Client) -> None:
    """Small files are answered from memory; the ways must not be mixed up."""
    oldest = versions.revisions("/docs/a.txt")[-1]["rev_id"]
    for _ in range(5):
        assert versions.download("/docs/a.txt").content == VERSIONS[-1]
        assert versions.download("/docs/a.txt", rev=oldest).content == VERSIONS[0]


def test_a_revision_that_is_none(versions: Client, stranger: Client, server: Daemon) -> None:
    other = versions.stored("/b.txt")
    foreign = new_member(server.url).client
    foreign.stored("/docs/a.txt", b"theirs")
    theirs = foreign.revisions("/docs/a.txt")[0]["rev_id"]
    beside = versions.revisions("/b.txt")[0]["rev_id"]
    for wrong in ("", "x", "0", str(uuid.uuid4()), other["id"], theirs, beside, beside + "x"):
        expect.problem(versions.download("/docs/a.txt", rev=wrong), 404, "not_found")
        refusal = versions.restore("/docs/a.txt", wrong)
        expect.problem(refusal, 404 if len(wrong) == 36 else 422)
    mine = versions.revisions("/docs/a.txt")[0]["rev_id"]
    for client in (stranger, foreign):
        expect.problem(client.download("/docs/a.txt", rev=mine), 404)
        expect.problem(client.restore("/docs/a.txt", mine), 404)
    expect.problem(versions.download("/docs", rev=mine), 404)
    expect.problem(versions.restore("/docs", mine), 422)
    expect.problem(versions.get(f"/api/v1/files/download?path=/docs/a.txt&rev={mine}&rev={mine}"), 400, "invalid_query")
    assert versions.download("/docs/a.txt").content == VERSIONS[-1]


def test_a_restored_one_is_a_new_revision_of_the_same_file(versions: Client) -> None:
    before = versions.revisions("/docs/a.txt")
    response = versions.restore("/docs/a.txt", before[-1]["rev_id"])
    assert response.status_code == 200
    expect.file_record(response.json(), "/docs/a.txt", VERSIONS[0])
    assert response.json()["id"] == before[0]["id"]
    assert response.json()["media_type"] == "text/x-0"
    after = versions.revisions("/docs/a.txt")
    assert response.headers["ETag"] == f'"{after[0]["rev_id"]}"'
    assert after[1:] == before
    assert after[0]["rev_id"] not in [one["rev_id"] for one in before]
    assert versions.download("/docs/a.txt").content == VERSIONS[0]
    sent = versions.download("/docs/a.txt", rev=after[0]["rev_id"]).headers["Content-Disposition"]
    assert 'filename="sent 0.txt"' in sent
    # Once more, and what is current already: nothing is made.
    for revision in (before[-1]["rev_id"], after[0]["rev_id"]):
        again = versions.restore(before[0]["id"], revision)
        assert (again.status_code, again.headers["ETag"]) == (200, response.headers["ETag"])
    assert versions.revisions("/docs/a.txt") == after


def test_the_kind_comes_from_the_name_and_the_restored_type(member: Member) -> None:
    client = member.client
    client.upload("/picture", b"old", "picture", "image/png")
    assert client.upload("/picture", b"new", "picture", "text/plain").json()["kind"] == "text"
    restored = client.restore("/picture", client.revisions("/picture")[1]["rev_id"]).json()
    assert (restored["kind"], restored["media_type"]) == ("image", "image/png")
    assert client.paths(kind="image") == ["/picture"]


def test_conditions_are_of_the_current_revision(versions: Client) -> None:
    current, _, oldest = (one["rev_id"] for one in versions.revisions("/docs/a.txt"))
    for headers in (
        {"If-Match": f'"{oldest}"'},
        {"If-None-Match": f'"{current}"'},
        {"If-None-Match": "*"},
        {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        expect.problem(versions.restore("/docs/a.txt", oldest, headers), 412, "precondition_failed")
    assert versions.download("/docs/a.txt").content == VERSIONS[-1]
    assert versions.restore("/docs/a.txt", oldest, {"If-Match": f'"{current}"'}).status_code == 200
    expect.problem(versions.restore("/docs/a.txt", oldest, {"If-Match": f'"{current}"'}), 412)


def test_of_simultaneous_ones_with_one_condition_one_wins(versions: Client) -> None:
    current, _, oldest = (one["rev_id"] for one in versions.revisions("/docs/a.txt"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: versions.restore("/docs/a.txt", oldest, {"If-Match": f'"{current}"'}), range(16))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 15
    assert len(versions.revisions("/docs/a.txt")) == 4


def test_as_many_are_kept_as_the_server_says(member: Member) -> None:
    client = member.client
    for number in range(9):
        client.stored("/a.txt", b"x" * number)
    revisions = client.revisions("/a.txt")
    assert [one["size"] for one in revisions] == [8, 7, 6, 5, 4, 3]
    restored = client.restore("/a.txt", revisions[-1]["rev_id"])
    assert restored.json()["size"] == 3
    assert [one["size"] for one in client.revisions("/a.txt")] == [3, 8, 7, 6, 5, 4]
    expect.problem(client.restore("/a.txt", revisions[-1]["rev_id"]), 404)
    assert client.download("/a.txt").content == b"xxx"


def test_a_container_of_a_token_has_the_current_one_alone(client: Client) -> None:
    for content in VERSIONS:
        client.stored("/a.txt", content)
    revisions = client.revisions("/a.txt")
    assert [one["size"] for one in revisions] == [len(VERSIONS[-1])]
    response = client.restore("/a.txt", revisions[0]["rev_id"])
    assert (response.status_code, response.headers["ETag"]) == (200, f'"{revisions[0]["rev_id"]}"')


def test_they_move_and_go_with_their_file(versions: Client) -> None:
    before = versions.revisions("/docs/a.txt")
    assert versions.move("/docs/a.txt", "/elsewhere/ü.txt").status_code == 200
    after = versions.revisions("/elsewhere/ü.txt")
    assert [one["rev_id"] for one in after] == [one["rev_id"] for one in before]
    assert {one["path"] for one in after} == {"/elsewhere/ü.txt"}
    assert versions.restore("/elsewhere/ü.txt", before[-1]["rev_id"]).status_code == 200
    assert versions.remove("/elsewhere/ü.txt").status_code == 204
    expect.problem(versions.download("/elsewhere/ü.txt", rev=before[0]["rev_id"]), 404)
    expect.problem(versions.restore("/elsewhere/ü.txt", before[0]["rev_id"]), 404)


def test_nothing_is_published_by_restoring(member: Member, anonymous: Client) -> None:
    client = member.client
    published = client.post("/http/upload", files={"file": ("a.txt", b"for everybody", "text/plain")}).json()["uid"]
    path = client.paths()[0]
    client.upload(path, b"for me", "a.txt")
    expect.problem(anonymous.get(f"/http/load/{published}"), 404)
    assert client.restore(path, client.revisions(path)[1]["rev_id"]).status_code == 200
    assert client.download(path).content == b"for everybody"
    expect.problem(anonymous.get(f"/http/load/{published}"), 404)


def test_files_published_by_their_digest_are_not_restored(member: Member, anonymous: Client) -> None:
    client = member.client
    for name in ("old", "new"):
        files = {"file": (name, b"the same bytes", "text/plain")}
        digest = client.post("/api/files", files=files).json()["hash"]
    path = f"/by-hash/{digest}"
    expect.problem(client.restore(path, client.revisions(path)[1]["rev_id"]), 409, "path_conflict")
    assert anonymous.get(f"/api/files?hash={digest}").content == b"the same bytes"


@pytest.mark.parametrize(
    "path", ["/with space+%41?&#.txt", "/\U0001f600/é", "/e\u0301", "/'; DROP TABLE files; --", "/%00", "/a\\b"]
)
def test_unusual_names(member: Member, path: str) -> None:
    client = member.client
    put(client, path, b"old")
    put(client, path, b"new")
    oldest = client.revisions(path)[1]
    assert oldest["path"] == path
    assert client.download(path, rev=oldest["rev_id"]).content == b"old"
    assert client.restore(path, oldest["rev_id"]).json()["path"] == path
    assert client.download(path).content == b"old"


def test_they_need_credentials(anonymous: Client) -> None:
    expect.problem(anonymous.post("/api/v1/files/revisions", json={"path": "/a"}), 401)
    expect.problem(anonymous.restore("/a", str(uuid.uuid4())), 401)
    expect.problem(anonymous.download("/a", rev=str(uuid.uuid4())), 401)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = start_daemon(tmp_path_factory.mktemp("small"), LIMITS_QUOTA="100000")
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


def test_the_quota_holds(small: Daemon) -> None:
    client = new_member(small.url).client
    put(client, "/a", b"a" * 60_000)
    put(client, "/a", b"b" * 10_000)
    large = client.revisions("/a")[1]["rev_id"]
    put(client, "/b", b"c" * 30_000)
    # 40,000 bytes are in use, and the older revision beside them: restoring it makes 90,000, and it gives way itself.
    assert client.restore("/a", large).status_code == 200
    assert client.download("/a").content == b"a" * 60_000
    assert client.status()["used"] == 90_000


def test_a_damaged_one_is_neither_read_nor_restored_until_it_is_healed(start: StartServer) -> None:
    daemon = start()
    client = new_member(daemon.url).client
    put(client, "/a", b"damaged")
    put(client, "/a", b"sound")
    old = client.revisions("/a")[1]
    assert change(daemon.data, f"UPDATE blobs SET state = 'corrupt' WHERE hash = {blob(old['hash'])}") == 1
    expect.problem(client.download("/a", rev=old["rev_id"]), 500, "corrupt")
    detail = expect.problem(client.restore("/a", old["rev_id"]), 500, "corrupt")["detail"]
    assert "damaged" in detail and "restored" in detail
    assert client.download("/a").content == b"sound"
    put(client, "/elsewhere", b"damaged")
    assert client.restore("/a", old["rev_id"]).status_code == 200
    assert client.download("/a").content == b"damaged"


def test_a_collection_leaves_what_is_kept_and_takes_what_is_pruned(start: StartServer) -> None:
    daemon = start(UPKEEP_INTERVAL="1s", UPKEEP_GRACE="0s", REVISIONS_KEEP="1")
    client = new_member(daemon.url).client
    for content in (b"one", b"two", b"three"):
        put(client, "/a", content)
    for _ in range(4):
        old = client.revisions("/a")[1]
        assert client.restore("/a", old["rev_id"]).json()["size"] == old["size"]
        assert len(client.revisions("/a")) == 2
        time.sleep(0.7)
        for one in client.revisions("/a"):
            assert len(client.download("/a", rev=one["rev_id"]).content) == one["size"]
