"""Downloads by the programs that people use, in pieces, at once, and compressed."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import pytest

import expect
from client import Client
from daemon import Daemon

MIB = 1 << 20
TEXT = b"".join(b"line %d of a text that is worth compressing\n" % number for number in range(50_000))


def noise(size: int) -> bytes:
    """Bytes that are the same every time and none of which tells where the next are."""
    return random.Random(size).randbytes(size)


def curl(client: Client, path: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    headers = [option for name, value in client.headers.items() for option in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", "--fail", *headers, *options, client.url + path]
    return subprocess.run(command, capture_output=True, check=True, timeout=60)


def needs(program: str) -> str:
    found = shutil.which(program)
    if not found:
        pytest.skip(f"there is no {program}")
    return found


def test_curl_resumes_a_download(client: Client, tmp_path: Path) -> None:
    content = noise(5 * MIB)
    client.put_name("a.bin", content)
    target = tmp_path / "a.bin"
    for have in (0, 1, MIB + 1, len(content) - 1):
        target.write_bytes(content[:have])
        curl(client, "/api/files/a.bin", "-C", "-", "-o", str(target))
        assert target.read_bytes() == content, have


def test_aria2_downloads_eight_parts_at_once(client: Client, server: Daemon, tmp_path: Path) -> None:
    program = needs("aria2c")
    content = noise(24 * MIB)
    client.put_name("a.bin", content)
    before = server.log_size()
    headers = [f"--header={name}: {value}" for name, value in client.headers.items()]
    command = [program, "--no-conf", "-q", "-x", "8", "-s", "8", "-k", "1M", "-d", str(tmp_path), "-o", "a.bin", *headers]
    subprocess.run([*command, client.url + "/api/files/a.bin"], check=True, timeout=60)
    assert (tmp_path / "a.bin").read_bytes() == content
    assert server.log(before).count('"status":"206"') >= 7, "the first part may come as the whole, which is cut off"


@pytest.mark.parametrize("size", [3_000, 3 * MIB], ids=["from memory", "from the store"])
def test_several_ranges_come_as_parts(client: Client, size: int) -> None:
    content = noise(size)
    client.put_name("a.bin", content)
    wanted = [(size - 100, size - 1), (0, 0), (10, 2_000)]
    value = ",".join(f"{first}-{last}" for first, last in wanted)
    for options in ([], ["--compressed"]):
        output = curl(client, "/api/files/a.bin", "-i", "-r", value, *options).stdout
        status, _, message = output.partition(b"\r\n")
        assert b" 206 " in status + b" "
        answer = BytesParser(policy=HTTP).parsebytes(message)
        assert answer.get_content_type() == "multipart/byteranges"
        parts = list(answer.iter_parts())
        assert [part["Content-Range"] for part in parts] == [f"bytes {first}-{last}/{size}" for first, last in wanted]
        assert [part.get_content_type() for part in parts] == ["application/octet-stream"] * 3
    response = client.get("/api/files/a.bin", headers={"Range": f"bytes={value}"})
    assert int(response.headers["Content-Length"]) == len(response.content)
    boundary = response.headers["Content-Type"].partition("boundary=")[2].encode()
    pieces = (b"\r\n" + response.content).split(b"\r\n--" + boundary)
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    bodies = [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]]
    assert bodies == [content[first : last + 1] for first, last in wanted]


def test_curl_takes_a_text_compressed(client: Client) -> None:
    client.put_name("a.txt", TEXT)
    etag = expect.strong_etag(client.get("/api/files/a.txt", headers={"Accept-Encoding": "identity"}))
    # The first is compressed on its way, the second was kept.
    for _ in range(2):
        raw = curl(client, "/api/files/a.txt", "-H", "Accept-Encoding: gzip").stdout
        assert len(raw) < len(TEXT) // 4 and gzip.decompress(raw) == TEXT
    assert curl(client, "/api/files/a.txt", "--compressed").stdout == TEXT
    assert curl(client, "/api/files/a.txt").stdout == TEXT
    compressed = client.get("/api/files/a.txt", headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["ETag"] == etag[:-1] + '-gzip"'
    assert "accept-encoding" in compressed.headers["Vary"].lower()
    for tag in (etag, compressed.headers["ETag"]):
        assert client.get("/api/files/a.txt", headers={"If-None-Match": tag}).status_code == 304


def test_a_cache_between_keeps_both_forms_apart(client: Client) -> None:
    """What RFC 9111 section 4.1 asks: every answer of the resource names the field that chose it."""
    client.put_name("a.txt", TEXT[:5_000])
    for encoding in ("gzip", "identity", "br"):
        for fields in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-9"}):
            answer = client.get("/api/files/a.txt", headers={"Accept-Encoding": encoding, **fields})
            assert "accept-encoding" in answer.headers["Vary"].lower(), (encoding, fields)


def test_lists_come_compressed(client: Client) -> None:
    for number in range(40):
        client.put_name(f"folder/a rather long name to be listed {number}", b"x")
    plain = client.get("/api/v1/files", headers={"Accept-Encoding": "identity"})
    compressed = client.get("/api/v1/files", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers and compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.json() == plain.json()
    assert int(compressed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) // 3
