"""Delete, folders, move and copy of the accounts-and-paths dialect."""

from __future__ import annotations

import uuid

import pytest

import expect
from client import Client, Member


def test_a_file_is_deleted_by_path_or_id(client: Client) -> None:
    for number, by in enumerate(("/docs/a.txt", "docs/a.txt", "id")):
        record = client.stored("/docs/a.txt", b"doomed %d" % number)
        response = client.remove(record["id"] if by == "id" else by)
        assert (response.status_code, response.content) == (204, b"")
        expect.problem(client.download("/docs/a.txt"), 404)
        expect.problem(client.download(record["id"]), 404)
        expect.problem(client.remove(record["id"]), 404)
        assert client.paths() == [] and client.names() == []


def test_a_deleted_path_can_be_used_again_by_a_new_file(client: Client) -> None:
    first = client.stored("/a.txt", b"content")
    assert client.remove("/a.txt").status_code == 204
    again = client.upload("/a.txt", b"content")
    assert again.status_code == 201 and again.json()["id"] != first["id"]
    assert client.download("/a.txt").content == b"content"


def test_what_cannot_be_deleted(client: Client) -> None:
    expect.problem(client.remove("/missing"), 404)
    expect.problem(client.remove(str(uuid.uuid4())), 404)
    expect.problem(client.delete("/api/v1/files"), 400)


def test_an_empty_folder_is_deleted_a_full_one_only_with_recursive(member: Member) -> None:
    client = member.client
    empty = client.make_folder("/empty").json()
    assert client.remove("/empty").status_code == 204
    expect.problem(client.remove(empty["id"]), 404)
    for path in ("/docs/a.txt", "/docs/inner/b.txt", "/docs/inner/deep/c.txt", "/docs.txt", "/docs-old/d.txt"):
        client.stored(path)
    expect.problem(client.remove("/docs"), 409)
    expect.problem(client.remove("/docs", recursive="false"), 409)
    assert len(client.paths()) == 5
    assert client.remove("/docs", recursive="true").status_code == 204
    assert client.paths() == ["/docs-old/d.txt", "/docs.txt"]
    assert client.paths(folder="/") == ["/docs-old", "/docs.txt"]
    expect.problem(client.remove("/docs", recursive="true"), 404)


def test_a_folder_is_deleted_by_its_id_too(client: Client) -> None:
    folder = client.make_folder("/docs").json()
    client.stored("/docs/a.txt")
    expect.problem(client.remove(folder["id"]), 409)
    assert client.remove(folder["id"], recursive="true").status_code == 204
    assert client.paths(folder="/") == []


def test_a_large_folder_is_deleted_whole(client: Client) -> None:
    for number in range(1050):
        assert client.put_name(f"many/{number}.txt", b"x").status_code == 204
    assert client.remove("/many", recursive="true").status_code == 204
    assert client.names() == [] and client.paths(folder="/") == []


def test_folders_are_made_with_their_parents_once(client: Client) -> None:
    first = client.make_folder("/a/b/c")
    assert first.status_code == 201
    expect.folder_record(first.json(), "/a/b/c")
    again = client.make_folder("/a/b/c")
    assert again.status_code == 200 and again.json() == first.json()
    assert client.make_folder("/a/b").status_code == 200
    assert client.make_folder("x/").json()["path"] == "/x"
    assert client.paths(folder="/a") == ["/a/b"]


def test_uploads_make_the_folders_they_need(client: Client) -> None:
    client.stored("/a/b/c.txt")
    assert client.make_folder("/a/b").status_code == 200
    assert [record["type"] for record in client.listing(folder="/a")["files"]] == ["folder"]


def test_a_folder_cannot_be_where_a_file_is(client: Client) -> None:
    client.stored("/a.txt")
    expect.problem(client.make_folder("/a.txt"), 409, "path_conflict")
    expect.problem(client.make_folder("/a.txt/b"), 409, "path_conflict")


def test_a_move_keeps_the_id_and_the_bytes(client: Client) -> None:
    record = client.stored("/a.txt", b"moved")
    for source, target in [("/a.txt", "/docs/b.txt"), (record["id"], "c.txt")]:
        moved = client.move(source, target)
        assert moved.status_code == 200
        expect.file_record(moved.json(), "/" + target.lstrip("/"), b"moved")
        assert moved.json()["id"] == record["id"]
        assert client.paths() == ["/" + target.lstrip("/")]
        assert client.download(record["id"]).content == b"moved"
    expect.problem(client.download("/a.txt"), 404)


def test_a_copy_has_an_id_of_its_own(client: Client) -> None:
    record = client.stored("/a.txt", b"copied")
    for source, target in [("/a.txt", "/docs/b.txt"), (record["id"], "/docs/c.txt")]:
        copied = client.copy(source, target)
        assert copied.status_code == 200
        expect.file_record(copied.json(), target, b"copied")
        assert copied.json()["id"] != record["id"]
    assert client.paths() == ["/a.txt", "/docs/b.txt", "/docs/c.txt"]
    client.stored("/a.txt", b"changed")
    assert client.remove("/docs/b.txt").status_code == 204
    assert client.download("/docs/c.txt").content == b"copied"


@pytest.mark.parametrize("action", ["move", "copy"])
def test_onto_a_file_only_with_overwrite(client: Client, action: str) -> None:
    act = getattr(client, action)
    source, target = client.stored("/a.txt", b"new"), client.stored("/b.txt", b"old")
    for refusal in (act("/a.txt", "/b.txt"), act("/a.txt", "/b.txt", overwrite=False)):
        expect.problem(refusal, 409, "exists")
    assert client.download("/b.txt").content == b"old" and client.download("/a.txt").content == b"new"
    done = act("/a.txt", "/b.txt", overwrite=True)
    assert done.status_code == 200
    assert client.download("/b.txt").content == b"new"
    assert client.paths() == (["/b.txt"] if action == "move" else ["/a.txt", "/b.txt"])
    expected = source["id"] if action == "move" else target["id"]
    assert done.json()["id"] == expected, "a moved file stays itself; an overwritten one keeps its id"


