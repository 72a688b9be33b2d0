"""The rows about buckets: the same server with its bytes in one, beside boto3, rclone, and itself on the disk."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench import loads
from bench.memory import growth
from bench.report import Result, alternate
from bench.servers import Bucket, Daemon, Server, new_member, storaged
from bench.settings import GIB, MIB, Settings

SCRIPT = Path(__file__).parents[2] / "scripts" / "radosgw"
SMALL, SMALL_FILES, AT_ONCE = 16 << 10, 1_000, 32
HOT = 10 * MIB

# Bytes in memory would be measured instead of the bucket.
WITHOUT_MEMORY = {"BLOBS_MEMORY_CACHE": "0"}


@dataclass
class Gateway:
    """A radosgw over a store in memory, with one bucket, for everybody who is measured."""

    home: Path
    server: Server

    def bucket(self) -> Bucket:
        """An empty part of the bucket."""
        return Bucket.fresh(self.server)

    def settle(self) -> None:
        """Gives back the memory of what was deleted, which otherwise takes its time."""
        subprocess.run([str(SCRIPT), "admin", str(self.home), "gc", "process", "--include-all"], check=True)


@contextmanager
def gateway(settings: Settings) -> Iterator[Gateway]:
    # It runs as another user than root, who must get there.
    settings.directory.chmod(0o711)
    home = Path(tempfile.mkdtemp(dir=settings.directory, prefix="radosgw-"))
    started = subprocess.run([str(SCRIPT), "start", str(home)], stdout=subprocess.PIPE, text=True, check=True)
    try:
        lines = started.stdout.splitlines()
        server = Server.named_by(dict(line.removeprefix("export ").split("=", 1) for line in lines))
        assert server
        yield Gateway(home, server)
    finally:
        subprocess.run([str(SCRIPT), "stop", str(home)], check=True)
        shutil.rmtree(home)


# The three that are compared. Each keeps what it has stored until `clear`.


class Boto3:
    """boto3 as its documentation uses it: parts and threads are its own choice; 32 threads for many files."""

    name = "boto3"

    def __init__(self, bucket: Bucket):
        import boto3  # type: ignore[import-untyped, unused-ignore]
        from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]

        self.bucket = bucket
        server = bucket.server
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                max_pool_connections=AT_ONCE,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, file: Path) -> float:
        return seconds(lambda: self.client.upload_file(str(file), self.bucket.server.bucket, self._key("large")))

    def get(self, file: Path) -> float:
        return seconds(lambda: self.client.download_file(self.bucket.server.bucket, self._key("large"), str(file)))

    def put_many(self, folder: Path) -> float:
        def store(file: Path) -> None:
            self.client.put_object(Bucket=self.bucket.server.bucket, Key=self._key(file.name), Body=file.read_bytes())

        return self._side_by_side(store, sorted(folder.iterdir()))

    def get_many(self, folder: Path) -> float:
        def load(name: str) -> None:
            answer = self.client.get_object(Bucket=self.bucket.server.bucket, Key=self._key(name))
            (folder / name).write_bytes(answer["Body"].read())

        return self._side_by_side(load, names())

    def clear(self) -> None:
        self.bucket.clear()

    def _key(self, name: str) -> str:
        return f"{self.bucket.prefix}/{name}"

    def _side_by_side(self, act: Callable[[Any], None], over: list[Any]) -> float:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return seconds(lambda: list(threads.map(act, over)))


class Rclone:
    """rclone, told not to look first whether something is there; and 32 transfers at once for many files."""

    name = "rclone"

    def __init__(self, bucket: Bucket):
        self.bucket = bucket
        server = bucket.server
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "RCLONE_CONFIG": "",
            "RCLONE_S3_PROVIDER": "Ceph",
            "RCLONE_S3_ENDPOINT": server.endpoint,
            "RCLONE_S3_REGION": server.region,
            "RCLONE_S3_ACCESS_KEY_ID": server.access_key,
            "RCLONE_S3_SECRET_ACCESS_KEY": server.secret_key,
            "RCLONE_S3_NO_CHECK_BUCKET": "true",
        }
        self.place = f":s3:{server.bucket}/{bucket.prefix}"

    def put(self, file: Path) -> float:
        return self._run("copyto", "--no-check-dest", str(file), self.place + "/large")

    def get(self, file: Path) -> float:
        return self._run("copyto", "--no-check-dest", self.place + "/large", str(file))

    def put_many(self, folder: Path) -> float:
        return self._run("copy", "--no-check-dest", f"--transfers={AT_ONCE}", str(folder), self.place)

    def get_many(self, folder: Path) -> float:
        return self._run("copy", "--no-check-dest", f"--transfers={AT_ONCE}", self.place, str(folder))

    def clear(self) -> None:
        self.bucket.clear()

    def _run(self, *arguments: str) -> float:
        command = ["rclone", *arguments]
        return seconds(lambda: subprocess.run(command, env=self.environment, check=True, capture_output=True))


@dataclass
class Storaged:
    """storaged by its HTTP API: curl for a large file, 32 connections of a light client for many."""

    daemon: Daemon
    bucket: Bucket
    headers: dict[str, str] = field(default_factory=dict)

    name = "storaged"

    def __post_init__(self) -> None:
        self.headers = dict(new_member(self.daemon.url).client.headers)

    @property
    def bearer(self) -> str:
        return f"Authorization: {self.headers['Authorization']}"

    def put(self, file: Path) -> float:
        return loads.curl("-T", str(file), "-H", "Expect:", "-H", self.bearer, f"{self.daemon.url}/api/files/large")

    def get(self, file: Path) -> float:
        command = ["curl", "-sS", "-f", "-o", str(file), "-H", self.bearer, f"{self.daemon.url}/api/files/large"]
        return seconds(lambda: subprocess.run(command, check=True))

    def put_many(self, folder: Path) -> float:
        requests = [self._request("PUT", file.name, file.read_bytes()) for file in sorted(folder.iterdir())]
        return loads.Exchanges(self.daemon.port, requests, AT_ONCE).run()

    def get_many(self, folder: Path) -> float:
        requests = [self._request("GET", name) for name in names()]
        exchanges = loads.Exchanges(self.daemon.port, requests, AT_ONCE, folder)
        return exchanges.run()

    def clear(self) -> None:
        """Everything goes: the files by a new account, the bytes by force."""
        self.headers = dict(new_member(self.daemon.url).client.headers)

    def _request(self, method: str, name: str, body: bytes = b"") -> bytes:
        fields = "".join(f"{field}: {value}\r\n" for field, value in self.headers.items())
        length = f"Content-Length: {len(body)}\r\n" if method == "PUT" else ""
        return f"{method} /api/files/{name} HTTP/1.1\r\nHost: x\r\n{fields}{length}\r\n".encode() + body


Competitor = Boto3 | Rclone | Storaged


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def names() -> list[str]:
    return [f"{number:04}.bin" for number in range(SMALL_FILES)]


@contextmanager
def competitors(settings: Settings) -> Iterator[tuple[Gateway, list[Competitor]]]:
    with gateway(settings) as server:
        bucket = server.bucket()
        with storaged(settings.directory, **WITHOUT_MEMORY, **bucket.settings) as daemon:
            yield server, [Storaged(daemon, bucket), Boto3(server.bucket()), Rclone(server.bucket())]


def beside_the_faster(row: str, what: str, unit: str, samples: list[list[float]], digits: int) -> Result:
    """Ours beside the one of the two others that was faster."""
    ours, boto3, rclone = samples
    peer, theirs = ("boto3", boto3) if median(boto3) > median(rclone) else ("rclone", rclone)
    other = min(median(boto3), median(rclone))
    return Result(row, what, unit, ours, "1.0", "1.5", f"{peer} (the other: {other:.{digits}f})", theirs, digits)


def s3_1g(settings: Settings) -> list[Result]:
    """One large file up and down again, by each in turn; what was stored goes before the next one begins."""
    size = settings.big
    source, copy = settings.directory / "source.bin", settings.directory / "copy.bin"
    loads.make_file(source, size)
    down: dict[str, list[float]] = {}
    with competitors(settings) as (server, each):

        def up_and_down(one: Competitor) -> Callable[[], float]:
            def perform() -> float:
                loads.stamp(source)
                os.sync()
                up = size / one.put(source) / 1e9
                down.setdefault(one.name, []).append(size / one.get(copy) / 1e9)
                if copy.stat().st_size != size:
                    raise RuntimeError(f"{one.name} got {copy.stat().st_size} bytes")
                copy.unlink()
                forget(one, server)
                return up

            return perform

        up = alternate(settings.pairs, *map(up_and_down, each))
    source.unlink()
    what = f"{size / GIB:g} GiB {{}} a bucket, one file"
    return [
        beside_the_faster("s3-1g", what.format("into"), "GB/s", up, 2),
        beside_the_faster("s3-1g", what.format("out of"), "GB/s", [down[one.name] for one in each], 2),
    ]


def forget(one: Competitor, server: Gateway) -> None:
    """Deletes what one has stored, so that the next one finds as much memory."""
    if isinstance(one, Storaged):
        for key in one.bucket.keys("store/"):
            one.bucket.remove(key)
    one.clear()
    server.settle()


def s3_16k(settings: Settings) -> list[Result]:
    """Many small files up and down again, by each in turn."""
    down: dict[str, list[float]] = {}
    with competitors(settings) as (server, each):

        def up_and_down(one: Competitor) -> Callable[[], float]:
            def perform() -> float:
                with tempfile.TemporaryDirectory(dir=settings.directory) as home:
                    source, copy = Path(home) / "source", Path(home) / "copy"
                    source.mkdir()
                    copy.mkdir()
                    for name in names():
                        (source / name).write_bytes(secrets.token_bytes(SMALL))
                    os.sync()
                    up = SMALL_FILES / one.put_many(source)
                    down.setdefault(one.name, []).append(SMALL_FILES / one.get_many(copy))
                    for name in names():
                        if (copy / name).read_bytes() != (source / name).read_bytes():
                            raise RuntimeError(f"{one.name} got something else for {name}")
                forget(one, server)
                return up

            return perform

        up = alternate(settings.pairs, *map(up_and_down, each))
    what = f"{SMALL_FILES:,} files of {SMALL >> 10} KiB {{}} a bucket, {AT_ONCE} at once"
    return [
        beside_the_faster("s3-16k", what.format("into"), "files/s", up, 0),
        beside_the_faster("s3-16k", what.format("out of"), "files/s", [down[one.name] for one in each], 0),
    ]


def s3_memory(settings: Settings) -> list[Result]:
    """What a large file costs of memory on its way into the bucket and out of it."""
    up, down = [], []
    with gateway(settings) as server:
        for _ in range(1 if settings.pairs < 5 else 3):
            bucket = server.bucket()
            with storaged(settings.directory, **WITHOUT_MEMORY, **bucket.settings) as daemon:
                headers = dict(new_member(daemon.url).client.headers)
                loads.put_stream(daemon.port, "/api/files/ten.bin", 10 * MIB, headers)
                up.append(growth(daemon, loads.put_stream, daemon.port, "/api/files/big.bin", settings.big, headers))
                bearer = f"Authorization: {headers['Authorization']}"
                down.append(growth(daemon, _get, daemon.url + "/api/files/big.bin", bearer))
            bucket.clear()
            server.settle()
    what = f"growth by a {settings.big / GIB:g} GiB {{}} a bucket"
    return [
        Result("s3-memory", what.format("upload into"), "MiB", up, "+64", "+32", digits=1),
        Result("s3-memory", what.format("download out of"), "MiB", down, "+64", "+32", digits=1),
    ]


def _get(url: str, header: str) -> None:
    loads.curl("-H", header, url)


def s3_hot(settings: Settings) -> list[Result]:
    """Files that are read often: from a bucket behind the hot cache, against the disk."""
    with gateway(settings) as server:
        hot = {"BLOBS_HOT_CACHE": "1GiB", **WITHOUT_MEMORY, **server.bucket().settings}
        with storaged(settings.directory, **hot) as ours, storaged(settings.directory, **WITHOUT_MEMORY) as theirs:
            results = []
            for size, connections in ((HOT, 16), (256 << 10, 64)):
                rates = [_rate(settings, daemon, size, connections) for daemon in (ours, theirs)]
                samples = alternate(settings.pairs, *rates)
                what = f"{size >> 10:,} KiB GET out of the hot cache, {connections} connections"
                results.append(Result("s3-hot", what, "GB/s", samples[0], "0.9", "1.0", "on disk", samples[1], 2))
            return results


def _rate(settings: Settings, daemon: Daemon, size: int, connections: int) -> Callable[[], float]:
    headers = dict(new_member(daemon.url).client.headers)
    loads.put_stream(daemon.port, "/api/files/hot.bin", size, headers)
    url, bearer = f"{daemon.url}/api/files/hot.bin", f"Authorization: {headers['Authorization']}"
    loads.curl("-H", bearer, url)  # it is hot from now on
    return lambda: loads.wrk(url, connections, settings.seconds, header=bearer) * size / 1e9
