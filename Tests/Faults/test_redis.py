"""A Redis that is killed, silent, slow, lying or flushed: all answers are those of a server without one, and as quick."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from client import Client, Member, basic, new_member, new_token, sign_in, token_client
from commands import done, lines
from daemon import Daemon, run_command
from metrics import scrape, value

from proxy import wait_until
from redis_service import FAULTS, Service

# What is in it is the same over every metadata store; small files are only where the bytes are in a bucket.
pytestmark = pytest.mark.stores("sqlite", "nodes", "s3")
OF_NODES = pytest.mark.stores("nodes")

Fault = Callable[[Service], None]
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
TRUSTED = {"HTTP_TRUSTED_PROXIES": "127.0.0.0/8"}
# Nothing in the memory of a process that it could have of its Redis.
FORGETFUL = {"BLOBS_MEMORY_CACHE": "0"}
# None comes back while the tries of a story are being hashed, however slowly.
SLOW = {"LIMITS_RATE_SIGN_IN": "10/h"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path / "with", **TRUSTED, **FORGETFUL, **SLOW) as one:
        yield one


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Daemon]:
    (tmp_path / "without").mkdir()
    with Daemon(tmp_path / "without", **TRUSTED, **FORGETFUL, **SLOW) as daemon:
        yield daemon.start()


def story(daemon: Daemon, number: int) -> list[Any]:
    """What somebody does with a server, and what it answers to that, but for what is drawn."""
    address = {"X-Forwarded-For": f"203.0.113.{number}"}
    login, password = f"ann-{number}@example.org", "correct horse battery"
    told: list[Any] = []

    def say(answer: requests.Response) -> requests.Response:
        content = answer.content if answer.headers.get("Content-Type") == "application/octet-stream" else None
        code = answer.json()["code"] if "problem" in answer.headers.get("Content-Type", "") else None
        told.append((answer.request.method, answer.status_code, code, content))
        return answer

    someone = Client(daemon.url, address)
    say(someone.post("/api/v1/user/register", json={"login": login, "password": password}))
    for attempt in ("wrong", password):
        say(someone.post("/api/v1/user/auth", json={"login": login, "password": attempt}))
        say(someone.get("/api/v1/files", headers={"Authorization": basic(login, attempt)}))
    bearers = [
        Client(daemon.url, {**address, "Authorization": f"Bearer {sign_in(daemon.url, login, password)}"})
        for _ in range(2)
    ]
    containers = [Client(daemon.url, {**address, "X-Auth-Token": new_token()}) for _ in range(2)]
    for client in (*bearers, *containers):
        for name in ("a.bin", "b.bin"):
            content = f"{number} {name}".encode() * 500
            say(client.put(f"/api/files/{name}", data=content, headers={"Content-Type": "application/octet-stream"}))
        for name in ("a.bin", "b.bin", "a.bin", "c.bin"):
            say(client.get(f"/api/files/{name}"))
        say(client.get("/api/files/a.bin", headers={"Range": "bytes=3-7"}))
        told.append(client.get("/api/files").json())
    say(bearers[0].delete("/api/files/a.bin"))
    say(bearers[1].get("/api/files/a.bin"))
    say(bearers[0].post("/api/v1/user/logout"))
    # Whoever ended it may still remember it elsewhere for a second; asked oftener, it would be too many wrong ones (429).
    has_ended = lambda: all(bearers[0].get("/api/v1/files").status_code == 401 for _ in range(4))  # noqa: E731
    wait_until(has_ended, 1.5, "the token ends", every=0.2)
    say(bearers[0].get("/api/files/b.bin"))
    say(bearers[1].get("/api/files/b.bin"))
    say(containers[0].get("/api/files/b.bin", headers={"X-Auth-Token": "nonsense"}))
    for _ in range(11):
        say(someone.post("/api/v1/user/auth", json={"login": "nobody", "password": "wrong"}))
    return told


def refusals_apart(told: list[Any]) -> list[Any]:
    """Without the last, whose number depends on how often each process was asked."""
    return told[:-11]


@OF_NODES
@EACH
def test_answers_are_those_of_a_server_without_it(service: Service, plain: Daemon, fault: Fault) -> None:
    # Something is in it, and is known to be in it, before anything happens.
    for client in (new_member(service.daemon.url).client, token_client(service.daemon.url)):
        assert client.put_name("a").status_code == 204 and client.get("/api/files/a").status_code == 200
    fault(service)
    expected, found = story(plain, 1), story(service.daemon, 1)
    assert refusals_apart(found) == refusals_apart(expected)
    if len(service.daemon.ports) == 1:
        assert found == expected
    assert service.daemon.alive


@OF_NODES
@EACH
def test_readiness_does_not_depend_on_it(service: Service, fault: Fault) -> None:
    client = Client(service.daemon.url)
    # The first question may have come too late on a machine that is busy.
    is_well = lambda: isinstance(client.get("/api/v1/files/ping").json()["cache"], float | int)  # noqa: E731
    wait_until(is_well, 30, "the cache answers")
    fault(service)
    answer = client.get("/api/v1/files/ping")
    assert answer.status_code == 200 and set(answer.json()) == {"db", "storage", "cache"}
    if fault not in (Service.flushed, Service.full):
        assert answer.json()["cache"] is None
    assert client.get("/readyz").status_code == 200


def test_it_is_used_and_found_again(service: Service) -> None:
    member = new_member(service.daemon.url)
    assert member.client.get("/api/v1/files").status_code == 200
    wait_until(lambda: service.redis.keys() > 0, 5, "a token is in the cache")
    service.proxy.refuse()
    service.proxy.cut()
    for _ in range(20):
        assert token_client(service.daemon.url).get("/api/files").status_code == 200
    assert "going on without it" in service.daemon.log()
    nodes = [f"http://127.0.0.1:{port}" for port in service.daemon.ports]
    assert 1 in [value(scrape(node), "storage_circuit_open", service="redis") for node in nodes]
    service.redis.ask("FLUSHALL")
    service.proxy.accept()

    def is_used() -> bool:
        assert member.client.get("/api/v1/files").status_code == 200
        return service.redis.keys() > 0

    # Each node finds it again for itself.
    wait_until(lambda: is_used() and "answers again" in service.daemon.log(), 60, "the cache is used again", every=0.3)


def test_one_that_is_full_is_still_asked(service: Service) -> None:
    member = new_member(service.daemon.url)
    service.full()
    for _ in range(20):
        assert token_client(service.daemon.url).put_name("a").status_code == 204
        assert member.client.get("/api/v1/files").status_code == 200

    def is_said() -> bool:
        assert member.client.get("/api/v1/files").status_code == 200
        return "takes nothing" in service.daemon.log()

    # A machine that is busy may have given up asking for other reasons, for a while.
    wait_until(is_said, 30, "that is said", every=0.3)
    assert service.daemon.log().count("takes nothing") <= len(service.daemon.ports)
    assert "an error: OOM" in service.daemon.log()


def test_it_need_not_be_there_at_the_start(tmp_path: Path) -> None:
    with Daemon(tmp_path, CACHE_URL="redis://:hunter2@127.0.0.1:1") as daemon:
        daemon.start()
        assert "cannot be reached" in daemon.log() and "hunter2" not in daemon.log()
        assert token_client(daemon.url).put_name("a").status_code == 204
        assert Client(daemon.url).get("/api/v1/files/ping").json()["cache"] is None


@pytest.mark.parametrize("url", ["redis://", "rediss://127.0.0.1", "localhost:6379", "redis://a:b@c@d"])
def test_an_address_that_is_none_ends_the_start(tmp_path: Path, url: str) -> None:
    result = run_command("serve", directory=tmp_path, REDIS_URL=url)
    assert result.returncode == 78
    assert "cache.url" in result.stderr and "redis://" in result.stderr


def test_nothing_in_it_tells_a_secret(service: Service) -> None:
    member = new_member(service.daemon.url)
    token = new_token()
    owner = token_client(service.daemon.url, token)
    for client in (member.client, owner):
        client.put_name("a-secret-name")
        client.get("/api/v1/files")
    wait_until(lambda: service.redis.keys() > 0, 5, "something is in the cache")
    everything = dump(service)
    for secret in (member.token, token, token.replace("-", ""), member.password, "a-secret-name"):
        assert secret.encode() not in everything, secret


def dump(service: Service) -> bytes:
    """Every name and value, as Redis' own protocol writes them."""
    script = (
        "local all={} for _,k in ipairs(redis.call('KEYS','*')) do all[#all+1]=k all[#all+1]=redis.call('GET',k) end "
        "return table.concat(all,'|')"
    )
    target = urlsplit(service.redis.url)
    with socket.create_connection((str(target.hostname), int(target.port or 0)), timeout=30) as connection:
        connection.sendall(f'AUTH {target.password}\r\nEVAL "{script}" 0\r\nQUIT\r\n'.encode())
        with connection.makefile("rb") as answers:
            return answers.read()


