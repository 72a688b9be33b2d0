"""Clients that change files side by side while something is done to the server, and what is found afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from blobs import Blob, blobs_of
from client import Client, new_member, new_token
from commands import fsck
from daemon import Daemon

from history import Operation, Value, violations
from workload import Principal, Worker

BLOB = re.compile(r"^[0-9a-f]{64}(\.\d+)?$")
WORKERS = 6
SHARED = [f"/shared/{number}.bin" for number in range(8)]

# Every run draws its own moments; STORAGED_FAULT_SEED repeats the choices of one (not the scheduling of threads).
SEED = int(os.environ.get("STORAGED_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def own_paths(number: int) -> list[str]:
    return [f"/own-{number}/{name}.bin" for name in range(8)]


def principals(daemon: Daemon) -> list[Principal]:
    """An account and the owner of a container, who share nothing."""
    account = new_member(daemon.url)
    return [
        Principal("account", {"Authorization": f"Bearer {account.token}"}),
        Principal("token", {"X-Auth-Token": new_token()}),
    ]


class Load:
    """Workers on a server until they are stopped; `before` is what everybody had when they began."""

    def __init__(
        self,
        daemon: Daemon,
        owners: Sequence[Principal],
        before: dict[str, Value],
        rng: random.Random,
        tolerated: frozenset[int] = frozenset(),
        tolerated_reads: frozenset[int] = frozenset(),
        timeout: float = 30,
        may_break: bool = False,
        rest: float = 0,
        keeps_connections: bool = True,
    ):
        self.daemon = daemon
        self.owners = owners
        self.before = before
        self.ended = threading.Event()
        self.workers = [
            Worker(
                port=daemon.port,
                principal=owners[number % len(owners)],
                shared=SHARED,
                own=own_paths(number),
                rng=random.Random(rng.random()),
                stop=self.ended,
                before=before,
                tolerated=tolerated,
                tolerated_reads=tolerated_reads,
                timeout=timeout,
                may_break=may_break,
                rest=rest,
                keeps_connections=keeps_connections,
            )
            for number in range(WORKERS)
        ]
        self.threads = [threading.Thread(target=worker.run) for worker in self.workers]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    @property
    def history(self) -> list[Operation]:
        return [operation for worker in self.workers for operation in worker.history]

    @property
    def acknowledged(self) -> int:
        return sum(not operation.in_doubt for operation in self.history)

    @property
    def doubtful(self) -> int:
        return sum(operation.in_doubt for operation in self.history)

    @property
    def unexpected(self) -> list[str]:
        return [line for worker in self.workers for line in worker.unexpected]

    def wrong(self, left_behind: frozenset[str] = frozenset()) -> tuple[list[str], dict[str, Value]]:
        """All that is not as the clients were told, and what there is now. `left_behind` may be found by fsck."""
        after = whole_state(self.daemon, self.owners)
        reads = [read for worker in self.workers for read in worker.reads]
        found = self.unexpected + violations(self.before, self.history, after, reads)
        found += [f"{blob.key} does not hash to its name" for blob in damaged_blobs(self.daemon.data)]
        found += [str(finding) for finding in fsck(self.daemon)[0] if finding["finding"] not in left_behind]
        return found, after


def whole_state(daemon: Daemon, owners: Sequence[Principal]) -> dict[str, Value]:
    """Every file of every principal by its real bytes. Lists, records, reads by name and by path must agree."""
    found: dict[str, Value] = {}
    for principal in owners:
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


def damaged_blobs(data: Path) -> list[Blob]:
    """Blobs, referred to or not, whose bytes do not hash to their name; one that is collected meanwhile is none."""

    def is_damaged(blob: Blob) -> bool:
        try:
            return hashlib.sha256(blob.read()).hexdigest() != blob.name[:64]
        except FileNotFoundError:
            return False

    return [blob for blob in blobs_of(data) if BLOB.match(blob.name) and is_damaged(blob)]
