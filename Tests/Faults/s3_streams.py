"""One connection that carries HTTP messages, whose bytes are passed on as they come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from s3_requests import Head

RESET = struct.pack("ii", 1, 0)
PIECE = 1 << 18


class Stream:
    """One connection: messages come in, bytes go out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    async def head(self) -> Head | None:
        """The next message's; None at the end."""
        try:
            return Head(await self.reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError as end:
            if end.partial:
                raise ConnectionResetError("the connection ended within a head") from end
            return None

    async def body(self, head: Head) -> AsyncIterator[bytes]:
        """The bytes after a head, in pieces, with the framing they have on the wire."""
        if head.is_chunked:
            size = -1
            while size:
                line = await self.reader.readuntil(b"\r\n")
                size = int(line.split(b";")[0], 16)
                yield line
                async for piece in self.exactly(size):
                    yield piece
                while True:  # the end of the chunk, or the trailer and its end
                    line = await self.reader.readuntil(b"\r\n")
                    yield line
                    if size or line == b"\r\n":
                        break
        else:
            async for piece in self.exactly(head.length or 0):
                yield piece

    async def exactly(self, left: int) -> AsyncIterator[bytes]:
        while left > 0:
            piece = await self.reader.read(min(left, PIECE))
            if not piece:
                raise ConnectionResetError(f"the connection ended {left} bytes too early")
            left -= len(piece)
            yield piece

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Ends it at once, by RST."""
        with contextlib.suppress(OSError, AttributeError):
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


class Muted(Stream):
    """Takes the place of a connection that gets no answer; only leave to send a body goes through."""

    async def send(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 100 "):
            await super().send(data)
