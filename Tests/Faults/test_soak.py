"""
Uploads, overwrites and deletions of the same few contents while two collectors never rest.

With a grace of 0, what a deletion leaves is collected at once, also while the next upload of the same bytes is on its
way. That is safe only because a key is never written again once its deletion was authorised, and because a commit looks
once more whether the blob it is about to refer to is alive: without either, acknowledged files go within seconds here.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from blobs import blobs_of, bytes_stored
from client import Client, Member, new_member, new_token
from commands import done, fsck, lines
from daemon import Daemon
from stores import rows

from collector import Collector
from proxy import wait_until
from soak import CONTENTS, DIALECTS, DIGESTS, Account, Mandate, soak

PROCESSES = 4
CLIENTS = 4  # of each process
LASTING = 1_200  # seconds at most until there were enough races

# Every run draws its own operations; STORAGED_FAULT_SEED repeats the choices of one (not the scheduling of threads).
SEED = int(os.environ.get("STORAGED_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A server that collects every second what was released just now, and keeps no older revisions."""
    settings = {"UPKEEP_INTERVAL": "1s", "UPKEEP_GRACE": "0s", "REVISIONS_KEEP": "0"}
    settings["BLOBS_MEMORY_CACHE"] = "0"  # bytes in memory would hide that those in the store are gone
    with Daemon(tmp_path, **settings) as server:
        yield server.start()


def dialect_of(number: int) -> str:
    return DIALECTS[number % len(DIALECTS)]


class Principals:
    """Who soaks: clients that share a container, and clients with one of their own, all with the same contents."""

    def __init__(self, daemon: Daemon):
        self.shared = new_member(daemon.url)
        self.owners: dict[int, Member] = {}
        for number in range(PROCESSES * CLIENTS):
            if dialect_of(number) == "hash":  # its names are the contents': two of one account would share them
                self.owners[number] = new_member(daemon.url)
        self.tokens = [{"X-Auth-Token": new_token()} for _ in range(2)]

    def headers(self, number: int) -> dict[str, str]:
        if dialect_of(number) == "container":
            return self.tokens[number % len(self.tokens)]
        return dict(self.owners.get(number, self.shared).client.headers)


def account_files(daemon: Daemon, headers: dict[str, str]) -> dict[str, tuple[int, str]]:
    listing = Client(daemon.url, headers).listing()["files"]
    return {record["path"]: (record["size"], record["hash"]) for record in listing}


def lives(daemon: Daemon) -> dict[str, int]:
    """How many blobs of which state there are, and of which generation the lives of contents were."""
    states = {
        row["state"]: row["n"] for row in rows(daemon.data, "SELECT state, count(*) AS n FROM blobs GROUP BY state")
    }
    generations = rows(daemon.data, "SELECT state FROM blobs WHERE gen <> 0")
    later, reborn = len(generations), sum(row["state"] == "gone" for row in generations)
    return {**states, "later generations": later, "later generations collected": reborn}


def run_clients(
    daemon: Daemon, principals: Principals, operations: int, enough: Callable[[], bool], tmp_path: Path
) -> list[Account]:
    """All clients, for so many operations together and until it is enough: a fast server is through before a collector."""
    count = PROCESSES * CLIENTS
    each = operations // count + 1
    end = tmp_path / "enough"
    mandates = [
        Mandate(number, dialect_of(number), principals.headers(number), each, end, SEED) for number in range(count)
    ]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        parts = [processes.submit(soak, daemon.port, mandates[process::PROCESSES]) for process in range(PROCESSES)]
        try:
            wait_until(lambda: enough() or any(part.done() for part in parts), LASTING, "enough races", every=0.2)
        finally:
            end.touch()
        return [account for part in parts for account in part.result()]


@pytest.mark.parametrize("operations", [6_000, pytest.param(200_000, marks=pytest.mark.nightly)])
def test_collectors_that_never_rest_take_nothing_that_is_stored(
    daemon: Daemon, operations: int, tmp_path: Path
) -> None:
    principals = Principals(daemon)
    collector = Collector(daemon)
    collector.start()
    began = time.monotonic()

    def enough() -> bool:
        """Contents were collected and stored again under new keys, many times over, and by both collectors."""
        return collector.blobs > 0 and lives(daemon)["later generations collected"] > operations / 200

    try:
        accounts = run_clients(daemon, principals, operations, enough, tmp_path)
    finally:
        seconds = time.monotonic() - began
        collector.stop()
    errors = [error for account in accounts for error in account.errors]
    assert not errors, f"seed {SEED}: {len(errors)} errors\n" + "\n".join(errors[:10]) + "\n" + daemon.log()
    assert not collector.failures, f"seed {SEED}: {collector.failures[:3]}"
    performed = sum(account.operations for account in accounts)
    assert performed >= operations

    # Everything that was acknowledged is there, nothing else is, and the counts are right.
    done(daemon, "gc", "--grace", "0")
    expected: dict[tuple[tuple[str, str], ...], dict[str, int]] = {}
    for account in accounts:
        headers = principals.headers(account.number)
        expected.setdefault(tuple(headers.items()), {}).update(account.files)
    sizes = []
    for headers, files in expected.items():
        listed = account_files(daemon, dict(headers))
        assert listed == {path: (len(CONTENTS[content]), DIGESTS[content]) for path, content in files.items()}
        sizes.append((len(files), sum(len(CONTENTS[content]) for content in files.values())))
    rows = lines(done(daemon, "user", "list", "--json"))
    usage = sorted((row["files"], row["bytes"]) for row in rows if row["files"])
    assert usage == sorted((count, total) for count, total in sizes if count)
    found, summary = fsck(daemon)
    assert found == [], f"seed {SEED}: {found[:5]}"
    assert summary["read_bytes"] == summary["bytes"] == bytes_stored(daemon.data)

    # Once everything is deleted and collected, not a byte is left.
    for headers, files in expected.items():
        client = Client(daemon.url, dict(headers))
        for path in files:
            assert client.remove(path).status_code == 204
    done(daemon, "gc", "--grace", "0")
    left = blobs_of(daemon.data)
    assert left == [], f"seed {SEED}: {len(left)} files of blobs that nobody can collect any more"
    found, summary = fsck(daemon)
    assert found == [] and summary["bytes"] == 0
    assert daemon.stop() == 0, daemon.log()

    # The races were there.
    history = lives(daemon)
    uploads = sum(account.uploads for account in accounts)
    deletions = sum(account.deletions for account in accounts)
    print(
        f"{performed} operations in {seconds:.1f} s ({performed / seconds:.0f}/s), seed {SEED}: {uploads} uploads, "
        f"{deletions} deletions; gc ran {collector.passes} times and took {collector.blobs} blobs; {history}"
    )
    assert history.get("live", 0) == history.get("pending", 0) == history.get("doomed", 0) == 0
    assert history["later generations collected"] > operations / 200, history
    assert collector.blobs > 0, "the second collector never took anything"