@pytest.mark.parametrize("action", ["move", "copy"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_never_replaces_a_full_folder_nor_lies_below_a_file(
    client: Client, action: str, overwrite: bool
) -> None:
    client.stored("/a.txt", b"a")
    client.stored("/docs/b.txt", b"b")
    act = getattr(client, action)
    for target in ("/docs", "/docs/b.txt/c.txt"):
        expect.problem(act("/a.txt", target, overwrite=overwrite), 409, "path_conflict")
    assert client.paths() == ["/a.txt", "/docs/b.txt"]


@pytest.mark.parametrize("action", ["move", "copy"])
def test_an_empty_folder_is_replaced(client: Client, action: str) -> None:
    client.stored("/a.txt", b"a")
    assert client.make_folder("/empty").status_code == 201
    assert getattr(client, action)("/a.txt", "/empty").status_code == 200
    assert client.download("/empty").content == b"a"


@pytest.mark.parametrize("action", ["move", "copy"])
def test_folders_go_with_all_that_is_in_them(client: Client, action: str) -> None:
    below = ["a.txt", "inner/b.txt", "inner/deep/c.txt"]
    for name in below:
        client.stored("/docs/" + name, name.encode())
    client.stored("/docs.txt", b"neighbour")
    folder = client.make_folder("/docs").json()
    done = getattr(client, action)("/docs", "/new/place")
    assert done.status_code == 200
    expect.folder_record(done.json(), "/new/place")
    assert (done.json()["id"] == folder["id"]) == (action == "move")
    kept = ["/docs/" + name for name in below] if action == "copy" else []
    placed = ["/new/place/" + name for name in below]
    assert client.paths() == sorted(["/docs.txt", *kept, *placed])
    for name in below:
        assert client.download("/new/place/" + name).content == name.encode()


@pytest.mark.parametrize("action", ["move", "copy"])
@pytest.mark.parametrize("target", ["/docs/inner", "/docs/inner/deep"])
def test_a_folder_never_goes_into_itself(client: Client, action: str, target: str) -> None:
    client.stored("/docs/a.txt", b"a")
    response = getattr(client, action)("/docs", target)
    expect.problem(response, response.status_code)
    assert response.status_code in (400, 409, 422)
    assert client.paths() == ["/docs/a.txt"]


@pytest.mark.parametrize("action", ["move", "copy"])
def test_what_is_not_there_cannot_go(client: Client, action: str) -> None:
    act = getattr(client, action)
    expect.problem(act("/missing", "/b.txt"), 404)
    expect.problem(act(str(uuid.uuid4()), "/b.txt"), 404)
    assert client.paths() == []


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"{", (400,)),
        (b"", (400,)),
        (b'{"from": "/a.txt"}', (400, 422)),
        (b'{"to": "/b.txt"}', (400, 422)),
        (b'{"from": 1, "to": "/b.txt"}', (400, 422)),
        (b'{"from": "/a.txt", "to": "/../b.txt"}', (400,)),
        (b'{"from": "/a.txt", "to": "/b\\u0000.txt"}', (400,)),
        (b'{"from": "/a.txt", "to": "/b.txt/"}', (400,)),
        (b'{"from": "/a.txt", "to": ""}', (400, 422)),
        (b'["/a.txt", "/b.txt"]', (400, 422)),
    ],
)
@pytest.mark.parametrize("action", ["move", "copy"])
def test_bad_parameters_move_nothing(client: Client, action: str, body: bytes, statuses: tuple[int, ...]) -> None:
    client.stored("/a.txt", b"a")
    response = client.post(f"/api/v1/files/{action}", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in statuses
    expect.problem(response, response.status_code)
    assert client.paths() == ["/a.txt"]


@pytest.mark.parametrize("action", ["move", "copy"])
def test_conditions_apply(client: Client, action: str) -> None:
    client.stored("/a.txt", b"a")
    body = {"from": "/a.txt", "to": "/b.txt"}
    refused = client.post(f"/api/v1/files/{action}", json=body, headers={"If-Match": '"no-such-revision"'})
    expect.problem(refused, 412)
    assert client.paths() == ["/a.txt"]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"{", (400,)),
        (b"{}", (400, 422)),
        (b'{"path": 1}', (400, 422)),
        (b'{"path": "/a/../b"}', (400,)),
        (b'{"path": "/a//b"}', (400,)),
    ],
)
def test_bad_folders_are_not_made(client: Client, body: bytes, statuses: tuple[int, ...]) -> None:
    response = client.post("/api/v1/folders", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in statuses
    expect.problem(response, response.status_code)
    assert client.paths(folder="/") == []


def test_a_file_of_one_dialect_is_a_file_of_the_other(client: Client) -> None:
    assert client.put_name("docs/a.txt", b"put").status_code == 204
    (record,) = client.listing()["files"]
    expect.file_record(record, "/docs/a.txt", b"put")
    assert client.download(record["id"]).content == b"put"
    assert client.upload("/docs/a.txt", b"posted").json()["id"] == record["id"]
    assert client.get("/api/files/docs/a.txt").content == b"posted"
    assert client.delete("/api/files/docs/a.txt").status_code == 204
    assert client.paths() == []
