"""Bodies: framing, Expect, size limits, encodings, broken forms. What is refused leaves nothing behind."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import expect
from client import Client, Member, new_token, token_client
from conftest import StartServer, start_daemon
from daemon import Daemon
from ways import FORMS as WAY_FORMS
from ways import WAYS, Way, by_name
from wire import BOUNDARY, Part, Wire, chunked, exchange, form, form_type, head, statuses

MIB = 1 << 20
UPLOAD = "/api/v1/files/upload"
WaitUntil = Callable[[Callable[[], bool], float], None]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "gzip, gzip"])
@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
def test_an_encoded_upload_is_unsupported(account: Client, way: Way, encoding: str) -> None:
    expect.problem(way.send(account, b"x", {"Content-Encoding": encoding}), 415, "content_encoding")
    assert account.paths(folder="/") == []


@pytest.mark.parametrize("way", WAY_FORMS, ids=by_name(WAY_FORMS))
def test_an_encoded_part_is_unsupported(server: Daemon, account: Client, way: Way) -> None:
    disposition = b'form-data; name="file"; filename="a.txt"\r\nContent-Encoding: '
    reply = way.send(account, b"", body=form([Part("file", b"x", disposition=disposition + b"gzip")]))
    assert not way.is_stored(reply)
    way.refused(reply, 415, "content_encoding")
    assert account.paths(folder="/") == []
    assert server.staging_files() == 0


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
def test_a_part_of_a_file_is_no_upload(account: Client, way: Way) -> None:
    expect.problem(way.send(account, b"x", {"Content-Range": "bytes 0-0/10"}), 400, "content_range")
    assert account.paths(folder="/") == []


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x", "text/html", ""])
def test_a_put_body_is_raw_whatever_its_type(client: Client, media_type: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n{}\r\n--x--\r\n'
    response = client.put("/api/files/raw", data=body, headers={"Content-Type": media_type})
    assert response.status_code == 204, response.text
    assert client.get("/api/files/raw").content == body


def test_a_chunked_put(client: Client) -> None:
    pieces = [b"x" * size for size in (1, 10, 100_000, 1)]
    assert client.put("/api/files/a.bin", data=iter(pieces)).status_code == 204
    assert client.get("/api/files/a.bin").content == b"".join(pieces)


def authorized(*headers: tuple[str, str], token: str | None = None) -> list[tuple[str, str]]:
    return [("X-Auth-Token", token or new_token()), *headers]


# Expect: 100-continue


def test_curl_sees_the_100_before_it_sends(server: Daemon, tmp_path: Path) -> None:
    source = tmp_path / "file.bin"
    source.write_bytes(b"x" * 100_000)
    token = new_token()
    command = ["curl", "-sS", "-v", "-H", f"X-Auth-Token: {token}", "-H", "Expect: 100-continue"]
    command += ["--expect100-timeout", "30", "-T", str(source), f"{server.url}/api/files/file.bin"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=25, check=True)
    assert "< HTTP/1.1 100 Continue" in result.stderr
    assert "< HTTP/1.1 204" in result.stderr
    assert token_client(server.url, token).get("/api/files/file.bin").content == source.read_bytes()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_body_is_awaited_after_the_100(server: Daemon, framing: str) -> None:
    headers = authorized(("Expect", "100-continue"))
    headers.append(("Content-Length", "5") if framing == "length" else ("Transfer-Encoding", "chunked"))
    with Wire(server.port) as wire:
        wire.send(head("PUT", "/api/files/a.txt", headers))
        assert wire.read_head().status_code == 100
        assert wire.silent(0.2), "no final answer before the body"
        wire.send(b"hello" if framing == "length" else chunked(b"hello"))
        assert wire.read_reply().status_code == 204


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that takes files up to 1 MiB."""
    daemon = start_daemon(tmp_path_factory.mktemp("limited"), LIMITS_UPLOAD_SIZE="1MiB")
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


EXPECT = ("Expect", "100-continue")


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
def test_every_way_to_upload_waits_for_the_100(server: Daemon, member: Member, way: Way) -> None:
    body = way.body(b"hello")
    with Wire(server.port) as wire:
        wire.send(head(way.method, way.target, [*member.client.headers.items(), EXPECT, *way.fields(len(body))]))
        assert wire.read_head().status_code == 100
        wire.send(chunked(body) if way.is_chunked else body)
        assert way.is_stored(wire.read_reply())
    (path,) = member.client.paths()
    assert member.client.download(path).content == b"hello"


