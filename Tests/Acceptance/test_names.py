"""Names: what is kept byte for byte, what is refused, and files and folders that meet."""

from __future__ import annotations

from urllib.parse import quote, quote_from_bytes

import pytest

import expect
from client import Client
from lanes import direct
from wire import Part

ACCEPTED = {
    "plain": "a.txt",
    "no dot": "LICENSE",
    "hidden": ".hidden",
    "three dots": "...",
    "dots before": "..a",
    "dots after": "a..",
    "dots inside": "a..b",
    "double dots as part of a segment": "a/..b/c..",
    "space": "with space.txt",
    "leading space": " lead",
    "trailing space": "trail ",
    "only a space": " ",
    "plus": "a+b.txt",
    "percent": "100%.txt",
    "percent escape as text": "a%2Fb.txt",
    "percent dots as text": "%2e%2e",
    "double escape as text": "%252F",
    "hash": "a#b.txt",
    "question mark": "a?b.txt",
    "ampersand": "a&b=c.txt",
    "semicolon": "a;b.txt",
    "colon": "a:b.txt",
    "at": "a@b.txt",
    "comma": "a,b.txt",
    "quote": 'a"b.txt',
    "apostrophe": "a'b.txt",
    "backtick": "a`b.txt",
    "angles": "<a>.txt",
    "pipe": "a|b.txt",
    "star": "*.txt",
    "tilde": "~root",
    "dollar": "$HOME.txt",
    "braces": "{a}[b].txt",
    "backslash": "a\\b.txt",
    "backslash dots": "..\\..\\x",
    "drive letter": "C:\\x.txt",
    "dash": "-rf",
    "device": "CON.txt",
    "sql": "'; DROP TABLE files; --",
    "like wildcards": "100%_.txt",
    "cyrillic": "отчёт.txt",
    "NFC": "caf\u00e9.txt",
    "NFD": "cafe\u0301.txt",
    "combining alone": "\u0301.txt",
    "slash with combining mark": "a/\u0301b",
    "chinese": "文件.txt",
    "hebrew": "קובץ.txt",
    "emoji": "\U0001f4c1.txt",
    "emoji sequence": "\U0001f468\u200d\U0001f469\u200d\U0001f467.txt",
    "right-to-left override": "\u202egpj.exe",
    "zero width": "a\u200bb.txt",
    "byte order mark": "\ufeffa.txt",
    "no-break space": "a\u00a0b.txt",
    "line separator": "a\u2028b.txt",
    "fullwidth": "ａ／ｂ.txt",
    "replacement character": "\ufffd.txt",
    "noncharacter": "\uffff.txt",
    "highest": "\U0010ffff.txt",
    "upper case": "A.TXT",
    "deep": "/".join("abcdefghijklmnopqrstuvwxyz"),
    "reserved folder of another dialect": "by-hash/x",
    "another route's name": "files/download",
    "a uuid": "18ce71ad-1391-46c7-91de-56948fda0d8a",
    "a hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "segment of 255 bytes": "x" * 255,
    "segment of 255 bytes in Cyrillic": "я" * 127 + "x",
    "path of 1,024 bytes": "/".join(["x" * 204] * 5),
    "path of 1,024 bytes in 512 segments": "x" + "/x" * 511 + "y",
}


