"""A proxy between the server and its Postgres that does to their connections whatever networks do."""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from framing import GSS_REQUEST, SSL_REQUEST, Backend, Commits, Frontend, Message

LINGER_AND_RESET = struct.pack("ii", 1, 0)


class Side(enum.Enum):
    """Where a connection is cut."""

    BEFORE_COMMIT = "before the server gets a COMMIT"
    AFTER_COMMIT = "after the server has committed, before it is told"


@dataclass
class Trap:
    """Cuts one connection at the `left`-th COMMIT from now on that passes at that side."""

    side: Side
    left: int
    sprung: threading.Event = field(default_factory=threading.Event)


class Connection:
    """Two sockets and the threads that carry messages between them."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket):
        self.proxy = proxy
        self.client = client
        self.server = server
        self.frontend = Frontend()
        self.backend = Backend()
        self.commits = Commits()
        self._closing = threading.Lock()
        self._is_closed = False
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.threads = [
            threading.Thread(target=self._carry, args=(client, server, self._asked), daemon=True),
            threading.Thread(target=self._carry, args=(server, client, self._answered), daemon=True),
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def close(self, *, resetting: bool) -> None:
        """Ends both sides at once, whatever was on its way; how is decided by who comes first."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if resetting:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
                # A thread that waits on the socket keeps it open; this wakes it.
                end.shutdown(socket.SHUT_RD if resetting else socket.SHUT_RDWR)
            end.close()

    def _carry(self, source: socket.socket, target: socket.socket, pass_on: Callable[[bytes], Iterable[bytes]]) -> None:
        try:
            while data := source.recv(1 << 16):
                for message in pass_on(data):
                    self.proxy.wait_until_flowing()
                    target.sendall(message)
        except OSError:
            pass
        finally:
            self.proxy.forget(self)

    def _asked(self, data: bytes) -> Iterable[bytes]:
        for message in self.frontend.feed(data):
            if not message.kind and message.code in (SSL_REQUEST, GSS_REQUEST):
                self.backend.wishes += 1
            self._judge(Side.BEFORE_COMMIT, message, self.commits.is_asked_by(message))
            yield message.raw

    def _answered(self, data: bytes) -> Iterable[bytes]:
        self.proxy.wait_for_delay()
        for message in self.backend.feed(data):
            self._judge(Side.AFTER_COMMIT, message, self.commits.is_told_by(message))
            yield message.raw

    def _judge(self, side: Side, message: Message, is_commit: bool) -> None:
        if is_commit and self.proxy.springs(side):
            self.close(resetting=True)
            raise ConnectionAbortedError(f"cut {side.value}: {message.kind!r}")


class Proxy:
    """Listens on a loopback port for the database of `url`; `with` ends it. Everything passes until told otherwise."""

    def __init__(self, url: str):
        self.target = urlsplit(url)
        assert self.target.hostname and self.target.port
        self._server_address = (self.target.hostname, self.target.port)
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._ended = threading.Event()
        self._delay = 0.0
        self._trap: Trap | None = None
        self.accepted = 0
        self._listener: socket.socket | None = None
        self.port = 0
        self.accept()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.refuse()
        self.thaw()
        self.cut()

    @property
    def url(self) -> str:
        """The URL of the database by way of the proxy."""
        user, _, _ = self.target.netloc.rpartition("@")
        return self.target._replace(netloc=f"{user}@127.0.0.1:{self.port}").geturl()

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._connections)

    # What can happen

    def cut(self, *, resetting: bool = True) -> int:
        """Ends every connection now, by RST or else by FIN, and says how many."""
        with self._lock:
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            connection.close(resetting=resetting)
        return len(connections)

    def cut_at_commit(self, side: Side, number: int = 1) -> Trap:
        """Cuts the connection with the `number`-th COMMIT from now, once."""
        trap = Trap(side, number)
        with self._lock:
            self._trap = trap
        return trap

    def disarm(self) -> None:
        """No connection is cut at a COMMIT any more."""
        with self._lock:
            self._trap = None

    def freeze(self) -> None:
        """Half-open: connections stay, new ones are taken too, and not a byte goes through any more."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Lets go what was held back."""
        self._flowing.set()

    def delay(self, seconds: float) -> None:
        """Makes every answer of the server come that much later."""
        self._delay = seconds

    def refuse(self) -> None:
        """Connections that are there stay; new ones are refused."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self) -> None:
        """Takes new connections (again), always on the same port."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    # For the connections

    def wait_until_flowing(self) -> None:
        self._flowing.wait()

    def wait_for_delay(self) -> None:
        if self._delay:
            self._ended.wait(self._delay)

    def springs(self, side: Side) -> bool:
        """Whether the COMMIT that passes there is the one to cut at."""
        with self._lock:
            if self._trap is None or self._trap.side is not side:
                return False
            self._trap.left -= 1
            if self._trap.left > 0:
                return False
            trap, self._trap = self._trap, None
        trap.sprung.set()
        return True

    def forget(self, connection: Connection) -> None:
        """Ends the other side of a connection of which one has ended."""
        with self._lock:
            self._connections.discard(connection)
        connection.close(resetting=False)

    def connect(self, client: socket.socket, server: socket.socket) -> Connection:
        """What carries between the two; that of another protocol than Postgres' is another."""
        return Connection(self, client, server)

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                server = socket.create_connection(self._server_address, timeout=5)
                server.settimeout(None)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
                client.close()
                continue
            connection = self.connect(client, server)
            with self._lock:
                self._connections.add(connection)
            connection.start()


def wait_until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.01) -> float:
    """Polls until it holds and says how long that took; fails when it does not in time."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(every)
    return time.monotonic() - began