@pytest.mark.parametrize("way", WAYS, ids=by_name(WAYS))
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param([], 401, id="no credentials"),
        pytest.param([("Authorization", "Bearer x")], 401, id="wrong credentials"),
        pytest.param([("Content-Encoding", "gzip")], 415, id="encoded"),
        pytest.param([("Content-Range", "bytes 0-1/2")], 400, id="a part"),
        pytest.param([("Origin", "https://evil.example")], 403, id="foreign page"),
    ],
)
def test_every_way_is_refused_before_the_body(
    account: Client, way: Way, headers: list[tuple[str, str]], status: int
) -> None:
    credentials = [("X-Forwarded-For", "192.0.2.1")] if status == 401 else [*account.headers.items()]
    with Wire(account.port) as wire:
        wire.send(head(way.method, way.target, [*credentials, *headers, EXPECT, *way.fields(1000)]))
        assert wire.read_refusal().status_code == status, "not 100"
    assert account.paths(folder="/") == []


FIVE = ("Content-Length", "5")


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        pytest.param("PUT", "/api/files/a", [EXPECT, FIVE], 401, id="no credentials"),
        pytest.param("PUT", "/api/files/a", [EXPECT, FIVE, ("X-Auth-Token", "x")], 401, id="wrong credentials"),
        pytest.param("PUT", "/api/files/a/../b", authorized(EXPECT, FIVE), 400, id="bad name"),
        pytest.param("PUT", "/api/files/a", authorized(EXPECT, ("Content-Length", str(MIB + 1))), 413, id="too long"),
        pytest.param("PUT", "/api/files/a", authorized(EXPECT, FIVE, ("Content-Encoding", "gzip")), 415, id="encoded"),
        pytest.param("POST", UPLOAD, authorized(EXPECT, FIVE), 400, id="no path"),
        pytest.param("POST", UPLOAD + "?path=/a/", authorized(EXPECT, FIVE), 422, id="no name"),
        pytest.param("PUT", "/api/nowhere", authorized(EXPECT, FIVE), 404, id="no such route"),
        pytest.param("PATCH", "/api/files/a", authorized(EXPECT, FIVE), 405, id="no such method"),
    ],
)
def test_a_refusal_comes_instead_of_the_100(
    limited: Daemon, method: str, target: str, headers: list[tuple[str, str]], status: int
) -> None:
    with Wire(limited.port) as wire:
        wire.send(head(method, target, headers))
        assert wire.read_refusal().status_code == status


# The size limit


def requests_of(size: int) -> dict[str, tuple[str, str, list[tuple[str, str]], bytes]]:
    """Requests whose file has `size` bytes, in every framing, all to /big.bin."""
    content = b"x" * size
    wrapped = form([Part("path", b"/big.bin"), Part("file", content, "big.bin")])
    length = ("Content-Length", str(size))
    coding = ("Transfer-Encoding", "chunked")
    kind = ("Content-Type", form_type())
    return {
        "PUT with length": ("PUT", "/api/files/big.bin", [length], content),
        "PUT chunked": ("PUT", "/api/files/big.bin", [coding], chunked(content)),
        "raw with length": ("POST", UPLOAD + "?path=/big.bin", [length], content),
        "raw chunked": ("POST", UPLOAD + "?path=/big.bin", [coding], chunked(content)),
        "form with length": ("POST", UPLOAD, [kind, ("Content-Length", str(len(wrapped)))], wrapped),
        "form chunked": ("POST", UPLOAD, [kind, coding], chunked(wrapped)),
    }


FRAMINGS = list(requests_of(0))


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_file_of_exactly_the_limit_is_taken(limited: Daemon, framing: str) -> None:
    token = new_token()
    method, target, headers, body = requests_of(MIB)[framing]
    with Wire(limited.port) as wire:
        wire.send(head(method, target, authorized(*headers, token=token)) + body)
        assert wire.read_reply().status_code in (201, 204)
    assert len(token_client(limited.url, token).get("/api/files/big.bin").content) == MIB


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", [MIB + 1, 40 * MIB], ids=["one byte more", "40 MiB"])
def test_a_larger_file_is_refused_and_nothing_is_kept(
    limited: Daemon, wait_until: WaitUntil, framing: str, size: int
) -> None:
    token = new_token()
    method, target, headers, body = requests_of(size)[framing]
    answer = exchange(limited.port, head(method, target, authorized(*headers, token=token)) + body, timeout=60)
    assert statuses(answer)[:1] == [413], answer[:300]
    wait_until(lambda: limited.staging_files() == 0, 30)
    assert token_client(limited.url, token).names() == []


