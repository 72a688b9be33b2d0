"""The rows about neighbours: how long a small request takes beside slow clients, and beside a large upload."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection

from bench import loads
from bench.report import Result
from bench.servers import new_member, nginx, storaged
from bench.settings import MIB, Settings

SLOW_CLIENTS = 1000  # in each direction


def neighbours(settings: Settings) -> list[Result]:
    """Latencies of one client that asks for 1 KiB again and again, and the memory that the slow clients take."""
    source = settings.directory / "source.bin"
    loads.make_file(source, settings.big)
    idle: list[list[float]] = []
    slow: list[list[float]] = []
    upload: list[list[float]] = []
    peer_upload: list[list[float]] = []
    memory = []
    for _ in range(settings.pairs):
        with storaged(settings.directory) as daemon, nginx(settings.directory) as peer:
            headers = new_member(daemon.url).client.headers
            loads.put_stream(daemon.port, "/api/files/ten.bin", 10 * MIB, headers)
            loads.put_stream(daemon.port, "/api/files/small.bin", 1024, headers)
            loads.make_file(peer.files / "small.bin", 1024)
            ours = Asker(daemon.port, "/api/files/small.bin", headers)
            ours.ask(1)
            idle.append(ours.ask(settings.seconds))
            daemon.mark_memory()
            with slow_clients(daemon.port, headers):
                slow.append(ours.ask(settings.seconds))
                memory.append(daemon.memory_growth() / MIB)
            os.sync()
            fields = ["-H", f"Authorization: {headers['Authorization']}"]
            upload.append(beside_upload(ours, source, f"{daemon.url}/api/files/large.bin", *fields))
            os.sync()
            theirs = Asker(peer.port, "/small.bin", {})
            peer_upload.append(beside_upload(theirs, source, peer.url + "/dav/large.bin"))
    source.unlink()
    results = []
    for name, of in (("median", median), ("99th percentile", lambda samples: quantiles(samples, n=100)[98])):
        figure: Callable[[list[float]], float] = of
        alone, beside, large, peers = (
            [figure(sample) * 1e6 for sample in samples] for samples in (idle, slow, upload, peer_upload)
        )
        what = f"latency of a 1 KiB GET beside {{}}, {name}"
        crowd = f"{SLOW_CLIENTS:,} slow downloads and {SLOW_CLIENTS:,} slow uploads"
        results += [
            Result("neighbours", what.format(crowd), "µs", beside, "≤ 2", "≤ 1.2", "with nobody else", alone),
            Result("neighbours", what.format("a 1 GiB upload"), "µs", large, "≤ 2", "≤ 1.2", "with nobody else", alone),
            Result("neighbours", what.format("a 1 GiB upload"), "µs", large, "–", "–", "nginx beside its own", peers),
        ]
    what = f"memory, growth by {SLOW_CLIENTS:,} slow downloads and {SLOW_CLIENTS:,} slow uploads"
    return [*results, Result("neighbours", what, "MiB", memory, "+100", "+50", digits=1)]


class Asker:
    """One client on one connection: the next request goes out a millisecond after the answer."""

    def __init__(self, port: int, target: str, headers: Mapping[str, str]):
        self.target = target
        self.headers = dict(headers)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def once(self) -> float:
        began = time.perf_counter()
        self.connection.request("GET", self.target, headers=self.headers)
        response = self.connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {self.target}: {response.status}")
        return time.perf_counter() - began

    def ask(self, seconds: float) -> list[float]:
        """The seconds that each answer took."""
        end = time.perf_counter() + seconds
        return self.ask_while(lambda: time.perf_counter() < end)

    def ask_while(self, condition: Callable[[], bool]) -> list[float]:
        samples = []
        while condition():
            samples.append(self.once())
            time.sleep(0.001)
        return samples


def beside_upload(asker: Asker, source: Path, url: str, *arguments: str) -> list[float]:
    """Asks as long as one large upload takes."""
    loads.stamp(source)
    command = ["curl", "-sS", "-f", "-o", "/dev/null", "-H", "Expect:", *arguments, "-T", str(source), url]
    upload = subprocess.Popen(command)
    try:
        samples = asker.ask_while(lambda: upload.poll() is None)
    finally:
        upload.kill()
        upload.wait()
    if upload.returncode != 0:
        raise RuntimeError(f"the upload to {url} failed")
    return samples


@contextmanager
def slow_clients(port: int, headers: Mapping[str, str]) -> Iterator[None]:
    """Clients that have all begun, in a process of their own: each takes, or sends, 4 KiB a second."""
    ours, theirs = Pipe()
    process = Process(target=be_slow, args=(port, dict(headers), theirs))
    process.start()
    theirs.close()
    try:
        ours.recv()  # an end of file where they did not all begin
        yield
        ours.send("enough")
        process.join(30)
        if process.exitcode != 0:
            raise RuntimeError("a slow transfer ended early")
    finally:
        ours.close()
        process.kill()
        process.join()


def be_slow(port: int, headers: Mapping[str, str], control: Connection) -> None:
    """The slow clients; a failure of one ends them all."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    readers, writers = [], []
    for number in range(SLOW_CLIENTS):
        reader, writer = (socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(2))
        reader.sendall(f"GET /api/files/ten.bin HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())
        if not reader.recv(4096).startswith(b"HTTP/1.1 200 "):
            raise RuntimeError("a slow download was refused")
        head = f"PUT /api/files/slow/{number} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {10 * MIB}\r\n\r\n"
        writer.sendall(head.encode() + bytes(4096))
        readers.append(reader)
        writers.append(writer)
    control.send("all have begun")
    while True:
        for reader, writer in zip(readers, writers, strict=True):
            if not reader.recv(4096):
                raise RuntimeError("a slow download ended")
            writer.sendall(bytes(4096))
            if control.poll(1 / SLOW_CLIENTS):
                if answered := sum(is_readable(writer) for writer in writers):
                    raise RuntimeError(f"{answered} slow uploads were answered")
                return


def is_readable(connection: socket.socket) -> bool:
    """Whether an answer has come, or the end."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    return True
