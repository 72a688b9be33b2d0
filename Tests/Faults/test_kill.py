"""kill -9 at random moments of a mixed load: what was acknowledged is there afterwards, nothing is there by half."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon
from lanes import direct

from history import Value
from load import SEED, Load, principals


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


@direct("nginx answers where no node listens; test_stack.py stops nodes behind it")
@pytest.mark.parametrize("cycles", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_no_acknowledged_change_is_lost_and_nothing_is_half_done(daemon: Daemon, cycles: int) -> None:
    rng = random.Random(SEED)
    owners = principals(daemon)
    before: dict[str, Value] = {}
    acknowledged = doubtful = 0
    for cycle in range(cycles):
        load = Load(daemon, owners, before, rng)
        time.sleep(rng.uniform(0.05, 1.5))  # the moment of the crash, which is the fault itself
        daemon.kill()
        load.stop()
        acknowledged += load.acknowledged
        doubtful += load.doubtful

        if rng.random() < 0.3:
            crash_while_starting(daemon, rng)
        daemon.start()
        wrong, before = load.wrong()
        assert not wrong, f"seed {SEED}, cycle {cycle}:\n" + "\n".join(wrong[:10]) + "\n" + daemon.log()
    assert daemon.stop() == 0, daemon.log()
    print(f"{cycles} kills, seed {SEED}: {acknowledged} changes acknowledged, {doubtful} in doubt")
    assert acknowledged > 5 * cycles, "the load was too thin to show anything"
