"""One port in front of several servers: each connection goes to the next of them, byte for byte as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Sequence
from typing import cast

RESET = struct.pack("ii", 1, 0)


class Side(asyncio.Protocol):
    """One of two connections. What comes on it goes out on the other: bytes, the end, a reset, a wish to wait."""

    def __init__(self, forwarder: Forwarder, other: Side | None = None):
        self.forwarder = forwarder
        self.other = other
        self.has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.forwarder.sides.add(self)

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.has_ended = True
        if self.other and not self.other.transport.is_closing():
            self.other.transport.write_eof()
        # Open until the other side has ended too: a client may close its half and wait for the answer.
        return not (self.other and self.other.has_ended)

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.forwarder.sides.discard(self)
        if self.other:
            self.other.close(resetting=error is not None)

    def close(self, *, resetting: bool = False) -> None:
        """Closes it once everything is written."""
        if resetting:
            with contextlib.suppress(OSError):
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.close()


class Front(Side):
    """A client's connection; nothing is read from it before a server has taken it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self.task = asyncio.ensure_future(self.connect())

    async def connect(self) -> None:
        """To the server whose turn it is, else to any that listens; where none does, the client sees a reset."""
        address = self.transport.get_extra_info("peername")[0]
        # From the client's own address, which a server may judge by.
        local = (address, 0) if address != "127.0.0.1" else None
        loop = asyncio.get_running_loop()
        for port in self.forwarder.next_targets():
            try:
                _, back = await loop.create_connection(
                    lambda: Side(self.forwarder, self), "127.0.0.1", port, local_addr=local
                )
            except OSError:
                continue
            if self.transport.is_closing():
                back.close(resetting=True)
            self.other = back
            self.transport.resume_reading()
            return
        self.close(resetting=True)


class Forwarder:
    """Listens on `port` until it is closed, in a thread of its own."""

    def __init__(self, port: int, targets: Sequence[int]):
        self.targets = list(targets)
        self.sides: set[Side] = set()
        self._turns = itertools.count()
        self._loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._server = self._loop.run_until_complete(self._loop.create_server(lambda: Front(self), sock=listener))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def next_targets(self) -> list[int]:
        """All servers, beginning with another one each time."""
        first = next(self._turns) % len(self.targets)
        return self.targets[first:] + self.targets[:first]

    def close(self) -> None:
        """Closes the port and every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for side in list(self.sides):
            side.close(resetting=True)
            side.transport.abort()
        while self.sides:
            await asyncio.sleep(0)