def test_an_overwrite_that_is_too_large_keeps_the_old_file(limited: Daemon) -> None:
    client = token_client(limited.url)
    assert client.put_name("a.bin", b"old").status_code == 204
    expect.problem(client.put_name("a.bin", b"x" * (MIB + 1)), 413)
    assert client.get("/api/files/a.bin").content == b"old"


# Broken forms


def part(head_lines: bytes, content: bytes = b"x") -> bytes:
    delimiter = b"--" + BOUNDARY.encode()
    return delimiter + b"\r\n" + head_lines + b"\r\n\r\n" + content + b"\r\n" + delimiter + b"--\r\n"


WHOLE = form([Part("path", b"/a.txt"), Part("file", b"x", "a.txt")])
FILE_HEAD = b'Content-Disposition: form-data; name="file"; filename="a.txt"'

BROKEN_FORMS: dict[str, tuple[str, bytes]] = {
    "no boundary": ("multipart/form-data", WHOLE),
    "empty boundary": ("multipart/form-data; boundary=", WHOLE),
    "empty quoted boundary": ('multipart/form-data; boundary=""', WHOLE),
    "unclosed quote": ('multipart/form-data; boundary="abc', WHOLE),
    "boundary of 1,000 characters": (form_type("b" * 1000), form([Part("file", b"x", "a.txt")], "b" * 1000)),
    "another boundary": (form_type("other"), WHOLE),
    "empty body": (form_type(), b""),
    "text instead of a form": (form_type(), b"just some text"),
    "ends after the delimiter": (form_type(), b"--" + BOUNDARY.encode()),
    "ends inside the part head": (form_type(), WHOLE[:60]),
    "ends inside the content": (form_type(), WHOLE.rpartition(b"\r\n--")[0]),
    "ends inside the last delimiter": (form_type(), WHOLE[:-10]),
    "last delimiter with one dash": (form_type(), WHOLE[:-3]),
    "not closed": (form_type(), WHOLE[:-4] + b"\r\n"),
    "line feeds only": (form_type(), WHOLE.replace(b"\r\n", b"\n")),
    "head line without a colon": (form_type(), part(FILE_HEAD + b"\r\nnonsense")),
    "head line with a NUL": (form_type(), part(FILE_HEAD + b"\r\nX-A: a\0b")),
    "head line that starts with a colon": (form_type(), part(FILE_HEAD + b"\r\n: x")),
    "name with a NUL": (form_type(), part(FILE_HEAD.replace(b"a.txt", b"a\0.txt"))),
    "name of invalid UTF-8": (form_type(), part(FILE_HEAD.replace(b"a.txt", b"a\xff.txt"))),
    "filename* of invalid UTF-8": (form_type(), part(b"Content-Disposition: form-data; name=f; filename*=UTF-8''%ff")),
    "filename* of broken escapes": (form_type(), part(b"Content-Disposition: form-data; name=f; filename*=UTF-8''%zz")),
    "17 and more head lines": (form_type(), part(FILE_HEAD + b"\r\nX-A: b" * 50)),
    "10,000 head lines": (form_type(), part(FILE_HEAD + b"\r\nX-A: b" * 10_000)),
    "head of 1 MiB": (form_type(), part(FILE_HEAD + b"\r\nX-A: " + b"b" * MIB)),
    "head that never ends": (form_type(), b"--" + BOUNDARY.encode() + b"\r\n" + b"x" * MIB),
    "head of CR only": (form_type(), b"--" + BOUNDARY.encode() + b"\r\n" + b"\r" * MIB),
    "preamble of 1 MiB": (form_type(), b"x" * MIB + b"\r\n" + WHOLE),
    "epilogue of 1 MiB": (form_type(), WHOLE + b"x" * MIB),
    "100 parameters of a part": (form_type(), part(FILE_HEAD + b"".join(b"; x%d=1" % n for n in range(100)))),
    "1,000 fields": (form_type(), form([*(Part(f"f{n}", b"") for n in range(1000)), Part("file", b"x", "a.txt")])),
    "100,000 fields": (form_type(), form(Part("f", b"") for _ in range(100_000))),
    "path of 2 MiB": (form_type(), form([Part("path", b"x" * 2 * MIB), Part("file", b"x", "a.txt")])),
    "field of 2 MiB after the file": (form_type(), form([Part("file", b"x", "a.txt"), Part("f", b"x" * 2 * MIB)])),
    "file whose form is not closed": (form_type(), form([Part("file", b"x" * MIB, "a.txt")])[:-4]),
}


