"""A server with a proxy between it and its Redis, and what can happen to a Redis."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from daemon import Daemon

from proxy import Connection, Proxy

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "redis"
NO_SERVER = 69


class Redis:
    """A private server; `with` ends it."""

    def __init__(self, directory: Path):
        self.directory = directory
        started = subprocess.run([SCRIPT, "start", directory], capture_output=True, text=True, check=False)
        if started.returncode == NO_SERVER:
            pytest.skip("there is no redis-server here")
        assert started.returncode == 0, started.stderr
        self.url = started.stdout.strip()

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        subprocess.run([SCRIPT, "stop", self.directory], check=True)

    def ask(self, *words: str) -> bytes:
        """The beginning of the answer to one command."""
        target = urlsplit(self.url)
        with socket.create_connection((str(target.hostname), int(target.port or 0)), timeout=30) as connection:
            connection.sendall(f"AUTH {target.password}\r\n{' '.join(words)}\r\n".encode())
            with connection.makefile("rb") as answers:
                assert answers.readline() == b"+OK\r\n"
                return answers.readline().strip()

    def keys(self) -> int:
        return int(self.ask("DBSIZE")[1:])


class RedisConnection(Connection):
    """Bytes from one side to the other; answers may be lies."""

    def _asked(self, data: bytes) -> Iterable[bytes]:
        yield data

    def _answered(self, data: bytes) -> Iterable[bytes]:
        self.proxy.wait_for_delay()
        assert isinstance(self.proxy, RedisProxy)
        lies = self.proxy.lies
        yield data if lies is None else lies or os.urandom(len(data))


class RedisProxy(Proxy):
    """Also lies: with the bytes of `lies` instead of each answer, or with random ones where they are empty."""

    lies: bytes | None = None

    def connect(self, client: socket.socket, server: socket.socket) -> Connection:
        return RedisConnection(self, client, server)


class Service:
    """A server over a Redis by way of a proxy; with `with`."""

    def __init__(self, directory: Path, **settings: str):
        directory.mkdir(parents=True, exist_ok=True)
        self.redis = Redis(directory / "redis")
        self.proxy = RedisProxy(self.redis.url)
        self.daemon = Daemon(directory, CACHE_URL=self.proxy.url, **settings)

    def __enter__(self) -> Service:
        self.daemon.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.kill()
        self.proxy.__exit__()
        self.redis.stop()

    # What can happen

    def nothing(self) -> None:
        """All is well."""

    def killed(self) -> None:
        self.redis.stop()
        self.proxy.refuse()
        self.proxy.cut()

    def silent(self) -> None:
        self.proxy.freeze()

    def slow(self) -> None:
        self.proxy.delay(5)

    def random(self) -> None:
        self.proxy.lies = b""

    def huge(self) -> None:
        self.proxy.lies = b"*1000000000\r\n$99999999999\r\n"

    def numbers(self) -> None:
        """Well-formed, and not true."""
        self.proxy.lies = b":999999999\r\n"

    def values(self) -> None:
        self.proxy.lies = b"$5\r\nhello\r\n"

    def flushed(self) -> None:
        assert self.redis.ask("FLUSHALL") == b"+OK"

    def full(self) -> None:
        """Refuses whatever it would have to keep."""
        assert self.redis.ask("CONFIG", "SET", "maxmemory", "1") == b"+OK"

    def locked(self) -> None:
        """Wants another password from now on, of those who are signed in as well."""
        assert self.redis.ask("ACL", "SETUSER", "default", "resetpass", ">another", "-@all") == b"+OK"


FAULTS = [
    Service.killed,
    Service.silent,
    Service.slow,
    Service.random,
    Service.huge,
    Service.numbers,
    Service.values,
    Service.flushed,
    Service.full,
    Service.locked,
]
