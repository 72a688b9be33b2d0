"""What stands before two nodes changes nothing but which of them a connection reaches."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from daemon import free_port
from forwarder import Forwarder

SHORT = 5.0
LINGER_AND_RESET = struct.pack("ii", 1, 0)

pytestmark = pytest.mark.stores("nodes")


class Server:
    """Says its number, and hands out the connections it has."""

    def __init__(self, number: int):
        self.number = number
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SHORT)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def accept(self) -> socket.socket:
        connection, self.peer = self.listener.accept()
        connection.settimeout(SHORT)
        connection.sendall(b"%d" % self.number)
        return connection


class Pair:
    """Two servers and the forwarder before them."""

    def __init__(self) -> None:
        self.servers = [Server(0), Server(1)]
        self.port = free_port()
        self.forwarder = Forwarder(self.port, [server.port for server in self.servers])

    def connect(self, address: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
        """The two ends of a new connection; the servers take turns."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=SHORT, source_address=(address, 0))
        server = self.servers[0].accept()
        self.servers.reverse()
        assert client.recv(1) == b"%d" % self.servers[-1].number
        return client, server


@pytest.fixture
def pair() -> Iterator[Pair]:
    one = Pair()
    yield one
    one.forwarder.close()
    for server in one.servers:
        server.listener.close()


def test_connections_go_to_the_servers_in_turn(pair: Pair) -> None:
    ends = [pair.connect() for _ in range(4)]
    for client, server in ends:
        client.sendall(b"question")
        assert server.recv(100) == b"question"


def test_both_directions_carry_much_at_a_time(pair: Pair) -> None:
    client, server = pair.connect()
    content = bytes(range(256)) * 40_000

    def echo() -> None:
        while data := server.recv(1 << 16):
            server.sendall(data)
        server.close()

    threading.Thread(target=echo, daemon=True).start()
    threading.Thread(target=lambda: (client.sendall(content), client.shutdown(socket.SHUT_WR)), daemon=True).start()
    with client.makefile("rb") as stream:
        assert stream.read() == content


def test_a_half_that_is_closed_leaves_the_other_open(pair: Pair) -> None:
    client, server = pair.connect()
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"
    server.close()
    assert client.recv(1) == b""


@pytest.mark.parametrize("by", ["client", "server"])
def test_a_reset_arrives_as_a_reset(pair: Pair, by: str) -> None:
    one, other = pair.connect() if by == "client" else reversed(pair.connect())
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
    one.close()
    with pytest.raises(ConnectionResetError):
        other.recv(1)


def test_what_was_said_before_a_reset_arrives_first(pair: Pair) -> None:
    client, server = pair.connect()
    server.sendall(b"last words")
    assert client.recv(4, socket.MSG_PEEK)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
    server.close()
    assert client.recv(100) == b"last words"
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_server_sees_from_where_the_client_comes(pair: Pair) -> None:
    pair.connect("127.0.0.7")
    assert pair.servers[-1].peer[0] == "127.0.0.7"


def test_who_does_not_listen_is_passed_over(pair: Pair) -> None:
    gone = pair.servers.pop()
    gone.listener.close()
    for _ in range(3):
        pair.connect()
    pair.servers[0].listener.close()
    with pytest.raises(ConnectionResetError):
        socket.create_connection(("127.0.0.1", pair.port), timeout=SHORT).recv(1)


def test_when_it_is_closed_nothing_is_left(pair: Pair) -> None:
    client, server = pair.connect()
    pair.forwarder.close()
    for end in (client, server):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", pair.port), timeout=SHORT)
    pair.forwarder = Forwarder(pair.port, [server.port for server in pair.servers])
