"""The proxy does to connections what it says, seen from both of their ends."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from framing import SSL_REQUEST
from proxy import Proxy, Side, wait_until

STARTUP = struct.pack("!ii", 16, 3 << 16) + b"user\0a\0\0"
SHORT = 5.0


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


class Database:
    """Speaks as much of Postgres as these tests: every simple query is done and remembered."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.queries: list[bytes] = []
        self.ended = threading.Semaphore(0)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                (length,) = struct.unpack("!i", stream.read(4))
                if stream.read(length - 4)[:4] == struct.pack("!i", SSL_REQUEST):
                    connection.sendall(b"N")
                    stream.read(16)
                connection.sendall(message(b"Z", b"I"))
                while kind := stream.read(1):
                    (length,) = struct.unpack("!i", stream.read(4))
                    query = stream.read(length - 4).rstrip(b"\0")
                    assert kind == b"Q"
                    self.queries.append(query)
                    connection.sendall(message(b"C", query + b"\0") + message(b"Z", b"I"))
        except OSError:
            pass
        finally:
            self.ended.release()


class Session:
    """A client with a connection through the proxy."""

    def __init__(self, port: int, *, wishing: bool = False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SHORT)
        if wishing:
            self.socket.sendall(struct.pack("!ii", 8, SSL_REQUEST))
            assert self.socket.recv(1) == b"N"
        self.socket.sendall(STARTUP)
        assert self.socket.recv(100) == message(b"Z", b"I")

    def ask(self, query: bytes) -> bytes:
        """What comes back; nothing when the connection ends."""
        self.socket.sendall(message(b"Q", query + b"\0"))
        return self.receive()

    def receive(self) -> bytes:
        answer = b""
        while not answer.endswith(message(b"Z", b"I")):
            data = self.socket.recv(100)
            if not data:
                break
            answer += data
        return answer


def done(query: bytes) -> bytes:
    return message(b"C", query + b"\0") + message(b"Z", b"I")


@pytest.fixture
def database() -> Iterator[Database]:
    one = Database()
    yield one
    one.listener.close()


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with Proxy(f"postgres://ann:secret@127.0.0.1:{database.port}/files?connect_timeout=3") as one:
        yield one


@pytest.mark.parametrize("wishing", [False, True])
def test_everything_passes(proxy: Proxy, database: Database, wishing: bool) -> None:
    assert proxy.url == f"postgres://ann:secret@127.0.0.1:{proxy.port}/files?connect_timeout=3"
    session = Session(proxy.port, wishing=wishing)
    for query in (b"BEGIN", b"x" * 300_000, b"COMMIT"):
        assert session.ask(query) == done(query)
    assert database.queries == [b"BEGIN", b"x" * 300_000, b"COMMIT"]
    session.socket.close()
    assert database.ended.acquire(timeout=SHORT)
    wait_until(lambda: proxy.open_connections == 0, SHORT, "the connection is forgotten")


@pytest.mark.parametrize("resetting", [True, False], ids=["RST", "FIN"])
def test_a_cut_is_seen_at_both_ends(proxy: Proxy, database: Database, resetting: bool) -> None:
    sessions = [Session(proxy.port) for _ in range(3)]
    assert proxy.cut(resetting=resetting) == 3
    for session in sessions:
        if resetting:
            with pytest.raises(ConnectionResetError):
                session.socket.recv(1)
        else:
            assert session.socket.recv(1) == b""
        assert database.ended.acquire(timeout=SHORT)
    assert Session(proxy.port).ask(b"again") == done(b"again")


@pytest.mark.parametrize("side", Side)
def test_the_connection_is_cut_at_the_commit_that_was_asked_for(proxy: Proxy, database: Database, side: Side) -> None:
    trap = proxy.cut_at_commit(side, 3)
    first, second = Session(proxy.port), Session(proxy.port)
    for session in (first, second):
        assert session.ask(b"COMMIT") == done(b"COMMIT")
        assert session.ask(b"UPDATE uploads SET committed_at = 1")
    assert not trap.sprung.is_set()
    with pytest.raises(ConnectionResetError):
        second.ask(b"COMMIT")
    assert trap.sprung.is_set()
    assert database.ended.acquire(timeout=SHORT)
    assert database.queries.count(b"COMMIT") == (2 if side is Side.BEFORE_COMMIT else 3)
    assert first.ask(b"COMMIT") == done(b"COMMIT"), "one connection is cut, once"


def test_half_open_means_that_nothing_comes_and_nothing_ends(proxy: Proxy, database: Database) -> None:
    session = Session(proxy.port)
    proxy.freeze()
    session.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        session.ask(b"lost")
    late = socket.create_connection(("127.0.0.1", proxy.port), timeout=SHORT)
    late.sendall(STARTUP)
    late.settimeout(0.3)
    with pytest.raises(TimeoutError):
        late.recv(1)
    assert database.queries == []
    proxy.thaw()
    session.socket.settimeout(SHORT)
    assert session.receive() == done(b"lost")
    assert late.recv(100) == message(b"Z", b"I")


def test_an_answer_is_late_by_the_delay(proxy: Proxy) -> None:
    session = Session(proxy.port)
    proxy.delay(0.4)
    began = time.monotonic()
    assert session.ask(b"slow") == done(b"slow")
    assert 0.4 <= time.monotonic() - began < 2
    proxy.delay(0)
    began = time.monotonic()
    assert session.ask(b"fast") == done(b"fast")
    assert time.monotonic() - began < 0.4


def test_new_connections_can_be_refused(proxy: Proxy) -> None:
    session = Session(proxy.port)
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=SHORT)
    assert session.ask(b"still here") == done(b"still here")
    proxy.accept()
    assert Session(proxy.port).ask(b"again") == done(b"again")


def test_a_database_that_is_away_refuses_through_the_proxy_too(proxy: Proxy, database: Database) -> None:
    with contextlib.suppress(OSError):
        database.listener.shutdown(socket.SHUT_RDWR)
    database.listener.close()
    with pytest.raises(ConnectionError):
        Session(proxy.port)