@OF_NODES
def test_a_token_that_ends_at_one_node_ends_at_the_other_within_a_second(service: Service) -> None:
    for round_number in range(6):
        member = new_member(service.daemon.url)
        first, second = (
            Client(f"http://127.0.0.1:{port}", member.client.headers) for port in service.daemon.ports
        )
        # The other node has heard of the database's time just now.
        assert Client(second.url, new_member(second.url).client.headers).get("/api/v1/files").status_code == 200
        assert first.get("/api/v1/files").status_code == 200
        time.sleep(0.15 * round_number)
        if round_number % 2:
            assert first.post("/api/v1/user/logout").status_code == 204
            assert first.get("/api/v1/files").status_code == 401
        else:
            tokens = lines(done(service.daemon, "token", "list", member.login, "--json"))
            done(service.daemon, "token", "revoke", member.login, tokens[0]["id"])
        ended = time.monotonic()
        # Asked all the time, each node may learn it from the other again and again. What counts is when it was asked.
        asked = ended
        while (answer := second.get("/api/v1/files").status_code) == 200:
            assert asked - ended < 1.05, "the token lives on"
            asked = time.monotonic()
        assert answer == 401
        time.sleep(max(0.0, ended + 1.05 - time.monotonic()))
        for client in (first, second):
            assert client.get("/api/v1/files").status_code == 401


