"""A second collector beside the server's own, which never rests."""

from __future__ import annotations

import json
import subprocess
import threading

from commands import done
from daemon import Daemon

from proxy import wait_until


class Collector(threading.Thread):
    """`storaged gc --grace 0`, again and again, beside the server's own collector."""

    def __init__(self, daemon: Daemon):
        super().__init__()
        self.daemon_under_test = daemon
        self.ended = threading.Event()
        self.blobs = 0
        self.passes = 0
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                self.blobs += json.loads(done(self.daemon_under_test, "gc", "--grace", "0", "--json"))["blobs"]
            except (AssertionError, subprocess.TimeoutExpired) as failure:
                self.failures.append(str(failure))
            self.passes += 1

    def wait_for(self, passes: int) -> None:
        """Returns when it has begun and ended that often from now on."""
        if passes:
            until = self.passes + passes + 1
            wait_until(lambda: self.passes >= until, 60, "the collector goes on")

    def stop(self) -> None:
        self.ended.set()
        self.join()
