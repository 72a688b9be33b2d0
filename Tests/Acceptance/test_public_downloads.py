"""What anybody may read, by hash or by uid: conditions, ranges and harmless headers as for the owner, but no more."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

import expect
from client import Client, Member, new_member
from conftest import SharedServer

LONG_AGO = "Mon, 01 Jan 2001 00:00:00 GMT"
# requests takes gzip unless it is told otherwise.
AS_IT_IS = {"Accept-Encoding": "identity"}


@dataclass
class Published:
    """A file that everybody reads, and where."""

    url: str
    content: bytes
    owner: Client


@pytest.fixture(scope="module", params=["?hash=", "?file_hash=", "/by-hash/", "/http/load/", "/stream/load/"])
def published(request: pytest.FixtureRequest, shared_server: SharedServer) -> Published:
    member = new_member(shared_server.running().url)
    content = secrets.token_bytes(2048)
    file = {"file": ("страница.txt", content, "text/plain")}
    if request.param.endswith("load/"):
        uid = member.client.post("/http/upload", files=file).json()["uid"]
        return Published(request.param + uid, content, member.client)
    digest = member.client.post("/api/files", files=file).json()["hash"]
    return Published("/api/files" + request.param + digest, content, member.client)


def with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def test_the_headers_of_what_everybody_reads(anonymous: Client, published: Published) -> None:
    answer, head = (ask(published.url, headers=AS_IT_IS) for ask in (anonymous.get, anonymous.head))
    assert (answer.status_code, answer.content) == (200, published.content)
    assert (head.status_code, head.content) == (200, b"")
    for headers in (answer.headers, head.headers):
        assert headers["Content-Length"] == "2048" and headers["Content-Type"] == "text/plain"
        assert headers["Accept-Ranges"] == "bytes"
        assert headers["Cache-Control"] == "public, max-age=3600"
        assert headers["Content-Disposition"].startswith("attachment;")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert {name.strip().lower() for name in headers["Vary"].split(",")} >= {"authorization", "x-auth-token"}
        assert headers["ETag"] == expect.strong_etag(answer) and headers["Last-Modified"]
    path = published.owner.paths()[0]
    assert expect.strong_etag(published.owner.download(path, headers=AS_IT_IS)) == expect.strong_etag(answer)


def test_a_known_revision_is_not_sent_to_anybody_again(anonymous: Client, published: Published) -> None:
    first = anonymous.get(published.url)
    etag, modified = expect.strong_etag(first), first.headers["Last-Modified"]
    for fields in ({"If-None-Match": etag}, {"If-None-Match": f'"x", W/{etag}'}, {"If-Modified-Since": modified}):
        for answer in (anonymous.get(published.url, headers=fields), anonymous.head(published.url, headers=fields)):
            assert (answer.status_code, answer.content) == (304, b""), fields
            assert answer.headers["ETag"] == etag
            assert answer.headers["Cache-Control"] == "public, max-age=3600"
    for fields in (
        {"If-None-Match": '"other"'},
        {"If-Modified-Since": LONG_AGO},
        {"If-Modified-Since": modified, "If-None-Match": '"other"'},
    ):
        assert anonymous.get(published.url, headers=fields).content == published.content, fields


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=2000-", 2000, 2047), ("bytes=-7", 2041, 2047)],
)
def test_a_range_of_what_everybody_reads(
    anonymous: Client, published: Published, value: str, first: int, last: int
) -> None:
    answer = anonymous.get(published.url, headers={"Range": value})
    assert (answer.status_code, answer.content) == (206, published.content[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/2048"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("value", ["bytes=2048-", "bytes=-0"])
def test_a_range_outside_of_what_everybody_reads(anonymous: Client, published: Published, value: str) -> None:
    answer = anonymous.get(published.url, headers={"Range": value})
    expect.problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */2048"


def test_if_range_by_tag_and_by_date(anonymous: Client, published: Published) -> None:
    etag = expect.strong_etag(anonymous.get(published.url, headers=AS_IT_IS))
    for condition, status in ((etag, 206), ('"other"', 200), ("W/" + etag, 200), (LONG_AGO, 200)):
        answer = anonymous.get(published.url, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert answer.status_code == status, condition
        assert answer.content == (published.content[:10] if status == 206 else published.content)


def test_a_condition_of_a_reader_that_fails(anonymous: Client, published: Published) -> None:
    for fields in ({"If-Match": '"other"'}, {"If-Unmodified-Since": LONG_AGO}):
        expect.problem(anonymous.get(published.url, headers=fields), 412)


def test_a_harmless_type_is_shown_where_it_is_asked_for(anonymous: Client, published: Published) -> None:
    shown = anonymous.get(with_query(published.url, "inline=1"))
    assert shown.content == published.content
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/javascript", "text/xml"])
def test_what_can_run_script_is_never_shown(member: Member, anonymous: Client, media_type: str) -> None:
    file = {"file": ("a", secrets.token_bytes(20), media_type)}
    digest = member.client.post("/api/files", files=file).json()["hash"]
    uid = member.client.post("/http/upload", files=file).json()["uid"]
    hashes = [f"/api/files?hash={digest}", f"/api/files/by-hash/{digest}"]
    for url in (*hashes, f"/http/load/{uid}", f"/stream/load/{uid}"):
        answer = anonymous.get(with_query(url, "inline=1"))
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("wish", ["sha-256=10", "sha-256"])
def test_a_digest_is_for_the_owner_only(anonymous: Client, published: Published, wish: str) -> None:
    wanted = {"Want-Repr-Digest": wish}
    for answer in (anonymous.get(published.url, headers=wanted), anonymous.head(published.url, headers=wanted)):
        assert answer.status_code == 200 and "Repr-Digest" not in answer.headers
    path = published.owner.paths()[0]
    assert "Repr-Digest" in published.owner.download(path, wanted).headers
