"""
Two nodes over one database and one data directory: whatever two clients do at the same moment through different nodes
has one outcome, and what one node has done the other knows.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from client import Client, basic, new_member, new_token, token_client
from commands import done, fsck, lines
from daemon import Daemon
from stores import rows

from collector import Collector
from load import SEED
from proxy import wait_until
from soak import BYTES, Connection

pytestmark = pytest.mark.stores("nodes")

ROUNDS = pytest.mark.parametrize("rounds", [200, pytest.param(2_000, marks=pytest.mark.nightly)])
LANES = 4  # pairs of clients that race at the same time

# Bytes in memory would hide that those in the store are gone.
RESTLESS = {"UPKEEP_INTERVAL": "1s", "UPKEEP_GRACE": "0s", "REVISIONS_KEEP": "0", "BLOBS_MEMORY_CACHE": "0"}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, **RESTLESS) as server:
        yield server.start()


@pytest.fixture
def collector(daemon: Daemon) -> Iterator[Collector]:
    """Collects without pause, beside the upkeep of the nodes."""
    one = Collector(daemon)
    one.start()
    yield one
    one.stop()
    assert not one.failures, one.failures[:3]
    assert one.passes > 0


class Runner:
    """One client of one node."""

    def __init__(self, port: int, token: str):
        self.connection = Connection(port)
        self.authenticate(token)

    def authenticate(self, token: str) -> None:
        self.headers = f"X-Auth-Token: {token}\r\n"

    def put(self, name: str, content: bytes) -> int:
        headers = f"{self.headers}Content-Type: {BYTES}\r\n"
        return self.connection.request("PUT", f"/api/files/{name}", headers, content)[0]

    def delete(self, name: str) -> int:
        return self.connection.request("DELETE", f"/api/files/{name}", self.headers)[0]

    def delete_tree(self, folder: str) -> int:
        return self.connection.request("DELETE", f"/api/v1/files?path=/{folder}&recursive=true", self.headers)[0]

    def move(self, source: str, target: str) -> int:
        body = json.dumps({"from": f"/{source}", "to": f"/{target}"}).encode()
        headers = f"{self.headers}Content-Type: application/json\r\n"
        return self.connection.request("POST", "/api/v1/files/move", headers, body)[0]

    def get(self, name: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        status, content = self.connection.request("GET", f"/api/files/{name}", self.headers)
        assert status in (200, 404), (status, content)
        return content if status == 200 else None


class Lane:
    """
    A pair of clients, one of each node and in turn, whose requests meet: they begin at the same moment, or one of them
    while the other is under way, or has just ended. Left to themselves, the quicker of two kinds would always be first.
    """

    def __init__(self, daemon: Daemon, number: int, token: str):
        self.number = number
        self.rng = random.Random(f"{SEED}/{number}")
        self.runners = [Runner(port, token) for port in daemon.ports]
        self.outcomes: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(1)
        self._barrier = threading.Barrier(2)
        self._seconds = 0.0  # that the last race took, without its head start

    def race(self, first: Callable[[Runner], int], second: Callable[[Runner], int]) -> tuple[int, int]:
        """The statuses of both."""
        self.rng.shuffle(self.runners)
        delays = [0.0, self.rng.choice((0, self.rng.uniform(0, 2 * self._seconds)))]
        self.rng.shuffle(delays)

        def run(act: Callable[[Runner], int], runner: Runner, delay: float) -> int:
            self._barrier.wait(30)
            time.sleep(delay)
            return act(runner)

        other = self._threads.submit(run, second, self.runners[1], delays[1])
        began = time.monotonic()
        statuses = run(first, self.runners[0], delays[0]), other.result()
        self._seconds = max(time.monotonic() - began - max(delays), 0)
        return statuses

    def seen(self, name: str) -> bytes | None:
        """What both nodes say of a file, which must be the same."""
        one, other = (runner.get(name) for runner in self.runners)
        assert one == other, f"the nodes do not agree on {name}"
        return one


def in_lanes(daemon: Daemon, rounds: int, play: Callable[[Lane, int], None]) -> Counter[str]:
    """Plays all rounds, some at a time, and says how often each outcome came."""
    lanes = [Lane(daemon, number, new_token()) for number in range(LANES)]

    def run(lane: Lane) -> Counter[str]:
        for number in range(rounds // LANES):
            play(lane, number)
        return lane.outcomes

    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as threads:
        outcomes = sum(threads.map(run, lanes), Counter())
    print(f"{rounds} rounds in {time.monotonic() - began:.1f} s, seed {SEED}: {dict(outcomes)}")
    found, _ = fsck(daemon)
    assert found == [], f"seed {SEED}: {found[:5]}"
    return outcomes


@ROUNDS
def test_of_two_contents_for_one_path_one_wins_as_a_whole(daemon: Daemon, collector: Collector, rounds: int) -> None:
    def play(lane: Lane, number: int) -> None:
        name = f"{lane.number}-{number % 3}"
        contents = [letter * lane.rng.choice((1, 1_000, 70_000)) + os.urandom(8) for letter in (b"a", b"b")]
        statuses = lane.race(lambda one: one.put(name, contents[0]), lambda one: one.put(name, contents[1]))
        assert statuses == (204, 204), statuses
        seen = lane.seen(name)
        assert seen in contents, f"neither of the two: {seen and seen[:20]!r}, {seen and len(seen)} bytes"
        lane.outcomes["first" if seen == contents[0] else "second"] += 1

    outcomes = in_lanes(daemon, rounds, play)
    assert min(outcomes["first"], outcomes["second"]) > rounds / 20, "the requests did not meet"


@ROUNDS
def test_the_same_bytes_for_two_paths_are_stored_once_and_readable_at_both(
    daemon: Daemon, collector: Collector, rounds: int
) -> None:
    def play(lane: Lane, number: int) -> None:
        content = os.urandom(lane.rng.choice((1, 1_000, 70_000))) + b"%d/%d" % (lane.number, number)
        names = [f"{lane.number}-{number % 3}-{which}" for which in "ab"]
        statuses = lane.race(lambda one: one.put(names[0], content), lambda one: one.put(names[1], content))
        assert statuses == (204, 204), statuses
        assert [lane.seen(name) for name in names] == [content, content]
        lane.outcomes["both"] += 1

    in_lanes(daemon, rounds, play)
    twice = "SELECT count(*) AS n FROM blobs WHERE state = 'live' GROUP BY space, hash HAVING count(*) > 1"
    assert rows(daemon.data, twice) == []


@ROUNDS
def test_an_overwrite_against_a_delete_ends_with_either_and_never_with_the_old(
    daemon: Daemon, collector: Collector, rounds: int
) -> None:
    def play(lane: Lane, number: int) -> None:
        name = f"{lane.number}-{number % 3}"
        old, new = b"old" + os.urandom(8), b"new" + os.urandom(8)
        assert lane.runners[0].put(name, old) == 204
        statuses = lane.race(lambda one: one.put(name, new), lambda one: one.delete(name))
        assert statuses == (204, 204), statuses
        seen = lane.seen(name)
        assert seen in (new, None), f"what was overwritten or deleted is there: {seen!r}"
        lane.outcomes["deleted" if seen is None else "overwritten"] += 1

    outcomes = in_lanes(daemon, rounds, play)
    assert min(outcomes["deleted"], outcomes["overwritten"]) > rounds / 50, "the requests did not meet"


@ROUNDS
def test_the_first_writes_of_a_new_token_open_one_container(daemon: Daemon, rounds: int) -> None:
    def play(lane: Lane, number: int) -> None:
        token = new_token()
        for runner in lane.runners:
            runner.authenticate(token)
        statuses = lane.race(lambda one: one.put("a", b"a"), lambda one: one.put("b", b"b"))
        assert statuses == (204, 204), statuses
        assert (lane.seen("a"), lane.seen("b")) == (b"a", b"b")
        lane.outcomes["both"] += 1

    in_lanes(daemon, rounds, play)
    assert len(lines(done(daemon, "user", "list", "--json"))) == rounds


@ROUNDS
def test_what_is_moved_out_of_a_folder_in_time_is_not_deleted_with_it(daemon: Daemon, rounds: int) -> None:
    """`fsck` compares the usage of the container afterwards: nothing is taken off it twice."""

    def play(lane: Lane, number: int) -> None:
        folder, target = f"{lane.number}-{number % 3}", f"out-{lane.number}"
        lane.runners[0].delete(target)
        for name in ("a", "b", "deep/c"):
            assert lane.runners[0].put(f"{folder}/{name}", name.encode()) == 204
        moves = {
            "a file": lambda one: one.move(f"{folder}/b", target),
            "a folder": lambda one: one.move(f"{folder}/deep", target),
            "the whole": lambda one: one.move(folder, target),
        }
        what = lane.rng.choice(list(moves))
        deleted, moved = lane.race(lambda one: one.delete_tree(folder), moves[what])
        assert deleted in ((204, 404) if what == "the whole" else (204,)), deleted
        assert moved in (200, 404), moved
        there = {"a file": target, "a folder": f"{target}/c", "the whole": f"{target}/deep/c"}[what]
        if moved == 200:
            assert lane.seen(there) is not None, f"{what} was moved, and is gone"
            assert lane.runners[0].delete_tree(target) == 204 if what != "a file" else True
        else:
            assert lane.seen(there) is None
        assert [lane.seen(f"{folder}/{name}") for name in ("a", "b", "deep/c")] == [None] * 3
        lane.outcomes[f"{what} {moved}"] += 1

    outcomes = in_lanes(daemon, rounds, play)
    assert len({outcome.rpartition(" ")[2] for outcome in outcomes}) == 2, "the requests did not meet"


@ROUNDS
def test_a_folder_and_one_below_it_are_deleted_at_once_and_counted_once(daemon: Daemon, rounds: int) -> None:
    def play(lane: Lane, number: int) -> None:
        folder = f"{lane.number}-{number % 3}"
        for name in ("a", "deep/b", "deep/c", "deep/er/d"):
            assert lane.runners[0].put(f"{folder}/{name}", b"bytes of " + name.encode()) == 204
        below = lane.rng.choice((f"{folder}/deep", f"{folder}/deep/er"))
        outer, inner = lane.race(lambda one: one.delete_tree(folder), lambda one: one.delete_tree(below))
        assert outer == 204 and inner in (204, 404), (outer, inner)
        assert lane.seen(f"{folder}/deep/b") is None
        lane.outcomes[str(inner)] += 1

    outcomes = in_lanes(daemon, rounds, play)
    assert len(outcomes) == 2, "the requests did not meet"


@ROUNDS
def test_a_file_is_not_left_below_a_folder_that_is_gone(daemon: Daemon, rounds: int) -> None:
    def play(lane: Lane, number: int) -> None:
        folder = f"{lane.number}-{number}"
        assert lane.runners[0].put(f"{folder}/first", b"1") == 204
        assert lane.runners[0].delete(f"{folder}/first") == 204
        stored, deleted = lane.race(lambda one: one.put(f"{folder}/second", b"2"), lambda one: one.delete_tree(folder))
        assert (stored, deleted) == (204, 204), (stored, deleted)
        lane.outcomes["kept" if lane.seen(f"{folder}/second") == b"2" else "deleted"] += 1

    outcomes = in_lanes(daemon, rounds, play)
    assert len(outcomes) == 2, "the requests did not meet"
    # The slash of the path, and what is before it, as text or as the bytes of text.
    orphans = """
        SELECT count(*) AS n FROM files f WHERE depth = 1 AND NOT EXISTS (SELECT 1 FROM files p
        WHERE p.container_id = f.container_id AND p.depth = 0 AND p.path = substring(f.path FROM 1 FOR length(p.path)))
    """
    assert rows(daemon.data, orphans)[0]["n"] == 0


CONTENTS = [random.Random(number).randbytes(40 + 3_000 * number) for number in range(4)]


@ROUNDS
def test_the_last_reference_is_deleted_while_the_same_content_is_stored(
    daemon: Daemon, collector: Collector, rounds: int
) -> None:
    """Each container has few contents, so that each of them is nobody's again and again."""

    def play(lane: Lane, number: int) -> None:
        content = CONTENTS[number // 2 % len(CONTENTS)]
        held, wanted = (f"{lane.number}-{which}" for which in ("ab" if number % 2 == 0 else "ba"))
        if number % 2 == 0:
            for name in (held, wanted):
                lane.runners[0].delete(name)
            assert lane.runners[0].put(held, content) == 204
        statuses = lane.race(lambda one: one.delete(held), lambda one: one.put(wanted, content))
        assert statuses == (204, 204), statuses
        # At once, and after the collectors have passed by some times.
        for passes in (0, lane.rng.choice((0, 0, 2))):
            collector.wait_for(passes)
            assert lane.seen(wanted) == content, "an acknowledged upload is lost"
        assert lane.seen(held) is None
        lane.outcomes["kept"] += 1

    in_lanes(daemon, rounds, play)
    collected = "SELECT count(*) AS n FROM blobs WHERE gen <> 0"
    assert collector.blobs > 0 and rows(daemon.data, collected)[0]["n"] > 0, "no content was collected and stored again"


# What the other node knows


def other_nodes(daemon: Daemon) -> list[tuple[str, str]]:
    """Each node with the other one."""
    urls = [f"http://127.0.0.1:{port}" for port in daemon.ports]
    return [(urls[0], urls[1]), (urls[1], urls[0])]


@pytest.mark.parametrize("turn", [0, 1])
def test_files_are_seen_by_the_other_node_at_once(daemon: Daemon, turn: int) -> None:
    here, there = other_nodes(daemon)[turn]
    member = new_member(here)
    one = Client(here, member.client.headers)
    other = Client(there, member.client.headers)
    for number in range(50):
        path, first, second = f"/folder/{number}.txt", b"first %d" % number, b"second %d" % number
        assert one.upload(path, first).status_code == 201
        assert other.download(path).content == first and path in other.paths()
        etag = other.download(path).headers["ETag"]
        assert one.upload(path, second).status_code == 200
        answer = other.download(path, {"If-None-Match": etag})
        assert (answer.status_code, answer.content) == (200, second)
        assert other.move(path, path + ".moved").status_code == 200
        assert one.download(path).status_code == 404 and one.download(path + ".moved").content == second
        assert one.remove(path + ".moved").status_code == 204
        assert other.download(path + ".moved").status_code == 404 and other.paths() == []


@pytest.mark.parametrize("turn", [0, 1])
def test_links_are_seen_by_the_other_node_at_once(daemon: Daemon, turn: int) -> None:
    here, there = other_nodes(daemon)[turn]
    member = new_member(here)
    one, other, anonymous = member.client, Client(there, member.client.headers), Client(there)
    for number in range(20):
        content = b"content %d of %d" % (number, turn) + os.urandom(8)
        digest = sha256(content).hexdigest()
        assert anonymous.get(f"/api/files?hash={digest}").status_code == 404
        assert one.post("/api/files", data=content).status_code == 200
        assert anonymous.get(f"/api/files?hash={digest}").content == content
        uid = one.post("/http/upload", files={"file": ("a.bin", content)}).json()["uid"]
        assert anonymous.get(f"/http/load/{uid}").content == content
        assert one.delete(f"/api/files?hash={digest}").status_code == 200
        assert anonymous.get(f"/api/files?hash={digest}").status_code == 404
        for path in one.paths():
            assert other.remove(path).status_code == 204
        assert Client(here).get(f"/http/load/{uid}").status_code == 404


SECOND = 1.0
NOISE = 0.5  # of a machine that does other things too


def refused_within(client: Client) -> float:
    """How long it takes until a client that was let in is not any more; once out, it stays out."""
    seconds = wait_until(lambda: client.get("/api/v1/files").status_code == 401, 10, "the credential ends")
    assert all(client.get("/api/v1/files").status_code == 401 for _ in range(5))
    return seconds


@pytest.mark.parametrize("turn", [0, 1])
def test_a_credential_that_ended_ends_at_the_other_node_within_a_second(daemon: Daemon, turn: int) -> None:
    here, there = other_nodes(daemon)[turn]
    took: dict[str, list[float]] = {}
    for _ in range(5):
        member = new_member(here)
        with_password = Client(there, {"Authorization": basic(member.login, member.password)})
        other = Client(there, member.client.headers)
        assert other.get("/api/v1/files").status_code == with_password.get("/api/v1/files").status_code == 200
        assert member.client.post("/api/v1/user/logout").status_code == 204
        took.setdefault("signed out", []).append(refused_within(other))

        token = done(daemon, "token", "add", member.login).strip()
        other = Client(there, {"Authorization": f"Bearer {token}"})
        assert other.get("/api/v1/files").status_code == 200
        (row,) = lines(done(daemon, "token", "list", member.login, "--json"))
        done(daemon, "token", "revoke", member.login, row["id"])
        took.setdefault("revoked", []).append(refused_within(other))

        changed = {"password": member.password, "new_password": new_token()}
        answer = Client(here, with_password.headers).post("/api/v1/user/password", json=changed)
        assert answer.status_code == 204
        took.setdefault("another password", []).append(refused_within(with_password))

        with_password = Client(there, {"Authorization": basic(member.login, changed["new_password"])})
        assert with_password.get("/api/v1/files").status_code == 200
        done(daemon, "user", "disable", member.login)
        took.setdefault("disabled", []).append(refused_within(with_password))
    # A machine that does other things too may keep one of five waiting.
    slowest = {what: round(sorted(seconds)[-2], 2) for what, seconds in took.items()}
    print(f"seconds until the other node refused: {slowest}")
    assert max(slowest.values()) <= SECOND + NOISE, slowest


@pytest.mark.parametrize("turn", [0, 1])
def test_either_node_collects_for_both(daemon: Daemon, turn: int) -> None:
    survivor = token_client(other_nodes(daemon)[turn][0])
    token = survivor.headers["X-Auth-Token"]
    gone = token_client(other_nodes(daemon)[turn][1], token)
    content = b"left by the other node"
    assert gone.put_name("a", content).status_code == 204
    assert list(daemon.data.glob(f"containers/*/*/{sha256(content).hexdigest()}*"))
    daemon.processes[1 - turn].kill()
    daemon.processes[1 - turn].wait()
    assert survivor.delete("/api/files/a").status_code == 204
    wait_until(
        lambda: not list(daemon.data.glob(f"containers/*/*/{sha256(content).hexdigest()}*")), 20, "it is collected"
    )
    daemon.processes[1 - turn] = daemon.spawn_one(daemon.ports[1 - turn])
    wait_until(daemon.ready, 30, "the other node is back")
    assert gone.names() == [] and fsck(daemon)[0] == []


def test_uploads_of_an_account_do_not_keep_its_limits_or_its_end_waiting(daemon: Daemon) -> None:
    member = new_member(daemon.url)
    over = threading.Event()
    statuses: Counter[int] = Counter()

    def upload(number: int) -> None:
        runner = Runner(daemon.ports[number % 2], "")
        runner.headers = f"Authorization: {member.client.headers['Authorization']}\r\n"
        count = 0
        while not over.is_set():
            statuses[runner.put(f"{number}-{count}", b"%d of %d" % (count, number))] += 1
            count += 1

    with ThreadPoolExecutor(16) as uploaders:
        running = [uploaders.submit(upload, number) for number in range(16)]
        wait_until(lambda: statuses[204] > 100, 30, "uploads are under way")
        began = time.monotonic()
        for limit in ("1000000", "none", "2000000"):
            done(daemon, "user", "quota", member.login, "--files", limit)
        limited = time.monotonic() - began
        before = statuses[204]
        wait_until(lambda: statuses[204] > before + 50, 30, "uploads go on under the limit")
        done(daemon, "user", "delete", member.login, "--yes")
        ended = time.monotonic() - began - limited
        over.set()
        for one in running:
            one.result()
    print(f"three limits after {limited:.1f} s, the end after {ended:.1f} s; answers: {dict(statuses)}")
    assert set(statuses) <= {204, 401, 404}, statuses
    assert fsck(daemon)[0] == []
