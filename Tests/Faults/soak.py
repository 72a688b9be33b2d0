"""Clients that store, replace, read and delete a few contents under many names, and believe nothing they do not see."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from wire import Part, form, form_type

# From nothing to several receive buffers. All clients have the same, so that whoever stores one finds it stored by
# others already, or being deleted at this moment.
SIZES = (0, 1, 40, 700, 3_000, 9_000, 20_000, 66_000, 150_000, 300_000)
WEIGHTS = (4, 4, 8, 8, 8, 6, 4, 2, 1, 1)
CONTENTS = [random.Random(size).randbytes(size) for size in SIZES]
DIGESTS = [sha256(content).hexdigest() for content in CONTENTS]

NAMES = 2  # few, so that every content is nobody's again and again
ERRORS = 3  # after so many a client gives up
BYTES = "application/octet-stream"
DIALECTS = ("paths", "container", "hash", "uid", "mixed")


class Connection:
    """One kept-alive connection, as plain as can be: half of the machine belongs to the server."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def request(self, method: str, target: str, headers: str, body: bytes | None = None) -> tuple[int, bytes]:
        announced = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{announced}\r\n"
        self.socket.sendall(head.encode() + (body or b""))
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self._receive()
        answer, self.rest = self.rest[:end].lower(), self.rest[end + 4 :]
        status = int(answer[9:12])
        length = 0 if status == 204 else int(answer.partition(b"content-length: ")[2].split(b"\r")[0])
        return status, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self.rest) < count:
            self._receive()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def _receive(self) -> None:
        data = self.socket.recv(1 << 19)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.rest += data


@dataclass(frozen=True)
class Mandate:
    """What one client is told: who it is, how it speaks, and which names are its own."""

    number: int
    dialect: str
    headers: Mapping[str, str]
    operations: int  # at least; it goes on for as long as `enough` does not exist
    enough: Path
    seed: int


@dataclass
class Account:
    """What one client did, and what it left behind: contents by the paths in the tree of its principal."""

    number: int
    operations: int = 0
    uploads: int = 0
    deletions: int = 0
    errors: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)


class Soaker:
    """One client on one connection. It alone judges its names; the contents belong to all."""

    def __init__(self, port: int, mandate: Mandate):
        self.connection = Connection(port)
        self.mandate = mandate
        self.rng = random.Random(f"{mandate.seed}/{mandate.number}")
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in mandate.headers.items())
        self.done = Account(mandate.number)
        # By path: the content, and the targets that must answer with it.
        self.files: dict[str, tuple[int, tuple[str, ...]]] = {}

    def run(self) -> Account:
        try:
            while self.goes_on() and len(self.done.errors) < ERRORS:
                act = self.rng.random()
                if act < 0.45:
                    self.upload()
                elif act < 0.95:
                    self.delete()
                else:
                    self.look_at_one()
        except (OSError, ValueError) as error:
            self.done.errors.append(f"client {self.mandate.number}: {error!r}")
        self.done.files = {path: content for path, (content, _) in self.files.items()}
        return self.done

    def goes_on(self) -> bool:
        return self.done.operations < self.mandate.operations or not self.mandate.enough.exists()

    def upload(self) -> None:
        content = self.rng.choices(range(len(CONTENTS)), WEIGHTS)[0]
        dialect = self.mandate.dialect
        if dialect == "mixed":
            dialect = self.rng.choice(("paths", "container"))
        if dialect == "hash":
            path = "/by-hash/" + DIGESTS[content]
            if len(self.files) >= NAMES and path not in self.files:
                self.delete()
                return
            answer = self.ask("POST", "/api/files", CONTENTS[content], expected=(200,))
            reads = (self.by_path(path), "/api/files?hash=" + DIGESTS[content])
        elif dialect == "uid":
            if len(self.files) >= NAMES:
                self.delete()
                return
            answer = self.ask("POST", "/http/upload", CONTENTS[content], expected=(200,), is_form=True)
            uid = json.loads(answer)["uid"] if answer else "none"
            path = f"/other_files/{uid}.bin"
            reads = (self.by_path(path), "/http/load/" + uid)
        else:
            path = f"/{self.mandate.number}/{self.rng.randrange(NAMES)}.bin"
            fresh = path not in self.files
            if dialect == "paths":
                target = "/api/v1/files/upload?path=" + quote(path)
                answer = self.ask("POST", target, CONTENTS[content], expected=(201,) if fresh else (200,))
            else:
                answer = self.ask("PUT", "/api/files" + path, CONTENTS[content], expected=(204,))
            reads = (self.by_path(path), "/api/files" + path)
        if answer is None:
            return
        self.done.uploads += 1
        self.files[path] = (content, reads)
        self.look_at(path)

    def delete(self) -> None:
        if not self.files:
            return
        path = self.rng.choice(sorted(self.files))
        _, reads = self.files[path]
        if path.startswith("/by-hash/") and self.rng.random() < 0.5:
            answer = self.ask("DELETE", reads[1], expected=(200,))
        else:
            answer = self.ask("DELETE", "/api/v1/files?path=" + quote(path), expected=(204,))
        if answer is None:
            return
        self.done.deletions += 1
        del self.files[path]
        # A published digest stays readable for as long as another account has published it too.
        self.ask("GET", reads[0] if path.startswith("/by-hash/") else self.rng.choice(reads), expected=(404,))

    def look_at_one(self) -> None:
        if self.files:
            self.look_at(self.rng.choice(sorted(self.files)))

    def look_at(self, path: str) -> None:
        content, reads = self.files[path]
        target = self.rng.choice(reads)
        answer = self.ask("GET", target, expected=(200,))
        if answer is not None and answer != CONTENTS[content]:
            self.done.errors.append(f"client {self.mandate.number}: {target} has other bytes than it was sent")

    def by_path(self, path: str) -> str:
        return "/api/v1/files/download?path=" + quote(path)

    def ask(
        self, method: str, target: str, body: bytes | None = None, *, expected: tuple[int, ...], is_form: bool = False
    ) -> bytes | None:
        """The body of an answer; None when it is not the one that must come."""
        headers = self.headers
        if body is not None:
            headers += f"Content-Type: {form_type() if is_form else BYTES}\r\n"
            body = form([Part("file", body, "sent.bin", BYTES)]) if is_form else body
        status, content = self.connection.request(method, target, headers, body)
        self.done.operations += 1
        if status in expected:
            return content
        self.done.errors.append(f"client {self.mandate.number}: {method} {target}: {status} {content[:300]!r}")
        return None


def soak(port: int, mandates: list[Mandate]) -> list[Account]:
    """Runs clients side by side in one process."""
    with ThreadPoolExecutor(len(mandates)) as threads:
        return list(threads.map(lambda mandate: Soaker(port, mandate).run(), mandates))
