"""Bytes on the wire: requests no well-behaved client library would send, and exact looks at what comes back."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from stores import BEHIND_NGINX

TIMEOUT = 20.0


@dataclass
class Reply:
    """An answer, with the members of `requests.Response` that the checks use."""

    status_code: int
    headers: Message
    content: bytes = b""

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Part:
    """One part of a multipart/form-data body. A `filename` makes it a file."""

    name: str
    content: bytes
    filename: str | None = None
    media_type: str | None = None
    disposition: bytes | None = None

    def encoded(self) -> bytes:
        disposition = self.disposition or b'form-data; name="' + self.name.encode() + b'"'
        if self.filename is not None:
            disposition += b'; filename="' + self.filename.encode() + b'"'
        head = b"Content-Disposition: " + disposition + b"\r\n"
        if self.media_type is not None:
            head += b"Content-Type: " + self.media_type.encode() + b"\r\n"
        return head + b"\r\n" + self.content


BOUNDARY = "----storaged-acceptance-boundary"


def form(parts: Iterable[Part], boundary: str = BOUNDARY) -> bytes:
    """A well-formed multipart/form-data body."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part.encoded() + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def form_type(boundary: str = BOUNDARY) -> str:
    return f"multipart/form-data; boundary={boundary}"


def chunked(body: bytes, size: int = 8192) -> bytes:
    """`body` in chunked transfer coding, complete."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def head(method: str, target: str | bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A request head. Nothing but Host is added."""
    raw = target.encode() if isinstance(target, str) else target
    lines = [method.encode() + b" " + raw + b" HTTP/1.1", b"Host: 127.0.0.1"]
    lines += [f"{name}: {value}".encode() for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass
class Wire:
    """One raw connection."""

    port: int
    timeout: float = TIMEOUT
    socket: socket.socket = field(init=False)
    received: bytearray = field(init=False, default_factory=bytearray)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        """Leaves politely (FIN)."""
        self.socket.close()

    def reset(self) -> None:
        """Leaves rudely (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self) -> bool:
        data = self.socket.recv(65536)
        self.received += data
        return bool(data)

    def read_head(self) -> Reply:
        """The next head, interim ones (1xx) too."""
        while b"\r\n\r\n" not in self.received:
            if not self._fill():
                raise ConnectionError(f"closed in a response head: {bytes(self.received[:200])!r}")
        raw = self.take(self.received.index(b"\r\n\r\n"))
        self.take(4)
        line, _, fields = raw.partition(b"\r\n")
        return Reply(int(line.split()[1]), BytesHeaderParser().parsebytes(fields + b"\r\n\r\n"))

    def read_refusal(self) -> Reply:
        """The head of an answer to a body that was only announced: no 100 comes before it, unless nginx says that by itself."""
        reply = self.read_head()
        return self.read_head() if BEHIND_NGINX and reply.status_code == 100 else reply

    def read_reply(self, method: str = "GET") -> Reply:
        """The next final answer with its body; interim answers are skipped."""
        reply = self.read_head()
        while 100 <= reply.status_code < 200:
            reply = self.read_head()
        if method != "HEAD" and reply.status_code not in (204, 304):
            reply.content = self.read_body(reply)
        return reply

    def read_body(self, reply: Reply) -> bytes:
        """What follows a head."""
        if reply.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self._read_line().split(b";")[0], 16):
                body += self.take(size)
                self.take(2)
            self.take(2)
            return body
        if (length := reply.headers.get("Content-Length")) is not None:
            return self.take(int(length))
        while self._fill():
            pass
        return self.take(len(self.received))

    def _read_line(self) -> bytes:
        while b"\r\n" not in self.received:
            if not self._fill():
                raise ConnectionError("closed in a chunked body")
        line = self.take(self.received.index(b"\r\n"))
        self.take(2)
        return line

    def take(self, count: int) -> bytes:
        """The next bytes, exactly so many."""
        while len(self.received) < count:
            if not self._fill():
                raise ConnectionError(f"closed {count - len(self.received)} bytes before the end of a body")
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    def silent(self, seconds: float) -> bool:
        """Whether nothing arrives for that long."""
        return not self.received and not select.select([self.socket], [], [], seconds)[0]


def exchange(port: int, payload: bytes, quiet: float = 0.3, timeout: float = TIMEOUT) -> bytes:
    """
    Sends `payload` while reading, and returns all that came back.

    Ends when the server closes, or when everything is sent, something was answered and nothing more came for `quiet`
    seconds. A reset is not an error: what arrived before it counts.
    """
    answer = b""
    view = memoryview(payload)
    deadline = time.monotonic() + timeout
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.setblocking(False)
        while time.monotonic() < deadline:
            readable, writable, _ = select.select([connection], [connection] if view else [], [], quiet)
            if readable:
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    break
                if not data:
                    break
                answer += data
            elif writable:
                try:
                    view = view[connection.send(view[:65536]) :]
                except ConnectionError:
                    view = memoryview(b"")
            elif answer and not view:
                break
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of every answer in what came back, in order."""
    lines = answer.split(b"HTTP/1.1 ")[1:]
    return [int(line[:3]) for line in lines]
