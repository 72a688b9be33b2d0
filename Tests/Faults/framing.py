"""The messages in a Postgres connection (PostgreSQL documentation, 55.7), and which of them are about a COMMIT."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102

# A statement of its own, or one of several in a simple query. END is the same in other words.
COMMIT = re.compile(rb"(?:^|;)\s*(?:commit|end)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """One message; `kind` is empty for those that begin a connection, and for the byte that answers a wish for TLS."""

    kind: bytes
    raw: bytes

    @property
    def body(self) -> bytes:
        return self.raw[len(self.kind) + 4 :]

    @property
    def code(self) -> int:
        """What a first message asks for."""
        return int(struct.unpack("!i", self.raw[4:8])[0])


@dataclass
class Frontend:
    """What a client sends: first messages without a kind, until the one that names user and database."""

    buffer: bytes = b""
    has_started: bool = False

    def feed(self, data: bytes) -> list[Message]:
        self.buffer += data
        found = []
        while message := self._next():
            found.append(message)
        return found

    def _next(self) -> Message | None:
        message, self.buffer = split(self.buffer, with_kind=self.has_started)
        if message and not self.has_started:
            self.has_started = message.code not in (SSL_REQUEST, GSS_REQUEST)
        return message


@dataclass
class Backend:
    """What a server sends."""

    buffer: bytes = b""
    # How many wishes for TLS have not been answered.
    wishes: int = 0

    def feed(self, data: bytes) -> list[Message]:
        self.buffer += data
        found = []
        while message := self._next():
            found.append(message)
        return found

    def _next(self) -> Message | None:
        if self.wishes and self.buffer:
            self.wishes -= 1
            answer, self.buffer = self.buffer[:1], self.buffer[1:]
            return Message(b"", answer)
        message, self.buffer = split(self.buffer, with_kind=True)
        return message


def split(buffer: bytes, *, with_kind: bool) -> tuple[Message | None, bytes]:
    """The first message, if it is there as a whole, and the rest."""
    start = 1 if with_kind else 0
    if len(buffer) < start + 4:
        return None, buffer
    end = start + int(struct.unpack_from("!i", buffer, start)[0])
    if len(buffer) < end:
        return None, buffer
    return Message(buffer[:start], buffer[:end]), buffer[end:]


@dataclass
class Commits:
    """Finds the messages that make the server commit, whether it was told in words or by a statement's name."""

    statements: set[bytes] = field(default_factory=set)
    portals: set[bytes] = field(default_factory=set)

    def is_asked_by(self, message: Message) -> bool:
        match message.kind:
            case b"Q":
                return COMMIT.search(message.body) is not None
            case b"P":
                name, query, *_ = message.body.split(b"\0", 2)
                self._note(self.statements, name, COMMIT.match(query) is not None)
            case b"B":
                portal, statement, *_ = message.body.split(b"\0", 2)
                self._note(self.portals, portal, statement in self.statements)
            case b"E":
                return message.body.split(b"\0", 1)[0] in self.portals
        return False

    @staticmethod
    def is_told_by(message: Message) -> bool:
        """Whether the server says with it that it has committed."""
        return message.kind == b"C" and message.body == b"COMMIT\0"

    @staticmethod
    def _note(names: set[bytes], name: bytes, is_commit: bool) -> None:
        if is_commit:
            names.add(name)
        else:
            names.discard(name)
