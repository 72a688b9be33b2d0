"""A server with a faulty S3 server behind it, and faults under load."""

from __future__ import annotations

import random
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

from buckets import Bucket, Server, server
from client import token_client
from commands import done, fsck
from daemon import Daemon, run_command
from stores import change, forget_bucket, use_bucket

from history import Value
from load import SEED, Load, principals
from proxy import wait_until
from s3_proxy import S3Proxy

# The answers of a server whose bytes are away or not to be believed. Whether a change was made is then in doubt.
AWAY = frozenset({502, 503})
# And to a read of bytes that are not what they should be.
UNBELIEVABLE = frozenset({500, *AWAY})
SETTINGS = {"UPKEEP_INTERVAL": "1h", "UPKEEP_GRACE": "0s", "REVISIONS_KEEP": "0", "BLOBS_MEMORY_CACHE": "0"}
RESTLESS = {"UPKEEP_INTERVAL": "1s"}
# How long the proxy is silent before it cuts: shorter than a server waits, which is told of nothing either way.
SILENCE = 1.0
RECOVERED = 35.0
AMPLIFICATION = 1.2


class Service:
    """A server with the proxy between it and its bucket."""

    def __init__(self, directory: Path, at: Server | None = None, **settings: str):
        real = Bucket.fresh(at or server())
        self.real = real
        self.proxy = S3Proxy(real.server.endpoint, SEED)
        self.bucket = real.at(self.proxy.url)
        self.daemon = Daemon(directory, **{**SETTINGS, **self.bucket.settings, **settings})
        use_bucket(self.daemon.data, real)

    def __enter__(self) -> Service:
        self.daemon.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.kill()
        self.proxy.__exit__()
        self.real.clear()
        forget_bucket(self.daemon.data)

    def requests_of(self, act: Callable[[], object]) -> int:
        """How many requests to the bucket something costs."""
        before = self.proxy.ledger.total
        act()
        return self.proxy.ledger.total - before

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command whose way to the bucket is the proxy too."""
        place = {**SETTINGS, "DATA_DIRECTORY": str(self.daemon.data), **self.bucket.settings}
        return run_command(*arguments, directory=self.daemon.directory, **place)

    def check(self) -> None:
        """Nothing is missing, and after one sweep nothing is left that should not be there."""
        # Claims of uploads that failed hold for a quarter of an hour; that is over now.
        change(self.daemon.data, "UPDATE blobs SET claimed_until = claimed_until - 3600000000 WHERE state = 'pending'")
        done(self.daemon, "gc", "--grace", "0")
        assert fsck(self.daemon)[0] == []
        assert self.real.uploads() == []


class Storms:
    """Faults under load, in parts; after each, all that clients were told is compared with what is there."""

    def __init__(self, service: Service):
        self.service = service
        self.rng = random.Random(SEED)
        self.owners = principals(service.daemon)
        self.before: dict[str, Value] = {}
        self.acknowledged = self.doubtful = self.broken = self.refusals = 0

    def __enter__(self) -> Storms:
        self.load = Load(
            self.service.daemon,
            self.owners,
            self.before,
            self.rng,
            AWAY,
            tolerated_reads=UNBELIEVABLE,
            timeout=60,
            may_break=True,
            rest=0.05,
        )
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        self.load.stop()
        self.service.proxy.script.lift()
        if failure is not None:
            return
        log = self.service.daemon.log(limit=3_000)
        assert self.service.daemon.alive, f"seed {SEED}\n{log}"
        lost = [worker.lost for worker in self.load.workers if worker.lost]
        assert not lost, f"seed {SEED}: connections of clients were lost: {lost}\n{log}"
        self.recovered()
        wrong, self.before = self.load.wrong()
        assert not wrong, f"seed {SEED}:\n" + "\n".join(wrong[:10]) + "\n" + log
        self.acknowledged += self.load.acknowledged
        self.doubtful += self.load.doubtful
        self.broken += sum(worker.broken for worker in self.load.workers)
        self.refusals += sum(worker.refusals for worker in self.load.workers)

    def recovered(self) -> float:
        """How long it takes until a new file can be stored and read again."""
        client = token_client(self.service.daemon.url)

        def works() -> bool:
            content = secrets.token_bytes(100)
            if client.put_name("a", content).status_code != 204:
                return False
            answer = client.get("/api/files/a")
            return answer.status_code == 200 and answer.content == content

        return wait_until(works, RECOVERED, "the server works again")

    def report(self, what: str) -> None:
        ledger = self.service.proxy.ledger
        print(
            f"{what}, seed {SEED}: {self.acknowledged} changes acknowledged, {self.doubtful} in doubt, "
            f"{self.refusals} refusals, {self.broken} downloads broken off, {ledger.total} requests to the bucket, "
            f"amplification {ledger.amplification:.3f}"
        )
