"""
An S3 server that throttles, hangs, lies, forgets or goes away while many clients work: requests under way may fail,
nothing acknowledged is lost, and it is not asked more often than it can bear.
"""

from __future__ import annotations

import itertools
import random
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from blobs import blobs_of
from client import Client, Member, new_member
from expect import problem
from metrics import scrape, total, value

from collector import Collector
from gateway import Gateway
from load import SEED
from proxy import wait_until
from s3_faults import Fault
from s3_proxy import PASSING
from s3_service import AMPLIFICATION, AWAY, RECOVERED, RESTLESS, SILENCE, Service, Storms

pytestmark = pytest.mark.stores("s3")


@pytest.mark.parametrize("count", [200, pytest.param(2_000, marks=pytest.mark.nightly)])
def test_faults_under_load_lose_nothing_and_serve_nothing_wrong(tmp_path: Path, count: int) -> None:
    with Service(tmp_path, **RESTLESS) as service:
        storms, happened = Storms(service), 0
        while happened < count:
            with storms:
                storm = service.proxy.storm(
                    storms.rng, PASSING, min(200, count - happened), probability=0.04, seconds=SILENCE
                )
                storm.over.wait(300)
                happened += sum(storm.happened.values())
                assert storm.over.is_set(), f"only {sum(storm.happened.values())} faults in time"
        kinds = len({fault for _, fault in service.proxy.ledger.faults})
        storms.report(f"{happened} faults of {kinds} kinds")
        assert storms.acknowledged > 2 * count, "the load was too thin to show anything"
        assert service.proxy.ledger.amplification <= AMPLIFICATION
        wait_until(lambda: len(service.proxy.landed) == landing(service), 10, "every late deletion has landed")
        service.check()


def landing(service: Service) -> int:
    """How many deletions were to come late."""
    return sum(count for (_, fault), count in service.proxy.ledger.faults.items() if fault is Fault.LATE)


@pytest.mark.parametrize("count", [3, pytest.param(30, marks=pytest.mark.nightly)])
def test_a_gateway_that_is_killed_under_load_loses_nothing(tmp_path: Path, count: int) -> None:
    with Gateway() as gateway, Service(tmp_path, gateway.server, **RESTLESS) as service:
        storms = Storms(service)
        slowest = 0.0
        for number in range(0, count, 5):
            with storms:
                for _ in range(min(5, count - number)):
                    time.sleep(storms.rng.uniform(0.1, 1))  # the moment of the crash, which is the fault itself
                    gateway.restart()
                    slowest = max(slowest, storms.recovered())
        storms.report(f"{count} kills of the gateway, works again after {slowest:.1f} s at most")
        service.check()


