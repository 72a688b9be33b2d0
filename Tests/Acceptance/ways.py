"""Every way to upload a file: the five dialects, raw and as a form, with a length and in chunks."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import expect
from client import TIMEOUT, Client
from wire import Part, Reply, chunked, form, form_type

# Where each dialect takes a file called sent.txt, and whether a form carries it.
TARGETS = {
    "paths, form": ("POST", "/api/v1/files/upload?path=/sent.txt", True),
    "paths, raw": ("POST", "/api/v1/files/upload?path=/sent.txt", False),
    "container": ("PUT", "/api/files/sent.txt", False),
    "hash, form": ("POST", "/api/files", True),
    "hash, raw": ("POST", "/api/files", False),
    "uid": ("POST", "/http/upload", True),
    "uid, reported": ("POST", "/stream/upload", True),
}


@dataclass(frozen=True)
class Way:
    """One way to upload."""

    name: str
    method: str
    target: str
    is_form: bool
    is_chunked: bool

    @property
    def is_hash(self) -> bool:
        """Whether the name of the file is its hash; such uploads need an account."""
        return self.name.startswith("hash")

    @property
    def is_uid(self) -> bool:
        """Whether every upload is a file of its own, for those without credentials too."""
        return self.name.startswith("uid")

    @property
    def is_reported(self) -> bool:
        """Whether the answer begins before the body has ended."""
        return self.target == "/stream/upload"

    def at(self, name: str) -> Way:
        """The same to another name, where the client chooses it."""
        return Way(self.name, self.method, self.target.replace("sent.txt", name), self.is_form, self.is_chunked)

    def body(self, content: bytes, name: str = "sent.txt") -> bytes:
        """What is sent, before it is cut into chunks."""
        return form([Part("file", content, name)]) if self.is_form else content

    def fields(self, length: int | None) -> list[tuple[str, str]]:
        """The header fields that say what is sent."""
        kind = [("Content-Type", form_type())] if self.is_form else []
        return [*kind, ("Transfer-Encoding", "chunked") if self.is_chunked else ("Content-Length", str(length))]

    def send(
        self,
        client: Client,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        name: str = "sent.txt",
        body: bytes | None = None,
    ) -> Reply:
        """The answer to an upload, whole or up to where it breaks off. `body` replaces what carries the content."""
        body = self.body(content, name) if body is None else body
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=TIMEOUT)
        try:
            connection.putrequest(self.method, self.target, skip_accept_encoding=True)
            given = [*client.headers.items(), *(headers or {}).items(), *self.fields(len(body))]
            for field, value in given:
                connection.putheader(field, value)
            connection.endheaders(chunked(body) if self.is_chunked else body)
            response = connection.getresponse()
            try:
                answer = response.read()
            except http.client.IncompleteRead as broken:
                answer = broken.partial
            return Reply(response.status, response.headers, answer)
        finally:
            connection.close()

    def is_stored(self, reply: Reply) -> bool:
        """Whether an answer says that the file is stored."""
        if self.is_reported and reply.status_code == 200:
            return reply.content.splitlines()[-1].startswith(b"File saved with UID: ")
        return reply.status_code in (200, 201, 204)

    def store(self, client: Client, content: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to an upload that must succeed."""
        reply = self.send(client, content, headers)
        assert self.is_stored(reply), (reply.status_code, reply.content)
        return reply

    def refused(self, reply: Reply, status: int, code: str | None = None) -> None:
        """A refusal; where the answer has begun before the reason was known, its last line and no end."""
        if self.is_reported and reply.status_code == 200:
            assert reply.content.splitlines()[-1].startswith(b"Error: "), reply.content
        else:
            expect.problem(reply, status, code)


WAYS = [
    Way(f"{name}{', chunked' if is_chunked else ''}", *target, is_chunked)
    for name, target in TARGETS.items()
    for is_chunked in (False, True)
]
FORMS = [way for way in WAYS if way.is_form]
RAW = [way for way in WAYS if not way.is_form]


def by_name(ways: Iterable[Way]) -> list[str]:
    return [way.name for way in ways]
