"""kill -9 at random moments of a mixed load: what was acknowledged is there afterwards, nothing is there by half."""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from client import Client, new_member, new_token
from commands import fsck
from daemon import Daemon

from history import Value, violations
from workload import Principal, Worker

BLOB = re.compile(r"^[0-9a-f]{64}(\.\d+)?$")
WORKERS = 6
SHARED = [f"/shared/{number}.bin" for number in range(8)]

# Every run draws its own moments; STORAGED_FAULT_SEED repeats the choices of one (not the scheduling of threads).
SEED = int(os.environ.get("STORAGED_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def own_paths(number: int) -> list[str]:
    return [f"/own-{number}/{name}.bin" for name in range(8)]


def load_until_killed(
    daemon: Daemon, principals: list[Principal], before: dict[str, Value], rng: random.Random
) -> list[Worker]:
    """Runs all workers against the server, kills it at some moment, and returns them with their histories."""
    stop = threading.Event()
    workers = [
        Worker(
            port=daemon.port,
            principal=principals[number % len(principals)],
            shared=SHARED,
            own=own_paths(number),
            rng=random.Random(rng.random()),
            stop=stop,
            before=before,
        )
        for number in range(WORKERS)
    ]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.05, 1.5))  # the moment of the crash, which is the fault itself
    daemon.kill()
    stop.set()
    for thread in threads:
        thread.join()
    return workers


def whole_state(daemon: Daemon, principals: list[Principal]) -> dict[str, Value]:
    """Every file of every principal by its real bytes. Lists, records, reads by name and by path must agree."""
    found: dict[str, Value] = {}
    for principal in principals:
        client = Client(daemon.url, principal.headers)
        records = {record["path"]: record for record in client.listing()["files"]}
        assert client.names() == [path[1:] for path in records]
        for path, record in records.items():
            content = client.get("/api/files" + quote(path)).content
            value = hashlib.sha256(content).hexdigest()
            assert (record["size"], record["hash"]) == (len(content), value), f"{path} is not what its record says"
            assert client.download(record["id"]).content == content
            found[principal.key(path)] = value
        for path in [*SHARED, *(path for number in range(WORKERS) for path in own_paths(number))]:
            if path not in records:
                assert client.get("/api/files" + quote(path)).status_code == 404, f"{path} is readable but not listed"
    return found


def damaged_blobs(data: Path) -> list[Path]:
    """Blobs on disk, referred to or not, whose bytes do not hash to their name."""
    blobs = [path for top in ("store", "containers") for path in (data / top).rglob("*") if BLOB.match(path.name)]
    return [path for path in blobs if hashlib.sha256(path.read_bytes()).hexdigest() != path.name[:64]]


def crash_while_starting(daemon: Daemon, rng: random.Random) -> None:
    """A recovery that is itself cut short must not make things worse."""
    daemon.spawn()
    time.sleep(rng.uniform(0, 0.2))
    daemon.kill()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A server that does not outlive a failed test."""
    with Daemon(tmp_path) as server:
        yield server.start()


@pytest.mark.parametrize("cycles", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_no_acknowledged_change_is_lost_and_nothing_is_half_done(daemon: Daemon, cycles: int) -> None:
    rng = random.Random(SEED)
    account = new_member(daemon.url)
    principals = [
        Principal("account", {"Authorization": f"Bearer {account.token}"}),
        Principal("token", {"X-Auth-Token": new_token()}),
    ]
    before: dict[str, Value] = {}
    acknowledged = doubtful = 0
    for cycle in range(cycles):
        workers = load_until_killed(daemon, principals, before, rng)
        history = [operation for worker in workers for operation in worker.history]
        reads = [read for worker in workers for read in worker.reads]
        unexpected = [line for worker in workers for line in worker.unexpected]
        assert not unexpected, f"seed {SEED}, cycle {cycle}: {unexpected[:5]}\n{daemon.log()}"
        acknowledged += sum(not operation.in_doubt for operation in history)
        doubtful += sum(operation.in_doubt for operation in history)

        if rng.random() < 0.3:
            crash_while_starting(daemon, rng)
        daemon.start()
        after = whole_state(daemon, principals)
        wrong = violations(before, history, after, reads)
        assert not wrong, f"seed {SEED}, cycle {cycle}:\n" + "\n".join(wrong)
        assert not damaged_blobs(daemon.data), f"seed {SEED}, cycle {cycle}"
        found, _ = fsck(daemon)
        assert found == [], f"seed {SEED}, cycle {cycle}"
        before = after
    assert daemon.stop() == 0, daemon.log()
    print(f"{cycles} kills, seed {SEED}: {acknowledged} changes acknowledged, {doubtful} in doubt")
    assert acknowledged > 20 * cycles, "the load was too thin to show anything"