@pytest.mark.parametrize("name", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_name_is_kept_byte_for_byte(client: Client, name: str) -> None:
    content = name.encode()
    assert client.raw("PUT", "/api/files/" + quote(name), body=content).status_code == 204
    assert client.names() == [name]
    assert client.raw("GET", "/api/files/" + quote(name)).content == content
    (record,) = client.listing()["files"]
    expect.file_record(record, "/" + name, content)
    assert client.download("/" + name).content == content
    assert client.raw("DELETE", "/api/files/" + quote(name, safe="")).status_code == 204
    assert client.names() == []


@pytest.mark.parametrize("name", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_uploaded_path_is_kept_byte_for_byte(client: Client, name: str) -> None:
    content = name.encode()
    response = client.post("/api/v1/files/upload", params={"path": "/" + name}, data=content)
    assert response.status_code == 201, response.text
    expect.file_record(response.json(), "/" + name, content)
    assert client.names() == [name]
    assert client.remove("/" + name).status_code == 204


@pytest.mark.parametrize("key", ["cyrillic", "NFC", "NFD", "emoji", "chinese", "plus", "space", "hash", "upper case"])
def test_a_sent_name_is_kept_byte_for_byte(client: Client, key: str) -> None:
    name = ACCEPTED[key]
    response = client.send_form([Part("file", b"named", name), Part("path", b"/in/")])
    expect.file_record(response.json(), "/in/" + name, b"named")


REFUSED = {
    "empty segment": b"a//b",
    "only dots": b"..",
    "one dot": b".",
    "dots first": b"../a.txt",
    "dots inside": b"a/../b.txt",
    "dots last": b"a/..",
    "dot inside": b"a/./b.txt",
    "dot last": b"a/.",
    "many dots": b"../../../../etc/passwd",
    "NUL": b"a\0b",
    "NUL last": b"a.txt\0",
    "start of heading": b"a\x01b",
    "tab": b"a\tb",
    "line feed": b"a\nb",
    "carriage return": b"a\rb",
    "CR LF": b"a\r\nSet-Cookie: x=y",
    "escape": b"a\x1b[31mb",
    "unit separator": b"a\x1fb",
    "delete": b"a\x7fb",
    "lone continuation byte": b"a\x80b",
    "no such byte": b"a\xffb",
    "overlong slash": b"a\xc0\xafb",
    "overlong dots": b"\xc0\xae\xc0\xae/x",
    "overlong in three bytes": b"a\xe0\x80\xafb",
    "surrogate": b"a\xed\xa0\x80b",
    "beyond Unicode": b"a\xf4\x90\x80\x80b",
    "cut off character": b"a\xe2\x82",
    "Latin-1": "é.txt".encode("latin-1"),
    "segment of 256 bytes": b"x" * 256,
    "segment of 256 bytes in Cyrillic": ("я" * 128).encode(),
    "path of 1,025 bytes": b"/".join([b"x" * 204] * 4 + [b"x" * 205]),
    "path of 2,001 bytes": b"x/" * 1000 + b"x",
}


@direct("nginx refuses some of these targets itself")
@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("slash", ["%2F", "/"], ids=["slashes encoded", "slashes plain"])
def test_a_refused_name_is_refused_by_every_method(client: Client, name: bytes, slash: str) -> None:
    target = "/api/files/" + quote_from_bytes(name, safe="").replace("%2F", slash)
    for method, body in [("PUT", b"x"), ("GET", None), ("DELETE", None)]:
        expect.problem(client.raw(method, target, body=body), 400, "invalid_path")
    assert client.names() == []


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_path_is_refused_in_every_place(client: Client, name: bytes) -> None:
    encoded = quote_from_bytes(b"/" + name, safe="")
    for method, target, body in [
        ("POST", "/api/v1/files/upload?path=" + encoded, b"x"),
        ("GET", "/api/v1/files/download?path=" + encoded, None),
        ("DELETE", "/api/v1/files?path=" + encoded, None),
    ]:
        expect.problem(client.raw(method, target, body=body), 400, "invalid_path")
    in_form = client.send_form([Part("path", b"/" + name), Part("file", b"x", "x.txt")])
    assert in_form.status_code in (400, 413)
    assert client.paths() == [] and client.paths(folder="/") == []


@direct("nginx refuses some of these targets itself")
@pytest.mark.parametrize(
    "escaped", ["%2e%2e", "%2E%2E%2Fx", "a/%2e%2e/x", "..%2F..%2Fetc%2Fpasswd", "%2e", "a%2F%2Fb", "a%00b"]
)
def test_escaped_forms_are_decoded_once_and_then_judged(client: Client, escaped: str) -> None:
    expect.problem(client.raw("PUT", "/api/files/" + escaped, body=b"x"), 400, "invalid_path")
    assert client.names() == []


@pytest.mark.parametrize("name", ["a.txt/", "docs/a.txt/", "a.txt%2F"])
def test_a_trailing_slash_on_a_name_is_refused(client: Client, name: str) -> None:
    for method, body in [("PUT", b"x"), ("GET", None), ("DELETE", None)]:
        expect.problem(client.raw(method, "/api/files/" + name, body=body), 400, "invalid_path")
    assert client.names() == []


@pytest.mark.parametrize("escape", ["%", "%4", "%ZZ", "%%41", "a%2", "%u0041", "%-1"])
def test_broken_percent_encoding_is_a_bad_request(client: Client, escape: str) -> None:
    for method, target in [
        ("PUT", "/api/files/" + escape),
        ("GET", "/api/files/" + escape),
        ("POST", "/api/v1/files/upload?path=/" + escape),
        ("GET", "/api/v1/files/download?path=/" + escape),
        ("GET", "/api/v1/files?prefix=" + escape),
        ("GET", "/api/v1/files?folder=" + escape),
        ("DELETE", "/api/v1/files?path=" + escape),
    ]:
        expect.problem(client.raw(method, target, body=b"x" if method in ("PUT", "POST") else None), 400)
    assert client.names() == []


def test_twins_are_distinct_files(client: Client) -> None:
    twins = ["caf\u00e9", "cafe\u0301", "CAFE\u0301", "cafe", "cafe ", "\ufeffcafe", "ｃafe", "с\u0430fe"]
    for twin in twins:
        assert client.put_name(twin, twin.encode()).status_code == 204
    assert client.names() == sorted(twins, key=str.encode)
    for twin in twins:
        assert client.raw("GET", "/api/files/" + quote(twin)).content == twin.encode()
    assert client.raw("DELETE", "/api/files/" + quote(twins[0])).status_code == 204
    assert client.get("/api/files/" + quote(twins[1])).status_code == 200


def test_a_plus_is_itself_in_a_path_and_a_space_in_a_query(client: Client) -> None:
    assert client.raw("PUT", "/api/files/a+b.txt", body=b"plus").status_code == 204
    assert client.raw("PUT", "/api/files/a%20b.txt", body=b"space").status_code == 204
    assert client.names() == ["a b.txt", "a+b.txt"]
    assert client.raw("GET", "/api/v1/files/download?path=/a+b.txt").content == b"space"
    assert client.raw("GET", "/api/v1/files/download?path=/a%2Bb.txt").content == b"plus"


def test_an_encoded_slash_is_a_slash(client: Client) -> None:
    assert client.raw("PUT", "/api/files/docs%2Fa.txt", body=b"one").status_code == 204
    assert client.raw("GET", "/api/files/docs/a.txt").content == b"one"
    assert client.raw("PUT", "/api/files/docs/b.txt", body=b"two").status_code == 204
    assert client.raw("GET", "/api/files/docs%2fb.txt").content == b"two"
    assert client.names() == ["docs/a.txt", "docs/b.txt"]


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c"), ("a/b/c", "a/b")])
def test_a_file_and_a_folder_cannot_share_a_path(client: Client, first: str, second: str) -> None:
    assert client.put_name(first, b"first").status_code == 204
    expect.problem(client.put_name(second, b"second"), 409, "path_conflict")
    conflict = client.post("/api/v1/files/upload?path=/" + second, data=b"second")
    if first == "a":
        expect.problem(conflict, 409, "path_conflict")
    else:
        expect.problem(conflict, 422)  # an existing folder as `path` means "into it", and a raw body has no name
    assert client.names() == [first]
    assert client.get("/api/files/" + first).content == b"first"


def test_an_empty_folder_never_blocks_a_file(client: Client) -> None:
    assert client.make_folder("/a").status_code == 201
    assert client.put_name("a", b"file").status_code == 204
    assert client.names() == ["a"]
    assert client.get("/api/files/a").content == b"file"


def test_a_folder_that_became_empty_never_blocks_a_file(client: Client) -> None:
    assert client.put_name("a/b.txt").status_code == 204
    assert client.delete("/api/files/a/b.txt").status_code == 204
    assert client.put_name("a", b"file").status_code == 204
    assert client.names() == ["a"]
