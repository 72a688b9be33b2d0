"""Clients that change files as fast as they can, and remember exactly what they were told."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from wire import Part, form, form_type

from history import Operation, Read, Value

# Bodies from nothing to several receive buffers; small ones are the most frequent, as in life.
SIZES = (0, 1, 100, 1024, 20_000, 70_000, 300_000, 2_000_000)
WEIGHTS = (2, 2, 10, 20, 10, 6, 3, 1)

# Contents that many clients write: whoever comes second finds the bytes stored already, perhaps being deleted.
COMMON = [b"common content %d " % number * 100 for number in range(4)]

CONTENT_TYPE = "application/octet-stream"

# What is said of an upload whose file is gone by the time that its commit is known.
OVERTAKEN = b"The file was deleted while it was being stored."


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Principal:
    """Whose files they are. Paths in histories are `<name>:/<path>`."""

    name: str
    headers: Mapping[str, str]

    def key(self, path: str) -> str:
        return f"{self.name}:{path}"


@dataclass
class Answer:
    status: int
    content: bytes
    began: float
    ended: float


class InDoubt(Exception):
    """The connection broke after (part of) a request was sent: nobody knows what the server did."""


class NotSent(Exception):
    """There was no connection to send on: the server did nothing."""


@dataclass
class Worker:
    """One client: one connection, one request at a time, until the connection is gone or `stop` is set."""

    port: int
    principal: Principal
    shared: Sequence[str]
    own: Sequence[str]
    rng: random.Random
    stop: threading.Event
    before: Mapping[str, Value]
    # What a server may answer to any request while its database is away; whether a change was made is then in doubt.
    tolerated: frozenset[int] = frozenset()
    # What it may answer to reads besides, while bytes on their way to it are changed.
    tolerated_reads: frozenset[int] = frozenset()
    timeout: float = 30
    # Whether a download may break off, which has no effect, and how long to rest after a refusal.
    may_break: bool = False
    rest: float = 0
    # Whether the next request goes over the same connection; a proxy that is reloaded may close an idle one at any time.
    keeps_connections: bool = True
    broken: int = 0
    history: list[Operation] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    refusals: int = 0
    # Why it ended before it was stopped.
    lost: Exception | None = None
    connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        acts = [self.put, self.put, self.put, self.delete, self.move, self.get]
        try:
            while not self.stop.is_set():
                self.rng.choice(acts)()
        except (InDoubt, NotSent) as end:
            self.lost = end
        finally:
            self._disconnect()

    # What a client does

    def put(self) -> None:
        path, content = self._any_path(), self._content()
        value = digest(content)
        way = self.rng.randrange(3)
        if way == 0:
            answer = self._change("put", {path: value}, "PUT", "/api/files" + quote(path), content)
        elif way == 1:
            target = "/api/v1/files/upload?path=" + quote(path)
            answer = self._change("upload", {path: value}, "POST", target, content)
        else:
            parts = [Part("path", path.encode()), Part("file", content, "sent.bin")]
            answer = self._change(
                "form", {path: value}, "POST", "/api/v1/files/upload", form(parts), {"Content-Type": form_type()}
            )
        self._expect("put", answer, 200, 201, 204, *([404] if self._is_overtaken(answer, path) else []))

    def delete(self) -> None:
        path = self._any_path()
        target = "/api/files" + quote(path) if self.rng.random() < 0.5 else "/api/v1/files?path=" + quote(path)
        answer = self._change("delete", {path: None}, "DELETE", target)
        if answer.status == 404:
            self._saw(path, None, answer)
        self._expect("delete", answer, 204, 404)

    def move(self) -> None:
        """Only between paths that no other worker touches: what is moved must be known."""
        known = {path: self._last_known(path) for path in self.own if not self._is_doubtful(path)}
        held = [path for path, value in known.items() if value is not None]
        if not held:
            return
        source = self.rng.choice(held)
        value = known[source]
        target = self.rng.choice([path for path in self.own if path != source])
        may_be_taken = target not in known or known[target] is not None
        body = json.dumps({"from": source, "to": target, "overwrite": self.rng.random() < 0.5}).encode()
        answer = self._change(
            "move",
            {source: None, target: value},
            "POST",
            "/api/v1/files/move",
            body,
            {"Content-Type": "application/json"},
        )
        self._expect("move", answer, 200, *([409] if may_be_taken else []))

    def get(self) -> None:
        path = self._any_path()
        by_name = self.rng.random() < 0.5
        target = "/api/files" + quote(path) if by_name else "/api/v1/files/download?path=" + quote(path)
        try:
            answer = self._request("GET", target)
        except InDoubt:
            if not self.may_break:
                raise
            self.broken += 1
            return
        self._expect("get", answer, 200, 404, *self.tolerated_reads)
        if answer.status in (200, 404):
            self._saw(path, digest(answer.content) if answer.status == 200 else None, answer)

    # How it keeps book

    def _change(
        self,
        name: str,
        values: Mapping[str, Value],
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        keyed = {self.principal.key(path): value for path, value in values.items()}
        began = time.monotonic()
        try:
            answer = self._request(method, target, body, headers)
        except InDoubt:
            self.history.append(Operation(name, keyed, began, None))
            raise
        if answer.status < 300:
            self.history.append(Operation(name, keyed, answer.began, answer.ended))
        elif answer.status >= 500 or self._is_overtaken(answer, *values):
            self.history.append(Operation(name, keyed, answer.began, None))
        return answer

    def _is_overtaken(self, answer: Answer, *paths: str) -> bool:
        """Whether an upload took effect while the database was away, and another client deleted the file before that was found out."""
        may_be = bool(self.tolerated) and all(path in self.shared for path in paths)
        return may_be and answer.status == 404 and OVERTAKEN in answer.content

    def _saw(self, path: str, value: Value, answer: Answer) -> None:
        self.reads.append(Read(self.principal.key(path), value, answer.began, answer.ended))

    def _expect(self, act: str, answer: Answer, *statuses: int) -> None:
        if answer.status in self.tolerated:
            self.refusals += 1
            time.sleep(self.rest)
        elif answer.status not in statuses:
            text = answer.content.decode(errors="replace")[:400]
            self.unexpected.append(f"{act} of {self.principal.name}: {answer.status} {text}")

    def _last_known(self, path: str) -> Value:
        key = self.principal.key(path)
        for operation in reversed(self.history):
            if key in operation.values:
                return operation.values[key]
        return self.before.get(key)

    def _is_doubtful(self, path: str) -> bool:
        """Whether nobody knows what the path holds, since an operation on it was not acknowledged."""
        key = self.principal.key(path)
        for operation in reversed(self.history):
            if key in operation.values:
                return operation.in_doubt
        return False

    def _any_path(self) -> str:
        return self.rng.choice(self.shared if self.rng.random() < 0.5 else self.own)

    def _content(self) -> bytes:
        if self.rng.random() < 0.25:
            return self.rng.choice(COMMON)
        return self.rng.randbytes(self.rng.choices(SIZES, WEIGHTS)[0])

    # How it talks

    def _request(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        began = time.monotonic()
        connection = self._connect()
        try:
            fields = {"Content-Type": CONTENT_TYPE} if body is not None else {}
            connection.request(method, target, body, {**fields, **self.principal.headers, **(headers or {})})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._disconnect()
            raise InDoubt from error
        if not self.keeps_connections:
            self._disconnect()
        return Answer(response.status, content, began, time.monotonic())

    def _connect(self) -> http.client.HTTPConnection:
        if self.connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            try:
                connection.connect()
            except OSError as error:
                raise NotSent from error
            self.connection = connection
        return self.connection

    def _disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
