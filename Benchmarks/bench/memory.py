"""The row about memory: idle, a large upload, many slow clients."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import ParamSpec

from bench import loads
from bench.report import Result
from bench.servers import Daemon, new_member, storaged
from bench.settings import GIB, MIB, Settings

P = ParamSpec("P")

SLOW_TRANSFERS = 1000


def memory(settings: Settings) -> list[Result]:
    idle, upload, slow = [], [], []
    for _ in range(1 if settings.pairs < 5 else 3):
        with storaged(settings.directory) as daemon:
            headers = new_member(daemon.url).client.headers
            loads.put_stream(daemon.port, "/api/files/ten.bin", 10 * MIB, headers)
            upload.append(growth(daemon, loads.put_stream, daemon.port, "/api/files/huge.bin", settings.huge, headers))
            slow.append(growth(daemon, slow_transfers, daemon.port, headers))
        with storaged(settings.directory) as daemon:
            daemon.status_of("/healthz")
            time.sleep(2)  # what a started server needs when nobody asks for anything
            idle.append(daemon.memory()[0]["VmRSS"] / MIB)
    return [
        Result("memory", "resident, idle", "MiB", idle, "40", "25", digits=1),
        Result("memory", f"growth by a {settings.huge / GIB:g} GiB upload", "MiB", upload, "+32", "+16", digits=1),
        Result("memory", f"growth by {SLOW_TRANSFERS:,} slow transfers", "MiB", slow, "+100", "+50", digits=1),
    ]


def growth(daemon: Daemon, act: Callable[P, None], *arguments: P.args, **options: P.kwargs) -> float:
    """How much the resident size rose at most while `act` ran, in MiB."""
    daemon.mark_memory()
    act(*arguments, **options)
    return daemon.memory_growth() / MIB


def slow_transfers(port: int, headers: Mapping[str, str]) -> None:
    """Half of them downloads whose client reads little, half uploads whose client sends little; all at once."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connections = []
    try:
        for number in range(SLOW_TRANSFERS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connections.append(connection)
            if number % 2:
                connection.sendall(f"GET /api/files/ten.bin HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())
            else:
                head = f"PUT /api/files/slow/{number} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {10 * MIB}\r\n\r\n"
                connection.sendall(head.encode() + bytes(4096))
        for _ in range(5):
            time.sleep(1)  # slowness is the load
            for number, connection in enumerate(connections):
                if number % 2:
                    connection.recv(4096)
                else:
                    connection.sendall(bytes(4096))
    finally:
        for connection in connections:
            connection.close()
