"""Every kind of answer, read by httplint: what it calls bad is wrong, and what it warns of has a reason or is wrong too."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from httplint import HttpRequestLinter, HttpResponseLinter  # type: ignore[import-untyped, unused-ignore]
from httplint.note import levels  # type: ignore[import-untyped, unused-ignore]

from client import Client, Member
from daemon import Daemon
from wire import Wire, head

TEXT = b"".join(b"line %d of a text that is worth compressing\n" % number for number in range(500))

# What is so on purpose.
KNOWN = {
    # The dialects that answer 200 and 204 for a new file say where it is all the same.
    "LOCATION_UNDEFINED",
    # It tells readers that anybody may fetch the file, and so may caches that many share.
    "STORE_PUBLIC_UNNECESSARY",
    # Several parts have theirs each, and the whole must have none (RFC 9110 section 15.3.7.2), which httplint overlooks.
    "PARTIAL_WITHOUT_RANGE",
    # What the status itself says.
    "STATUS_BAD_REQUEST",
}


def complaints(client: Client, method: str, target: str, fields: Mapping[str, str], body: bytes = b"") -> list[str]:
    """What httplint says of the answer to a request, but for what is known."""
    sent = [*client.headers.items(), *fields.items()]
    if body:
        sent.append(("Content-Length", str(len(body))))
    with Wire(client.port) as wire:
        wire.send(head(method, target, sent) + body)
        answer = wire.read_reply(method)
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), (client.url + target).encode(), b"1.1")
    request.process_headers([(name.encode(), value.encode()) for name, value in sent])
    response = HttpResponseLinter(no_content=method == "HEAD")
    response.request = request
    response.is_head_response = method == "HEAD"
    response.process_response_topline(b"1.1", str(answer.status_code).encode(), b"")
    response.process_headers([(name.encode(), str(value).encode()) for name, value in answer.headers.items()])
    response.feed_content(answer.content)
    response.finish_content(True)
    notes = [note for note in response.notes if note.level in (levels.WARN, levels.BAD)]
    return [f"{type(note).__name__}: {note.summary}" for note in notes if type(note).__name__ not in KNOWN]


REQUESTS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/api/files/a.txt", {}),
    ("HEAD", "/api/files/a.txt", {}),
    ("GET", "/api/files/a.txt", {"Accept-Encoding": "gzip"}),
    ("HEAD", "/api/files/a.txt", {"Accept-Encoding": "gzip"}),
    ("GET", "/api/files/a.txt", {"Range": "bytes=0-9"}),
    ("GET", "/api/files/a.txt", {"Range": "bytes=0-9,20-29"}),
    ("GET", "/api/files/a.txt", {"Range": "bytes=999999-"}),
    ("GET", "/api/files/a.txt", {"If-None-Match": "*"}),
    ("GET", "/api/files/a.txt", {"If-None-Match": "*", "Accept-Encoding": "gzip"}),
    ("GET", "/api/files/a.txt", {"If-Match": '"other"'}),
    ("GET", "/api/files/a.txt", {"Want-Repr-Digest": "sha-256=1"}),
    ("GET", "/api/v1/files/download?path=a.txt&inline=1", {}),
    ("GET", "/api/v1/files/download?path=missing", {}),
    ("GET", "/api/files", {}),
    ("GET", "/api/v1/files", {"Accept-Encoding": "gzip"}),
    ("GET", "/api/v1/files?limit=1", {}),
    ("GET", "/api/v1/files?limit=none", {}),
    ("GET", "/api/v1/user/sessions", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/openapi.json", {"Accept-Encoding": "gzip"}),
    ("GET", "/openapi.json", {"If-None-Match": "*"}),
    ("GET", "/docs", {"Accept-Encoding": "gzip"}),
    ("GET", "/", {}),
    ("GET", "/healthz", {}),
    ("GET", "/readyz", {}),
    ("GET", "/api/v1/files/ping", {}),
    ("GET", "/nowhere", {}),
    ("PUT", "/api/files/new.txt", {}),
    ("PUT", "/api/files/a.txt", {"If-None-Match": "*"}),
    ("POST", "/api/files", {}),
    ("DELETE", "/api/files/a.txt", {}),
    ("DELETE", "/api/files/missing", {}),
    ("PATCH", "/api/files/a.txt", {}),
    ("OPTIONS", "/api/files/a.txt", {}),
]


@pytest.mark.parametrize(
    ("method", "target", "fields"), REQUESTS, ids=[f"{method} {target} {fields}" for method, target, fields in REQUESTS]
)
def test_httplint_has_nothing_to_say(client: Client, method: str, target: str, fields: dict[str, str]) -> None:
    client.put_name("a.txt", TEXT)
    body = TEXT if method in ("PUT", "POST") else b""
    assert complaints(client, method, target, fields, body) == []


def test_httplint_has_nothing_to_say_of_what_anybody_may_fetch(member: Member, server: Daemon) -> None:
    digest = member.client.post("/api/files", data=TEXT).json()["hash"]
    anybody = Client(server.url)
    for encoding in ("identity", "gzip"):
        for target in (f"/api/files?hash={digest}", f"/api/files/by-hash/{digest}"):
            assert complaints(anybody, "GET", target, {"Accept-Encoding": encoding}) == []
    assert complaints(anybody, "GET", "/api/v1/files", {}) == []
