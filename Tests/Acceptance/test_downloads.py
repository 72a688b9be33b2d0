"""Downloads by path, by id and by name: headers, conditions and single ranges."""

from __future__ import annotations

import re
import uuid
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote, unquote

import pytest

import expect
from client import Client

CONTENT = bytes(range(256)) * 8
ROUTES = ["/api/v1/files/download?path=/docs/a.bin", "/api/files/docs/a.bin"]
LONG_AGO = "Mon, 01 Jan 2001 00:00:00 GMT"


@pytest.fixture(params=ROUTES, ids=["by path", "by name"])
def route(request: pytest.FixtureRequest, client: Client) -> str:
    """A route to /docs/a.bin, which holds CONTENT."""
    client.stored("/docs/a.bin", CONTENT, "a.bin")
    return str(request.param)


def test_a_file_is_found_by_path_with_and_without_slash_and_by_id(client: Client) -> None:
    record = client.stored("/docs/a b+c.txt", b"found")
    for path in ("/docs/a b+c.txt", "docs/a b+c.txt", record["id"]):
        response = client.download(path)
        assert response.status_code == 200 and response.content == b"found", path


def test_a_uuid_is_an_id_first_and_a_path_second(client: Client) -> None:
    by_id = client.stored("/a.txt", b"by id")["id"]
    named = str(uuid.uuid4())
    client.stored("/" + named, b"by path", named)
    client.stored("/" + by_id, b"path that looks like an id", by_id)
    assert client.download(by_id).content == b"by id"
    assert client.download(named).content == b"by path"
    assert client.download("/" + by_id).content == b"path that looks like an id"
    expect.problem(client.download("/" + str(uuid.uuid4())), 404)


def test_what_is_not_there_is_404(client: Client) -> None:
    for path in ("/missing", "missing", str(uuid.uuid4()), "/a/b/c"):
        expect.problem(client.download(path), 404)
    expect.problem(client.get("/api/files/missing"), 404)


def test_a_folder_or_no_path_is_a_bad_request(client: Client) -> None:
    folder = client.make_folder("/docs").json()
    expect.problem(client.download("/docs"), 400)
    expect.problem(client.download(folder["id"]), 400)
    expect.problem(client.get("/api/v1/files/download"), 400)


def test_the_headers_of_a_download(client: Client, route: str) -> None:
    response = client.get(route)
    assert (response.status_code, response.content) == (200, CONTENT)
    headers = response.headers
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {name.strip().lower() for name in headers["Vary"].split(",")} >= {"authorization", "x-auth-token"}
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert parsedate_to_datetime(headers["Last-Modified"]).tzinfo is not None
    expect.strong_etag(response)


def test_a_head_is_the_same_without_the_body(client: Client, route: str) -> None:
    got, head = client.get(route), client.head(route)
    assert (head.status_code, head.content) == (200, b"")
    changing = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.lower_items() if k not in changing} == {
        k: v for k, v in got.headers.lower_items() if k not in changing
    }


def test_the_etag_is_the_one_of_the_upload_and_the_same_on_every_route(client: Client) -> None:
    uploaded = client.upload("/docs/a.bin", CONTENT, "a.bin")
    assert {expect.strong_etag(client.get(route)) for route in ROUTES} == {expect.strong_etag(uploaded)}
    other = client.upload("/docs/b.bin", CONTENT, "a.bin")
    assert expect.strong_etag(other) != expect.strong_etag(uploaded), "the tag is the revision, not the hash"


@pytest.mark.parametrize("form", ["{etag}", "W/{etag}", '"other", {etag}', '{etag}, "other"', "*", '"x" ,W/{etag}'])
def test_a_known_revision_is_not_sent_again(client: Client, route: str, form: str) -> None:
    etag = expect.strong_etag(client.get(route))
    response = client.get(route, headers={"If-None-Match": form.replace("{etag}", etag)})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "authorization" in response.headers["Vary"].lower()
    head = client.head(route, headers={"If-None-Match": form.replace("{etag}", etag)})
    assert head.status_code == 304


def test_another_revision_is_sent(client: Client, route: str) -> None:
    etag = expect.strong_etag(client.get(route))
    assert client.get(route, headers={"If-None-Match": '"other"'}).status_code == 200
    client.stored("/docs/a.bin", b"new", "a.bin")
    assert client.get(route, headers={"If-None-Match": etag}).content == b"new"


def test_if_modified_since(client: Client, route: str) -> None:
    modified = client.get(route).headers["Last-Modified"]
    assert client.get(route, headers={"If-Modified-Since": modified}).status_code == 304
    assert client.get(route, headers={"If-Modified-Since": LONG_AGO}).status_code == 200
    assert client.get(route, headers={"If-Modified-Since": "yesterday"}).status_code == 200
    both = {"If-Modified-Since": modified, "If-None-Match": '"other"'}
    assert client.get(route, headers=both).status_code == 200, "If-None-Match wins (RFC 9110 section 13.1.3)"


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=100-199", 100, 199),
        ("bytes=2047-2047", 2047, 2047),
        ("bytes=10-", 10, 2047),
        ("bytes=-1", 2047, 2047),
        ("bytes=-100", 1948, 2047),
        ("bytes=-2048", 0, 2047),
        ("bytes=-99999", 0, 2047),
        ("bytes=2000-99999", 2000, 2047),
        ("bytes=0-", 0, 2047),
        ("Bytes=5-6", 5, 6),
        ("bytes=5-6,", 5, 6),
        ("bytes= 5-6", 5, 6),
    ],
)
def test_a_range_is_sent_alone(client: Client, route: str, value: str, first: int, last: int) -> None:
    response = client.get(route, headers={"Range": value})
    assert response.status_code == 206
    assert response.content == CONTENT[first : last + 1]
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers["Content-Length"] == str(last - first + 1)
    assert response.headers["Accept-Ranges"] == "bytes"
    expect.strong_etag(response)


