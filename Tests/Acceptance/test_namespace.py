"""One namespace: what a principal stores through one dialect, it finds, reads and deletes through every other."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import pytest
import requests

import expect
from client import Client, basic, new_member, token_client
from daemon import Daemon
from ways import WAYS, Way, by_name

WITH_A_LENGTH = [way for way in WAYS if not way.is_chunked]


@dataclass
class Stored:
    """A file, by all that it is found by."""

    path: str
    id: str
    hash: str
    content: bytes
    etag: str


def principals(server: Daemon, way: Way) -> list[tuple[Client, Client]]:
    """Pairs of a principal and the same one by another credential, or the same again where there is no other."""
    member = new_member(server.url)
    pairs = [(member.client, Client(server.url, {"Authorization": basic(member.login, member.password)}))]
    if not way.is_hash:
        token = token_client(server.url)
        pairs.append((token, token_client(server.url, token.headers["X-Auth-Token"].upper())))
    return pairs


def path_of(way: Way, reply_path: str, content: bytes) -> str:
    """Where a file must lie that was uploaded so."""
    if way.is_hash:
        return f"/by-hash/{expect.digest(content)}"
    return f"/txt_files/{reply_path}.txt" if way.is_uid else "/sent.txt"


def store(way: Way, client: Client) -> Stored:
    content = secrets.token_bytes(40)
    reply = way.store(client, content)
    uid = reply.content.split()[-1].decode() if way.is_reported else ""
    if way.is_uid and not way.is_reported:
        uid = reply.json()["uid"]
    (record,) = client.listing()["files"]
    path = path_of(way, uid, content)
    expect.file_record(record, path, content)
    etag = expect.strong_etag(client.download(path))
    return Stored(path, record["id"], expect.digest(content), content, etag)


@pytest.mark.parametrize("way", WITH_A_LENGTH, ids=by_name(WITH_A_LENGTH))
def test_what_one_dialect_stores_every_other_shows_to_its_owner(server: Daemon, way: Way) -> None:
    for client, same in principals(server, way):
        file = store(way, client)
        for owner in (client, same):
            assert owner.paths() == [file.path] and owner.names() == [file.path[1:]]
            assert owner.paths(prefix=file.path) == [file.path]
            for answer in (
                owner.download(file.path),
                owner.download(file.path[1:]),
                owner.download(file.id),
                owner.get("/api/files" + file.path),
            ):
                assert answer.content == file.content and expect.strong_etag(answer) == file.etag
            assert owner.download(file.id).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("way", WITH_A_LENGTH, ids=by_name(WITH_A_LENGTH))
def test_only_what_is_published_is_anybody_elses(server: Daemon, anonymous: Client, stranger: Client, way: Way) -> None:
    other = new_member(server.url).client
    for client, _ in principals(server, way):
        file = store(way, client)
        uid = file.path.rpartition("/")[2].removesuffix(".txt")
        for reader in (anonymous, other):
            for url in (f"/api/files?hash={file.hash}", f"/api/files?file_hash={file.hash.upper()}"):
                answer = reader.get(url)
                assert answer.content == file.content if way.is_hash else answer.status_code == 404
            for url in (f"/http/load/{uid}", f"/stream/load/{uid}.txt"):
                answer = reader.get(url)
                assert answer.content == file.content if way.is_uid else answer.status_code == 404
            for url in (f"/http/load/{file.id}", f"/stream/load/{file.id}", f"/http/load/{file.hash}"):
                expect.problem(reader.get(url), 404)
        for intruder in (stranger, other):
            assert intruder.paths(folder="/") == [] and intruder.names() == []
            for name in (file.path, file.id):
                expect.problem(intruder.download(name), 404)
                expect.problem(intruder.remove(name), 404)
        assert client.download(file.id).content == file.content


Delete = Callable[[Client, Stored], requests.Response]

DELETES: dict[str, Delete] = {
    "by path": lambda client, file: client.remove(file.path),
    "by id": lambda client, file: client.remove(file.id),
    "by name": lambda client, file: client.delete("/api/files" + file.path),
    "with its folder": lambda client, file: client.remove("/" + file.path.split("/")[1], recursive="true"),
    "by hash": lambda client, file: client.delete("/api/files", params={"hash": file.hash}),
    "by hash in the body": lambda client, file: client.delete("/api/files", json={"file_hash": file.hash}),
}


@pytest.mark.parametrize(
    ("way", "delete"),
    [
        pytest.param(way, delete, id=f"{way.name}, {name}")
        for way in WITH_A_LENGTH
        for name, delete in DELETES.items()
        if way.is_hash or "hash" not in name
    ],
)
def test_what_one_dialect_stores_every_other_deletes(
    server: Daemon, anonymous: Client, way: Way, delete: Delete
) -> None:
    client = new_member(server.url).client if way.is_hash else token_client(server.url)
    file = store(way, client)
    assert delete(client, file).status_code in (200, 204)
    assert client.paths() == [] and client.names() == []
    for answer in (
        client.download(file.path),
        client.download(file.id),
        client.get("/api/files" + file.path),
        anonymous.get(f"/api/files?hash={file.hash}"),
        anonymous.get("/http/load/" + file.path.rpartition("/")[2]),
        delete(client, file),
    ):
        expect.problem(answer, 404)


@pytest.mark.parametrize("way", WITH_A_LENGTH, ids=by_name(WITH_A_LENGTH))
def test_every_dialect_copies_and_renames_what_another_stored(server: Daemon, anonymous: Client, way: Way) -> None:
    client = new_member(server.url).client if way.is_hash else token_client(server.url)
    file = store(way, client)
    assert client.copy(file.id, "/copy.bin").status_code == 200
    copied = client.get("/api/files/copy.bin", headers={"Want-Repr-Digest": "sha-256=1"})
    assert copied.content == file.content
    assert copied.headers["Repr-Digest"] == f"sha-256=:{b64encode(sha256(file.content).digest()).decode()}:"
    if way.is_hash:
        expect.problem(client.move(file.path, "/moved.bin"), 409, "path_conflict")
        assert anonymous.get(f"/api/files?hash={file.hash}").content == file.content
        return
    assert client.move(file.path, "/moved.bin").status_code == 200
    assert client.names() == ["copy.bin", "moved.bin"]
    assert client.download(file.id).content == file.content
