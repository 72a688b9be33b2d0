"""The rows about many stored files: pages of a list, lookups, and the start."""

from __future__ import annotations

import http.client
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bench.loads import Loader, name_of, wrk_lookup
from bench.report import Result, alternate
from bench.servers import Daemon, new_member, storaged
from bench.settings import Settings


@contextmanager
def loaded(settings: Settings) -> Iterator[tuple[Daemon, Mapping[str, str], Mapping[str, str]]]:
    """A server with `files` files in one account and 1,000 in another, with the headers of both."""
    with storaged(settings.directory) as daemon:
        many, few = new_member(daemon.url).client.headers, new_member(daemon.url).client.headers
        rate = Loader(daemon.port, many, settings.files).run()
        print(f"  {settings.files:,} files loaded at {rate:,.0f} files/s", flush=True)
        Loader(daemon.port, few, 1000).run()
        os.sync()
        daemon.stop()
        daemon.start()
        settle(daemon)
        yield daemon, many, few


def settle(daemon: Daemon) -> None:
    """Waits until the server has nothing to do: it uses less than 0.02 s of a processor a second for three seconds."""
    quiet = 0
    while quiet < 3:
        before = daemon.processor_seconds()
        time.sleep(1)
        quiet = quiet + 1 if daemon.processor_seconds() - before <= 0.02 else 0


class Pages:
    """Reads pages of 1,000 of one account's list over one connection, at random places of it."""

    def __init__(self, daemon: Daemon, headers: Mapping[str, str]):
        self.headers = headers
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
        self.targets = list(self._walk())
        self.random = random.Random(1)

    def _walk(self) -> Iterator[str]:
        target: str | None = "/api/v1/files?limit=1000"
        while target:
            link, entries = self._get(target)
            if entries == 1000:
                yield target
            following = re.search(r'<https?://[^/>]+([^>]+)>; *rel="next"', link)
            target = following[1] if following else None

    def _get(self, target: str) -> tuple[str, int]:
        """Reads one page; returns its Link header and the number of its entries."""
        self.connection.request("GET", target, headers=dict(self.headers))
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {target}: {response.status}, {body[:200]!r}")
        return response.headers.get("Link", ""), body.count(b'"id"')

    def rate(self, count: int = 100) -> float:
        """Pages per second."""
        chosen = self.random.choices(self.targets, k=count)
        began = time.perf_counter()
        for target in chosen:
            self._get(target)
        return count / (time.perf_counter() - began)


def with_many_files(settings: Settings, wanted: list[str]) -> list[Result]:
    """These rows need the same files: they are loaded once."""
    results = []
    with loaded(settings) as (daemon, many, few):
        if "flat" in wanted:
            results.append(flat_row(settings, daemon, many))
        if "list" in wanted:
            results.append(list_row(settings, daemon, many, few))
        if "lookup" in wanted:
            results.extend(lookup_rows(settings, daemon, many, few))
        if "start" in wanted:
            results.append(start_row(settings, daemon, many))
    return results


def flat_row(settings: Settings, daemon: Daemon, many: Mapping[str, str]) -> Result:
    """The same 100 files asked for at random, on this server and on one that has no others."""
    with storaged(settings.directory) as small:
        few = new_member(small.url).client.headers
        Loader(small.port, few, 100).run()
        os.sync()

        def rate(server: Daemon, headers: Mapping[str, str]) -> Callable[[], float]:
            return lambda: wrk_lookup(server.url, 64, settings.seconds, 100, headers["Authorization"])

        ours, theirs = alternate(settings.pairs, rate(daemon, many), rate(small, few))
    what = f"GET of small files, 64 connections, {settings.files:,} files stored"
    return Result("flat", what, "requests/s", ours, "0.9", "1.0", "100 files stored", theirs)


# A daemon remembers some thousand records: so many files are mostly looked up in the database.
FORGOTTEN_FILES = 50_000


def lookup_rows(settings: Settings, daemon: Daemon, many: Mapping[str, str], few: Mapping[str, str]) -> list[Result]:
    """Lookups among all files: against few, which the daemon remembers, and against some that it does not."""

    def rate(headers: Mapping[str, str], count: int) -> Callable[[], float]:
        return lambda: wrk_lookup(daemon.url, 16, settings.seconds, count, headers["Authorization"])

    what = f"GET by path of {settings.files:,} small files, 16 connections"
    peers = [("of 1,000 files, all remembered", rate(few, 1000))]
    if settings.files > FORGOTTEN_FILES:
        peers.append((f"of {FORGOTTEN_FILES:,} files", rate(many, FORGOTTEN_FILES)))
    results = []
    for peer, their_rate in peers:
        ours, theirs = alternate(settings.pairs, rate(many, settings.files), their_rate)
        results.append(Result("lookup", what, "requests/s", ours, "0.9", "1.0", peer, theirs))
    return results


def list_row(settings: Settings, daemon: Daemon, many: Mapping[str, str], few: Mapping[str, str]) -> Result:
    large, small = Pages(daemon, many), Pages(daemon, few)
    ours, theirs = alternate(settings.pairs, large.rate, small.rate)
    what = f"page of 1,000 of a list with {settings.files:,} files"
    return Result("list", what, "pages/s", ours, "0.9", "1.0", "page of 1,000 of 1,000 files", theirs)


def start_row(settings: Settings, daemon: Daemon, headers: Mapping[str, str]) -> Result:
    samples = []
    for _ in range(settings.pairs):
        daemon.stop()
        began = time.perf_counter()
        daemon.spawn()
        while not answers(daemon, headers):
            time.sleep(0.001)
        samples.append(time.perf_counter() - began)
    what = f"start to first answer, {settings.files:,} files stored"
    return Result("start", what, "s", samples, "0.5 s", "0.1 s", digits=3)


def answers(daemon: Daemon, headers: Mapping[str, str]) -> bool:
    """Whether one stored file is served."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET", "/api/files/" + name_of(500), headers=dict(headers))
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
