"""Uploads of the accounts-and-paths dialect: where a file lands, what it is called, what is answered."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urljoin

import pytest

import expect
from blobs import blobs_of, shared_blob
from client import Client, Member
from daemon import Daemon
from wire import Part, form, form_type

UPLOAD = "/api/v1/files/upload"


def test_a_new_file_is_201_with_its_record_and_place(member: Member) -> None:
    content = b"the content"
    response = member.client.upload("/homework/test-folder/notes.txt", content, "notes.txt", "text/plain")
    assert response.status_code == 201
    expect.file_record(response.json(), "/homework/test-folder/notes.txt", content)
    assert response.json()["media_type"] == "text/plain"
    assert response.json()["kind"] == "text"
    expect.strong_etag(response)
    location = urljoin(response.url, response.headers["Location"])
    assert member.client.session.get(location).content == content


def test_an_overwrite_is_200_keeps_the_id_and_makes_a_new_revision(member: Member) -> None:
    first = member.client.upload("/a.txt", b"first", "a.txt")
    second = member.client.upload("/a.txt", b"the second", "a.txt")
    assert (first.status_code, second.status_code) == (201, 200)
    expect.file_record(second.json(), "/a.txt", b"the second")
    for unchanged in ("id", "created_ad"):
        assert second.json()[unchanged] == first.json()[unchanged]
    assert expect.strong_etag(second) != expect.strong_etag(first)
    assert "Location" not in second.headers
    assert member.client.download("/a.txt").content == b"the second"
    assert member.client.paths() == ["/a.txt"]


def test_the_same_bytes_type_and_name_again_change_nothing(client: Client) -> None:
    first = client.upload("/a.txt", b"same", "a.txt", "text/plain")
    again = client.upload("/a.txt", b"same", "a.txt", "text/plain")
    assert again.status_code == 200
    assert expect.strong_etag(again) == expect.strong_etag(first)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [(b"other", "a.txt", "text/plain"), (b"same", "b.txt", "text/plain"), (b"same", "a.txt", "text/markdown")],
    ids=["other bytes", "other sent name", "other type"],
)
def test_any_difference_is_a_new_revision(client: Client, content: bytes, name: str, media_type: str) -> None:
    first = client.upload("/a.txt", b"same", "a.txt", "text/plain")
    second = client.upload("/a.txt", content, name, media_type)
    assert expect.strong_etag(second) != expect.strong_etag(first)
    assert second.json()["id"] == first.json()["id"]


def test_the_answered_digest_is_right_where_there_is_one(client: Client) -> None:
    header = client.upload("/a.txt", b"digest me").headers.get("Repr-Digest")
    assert header in (None, "sha-256=:" + b64encode(sha256(b"digest me").digest()).decode() + ":")


def nothing(_: Client) -> None:
    """No file or folder is there before."""


def folder(path: str) -> Callable[[Client], None]:
    def make(client: Client) -> None:
        assert client.make_folder(path).status_code == 201

    return make


def file(path: str, name: str) -> Callable[[Client], None]:
    def make(client: Client) -> None:
        client.stored(path, b"older", name)

    return make


PLACES = [
    pytest.param(nothing, "/docs/", "notes.txt", "/docs/notes.txt", id="ends in a slash: folder"),
    pytest.param(nothing, "docs/", "notes.txt", "/docs/notes.txt", id="without a leading slash"),
    pytest.param(nothing, "/docs.d/", "notes.txt", "/docs.d/notes.txt", id="ends in a slash, with a dot"),
    pytest.param(nothing, "/", "notes.txt", "/notes.txt", id="the root"),
    pytest.param(nothing, "/docs/", "Makefile", "/docs/Makefile", id="folder, sent name without a dot"),
    pytest.param(folder("/docs"), "/docs", "notes.txt", "/docs/notes.txt", id="existing folder"),
    pytest.param(folder("/docs.d"), "/docs.d", "notes.txt", "/docs.d/notes.txt", id="existing folder with a dot"),
    pytest.param(folder("/docs"), "/docs", "Makefile", "/docs/Makefile", id="existing folder, name without a dot"),
    pytest.param(file("/docs/a.txt", "a.txt"), "/docs", "docs", "/docs/docs", id="existing folder of the sent name"),
    pytest.param(nothing, "/docs/notes.txt", "notes.txt", "/docs/notes.txt", id="the sent name as last segment"),
    pytest.param(nothing, "/docs/Makefile", "Makefile", "/docs/Makefile", id="the sent name without a dot"),
    pytest.param(nothing, "/docs/new.txt", "notes.txt", "/docs/new.txt", id="another name with a dot: file"),
    pytest.param(nothing, "/docs/v1.2", "notes.txt", "/docs/v1.2", id="any dot in the last segment: file"),
    pytest.param(nothing, "/docs", "notes.txt", "/docs/notes.txt", id="no dot but the sent name has one: folder"),
    pytest.param(nothing, "/a.b/docs", "notes.txt", "/a.b/docs/notes.txt", id="a dot further up does not count"),
    pytest.param(nothing, "/docs/LICENSE", "Makefile", "/docs/LICENSE", id="no dot in either: file"),
    pytest.param(file("/docs/name", "name"), "/docs/name", "notes.txt", "/docs/name", id="a file lives there: file"),
    pytest.param(nothing, "docs/notes.txt", "notes.txt", "/docs/notes.txt", id="file without a leading slash"),
    pytest.param(nothing, "/папка/", "отчёт.txt", "/папка/отчёт.txt", id="Cyrillic"),
]


@pytest.mark.parametrize(("before", "path", "sent", "expected"), PLACES)
def test_the_path_of_an_upload_names_a_file_or_a_folder(
    client: Client, before: Callable[[Client], None], path: str, sent: str, expected: str
) -> None:
    before(client)
    response = client.upload(path, b"placed", sent)
    assert response.status_code in (200, 201), response.text
    expect.file_record(response.json(), expected, b"placed")
    assert client.download(expected).content == b"placed"


FILE = Part("file", b"the file", "sent.txt", "text/plain")
PATH = Part("path", b"/docs/a.txt")


@pytest.mark.parametrize(
    ("parts", "query"),
    [
        pytest.param([PATH, FILE], "", id="path before the file"),
        pytest.param([FILE, PATH], "", id="path after the file"),
        pytest.param([FILE], "?path=/docs/a.txt", id="path in the query"),
        pytest.param([FILE], "?path=%2Fdocs%2Fa%2Etxt", id="path in the query, encoded"),
        pytest.param([PATH, Part("file", b"the file", "sent.txt")], "", id="no type of its own"),
        pytest.param([Part("data", b"the file", "sent.txt"), PATH], "", id="any field name"),
        pytest.param([Part("comment", b"hello"), PATH, Part("x", b""), FILE], "", id="further fields"),
        pytest.param([FILE, Part("file", b"another", "other.txt"), PATH], "", id="the first file counts"),
    ],
)
def test_the_fields_of_a_form_come_in_any_order(client: Client, parts: list[Part], query: str) -> None:
    response = client.send_form(parts, query)
    assert response.status_code == 201, response.text
    expect.file_record(response.json(), "/docs/a.txt", b"the file")
    assert client.paths() == ["/docs/a.txt"]
    assert client.download("/docs/a.txt").content == b"the file"


def test_path_after_a_large_file_part(client: Client) -> None:
    content = bytes(range(256)) * 16_384
    response = client.send_form([Part("file", content, "big.bin"), Part("path", b"/late/")])
    expect.file_record(response.json(), "/late/big.bin", content)
    assert client.download("/late/big.bin").content == content


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="file"; filename="отчёт.txt"', "отчёт.txt"),
        ("form-data; name=\"file\"; filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.txt", "отчёт.txt"),
        ('form-data; name="file"; filename="x.txt"; filename*=utf-8\'\'%e2%82%ac%20rates.txt', "€ rates.txt"),
        ("form-data; name=file; filename=plain.txt", "plain.txt"),
        ('form-data;name="file";filename="tight.txt"', "tight.txt"),
        ('Form-Data; Name="file"; FileName="case.txt"', "case.txt"),
        ('form-data; filename="first.txt"; name="file"', "first.txt"),
        ('form-data; name="file"; filename="semi;colon.txt"', "semi;colon.txt"),
        ('form-data; name="file"; filename=" spaced .txt"', " spaced .txt"),
    ],
)
def test_the_sent_name_is_read_in_every_spelling(client: Client, disposition: str, name: str) -> None:
    part = Part("file", b"named", disposition=disposition.encode())
    response = client.send_form([part, Part("path", b"/in/")])
    assert response.status_code == 201, response.text
    assert response.json()["path"] == "/in/" + name


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b.txt", "/etc/passwd", "..\\..\\x.txt"])
def test_a_sent_name_never_leaves_its_folder(client: Client, name: str) -> None:
    response = client.upload("/in/", b"trapped", name)
    if response.status_code == 201:
        assert response.json()["path"].startswith("/in/") and ".." not in response.json()["path"].split("/")
    else:
        expect.problem(response, 400)
        assert client.paths() == []


@pytest.mark.parametrize(
    ("sent_type", "path", "stored_type", "kind"),
    [
        ("image/png", "/a.png", "image/png", "image"),
        (None, "/a.png", "image/png", "image"),
        (None, "/a.txt", "text/plain", "text"),
        (None, "/a.unheard-of", "application/octet-stream", "other"),
        ("text/html", "/a.jpg", "text/html", "image"),
        ("image/jpeg", "/photo", "image/jpeg", "image"),
        ("video/mp4", "/clip", "video/mp4", "media"),
        ("audio/mpeg", "/song.mp3", "audio/mpeg", "media"),
        ("text/plain", "/README", "text/plain", "text"),
        ("application/x-custom", "/thing", "application/x-custom", "other"),
    ],
)
def test_type_and_kind(client: Client, sent_type: str | None, path: str, stored_type: str, kind: str) -> None:
    sent = path.rpartition("/")[2]
    record = client.upload(path, b"typed", sent, sent_type).json()
    assert record["media_type"].split(";")[0] == stored_type
    assert record["kind"] == kind
    assert client.download(path).headers["Content-Type"].split(";")[0] == stored_type
    assert [found["path"] for found in client.listing(kind=kind)["files"]] == [path]


@pytest.mark.parametrize("sent_type", ["no slash", "a/b/c", "text/" + "x" * 200, "/", "text/pl\tain"])
def test_a_type_that_is_none_does_not_refuse_the_upload(client: Client, sent_type: str) -> None:
    record = client.upload("/a.unheard-of", b"typed", "a.unheard-of", sent_type)
    assert record.status_code == 201
    assert record.json()["media_type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "text/plain; charset=utf-8"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json"},
        {},
    ],
    ids=lambda headers: headers.get("Content-Type", "no type"),
)
def test_a_raw_body_with_path_in_the_query_is_the_file(client: Client, headers: dict[str, str]) -> None:
    content = b'{"path": "/not/this.json"}'
    response = client.post(UPLOAD + "?path=/raw/a.json", data=content, headers=headers)
    assert response.status_code == 201, response.text
    expect.file_record(response.json(), "/raw/a.json", content)
    assert client.download("/raw/a.json").content == content


def test_a_raw_body_may_be_chunked(client: Client) -> None:
    pieces = [b"one ", b"two ", b"three"]
    response = client.post(UPLOAD + "?path=/chunked.txt", data=iter(pieces))
    expect.file_record(response.json(), "/chunked.txt", b"".join(pieces))


def test_a_raw_body_without_a_dot_in_its_name_is_a_file(client: Client) -> None:
    response = client.post(UPLOAD + "?path=/docs/LICENSE", data=b"raw")
    expect.file_record(response.json(), "/docs/LICENSE", b"raw")


@pytest.mark.parametrize("path", ["/docs/", "/docs", "/"])
def test_a_raw_body_has_no_name_for_a_folder(client: Client, path: str) -> None:
    assert client.make_folder("/docs").status_code == 201
    expect.problem(client.post(f"{UPLOAD}?path={path}", data=b"nameless"), 422)
    assert client.paths() == []


def test_a_missing_path_is_a_bad_request(client: Client) -> None:
    expect.problem(client.send_form([FILE]), 400)
    expect.problem(client.post(UPLOAD, data=b"raw", headers={"Content-Type": "application/octet-stream"}), 400)
    assert client.paths() == []


def test_parameters_without_a_file_are_unacceptable(client: Client) -> None:
    expect.problem(client.post(UPLOAD, json={"path": "/docs/a.txt"}), 422)
    expect.problem(client.send_form([PATH]), 422)
    expect.problem(client.send_form([], "?path=/docs/a.txt"), 422)
    assert client.paths() == []


@pytest.mark.parametrize("size", [0, 1, 4095, 65_536, 65_537, 1_048_576, 5_000_001])
def test_every_size_comes_back_whole(client: Client, size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    expect.file_record(client.upload("/form.bin", content).json(), "/form.bin", content)
    expect.file_record(client.post(UPLOAD + "?path=/raw.bin", data=content).json(), "/raw.bin", content)
    assert client.put_name("put.bin", content).status_code == 204
    for path in ("/form.bin", "/raw.bin", "/put.bin"):
        response = client.download(path)
        assert response.content == content
        assert response.headers["Content-Length"] == str(size)


BOUNDARY = "a-boundary"
TRICKY = {
    "CR only": b"\r" * 100_000,
    "LF only": b"\n" * 100_000,
    "CR LF": b"\r\n" * 50_000,
    "CR LF dashes": b"\r\n--" * 25_000,
    "almost the boundary": b"\r\n--a-boundar\r\n" * 5000,
    "the boundary in a line": b"x--a-boundary\r\n" * 5000,
    "the boundary after LF": b"\n--a-boundary\n" * 5000,
    "ends as the boundary begins": b"x" * 8185 + b"\r\n--a-bound",
    "ends in CR": b"x\r",
    "ends in CR LF": b"x\r\n",
    "looks like headers": b"Content-Type: text/html\r\n\r\n",
    "zeros": bytes(100_000),
}


@pytest.mark.parametrize("content", TRICKY.values(), ids=TRICKY.keys())
def test_contents_that_look_like_the_form_around_them(client: Client, content: bytes) -> None:
    body = form([Part("file", content, "tricky.bin"), Part("path", b"/tricky.bin")], BOUNDARY)
    response = client.post(UPLOAD, data=body, headers={"Content-Type": form_type(BOUNDARY)})
    assert response.status_code == 201, response.text
    expect.file_record(response.json(), "/tricky.bin", content)
    assert client.download("/tricky.bin").content == content


def test_a_quoted_boundary_preamble_and_epilogue(client: Client) -> None:
    body = b"preamble\r\n" + form([FILE, PATH], "with space") + b"epilogue\r\n"
    headers = {"Content-Type": 'multipart/form-data; boundary="with space"'}
    response = client.post(UPLOAD, data=body, headers=headers)
    assert response.status_code == 201, response.text
    expect.file_record(response.json(), "/docs/a.txt", b"the file")


def test_a_stored_file_lies_under_its_hash(server: Daemon, client: Client, member: Member) -> None:
    content = json.dumps({"owner": member.login}).encode()
    name = expect.digest(content)
    member.client.stored("/shared.json", content)
    client.stored("/own.json", content)
    assert shared_blob(server.data, name).read() == content
    own = [blob.read() for blob in blobs_of(server.data, "containers") if blob.key.endswith(f"/{name[:2]}/{name}")]
    assert own == [content], "a token's bytes lie in its own container"
