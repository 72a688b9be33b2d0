"""The uid dialect (assignment 001): anybody on this machine uploads, and whoever knows the uid reads the file."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

import expect
from client import Client, Member, basic
from conftest import StartServer
from daemon import Daemon
from lanes import direct
from large import FORMS, SIZES, LargeFile, Send, hash_of
from ways import WAYS, Way, by_name
from wire import Part, Wire, form, form_type, head

MIB = 1 << 20
WaitUntil = Callable[[Callable[[], bool], float], None]
UPLOADS = ["/http/upload", "/stream/upload"]
UID_WAYS = [way for way in WAYS if way.is_uid]
KINDS = {"images_files": "image", "media_files": "media", "txt_files": "text", "other_files": "other"}
LINE = re.compile(r"Received chunk: (\d+) bytes")


def uid_of(response: requests.Response) -> str:
    """The uid in an answer of either route."""
    assert response.status_code == 200, response.text
    if response.headers["Content-Type"] == "application/json":
        return str(response.json()["uid"])
    return report(response.content.decode(), None)


def report(text: str, size: int | None) -> str:
    """Checks the lines of an upload that was reported; returns its uid."""
    *lines, last = text.splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    counts = [int(match[1]) for match in matches if match]
    assert len(counts) == len(lines), lines
    assert all(count >= MIB for count in counts[:-1])
    if size is not None:
        assert sum(counts) == size
    assert last.startswith("File saved with UID: ")
    return last.removeprefix("File saved with UID: ")


def upload(client: Client, content: bytes, name: str = "sent.txt", url: str = UPLOADS[0]) -> str:
    return uid_of(client.post(url, files={"file": (name, content)}))


# As the assignment tells it


@direct("behind a proxy nobody uploads without credentials")
def test_curl_uploads_and_loads(server: Daemon, tmp_path: Path) -> None:
    source = tmp_path / "картинка.png"
    source.write_bytes(secrets.token_bytes(3 * MIB))
    base = f"http://localhost:{server.port}"
    command = ["curl", "-sS", "-X", "POST", "-F", f"file=@{source}"]

    def run(*arguments: str) -> str:
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout

    answer = requests.models.complexjson.loads(run(*command, f"{base}/http/upload"))
    assert answer["message"] == f"Файл сохранен под именем {answer['uid']}"
    assert answer["name"] == "картинка.png" and answer["size"] == 3 * MIB
    uids = [answer["uid"], report(run(*command, f"{base}/stream/upload"), 3 * MIB)]
    for uid in uids:
        assert expect.is_uuid(uid)
        for route in ("http", "stream"):
            target = tmp_path / "loaded"
            run("curl", "-sSf", "-o", str(target), f"{base}/{route}/load/{uid}")
            assert target.read_bytes() == source.read_bytes()


@direct("behind a proxy nobody uploads without credentials")
@pytest.mark.parametrize("url", UPLOADS)
def test_requests_uploads_and_loads(anonymous: Client, url: str) -> None:
    content = secrets.token_bytes(5 * MIB + 7)
    response = anonymous.post(url, files={"file": ("film.mp4", content, "video/mp4")})
    uid = report(response.text, len(content)) if url == UPLOADS[1] else response.json()["uid"]
    for route in ("/http/load/", "/stream/load/"):
        for name in (uid, f"{uid}.mp4", uid.upper()):
            loaded = anonymous.get(route + name)
            assert loaded.content == content
            assert loaded.headers["Content-Type"] == "video/mp4"
            assert loaded.headers["Cache-Control"] == "public, max-age=3600"
            assert 'filename="film.mp4"' in loaded.headers["Content-Disposition"]
        part = anonymous.get(route + uid, headers={"Range": "bytes=-7"})
        assert part.status_code == 206 and part.content == content[-7:]
        assert anonymous.head(route + uid).headers["Content-Length"] == str(len(content))


@direct("behind a proxy nobody uploads without credentials")
def test_an_upload_tells_its_validators(anonymous: Client) -> None:
    response = anonymous.post(UPLOADS[0], files={"file": ("a.txt", b"x")})
    expect.strong_etag(response)
    assert response.headers["Location"] == f"/http/load/{uid_of(response)}"
    assert response.headers["Repr-Digest"].startswith("sha-256=:")


@direct("nginx refuses some of these targets itself")
@pytest.mark.parametrize("name", ["x", "../../etc/passwd", "%00", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("route", ["/http/load/", "/stream/load/"])
def test_an_unknown_uid_is_404(anonymous: Client, route: str, name: str) -> None:
    expect.problem(anonymous.raw("GET", route + name), 404, "not_found")


@pytest.mark.parametrize(
    ("name", "folder"),
    [("a.jpg", "images_files"), ("a.mp3", "media_files"), ("a.md", "txt_files"), ("a.bin", "other_files")],
)
@pytest.mark.parametrize("url", UPLOADS)
def test_a_file_lies_in_the_folder_of_its_sort(member: Member, url: str, name: str, folder: str) -> None:
    uid = upload(member.client, b"x", name, url)
    assert member.client.paths() == [f"/{folder}/{uid}.{name.partition('.')[2]}"]


@pytest.mark.parametrize(
    ("name", "media_type", "folder"),
    [
        ("photo", "image/png", "images_files"),
        ("song", "audio/mpeg", "media_files"),
        ("film", "video/mp4", "media_files"),
        ("notes", "text/plain", "txt_files"),
        ("data", "application/octet-stream", "other_files"),
        ("data", None, "other_files"),
        ("photo.unknown", "image/png", "images_files"),
        ("a.jpg", "text/plain", "images_files"),
        ("a.txt", "image/png", "txt_files"),
        (".png", "text/plain", "txt_files"),
        ("A.JPG", None, "images_files"),
    ],
)
@pytest.mark.parametrize("url", UPLOADS)
def test_the_sort_is_told_by_the_extension_first_then_by_the_type(
    client: Client, url: str, name: str, media_type: str | None, folder: str
) -> None:
    body = form([Part("file", b"x", name, media_type)])
    uid = uid_of(client.post(url, data=body, headers={"Content-Type": form_type()}))
    (path,) = client.names()
    assert path.startswith(f"{folder}/{uid}")
    assert client.listing()["files"][0]["kind"] == KINDS[folder]
    if media_type:
        assert client.get(f"/http/load/{uid}").headers["Content-Type"] == media_type


# One namespace


@pytest.mark.parametrize("url", UPLOADS)
def test_the_other_dialects_show_an_upload_to_its_owner(
    member: Member, client: Client, anonymous: Client, url: str
) -> None:
    for owner, stranger in ((member.client, client), (client, member.client)):
        content = secrets.token_bytes(50)
        uid = upload(owner, content, "a.txt", url)
        path = f"txt_files/{uid}.txt"
        assert path in owner.names() and path not in stranger.names()
        record = next(record for record in owner.listing()["files"] if record["path"] == f"/{path}")
        expect.file_record(record, f"/{path}", content)
        assert owner.download(record["id"]).content == content
        assert owner.get(f"/api/files/{path}").content == content
        assert anonymous.get(f"/http/load/{uid}").content == content
        expect.problem(stranger.download(record["id"]), 404)
        expect.problem(anonymous.get(f"/http/load/{record['id']}"), 404)
        expect.problem(anonymous.get(f"/api/files?hash={record['hash']}"), 404)


def test_a_uid_ends_with_its_revision(member: Member, anonymous: Client) -> None:
    overwritten, deleted, moved = (upload(member.client, b"first") for _ in range(3))
    assert member.client.put_name(f"txt_files/{overwritten}.txt", b"secret").status_code == 204
    assert member.client.remove(f"/txt_files/{deleted}.txt").status_code == 204
    assert member.client.move(f"/txt_files/{moved}.txt", "/elsewhere.txt").status_code == 200
    for uid in (overwritten, deleted):
        expect.problem(anonymous.get(f"/http/load/{uid}"), 404)
        expect.problem(anonymous.get(f"/stream/load/{uid}"), 404)
    assert anonymous.get(f"/http/load/{moved}").content == b"first"


def overwrite_by_upload(client: Client, path: str) -> requests.Response:
    return client.upload(path, b"secret", "secret.txt")


def overwrite_by_name(client: Client, path: str) -> requests.Response:
    return client.put_name(path[1:], b"secret")


def overwrite_by_move(client: Client, path: str) -> requests.Response:
    client.stored("/secret.txt", b"secret")
    return client.move("/secret.txt", path, overwrite=True)


def overwrite_by_copy(client: Client, path: str) -> requests.Response:
    client.stored("/secret.txt", b"secret")
    return client.copy("/secret.txt", path, overwrite=True)


@pytest.mark.parametrize(
    "overwrite",
    [overwrite_by_upload, overwrite_by_name, overwrite_by_move, overwrite_by_copy],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("kind", ["account", "token"])
def test_an_overwritten_file_is_nobody_elses_any_more(
    client: Client, member: Member, anonymous: Client, kind: str, overwrite: Callable[..., requests.Response]
) -> None:
    owner = member.client if kind == "account" else client
    uid = upload(owner, b"first", "a.txt")
    path = f"/txt_files/{uid}.txt"
    assert anonymous.get(f"/http/load/{uid}").content == b"first"
    assert overwrite(owner, path).status_code in (200, 204)
    assert owner.download(path).content == b"secret"
    for route in ("/http/load/", "/stream/load/"):
        for name in (uid, f"{uid}.txt"):
            expect.problem(anonymous.get(route + name), 404)
            expect.problem(owner.get(route + name), 404)
    again = upload(owner, b"public", "a.txt")
    assert again != uid and anonymous.get(f"/http/load/{again}").content == b"public"


def test_a_copy_has_no_uid(client: Client, anonymous: Client) -> None:
    uid = upload(client, b"first", "a.txt")
    assert client.copy(f"/txt_files/{uid}.txt", "/copy.txt").status_code == 200
    assert client.remove(f"/txt_files/{uid}.txt").status_code == 204
    expect.problem(anonymous.get(f"/http/load/{uid}"), 404)
    assert client.download("/copy.txt").content == b"first"


# Refused


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Repr-Digest": "sha-256=:" + "A" * 43 + "=:"}, 400),
        ({"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}, 400),
        ({"Content-MD5": "A" * 22 + "=="}, 400),
        ({"Repr-Digest": "sha-256"}, 400),
        ({"If-Match": "*"}, 412),
        ({"If-Match": '"some"'}, 412),
        ({"If-Match": "some"}, 400),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Range": "bytes 0-1/2"}, 400),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", UID_WAYS, ids=by_name(UID_WAYS))
def test_a_refused_upload_leaves_neither_file_nor_folder(
    server: Daemon, client: Client, way: Way, headers: dict[str, str], status: int
) -> None:
    for content in (b"small", secrets.token_bytes(2 * MIB)):
        reply = way.send(client, content, headers)
        assert not way.is_stored(reply)
        way.refused(reply, status)
    assert client.paths(folder="/") == []
    assert server.staging_files() == 0


@pytest.mark.parametrize("way", UID_WAYS, ids=by_name(UID_WAYS))
def test_a_uid_is_always_new(client: Client, way: Way) -> None:
    way.store(client, b"x", {"If-None-Match": "*"})
    way.store(client, b"x", {"If-None-Match": "*"})
    assert len(client.names()) == 2


# Who may upload


@direct("behind a proxy nobody uploads without credentials")
@pytest.mark.parametrize("url", UPLOADS)
def test_uploads_without_credentials_are_nobodys_to_list(anonymous: Client, member: Member, url: str) -> None:
    uid = upload(anonymous, b"everybody's", "a.txt", url)
    assert anonymous.get(f"/http/load/{uid}").content == b"everybody's"
    assert member.client.names() == []
    expect.problem(anonymous.get("/api/files"), 401)
    for password in ("", "public"):
        client = Client(anonymous.url, {"Authorization": basic("public", password)})
        expect.problem(client.get("/api/v1/files"), 401)
    for path, body in (("/api/users", {"email": "public"}), ("/api/v1/user/register", {"login": "public"})):
        expect.problem(anonymous.post(path, json={**body, "password": "a long phrase"}), 422)


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"])
@pytest.mark.parametrize("url", UPLOADS)
def test_whoever_comes_through_a_proxy_needs_credentials(
    anonymous: Client, member: Member, url: str, name: str
) -> None:
    forwarded = {name: "127.0.0.1"}
    expect.problem(anonymous.post(url, files={"file": b"x"}, headers=forwarded), 401)
    assert member.client.post(url, files={"file": b"x"}, headers=forwarded).status_code == 200


@pytest.mark.parametrize(
    "header", [("Authorization", "Basic eDp5"), ("Authorization", "Bearer x"), ("X-Auth-Token", "x")]
)
@pytest.mark.parametrize("url", UPLOADS)
def test_a_wrong_credential_is_not_anonymous(anonymous: Client, url: str, header: tuple[str, str]) -> None:
    expect.problem(anonymous.post(url, files={"file": b"x"}, headers=dict([header])), 401)


@direct("behind a proxy nobody uploads without credentials")
@pytest.mark.parametrize("url", UPLOADS)
def test_a_form_without_a_file_is_refused(anonymous: Client, url: str) -> None:
    expect.problem(anonymous.post(url, data=b"raw"), 422)
    expect.problem(anonymous.post(url, json={"file": "x"}), 422)
    body = form([Part("file", b"x")])
    expect.problem(anonymous.post(url, data=body, headers={"Content-Type": form_type()}), 422)


# Reported while it arrives


def stream_head(length: int, *headers: tuple[str, str]) -> bytes:
    fields = [("Content-Type", form_type()), ("Content-Length", str(length)), *headers]
    return head("POST", "/stream/upload", fields)


@direct("behind a proxy nobody uploads without credentials")
def test_the_head_and_the_first_lines_come_while_the_body_is_on_its_way(server: Daemon) -> None:
    body = form([Part("file", bytes(8 * MIB), "a.bin")])
    with Wire(server.port) as wire:
        wire.send(stream_head(len(body)) + body[:200])
        reply = wire.read_head()
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].startswith("text/plain")
        wire.send(body[200 : 4 * MIB])
        while b"Received chunk: " not in wire.received:
            wire._fill()
        wire.send(body[4 * MIB :])
        assert "File saved with UID: " in wire.read_body(reply).decode()


@direct("behind a proxy nobody uploads without credentials")
def test_a_client_that_waits_for_the_100_gets_it(server: Daemon) -> None:
    body = form([Part("file", b"x", "a.bin")])
    with Wire(server.port) as wire:
        wire.send(stream_head(len(body), ("Expect", "100-continue")))
        assert wire.read_head().status_code == 100
        wire.send(body)
        assert "File saved with UID: " in wire.read_reply().content.decode()
    with Wire(server.port) as wire:
        wire.send(stream_head(len(body), ("Expect", "100-continue"), ("X-Real-IP", "10.0.0.1")))
        assert wire.read_head().status_code == 401


@direct("behind a proxy nobody uploads without credentials")
def test_a_client_that_reads_nothing_while_it_sends_is_not_waited_for(server: Daemon) -> None:
    """The buffer is small, but not so small that it drops what carries the kernel's own acknowledgements."""
    opening, tail = form([Part("file", b"|", "a.bin")]).split(b"|")
    size = 256 * MIB
    with contextlib.closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(stream_head(len(opening) + size + len(tail)) + opening)
        for _ in range(256):
            connection.sendall(bytes(MIB))
        connection.sendall(tail)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    lines = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", answer.partition(b"\r\n\r\n")[2])
    assert answer.endswith(b"\r\n0\r\n\r\n"), "the end of the chunks"
    report(re.sub(rb"^[0-9a-f]+\r\n", b"", lines.removesuffix(b"\r\n")).decode(), size)


