"""The rows about transfers: small and large files, down and up."""

from __future__ import annotations

import hashlib
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench import loads
from bench.report import Result, alternate
from bench.servers import Daemon, Nginx, new_member, nginx, storaged
from bench.settings import GIB, MIB, Settings

SLOW_DISK = Path(__file__).with_name("slow-disk.c")


def put_file(daemon: Daemon, headers: Mapping[str, str], path: str, file: Path) -> None:
    arguments = [item for name, value in headers.items() for item in ("-H", f"{name}: {value}")]
    loads.curl("-T", str(file), "-H", "Expect:", *arguments, f"{daemon.url}/api/files/{quote(path)}")


@contextmanager
def both_with_file(settings: Settings, size: int, **environment: str) -> Iterator[tuple[Daemon, Nginx, str, str]]:
    """storaged and nginx holding the same file, its URL at storaged, and the header that opens it."""
    with storaged(settings.directory, **environment) as daemon, nginx(settings.directory) as peer:
        loads.make_file(peer.files / "file.bin", size)
        headers = new_member(daemon.url).client.headers
        put_file(daemon, headers, "bench/file.bin", peer.files / "file.bin")
        os.sync()
        target = daemon.url + "/api/v1/files/download?path=/bench/file.bin"
        yield daemon, peer, target, f"Authorization: {headers['Authorization']}"


def get_1k(settings: Settings) -> list[Result]:
    with both_with_file(settings, 1024) as (daemon, peer, target, header):
        digest = hashlib.sha256((peer.files / "file.bin").read_bytes()).hexdigest()
        loads.curl("--data-binary", f"@{peer.files / 'file.bin'}", "-H", header, f"{daemon.url}/api/files")
        seconds = settings.seconds
        by_path, by_hash, theirs = alternate(
            settings.pairs,
            lambda: loads.wrk(target, 64, seconds, header=header),
            lambda: loads.wrk(f"{daemon.url}/api/files/by-hash/{digest}", 64, seconds),
            lambda: loads.wrk(peer.url + "/file.bin", 64, seconds),
        )
    what = "1 KiB GET {}, 64 connections"
    return [
        Result("get-1k", what.format("by hash"), "requests/s", by_hash, "0.6", "0.9", "nginx static", theirs),
        Result(
            "get-1k", what.format("by path with Bearer"), "requests/s", by_path, "0.4", "0.7", "nginx static", theirs
        ),
    ]


def get_10m(settings: Settings) -> list[Result]:
    size = 10 * MIB
    with both_with_file(settings, size) as (_, peer, target, header):
        seconds = settings.seconds
        ours, theirs = alternate(
            settings.pairs,
            lambda: loads.wrk(target, 16, seconds, header=header) * size / 1e9,
            lambda: loads.wrk(peer.url + "/file.bin", 16, seconds) * size / 1e9,
        )
    return [Result("get-10m", "10 MiB GET, 16 connections", "GB/s", ours, "0.9", "1.1", "nginx sendfile", theirs, 2)]


@dataclass
class Metered:
    """A transfer's seconds, with the server's processor time noted on the way."""

    server: Daemon | Nginx
    transfer: Callable[[], float]
    size: int
    processor: list[float]

    def rate(self) -> float:
        """GB/s of one transfer; appends the server's CPU milliseconds per GiB."""
        before = self.server.processor_seconds()
        seconds = self.transfer()
        self.processor.append((self.server.processor_seconds() - before) * 1000 * GIB / self.size)
        return self.size / seconds / 1e9


def get_1g(settings: Settings) -> list[Result]:
    size = settings.big
    with both_with_file(settings, size) as (daemon, peer, target, header):
        ours = Metered(daemon, lambda: loads.curl("-H", header, target), size, [])
        theirs = Metered(peer, lambda: loads.curl(peer.url + "/file.bin"), size, [])
        for warm in (ours, theirs):
            warm.transfer()
        rates = alternate(settings.pairs, ours.rate, theirs.rate)
    what = f"{size / GIB:g} GiB GET, one stream"
    return [
        Result("get-1g", what, "GB/s", rates[0], "0.9", "1.2", "nginx sendfile", rates[1], 2),
        Result("get-1g", what + ": server CPU", "ms/GiB", ours.processor, "≤ 1.2", "≤ 0.8", "nginx", theirs.processor),
    ]


def put_1g(settings: Settings) -> list[Result]:
    size = settings.big
    source, copy = settings.directory / "source.bin", settings.directory / "copy.bin"
    loads.make_file(source, size)
    with storaged(settings.directory) as daemon, nginx(settings.directory) as peer:
        headers = new_member(daemon.url).client.headers
        bearer = f"Authorization: {headers['Authorization']}"

        def settled(transfer: Callable[[], float]) -> Callable[[], float]:
            """The same transfer of new bytes, begun when the disk has nothing left to write."""

            def perform() -> float:
                loads.stamp(source)
                os.sync()
                return transfer()

            return perform

        def to_storaged() -> float:
            url = f"{daemon.url}/api/files/bench/{uuid.uuid4()}.bin"
            return loads.curl("-T", str(source), "-H", "Expect:", "-H", bearer, url)

        def to_nginx() -> float:
            return loads.curl("-T", str(source), "-H", "Expect:", peer.url + "/dav/file.bin")

        ours = Metered(daemon, settled(to_storaged), size, [])
        theirs = Metered(peer, settled(to_nginx), size, [])
        disk = settled(lambda: loads.dd(source, copy))
        rates = alternate(settings.pairs, ours.rate, theirs.rate, lambda: size / disk() / 1e9)
    source.unlink()
    copy.unlink()
    what = f"{size / GIB:g} GiB PUT, hashed and fsynced"
    return [
        Result("put-1g", what, "GB/s", rates[0], "1.0", "1.5", "nginx DAV (neither)", rates[1], 2),
        Result("put-1g", what, "GB/s", rates[0], "0.7", "0.9", "dd conv=fsync", rates[2], 2),
        Result("put-1g", what + ": server CPU", "ms/GiB", ours.processor, "–", "–", "nginx DAV", theirs.processor),
    ]


def put_1k(settings: Settings) -> list[Result]:
    """Small files on the disk as it is; and as it would be, if it took a millisecond longer for everything it acknowledges."""
    library = settings.directory / "slow-disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SLOW_DISK)], check=True)
    return [
        put_1k_where_syncs_take_longer(settings, 0, "single fsyncs/s of the same disk"),
        put_1k_where_syncs_take_longer(settings, 0.001, "single fsyncs/s, 1 ms longer", LD_PRELOAD=str(library)),
    ]


def put_1k_where_syncs_take_longer(settings: Settings, by: float, peer: str, **environment: str) -> Result:
    with storaged(settings.directory, **environment) as daemon:
        authorization = new_member(daemon.url).client.headers["Authorization"]

        def files() -> float:
            os.sync()
            return loads.wrk_put(daemon.url, 32, settings.seconds, uuid.uuid4().hex[:8], authorization)

        def fsyncs() -> float:
            os.sync()
            return loads.fsyncs(settings.directory, min(settings.seconds, 3), by)

        ours, theirs = alternate(settings.pairs, files, fsyncs)
    what = "1 KiB PUT durable, 32 clients" + (f", every fsync {by * 1000:g} ms longer" if by else "")
    return Result("put-1k", what, "files/s", ours, "2", "5", peer, theirs)