@pytest.mark.parametrize(("media_type", "body"), BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
@pytest.mark.parametrize("query", ["", "?path=/a.txt"], ids=["path in the form", "path in the query"])
def test_a_broken_form_is_a_clear_refusal(
    server: Daemon, wait_until: WaitUntil, query: str, media_type: str, body: bytes
) -> None:
    token = new_token()
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Connection", "close")]
    answer = exchange(server.port, head("POST", UPLOAD + query, authorized(*headers, token=token)) + body)
    assert statuses(answer)[:1] and statuses(answer)[0] in (400, 413, 422, 431), answer[:300]
    assert len(statuses(answer)) == 1, answer
    wait_until(lambda: server.staging_files() == 0, 30)
    client = token_client(server.url, token)
    assert client.names() == [] and client.paths(folder="/") == []


@pytest.mark.parametrize("key", ["no boundary", "not closed", "text instead of a form", "another boundary"])
def test_a_malformed_form_is_400_as_a_problem(client: Client, key: str) -> None:
    media_type, body = BROKEN_FORMS[key]
    response = client.post(UPLOAD + "?path=/a.txt", data=body, headers={"Content-Type": media_type})
    expect.problem(response, 400)


# Bodies that end early


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["FIN", "RST"])
@pytest.mark.parametrize("existing", [False, True], ids=["new", "overwrite"])
def test_an_upload_cut_at_99_percent_leaves_nothing(
    server: Daemon, wait_until: WaitUntil, framing: str, leave: Callable[[Wire], None], existing: bool
) -> None:
    token = new_token()
    client = token_client(server.url, token)
    if existing:
        assert client.put_name("big.bin", b"old").status_code == 204
    method, target, headers, body = requests_of(4 * MIB)[framing]
    wire = Wire(server.port)
    wire.send(head(method, target, authorized(*headers, token=token)) + body[: len(body) * 99 // 100])
    wait_until(lambda: server.staging_files() > 0, 10)
    leave(wire)
    wait_until(lambda: server.staging_files() == 0, 30)
    assert client.names() == (["big.bin"] if existing else [])
    if existing:
        assert client.get("/api/files/big.bin").content == b"old"
    assert client.put_name("big.bin", b"again").status_code == 204, "a ghost must not stand in the way"


def test_a_cut_form_request_at_every_byte(server: Daemon, wait_until: WaitUntil) -> None:
    token = new_token()
    body = form([Part("path", b"/cut.txt"), Part("file", b"content", "cut.txt")])
    headers = authorized(("Content-Type", form_type()), ("Content-Length", str(len(body))), token=token)
    request = head("POST", UPLOAD, headers) + body
    for end in range(1, len(request)):
        with Wire(server.port) as wire:
            wire.send(request[:end])
    wait_until(lambda: server.staging_files() == 0, 30)
    client = token_client(server.url, token)
    assert client.names() == []
    assert exchange(server.port, request)[:12] == b"HTTP/1.1 201"
    assert client.names() == ["cut.txt"]


def test_a_request_in_single_bytes_is_the_same_request(server: Daemon) -> None:
    token = new_token()
    body = form([Part("path", b"/slow.txt"), Part("file", b"\r\n--" * 10, "slow.txt")])
    headers = authorized(("Content-Type", form_type()), ("Content-Length", str(len(body))), token=token)
    with Wire(server.port) as wire:
        for byte in head("POST", UPLOAD, headers) + body:
            wire.send(bytes([byte]))
        assert wire.read_reply().status_code == 201
    assert token_client(server.url, token).get("/api/files/slow.txt").content == b"\r\n--" * 10


def test_the_first_byte_of_a_long_body_is_enough_to_refuse(start: StartServer) -> None:
    daemon = start(LIMITS_UPLOAD_SIZE="64KiB")
    with Wire(daemon.port) as wire:
        wire.send(head("PUT", "/api/files/a", authorized(("Content-Length", str(1 << 40)))) + b"x")
        assert wire.read_head().status_code == 413