def test_a_burst_of_refusals_costs_few_requests_and_a_quick_answer(service: Service) -> None:
    """Everything is refused for a while: soon the bucket is left alone, and clients are told at once."""
    member = new_member(service.daemon.url)
    member.client.stored("/a.bin", b"a" * 100_000)
    service.proxy.script.add(Fault.SLOW_DOWN, left=None)
    slow: list[float] = []
    calls = itertools.count()

    def hammer(number: int) -> None:
        client = Client(service.daemon.url, member.client.headers)
        end = time.monotonic() + 5
        while (began := time.monotonic()) < end:
            next(calls)
            answer = client.upload(f"/{number}.bin", b"b" * 1_000) if number % 2 else client.download("/a.bin")
            problem(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1
            slow.append(time.monotonic() - began)

    began = service.proxy.ledger.total
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    asked, answered = service.proxy.ledger.total - began, next(calls)
    late = sorted(slow)[len(slow) // 2 :]
    print(f"{answered} calls cost {asked} requests; half of the answers came within {late[0] * 1000:.1f} ms")
    assert asked <= answered * AMPLIFICATION + 10
    assert asked < answered / 2, "the bucket was not left alone"
    assert late[0] < 0.1
    shown = scrape(service.daemon.url)
    assert total(shown, "storage_retries_total", service="s3") > 0
    assert total(shown, "storage_calls_given_up_total", service="s3") > 0
    assert value(shown, "storage_circuit_open", service="s3") == 1
    service.proxy.script.lift()
    took = wait_until(lambda: member.client.download("/a.bin").status_code == 200, RECOVERED, "it is served again")
    print(f"served again after {took:.1f} s")
    assert 'storage_circuit_open{service="s3"} 0\n' in scrape(service.daemon.url)
    service.check()


def test_a_server_that_is_gone_costs_little_time(service: Service, member: Member) -> None:
    member.client.stored("/a.bin", b"a" * 100_000)
    service.proxy.refuse()
    wait_until(lambda: service.daemon.status_of("/readyz") == 503, 10, "it is not ready")
    times = []
    for number in range(30):
        began = time.monotonic()
        answer = member.client.upload(f"/{number}.bin", b"b") if number % 2 else member.client.download("/a.bin")
        assert answer.status_code in AWAY, answer.text
        times.append(time.monotonic() - began)
    assert sorted(times)[15] < 0.5, times
    assert member.client.listing()["files"], "what needs no bytes goes on"
    service.proxy.accept()
    wait_until(service.daemon.ready, RECOVERED, "it is ready again")
    assert member.client.download("/a.bin").content == b"a" * 100_000
    service.check()


def test_a_server_that_says_nothing_does_not_hold_requests_for_ever(service: Service, member: Member) -> None:
    member.client.stored("/a.bin", b"a" * 100_000)
    service.proxy.script.add(Fault.SILENCE_BEFORE, left=None, seconds=600)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        get = pool.submit(lambda: requests.get(service.daemon.url + "/api/files/a.bin", headers=member.client.headers))
        put = pool.submit(lambda: member.client.request("PUT", "/api/files/b.bin", data=b"b", timeout=120))
        assert get.result().status_code in AWAY and put.result().status_code in AWAY
    took = time.monotonic() - began
    print(f"refused after {took:.1f} s")
    assert took < 70
    service.proxy.script.lift()
    wait_until(lambda: member.client.get("/api/files/a.bin").status_code == 200, RECOVERED, "it is served again")


# Deletions that land late


@pytest.mark.parametrize("is_repeated", [True, False], ids=["repeated", "given up"])
def test_a_deletion_that_lands_late_takes_nothing_that_is_stored(
    service: Service, member: Member, *, is_repeated: bool
) -> None:
    content = secrets.token_bytes(10_000)
    member.client.stored("/a.bin", content)
    (first,) = blobs_of(service.daemon.data)
    assert member.client.remove("/a.bin").status_code == 204
    rule = service.proxy.script.add(Fault.LATE, left=1 if is_repeated else None, seconds=4)
    result = service.command("gc", "--grace", "0")
    assert rule.happened, result.stderr
    happened = rule.happened
    service.proxy.script.lift()

    member.client.stored("/b.bin", content)
    (second,) = [blob for blob in blobs_of(service.daemon.data) if blob.key != first.key]
    wait_until(lambda: len(service.proxy.landed) == happened, 15, "it has landed")
    assert not first.exists(), "it would have taken what was stored under the old key"
    assert second.read() == content
    assert member.client.download("/b.bin").content == content
    service.check()


@pytest.mark.parametrize("seconds", [20, pytest.param(300, marks=pytest.mark.nightly)])
def test_collectors_whose_deletions_land_late_take_nothing(tmp_path: Path, seconds: int) -> None:
    """The same few contents are stored and deleted all the time, while every third deletion comes late."""
    with Service(tmp_path, **RESTLESS) as service:
        storms = Storms(service)
        collector = Collector(service.daemon)
        collector.start()
        with storms:
            rng, end = random.Random(SEED), time.monotonic() + seconds
            while time.monotonic() < end:
                rule = service.proxy.script.add(Fault.LATE, skip=rng.randrange(3), seconds=rng.uniform(0.1, 3))
                rule.over.wait(1)
        collector.stop()
        assert not collector.failures, collector.failures[:3]
        wait_until(lambda: len(service.proxy.landed) == landing(service), 10, "every late deletion has landed")
        storms.report(f"{landing(service)} late deletions, {collector.blobs} blobs collected")
        assert landing(service) > seconds / 4
        service.check()