@OF_NODES
def test_nodes_count_wrong_passwords_together(tmp_path: Path) -> None:
    with Service(tmp_path, LIMITS_RATE_SIGN_IN="8/h", **TRUSTED) as service:
        ports = service.daemon.ports

        def tries(address: str) -> int:
            statuses = []
            for number in range(40):
                body = {"login": "nobody", "password": f"wrong {number}"}
                url = f"http://127.0.0.1:{ports[number % len(ports)]}/api/v1/user/auth"
                answer = requests.post(url, json=body, headers={"X-Forwarded-For": address}, timeout=60)
                statuses.append(answer.status_code)
            assert set(statuses) == {401, 429}
            return statuses.count(401)

        # One more for each other node. On a machine that is busy answers may come too late to count: then once more, from elsewhere.
        counts = [tries("192.0.2.1")]
        while counts[-1] == 8 * len(ports) and len(counts) < 5:
            counts.append(tries(f"192.0.2.{len(counts) + 1}"))
        assert 8 <= counts[-1] < 8 * len(ports), counts
        service.killed()
        assert tries("192.0.2.99") == 8 * len(ports)


@pytest.mark.stores("s3")
def test_small_files_in_a_bucket_are_read_from_it(service: Service) -> None:
    client = token_client(service.daemon.url)
    content = secrets.token_bytes(5_000)
    assert client.put("/api/files/a", data=content).status_code == 204
    before = service.redis.keys()
    for _ in range(3):
        assert client.get("/api/files/a").content == content
    wait_until(lambda: service.redis.keys() > before, 5, "the file is in the cache")
    # Its bytes are what is asked for, whatever Redis has for them.
    script = "for _,k in ipairs(redis.call('KEYS','*blob*')) do redis.call('SET',k,'lies') end return 1"
    assert service.redis.ask("EVAL", f'"{script}"', "0") == b":1"
    assert client.get("/api/files/a").content == content


# Under load


class Readers:
    """Clients that read and write all the time; each answer must be right."""

    def __init__(self, daemon: Daemon, count: int = 4):
        self.daemon = daemon
        self.wrong: list[object] = []
        self.milliseconds: list[float] = []
        self._ended = threading.Event()
        members = [new_member(daemon.url) for _ in range(count)]
        self._threads = ThreadPoolExecutor(count)
        self._runs = [self._threads.submit(self._run, *one) for one in enumerate(members)]

    def stop(self) -> None:
        self._ended.set()
        for run in self._runs:
            run.result()
        self._threads.shutdown()

    def _run(self, number: int, member: Member) -> None:
        content = f"{number}".encode() * 1_000
        assert member.client.put("/api/files/a", data=content).status_code == 204
        while not self._ended.is_set():
            # Somebody new, of whom no process can know anything.
            for client, path, expected in (
                (token_client(self.daemon.url), "/api/files", b"[]"),
                (member.client, "/api/files/a", content),
            ):
                began = time.monotonic()
                answer = client.get(path)
                self.milliseconds.append((time.monotonic() - began) * 1_000)
                if answer.status_code != 200 or answer.content != expected:
                    self.wrong.append((path, answer.status_code, answer.content[:100]))

    @property
    def p99(self) -> float:
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.99)]


def measured(daemon: Daemon, seconds: float, during: Callable[[], None]) -> Readers:
    """Has had right answers only."""
    readers = Readers(daemon)
    try:
        time.sleep(seconds / 4)  # of the load, before the fault comes
        during()
        time.sleep(seconds)
    finally:
        readers.stop()
    assert readers.wrong == []
    return readers


@pytest.mark.stores("nodes", "s3")
@EACH
@pytest.mark.parametrize("seconds", [2.0, pytest.param(15.0, marks=pytest.mark.nightly)])
def test_under_load_all_answers_are_right_and_in_time(
    service: Service, plain: Daemon, fault: Fault, seconds: float
) -> None:
    without = measured(plain, seconds, lambda: None)
    faulty = measured(service.daemon, seconds, lambda: fault(service))
    print(
        f"{fault.__name__}: p99 {faulty.p99:.1f} ms of {len(faulty.milliseconds)} answers; "
        f"without Redis {without.p99:.1f} ms of {len(without.milliseconds)}"
    )
    # The short run is for right answers: its times are those of a machine that does other things as well.
    if seconds > 10:
        assert faulty.p99 <= without.p99 + 5
