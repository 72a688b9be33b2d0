"""Digests: what a client says of its bytes is checked before anything is stored; owners are told theirs."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Callable

import pytest
import requests

import expect
from client import Client, Member
from daemon import Daemon
from lanes import direct
from ways import FORMS as FORM_WAYS
from ways import WAYS, Way, by_name
from wire import BOUNDARY, Part, Reply, Wire, chunked, form, form_type, head

CONTENT = secrets.token_bytes(300_000)
OTHER = b"other"


def sha256(content: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


def md5(content: bytes) -> str:
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


FIELDS: list[tuple[str, Callable[[bytes], str]]] = [
    ("Repr-Digest", sha256),
    ("Content-Digest", sha256),
    ("Content-MD5", md5),
    ("Repr-Digest", lambda content: "unknown=:AAAA:, " + sha256(content)),
]
IDS = ["representation", "content", "md5", "among others"]


@pytest.mark.parametrize(("name", "digest"), FIELDS, ids=IDS)
def test_a_raw_body_is_compared(client: Client, name: str, digest: Callable[[bytes], str]) -> None:
    expect.problem(client.put("/api/files/a", data=CONTENT, headers={name: digest(OTHER)}), 400, "digest_mismatch")
    upload = "/api/v1/files/upload?path=/b"
    expect.problem(client.post(upload, data=CONTENT, headers={name: digest(OTHER)}), 400, "digest_mismatch")
    assert client.names() == []
    assert client.put("/api/files/a", data=CONTENT, headers={name: digest(CONTENT)}).status_code == 204
    assert client.post(upload, data=CONTENT, headers={name: digest(CONTENT)}).status_code == 201
    assert client.get("/api/files/a").content == CONTENT


@pytest.mark.parametrize(("name", "digest"), FIELDS, ids=IDS)
def test_a_form_is_compared_whole(member: Member, name: str, digest: Callable[[bytes], str]) -> None:
    body = form([Part("path", b"/a.bin"), Part("file", CONTENT, "a.bin")])
    headers = {"Content-Type": form_type()}

    def send(value: str) -> requests.Response:
        return member.client.post("/api/v1/files/upload", data=body, headers={**headers, name: value})

    expect.problem(send(digest(CONTENT)), 400, "digest_mismatch")
    assert member.client.paths() == []
    assert send(digest(body)).status_code == 201


@pytest.mark.parametrize(("name", "digest"), FIELDS, ids=IDS)
def test_a_part_is_compared_by_its_own_head(member: Member, name: str, digest: Callable[[bytes], str]) -> None:
    def send(value: str) -> requests.Response:
        disposition = 'form-data; name="file"; filename="a.bin"\r\n' + f"{name}: {value}"
        file = Part("file", CONTENT, disposition=disposition.encode())
        return member.client.send_form([file, Part("path", b"/a.bin")])

    expect.problem(send(digest(OTHER)), 400, "digest_mismatch")
    assert member.client.paths() == []
    assert send(digest(CONTENT)).status_code == 201
    assert member.client.download("/a.bin").content == CONTENT


def trailed(client: Client, target: str, body: bytes, trailer: str, *headers: tuple[str, str]) -> int:
    """Sends a chunked body with a trailer; the status of the answer."""
    method = target.split()[0]
    fields = [*client.headers.items(), *headers, ("Transfer-Encoding", "chunked")]
    with Wire(client.port) as wire:
        wire.send(head(method, target.split()[1], fields))
        for start in range(0, len(body), 70_000):
            piece = body[start : start + 70_000]
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        wire.send(f"0\r\n{trailer}\r\n\r\n".encode())
        return wire.read_reply(method).status_code


@direct("nginx passes no trailers on")
@pytest.mark.parametrize("name", ["Repr-Digest", "Content-Digest"])
def test_a_trailer_is_compared(client: Client, name: str) -> None:
    announced = ("Trailer", name)
    assert trailed(client, "PUT /api/files/a", CONTENT, f"{name}: {sha256(OTHER)}", announced) == 400
    assert trailed(client, "PUT /api/files/a", CONTENT, f"{name}: sha-256=nonsense", announced) == 400
    body = form([Part("path", b"/b"), Part("file", CONTENT, "b")])
    upload = "POST /api/v1/files/upload"
    multipart = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    assert trailed(client, upload, body, f"{name}: {sha256(OTHER)}", announced, multipart) == 400
    assert client.names() == []
    assert trailed(client, "PUT /api/files/a", CONTENT, f"{name}: {sha256(CONTENT)}", announced) == 204
    assert trailed(client, upload, body, f"{name}: {sha256(body)}", announced, multipart) == 201
    assert client.names() == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Repr-Digest", "sha-256"),
        ("Repr-Digest", "sha-256=:AAAA:"),
        ("Content-Digest", "sha-256=" + hashlib.sha256(CONTENT).hexdigest()),
        ("Content-Digest", sha256(CONTENT).upper()),
        ("Content-MD5", hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()),
    ],
    ids=["no value", "too short", "hexadecimal", "other bytes", "MD5 in hexadecimal"],
)
def test_a_malformed_digest_is_refused(client: Client, name: str, value: str) -> None:
    expect.problem(client.put("/api/files/a", data=CONTENT, headers={name: value}), 400, "invalid_digest")
    assert client.names() == []


def test_a_wrong_digest_is_no_way_to_somebody_elses_bytes(client: Client, stranger: Client) -> None:
    """Naming the digest of bytes that the store has never takes the place of sending them."""
    client.put_name("secret", CONTENT)
    answer = stranger.put("/api/files/mine", data=b"", headers={"Repr-Digest": sha256(CONTENT)})
    expect.problem(answer, 400, "digest_mismatch")
    assert stranger.names() == []


def test_a_refused_overwrite_changes_nothing(client: Client, server: Daemon) -> None:
    etag = client.put_name("a", b"before").headers["ETag"]
    answer = client.put("/api/files/a", data=CONTENT, headers={"Repr-Digest": sha256(OTHER)})
    expect.problem(answer, 400, "digest_mismatch")
    found = client.get("/api/files/a")
    assert (found.content, found.headers["ETag"]) == (b"before", etag)
    assert server.staging_files() == 0


def test_an_owner_is_told_the_digest_that_is_wanted(member: Member) -> None:
    member.client.stored("/a.bin", CONTENT)
    wanted = {"Want-Repr-Digest": "sha-256=1"}
    for headers in ({}, {"Range": "bytes=10-19"}):
        answer = member.client.download("/a.bin", {**headers, **wanted})
        assert answer.status_code == (206 if headers else 200)
        assert answer.headers["Repr-Digest"] == sha256(CONTENT)
    told = member.client.head("/api/files/a.bin", headers=wanted)
    assert told.headers["Repr-Digest"] == sha256(CONTENT)
    for other in ({}, {"Want-Repr-Digest": "sha-256=0"}, {"Want-Repr-Digest": "sha-512=9"}):
        assert "Repr-Digest" not in member.client.download("/a.bin", other).headers


def test_every_upload_tells_tag_and_digest_and_where_a_new_file_is(member: Member) -> None:
    client = member.client
    answers = [
        client.put("/api/files/a", data=CONTENT),
        client.post("/api/v1/files/upload?path=/b", data=CONTENT),
        client.upload("/c", CONTENT),
    ]
    for answer in answers:
        assert answer.headers["Repr-Digest"] == sha256(CONTENT)
        expect.strong_etag(answer)
        found = client.get(answer.headers["Location"])
        assert (found.content, found.headers["ETag"]) == (CONTENT, answer.headers["ETag"])
    again = client.put("/api/files/a", data=OTHER)
    assert again.headers["Repr-Digest"] == sha256(OTHER)
    assert "Location" not in again.headers


@pytest.mark.parametrize("wish", ["sha-256", "sha-256=10", "sha-512=3, sha-256=1", "sha-256;q=1"])
def test_every_wish_for_the_digest_counts(client: Client, wish: str) -> None:
    client.put_name("a.bin", CONTENT)
    for answer in (client.download("/a.bin", {"Want-Repr-Digest": wish}), client.get("/api/files/a.bin")):
        is_wished = "Want-Repr-Digest" in answer.request.headers
        assert answer.headers.get("Repr-Digest") == (sha256(CONTENT) if is_wished else None)


# Every way to upload


def assert_nothing_stored(server: Daemon, client: Client) -> None:
    assert client.paths(folder="/") == []
    assert server.staging_files() == 0


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
@pytest.mark.parametrize(("name", "digest"), FIELDS, ids=IDS)
def test_a_wrong_digest_of_the_body_stores_nothing(
    server: Daemon, account: Client, way: Way, name: str, digest: Callable[[bytes], str]
) -> None:
    reply = way.send(account, CONTENT, {name: digest(OTHER)})
    assert not way.is_stored(reply)
    way.refused(reply, 400, "digest_mismatch")
    assert_nothing_stored(server, account)


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
def test_the_right_digest_of_the_body_is_taken(server: Daemon, member: Member, way: Way) -> None:
    body = way.body(CONTENT)
    reply = way.store(member.client, CONTENT, {name: digest(body) for name, digest in FIELDS[:3]})
    (record,) = member.client.listing()["files"]
    assert record["hash"] == hashlib.sha256(CONTENT).hexdigest()
    if not way.is_reported:
        assert reply.headers["Repr-Digest"] == sha256(CONTENT)
        kept = member.client.download(record["path"], headers={"Accept-Encoding": "identity"})
        assert reply.headers["ETag"] == kept.headers["ETag"]
        assert reply.headers["Location"]


def parted(field: str, of: str) -> bytes:
    """A form of three parts, one of which has that field in its head."""
    heads = dict.fromkeys(("field", "file", "second"), "")
    heads[of] = "\r\n" + field
    return form(
        [
            Part("comment", b"field", disposition=b'form-data; name="comment"' + heads["field"].encode()),
            Part("file", CONTENT, disposition=b'form-data; name="file"; filename="a.txt"' + heads["file"].encode()),
            Part("more", b"second", disposition=b'form-data; name="more"; filename="b.txt"' + heads["second"].encode()),
        ]
    )


PARTS = {"field": b"field", "file": CONTENT, "second": b"second"}


@pytest.mark.parametrize("way", FORM_WAYS, ids=by_name(FORM_WAYS))
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("name", "digest"), FIELDS[:3], ids=IDS[:3])
def test_a_wrong_digest_of_any_part_stores_nothing(
    server: Daemon, account: Client, way: Way, part: str, name: str, digest: Callable[[bytes], str]
) -> None:
    reply = way.send(account, b"", body=parted(f"{name}: {digest(OTHER)}", part))
    assert not way.is_stored(reply)
    way.refused(reply, 400, "digest_mismatch")
    assert_nothing_stored(server, account)


@pytest.mark.parametrize("part", PARTS)
def test_the_right_digest_of_any_part_is_taken(member: Member, part: str) -> None:
    for way in FORM_WAYS:
        for name, digest in FIELDS[:3]:
            reply = way.send(member.client, b"", body=parted(f"{name}: {digest(PARTS[part])}", part))
            assert way.is_stored(reply), (way, reply.content)


CHUNKED = [way for way in WAYS if way.is_chunked]


def trailer_reply(way: Way, client: Client, trailer: str, announced: bool) -> Reply:
    """The answer to a chunked upload with that trailer."""
    names = [("Trailer", trailer.partition(":")[0])] if announced else []
    whole = chunked(way.body(CONTENT), 70_000)
    with Wire(client.port) as wire:
        wire.send(head(way.method, way.target, [*client.headers.items(), *names, *way.fields(None)]))
        wire.send(whole.removesuffix(b"\r\n") + trailer.encode() + b"\r\n\r\n")
        reply = wire.read_head()
        try:
            reply.content = wire.read_body(reply) if reply.status_code != 204 else b""
        except ConnectionError:
            reply.content = bytes(wire.received)
        return reply


@direct("nginx passes no trailers on")
@pytest.mark.parametrize("way", CHUNKED, ids=by_name(CHUNKED))
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "unannounced"])
@pytest.mark.parametrize("name", ["Repr-Digest", "Content-Digest"])
def test_a_wrong_digest_in_a_trailer_stores_nothing(
    server: Daemon, account: Client, way: Way, announced: bool, name: str
) -> None:
    reply = trailer_reply(way, account, f"{name}: {sha256(OTHER)}", announced)
    if way.is_reported:
        assert reply.status_code == 400 or b"File saved" not in reply.content
    else:
        expect.problem(reply, 400, "digest_mismatch")
    assert_nothing_stored(server, account)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "unannounced"])
def test_the_right_digest_in_a_trailer_is_taken(member: Member, announced: bool) -> None:
    for way in CHUNKED:
        reply = trailer_reply(way, member.client, f"Repr-Digest: {sha256(way.body(CONTENT))}", announced)
        assert reply.status_code in (200, 201, 204), (way, reply.content)
        assert not way.is_reported or b"File saved" in reply.content


MALFORMED = [
    ("Repr-Digest", "sha-256"),
    ("Repr-Digest", "sha-256=:AAAA:"),
    ("Content-Digest", "sha-256=nonsense"),
    ("Content-MD5", "nonsense"),
]


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_digest_is_refused_before_the_body(account: Client, way: Way, name: str, value: str) -> None:
    fields = [*account.headers.items(), (name, value), ("Expect", "100-continue"), *way.fields(1000)]
    with Wire(account.port) as wire:
        wire.send(head(way.method, way.target, fields))
        assert wire.read_refusal().status_code == 400, "not 100"
    expect.problem(way.send(account, b"x", {name: value}), 400, "invalid_digest")
    assert account.paths(folder="/") == []