@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["FIN", "RST"])
@pytest.mark.parametrize("url", UPLOADS)
def test_an_upload_cut_in_the_middle_leaves_nothing(
    server: Daemon, client: Client, wait_until: WaitUntil, url: str, leave: Callable[[Wire], None]
) -> None:
    body = form([Part("file", bytes(4 * MIB), "a.bin")])
    fields = [("Content-Type", form_type()), ("Content-Length", str(len(body))), *client.headers.items()]
    wire = Wire(server.port)
    wire.send(head("POST", url, fields) + body[: len(body) * 99 // 100])
    wait_until(lambda: server.staging_files() > 0, 10)
    leave(wire)
    wait_until(lambda: server.staging_files() == 0, 30)
    assert client.names() == []


@direct("behind a proxy nobody uploads without credentials")
def test_a_failure_on_the_way_is_the_last_line_and_there_is_no_end(start: StartServer) -> None:
    daemon = start(LIMITS_UPLOAD_SIZE="3MiB")
    body = form([Part("file", bytes(4 * MIB), "a.bin")])
    with Wire(daemon.port) as wire:
        wire.send(stream_head(len(body)) + body)
        assert wire.read_head().status_code == 200
        with contextlib.suppress(ConnectionError):
            while wire._fill():
                pass
        assert b"Error: " in wire.received and b"File saved" not in wire.received
        assert not wire.received.endswith(b"0\r\n\r\n")
    response = requests.post(daemon.url + UPLOADS[0], files={"file": bytes(4 * MIB)}, timeout=60)
    expect.problem(response, 413)


# Large files


@direct("behind a proxy nobody uploads without credentials")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("send", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("url", UPLOADS)
def test_a_large_file_is_taken_from_every_client(
    start: StartServer, tmp_path: Path, url: str, size: int, send: Send
) -> None:
    daemon = start()
    file = LargeFile(tmp_path / "large.bin", size)
    answer = send(daemon.url + url, file, {})
    uid = report(answer, size) if url == UPLOADS[1] else requests.models.complexjson.loads(answer)["uid"]
    assert hash_of(f"{daemon.url}/http/load/{uid}") == file.hash
    assert hash_of(f"{daemon.url}/stream/load/{uid}") == file.hash
