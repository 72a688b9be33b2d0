"""
A Postgres that restarts, is cut off, or falls silent: requests under way may fail, nothing acknowledged is lost,
nothing happens twice, and right afterwards everything works again.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest
import requests
from client import Client, new_token, token_client
from commands import fsck
from daemon import Daemon
from expect import problem
from metrics import scrape, total
from stores import change, create_database, psql, use_database
from wire import Wire, head

from cluster import Cluster, held, sessions
from history import Value
from load import SEED, Load, principals, whole_state
from proxy import Proxy, Side, wait_until

pytestmark = pytest.mark.stores("nodes")

# The answers of a server whose database is away. Whether a change was made is then in doubt.
AWAY = frozenset({503})
RECONNECTED = 2.0
FAILED = 10.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as one:
        yield one


class Service:
    """A server of two nodes, or one, with the proxy between it and its database."""

    def __init__(self, directory: Path, cluster: Cluster, nodes: int = 2, **settings: str):
        self.database = create_database(cluster.url)
        self.proxy = Proxy(self.database)
        self.daemon = Daemon(directory, nodes=nodes, DATABASE_URL=self.proxy.url, **settings)
        use_database(self.daemon.data, self.database)

    def __enter__(self) -> Service:
        self.daemon.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.kill()
        self.proxy.__exit__()

    def seconds_until_it_answers(self) -> float:
        """How long it takes until each node has looked somebody up and stored a file."""
        waiting = {port: token_client(f"http://127.0.0.1:{port}") for port in self.daemon.ports}

        def all_work() -> bool:
            for port, client in list(waiting.items()):
                if client.put_name("a.txt").status_code == 204:
                    del waiting[port]
            return not waiting

        return wait_until(all_work, FAILED, "the server works again")


@pytest.fixture
def service(tmp_path: Path, cluster: Cluster) -> Iterator[Service]:
    with Service(tmp_path, cluster) as one:
        yield one


class Faults:
    """Faults under load, in parts; after each, all that clients were told is compared with what is there."""

    def __init__(self, service: Service, left_behind: frozenset[str] = frozenset()):
        self.service = service
        self.left_behind = left_behind
        self.rng = random.Random(SEED)
        self.owners = principals(service.daemon)
        self.before: dict[str, Value] = {}
        self.acknowledged = self.doubtful = self.faults = 0
        self.slowest = 0.0

    def __enter__(self) -> Faults:
        self.load = Load(self.service.daemon, self.owners, self.before, self.rng, AWAY)
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        self.load.stop()
        if failure is not None:
            return
        log = self.service.daemon.log(limit=3_000)
        assert self.service.daemon.alive, f"seed {SEED}\n{log}"
        lost = [worker.lost for worker in self.load.workers if worker.lost]
        assert not lost, f"seed {SEED}: connections of clients were lost: {lost}\n{log}"
        wrong, self.before = self.load.wrong(self.left_behind)
        assert not wrong, f"seed {SEED}, after {self.faults} faults:\n" + "\n".join(wrong[:10]) + "\n" + log
        self.acknowledged += self.load.acknowledged
        self.doubtful += self.load.doubtful

    def healed(self) -> None:
        """One more fault is over; it must answer soon."""
        self.faults += 1
        seconds = self.service.seconds_until_it_answers()
        self.slowest = max(self.slowest, seconds)
        assert seconds < RECONNECTED, f"seed {SEED}, fault {self.faults}: answered after {seconds:.2f} s"

    def report(self, what: str) -> None:
        print(
            f"{self.faults} times {what}, seed {SEED}: {self.acknowledged} changes acknowledged, {self.doubtful} in "
            f"doubt, answered again after {self.slowest:.2f} s at most"
        )
        assert self.acknowledged > 5 * self.faults, "the load was too thin to show anything"


def parts(count: int, size: int) -> list[int]:
    """`count` in pieces of at most `size`."""
    return [min(size, count - start) for start in range(0, count, size)]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.nightly)])
def test_restarts_under_load_lose_nothing(service: Service, cluster: Cluster, mode: str, count: int) -> None:
    # A claim is no durable commit: a crash of the database may forget it, and the scrubber finds the bytes.
    faults = Faults(service, frozenset({"unknown"}) if mode == "immediate" else frozenset())
    for part in parts(count, 5):
        with faults:
            for _ in range(part):
                time.sleep(faults.rng.uniform(0.1, 1))  # the moment of the restart, which is the fault itself
                cluster.restart(mode)
                faults.healed()
    faults.report(f"restart -m {mode}")
    shown = [scrape(f"http://127.0.0.1:{port}") for port in service.daemon.ports]
    assert sum(total(text, "storage_retries_total", service="postgres") for text in shown) > 0


@pytest.mark.parametrize("side", Side, ids=["before", "after"])
@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.nightly)])
def test_connections_cut_at_a_commit_lose_and_double_nothing(service: Service, side: Side, count: int) -> None:
    faults = Faults(service)
    for part in parts(count, 20):
        with faults:
            for _ in range(part):
                trap = service.proxy.cut_at_commit(side, faults.rng.randrange(1, 30))
                assert trap.sprung.wait(FAILED), "nobody committed"
                faults.healed()
    faults.report(f"cut {side.value}")


@pytest.mark.parametrize("resetting", [True, False], ids=["RST", "FIN"])
@pytest.mark.parametrize("count", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_connections_cut_at_any_moment_lose_nothing(service: Service, resetting: bool, count: int) -> None:
    faults = Faults(service)
    for part in parts(count, 10):
        with faults:
            for _ in range(part):
                time.sleep(faults.rng.uniform(0.01, 0.3))  # the moment of the cut
                assert service.proxy.cut(resetting=resetting) > 0
                faults.healed()
    faults.report("cut")


def test_a_database_that_is_gone_is_not_waited_for_and_found_again(tmp_path: Path, cluster: Cluster) -> None:
    with Service(tmp_path, cluster, nodes=1) as service:
        url = service.daemon.url
        client = token_client(url)
        assert client.put_name("old", b"old").status_code == 204
        service.proxy.refuse()
        service.proxy.cut()

        def is_refused_at_once() -> bool:
            began = time.monotonic()
            problem(client.put_name("new"), 503)
            return time.monotonic() - began < 1

        wait_until(is_refused_at_once, 30, "nobody waits for it any more")
        assert total(scrape(url), "storage_retries_total", service="postgres", operation="connect") > 0
        service.proxy.accept()
        assert service.seconds_until_it_answers() < RECONNECTED
        assert client.get("/api/files/old").content == b"old"


def ask_everything(service: Service, token: str) -> list[tuple[str, int, float]]:
    """One request of each kind, all at a time, to each node: what was asked, the status, and how long it took."""
    kinds = [("PUT", "/api/files/new"), ("GET", "/api/files/old"), ("DELETE", "/api/files/gone"), ("GET", "/api/files")]

    def ask(number: int, port: int, method: str, target: str) -> tuple[str, int, float]:
        suffix = f"-{number}" if method in ("PUT", "DELETE") else ""
        began = time.monotonic()
        body = b"new" if method == "PUT" else None
        answer = requests.request(
            method, f"http://127.0.0.1:{port}{target}{suffix}", data=body, headers={"X-Auth-Token": token}, timeout=120
        )
        return f"{method} {target}", answer.status_code, time.monotonic() - began

    tasks = [(number, port, *kind) for number, port in enumerate(service.daemon.ports) for kind in kinds]
    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(lambda task: ask(*task), tasks))


def prepared(service: Service) -> Client:
    """A client with the files that `ask_everything` asks for."""
    client = token_client(service.daemon.url)
    for name in ("old", "gone-0", "gone-1"):
        assert client.put_name(name, name.encode()).status_code == 204
    # What has been read before is asked for in another way.
    for port in service.daemon.ports:
        node = token_client(f"http://127.0.0.1:{port}", client.headers["X-Auth-Token"])
        for _ in range(2):
            assert node.get("/api/files/old").content == b"old"
    return client


def test_a_silent_database_costs_ten_seconds_and_no_locks(service: Service) -> None:
    client = prepared(service)
    faults = Faults(service)
    with faults:
        wait_until(lambda: faults.load.acknowledged > 20, FAILED, "the load is under way")
        service.proxy.freeze()
        began = time.monotonic()
        answers = ask_everything(service, client.headers["X-Auth-Token"])
        late = [answer for answer in answers if answer[2] > FAILED + 0.5]
        assert not late, f"not failed within {FAILED} s: {late}"
        assert all(status in (200, 204, 503) for _, status, _ in answers), answers
        assert 503 in [status for _, status, _ in answers], "the silence was not noticed"
        # Transactions that the server never heard of again end by themselves, and with them their locks. Those of which it
        # got some statements and not the end of the batch are ended by keepalives, which the proxy's host still answers.
        held = (
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'relation' "
            "AND mode <> 'AccessShareLock' AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
            "AND NOT (state = 'active' AND wait_event = 'ClientRead')"
        )
        wait_until(lambda: psql(service.database, held).strip() == "0", 20, "locks of transactions left open")
        silent = time.monotonic() - began
        service.proxy.thaw()
        faults.healed()
    print(f"silent for {silent:.1f} s; the slowest answer took {max(a[2] for a in answers):.2f} s")
    faults.report("half open")


def test_a_silence_that_began_while_nobody_asked_costs_no_more(service: Service) -> None:
    client = prepared(service)
    time.sleep(1.5)  # connections that have rested for a second are asked whether they live
    service.proxy.freeze()
    answers = ask_everything(service, client.headers["X-Auth-Token"])
    assert not [answer for answer in answers if answer[2] > FAILED + 0.5], answers
    assert {status for _, status, _ in answers} == {503}
    service.proxy.thaw()
    service.seconds_until_it_answers()
    assert client.get("/api/files/old").content == b"old" and fsck(service.daemon)[0] == []


def test_a_silent_host_is_passed_over(tmp_path: Path, cluster: Cluster) -> None:
    database = create_database(cluster.url)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = f"127.0.0.1:{silent.getsockname()[1]},"
        url = database.replace("@", f"@{mute}")
        with Daemon(tmp_path, nodes=1, DATABASE_URL=url) as daemon:
            use_database(daemon.data, database)
            daemon.start()
            client = token_client(daemon.url)
            began = time.monotonic()
            assert client.put_name("a", b"a").status_code == 204 and client.get("/api/files/a").content == b"a"
            took = time.monotonic() - began
            assert took < FAILED, f"stored and read after {took:.1f} s"
            # From then on nobody waits for it.
            began = time.monotonic()
            assert all(client.put_name("a", b"%d" % number).status_code == 204 for number in range(10))
            assert time.monotonic() - began < RECONNECTED


def test_two_seconds_of_delay_make_answers_late_and_not_wrong(service: Service) -> None:
    client = prepared(service)
    service.proxy.delay(2)
    answers = ask_everything(service, client.headers["X-Auth-Token"])
    service.proxy.delay(0)
    assert service.seconds_until_it_answers() < RECONNECTED + 2
    names = client.names()
    for number, port in enumerate(service.daemon.ports):
        node = token_client(f"http://127.0.0.1:{port}", client.headers["X-Auth-Token"])
        put, get, delete, listing = (status for _, status, _ in answers[number * 4 : number * 4 + 4])
        assert put in (204, 503) and get in (200, 503) and delete in (204, 503) and listing in (200, 503), answers
        # Acknowledged or refused: never the other way round, and never by half.
        assert put != 204 or node.get(f"/api/files/new-{number}").content == b"new"
        assert delete != 204 or f"gone-{number}" not in names
        assert node.get("/api/files/old").content == b"old"
    assert fsck(service.daemon)[0] == []
    print("answers with 2 s of delay:", ", ".join(f"{what} {status} {took:.1f} s" for what, status, took in answers))
    assert [status for _, status, _ in answers].count(503) < len(answers), "a slow database is no absent one"


UPLOADS = 500
HALF = b"abc" * 30_000  # more than waits in memory for the rest
TIMEOUT = 1.0
POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_POOL_MAX_OVERFLOW": "0", "DATABASE_POOL_TIMEOUT": f"{TIMEOUT:.0f}s"}
LANE = 2
POOL_CONNECTIONS = 10  # of a pool as it is when nothing is said


def test_slow_uploads_hold_no_connections(tmp_path: Path, cluster: Cluster) -> None:
    with Service(tmp_path, cluster, nodes=1, **POOL) as service:
        token = new_token()
        client = token_client(service.daemon.url, token)
        assert client.put_name("other").status_code == 204
        wires = [Wire(service.daemon.port, timeout=60) for _ in range(UPLOADS)]
        for number, wire in enumerate(wires):
            fields = [("X-Auth-Token", token), ("Content-Length", str(2 * len(HALF)))]
            wire.send(head("PUT", f"/api/files/slow-{number}", fields) + HALF)
        wait_until(lambda: service.daemon.staging_files() == UPLOADS, 60, "all uploads are under way")
        slowest = 0.0
        for number in range(20):
            began = time.monotonic()
            assert client.put_name(f"between-{number}").status_code == 204
            assert client.get("/api/files/other").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1, "others wait for uploads that only wait themselves"
        assert not sessions(service.database, "state <> 'idle'"), "uploads hold connections"
        connections = len(sessions(service.database, "true"))
        assert connections <= 2 + LANE
        for wire in wires:
            wire.send(HALF)
        statuses = [wire.read_reply("PUT").status_code for wire in wires]
        for wire in wires:
            wire.close()
        stored = [name for name in client.names() if name.startswith("slow-")]
        assert set(statuses) <= {204, 503} and len(stored) >= statuses.count(204) > 0
        assert all(client.get(f"/api/files/{name}").content == HALF * 2 for name in stored[::25])
        assert fsck(service.daemon)[0] == []
        print(f"{UPLOADS} uploads, {connections} connections, {statuses.count(503)} refused when all ended at once")


CLIENTS = 64


def test_many_clients_share_the_pool(tmp_path: Path, cluster: Cluster) -> None:
    with Service(tmp_path, cluster, nodes=1, UPKEEP_INTERVAL="1s") as service:
        token = new_token()
        assert token_client(service.daemon.url, token).put_name("first").status_code == 204

        def put_some(number: int) -> list[int]:
            client = token_client(service.daemon.url, token)
            return [client.put_name(f"{number}-{turn}").status_code for turn in range(20)]

        connections, deltas = [], []
        with ThreadPoolExecutor(CLIENTS) as threads:
            puts = [threads.submit(put_some, number) for number in range(CLIENTS)]
            while not all(put.done() for put in puts):
                connections.append(len(sessions(service.database, "application_name = 'storaged'")))
                deltas.append(int(psql(service.database, "SELECT count(*) FROM usage_deltas")))
        assert {status for put in puts for status in put.result()} == {204}
        assert 1 < max(connections) <= POOL_CONNECTIONS + LANE, connections
        # What the uploads have added to the usage is added up, by and by, by the upkeep.
        left = "SELECT count(*) FROM usage_deltas"
        wait_until(lambda: psql(service.database, left) == "0", FAILED, "changes that are not added up")
        used = psql(service.database, "SELECT sum(used_files) FROM containers")
        assert int(used) == CLIENTS * 20 + 1 and fsck(service.daemon)[0] == []
        print(f"{max(connections)} connections for {CLIENTS} clients, at most {max(deltas)} changes to add up")


def test_an_exhausted_pool_refuses_after_its_timeout(tmp_path: Path, cluster: Cluster) -> None:
    with Service(tmp_path, cluster, nodes=1, **POOL) as service:
        client = token_client(service.daemon.url)
        assert client.put_name("other", b"other").status_code == 204

        def put(number: int) -> tuple[requests.Response, float]:
            began = time.monotonic()
            own = token_client(service.daemon.url, client.headers["X-Auth-Token"])
            return own.put_name(f"{number}"), time.monotonic() - began

        with held(service.database, "LOCK TABLE blobs IN ACCESS EXCLUSIVE MODE"), ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(put, range(20)))
        refused = [(answer, seconds) for answer, seconds in answers if answer.status_code == 503]
        assert len(refused) >= 18, [answer.status_code for answer, _ in answers]
        for answer, _ in refused:
            problem(answer, 503)
            assert int(answer.headers["Retry-After"]) > 0
        took = sorted(seconds for _, seconds in refused)
        assert took[0] > TIMEOUT - 0.1 and median(took) < TIMEOUT + 0.8, f"seconds until refused: {took}"
        print(f"refused after {took[0]:.2f} to {took[-1]:.2f} s")
        assert service.seconds_until_it_answers() < RECONNECTED
        assert client.get("/api/files/other").content == b"other"
        assert fsck(service.daemon)[0] == []


def test_a_failed_statement_does_not_hurt_its_neighbours(tmp_path: Path, cluster: Cluster) -> None:
    with Service(tmp_path, cluster, nodes=1) as service:
        client = token_client(service.daemon.url)
        for number in range(40):
            assert client.put_name(f"{number}", b"%d" % number).status_code == 204

        def get(number: int) -> tuple[int, int, bytes]:
            own = token_client(service.daemon.url, client.headers["X-Auth-Token"])
            answer = own.get(f"/api/files/{number}")
            return number, answer.status_code, answer.content

        with ThreadPoolExecutor(40) as threads:
            with held(service.database, "LOCK TABLE files IN ACCESS EXCLUSIVE MODE"):
                began = [threads.submit(get, number) for number in range(40)]
                waiting = "wait_event_type = 'Lock' AND datname = current_database()"
                wait_until(lambda: len(sessions(service.database, waiting)) >= LANE, FAILED, "lookups wait")
                # In one step: lookups that wait for the lock for too long fail as well.
                cancel = f"SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity WHERE {waiting}"
                cancelled = int(psql(service.database, cancel))
            answers = [one.result() for one in began]
        failed = [number for number, status, _ in answers if status == 503]
        assert all(content == b"%d" % number for number, status, content in answers if status == 200)
        assert len(failed) + sum(status == 200 for _, status, _ in answers) == 40, answers
        assert cancelled >= LANE and len(failed) <= cancelled
        print(f"{cancelled} statements cancelled, {len(failed)} of 40 lookups failed")


def test_what_was_read_before_is_found_without_the_tables(tmp_path: Path, cluster: Cluster) -> None:
    """Until somebody commits: then it is looked up again, and waits for the lock as everybody does."""
    with Service(tmp_path, cluster, nodes=1) as service:
        client = token_client(service.daemon.url)
        for name in ("read", "unread"):
            assert client.put_name(name, name.encode()).status_code == 204

        def found_while_locked() -> bool:
            for _ in range(3):
                assert client.get("/api/files/read").content == b"read"
            with held(service.database, "LOCK TABLE files IN ACCESS EXCLUSIVE MODE"):
                return client.get("/api/files/read").content == b"read"

        # The server itself commits now and then.
        assert any(found_while_locked() for _ in range(5))
        with held(service.database, "LOCK TABLE files IN ACCESS EXCLUSIVE MODE"):
            assert client.get("/api/files/unread").status_code == 503
            psql(service.database, "CREATE TABLE anything (id BIGINT)")
            assert client.get("/api/files/read").status_code == 503
        assert client.get("/api/files/read").content == b"read"


def test_the_comparison_finds_what_a_lost_change_would_leave(service: Service) -> None:
    """The control for all of the above: somebody else undoes a change, and the usage of a container is wrong."""
    rng = random.Random(SEED)
    load = Load(service.daemon, principals(service.daemon), {}, rng, AWAY)
    wait_until(lambda: load.acknowledged > 50, FAILED, "the load is under way")
    load.stop()
    assert load.wrong()[0] == []
    name, _, path = min(whole_state(service.daemon, load.owners)).partition(":")
    (owner,) = [principal for principal in load.owners if principal.name == name]
    assert Client(service.daemon.url, owner.headers).remove(path).status_code == 204
    assert [line for line in load.wrong()[0] if "an acknowledged write is lost" in line]
    assert change(service.daemon.data, "UPDATE containers SET used_bytes = used_bytes + 1") > 0
    assert {finding["finding"] for finding in fsck(service.daemon)[0]} == {"miscounted"}