@pytest.mark.parametrize("value", ["bytes=2048-", "bytes=2048-2050", "bytes=-0", "bytes=9223372036854775807-"])
def test_a_range_outside_is_unsatisfiable(client: Client, route: str, value: str) -> None:
    response = client.get(route, headers={"Range": value})
    expect.problem(response, 416)
    assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "value",
    [
        "bytes=5-2",
        "bytes=+1-5",
        "bytes=abc",
        "bytes=",
        "bytes",
        "items=0-5",
        "bytes=1-2-3",
        "bytes=-",
        "bytes=１-５",
        "0-5",
    ],
)
def test_a_range_that_is_none_is_ignored(client: Client, route: str, value: str) -> None:
    response = client.get(route, headers={"Range": value.encode()})
    assert response.status_code == 200 and response.content == CONTENT


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-99999999999999999999999999",
        "bytes=99999999999999999999999999-",
        "bytes=-99999999999999999999999999",
        "bytes=" + "9" * 4000 + "-",
        "bytes=" + ",".join(f"{start}-" for start in range(1000)),
        "bytes=0-18446744073709551615",
        "bytes=18446744073709551616-18446744073709551617",
    ],
    ids=lambda value: value[:40],
)
def test_absurd_ranges_are_answered_with_no_more_than_the_file(client: Client, route: str, value: str) -> None:
    response = client.get(route, headers={"Range": value})
    assert response.status_code in (200, 206, 416)
    assert response.status_code == 416 or response.content == CONTENT


def test_if_range(client: Client, route: str) -> None:
    whole = client.get(route)
    etag = expect.strong_etag(whole)
    for condition, status in [(etag, 206), ('"other"', 200), ("W/" + etag, 200), (LONG_AGO, 200)]:
        response = client.get(route, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert response.status_code == status, condition
        assert response.content == (CONTENT[:10] if status == 206 else CONTENT)


def test_an_empty_file_has_no_ranges(client: Client) -> None:
    client.stored("/empty", b"", "empty")
    assert client.download("/empty").content == b""
    response = client.download("/empty", headers={"Range": "bytes=0-0"})
    expect.problem(response, 416)
    assert response.headers["Content-Range"] == "bytes */0"


def test_a_condition_in_the_future_or_malformed_changes_nothing(client: Client, route: str) -> None:
    for value in (formatdate(4_000_000_000, usegmt=True), "", "Thu, 99 Foo 2020 00:00:00 GMT", "0"):
        assert client.get(route, headers={"If-Modified-Since": value}).status_code in (200, 304)


NAMES = [
    "plain.txt",
    "with space.txt",
    'quo"te.txt',
    "back\\slash.txt",
    "semi;colon.txt",
    "per%20cent.txt",
    "отчёт.txt",
    "e\u0301.txt",
    "\U0001f4c1.txt",
    "it's (1).txt",
    "comma,equals=.txt",
    "*star.txt",
    "\u202egpj.exe",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_offered_in_both_forms(client: Client, name: str) -> None:
    client.put_name("docs/" + name, b"named")
    for path in ("/api/files/docs/" + quote(name), "/api/v1/files/download?path=" + quote("/docs/" + name)):
        header = client.get(path).headers["Content-Disposition"]
        assert header.isascii() and "\r" not in header and "\n" not in header
        extended = re.search(r"filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)(;|$)", header)
        assert extended, header
        assert unquote(extended[1], errors="strict") == name
        plain = re.search(r'filename="((?:[^"\\]|\\.)*)"', header)
        assert plain, header
        if name.isascii() and not set(name) & set('"\\%'):
            assert plain[1] == name


@pytest.mark.parametrize(
    ("media_type", "disposition"),
    [
        ("image/png", "inline"),
        ("image/jpeg", "inline"),
        ("text/plain", "inline"),
        ("video/mp4", "inline"),
        ("text/html", "attachment"),
        ("TEXT/HTML", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("image/svg+xml", "attachment"),
        ("text/xml", "attachment"),
        ("application/xml", "attachment"),
        ("application/javascript", "attachment"),
        ("application/octet-stream", "attachment"),
    ],
)
def test_only_types_that_cannot_run_script_are_shown_inline(client: Client, media_type: str, disposition: str) -> None:
    client.upload("/shown", b"x", "shown", media_type)
    shown = client.download("/shown", inline="1")
    assert shown.headers["Content-Disposition"].startswith(disposition)
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert client.download("/shown").headers["Content-Disposition"].startswith("attachment")
