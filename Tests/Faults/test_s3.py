"""
An S3 server that does one thing wrong at a time: what clients ask for is done all the same, or refused cleanly; nothing
wrong is served as if it were whole.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import requests
from blobs import blobs_of
from client import Member, new_member
from daemon import binary_path, clean_environment
from expect import problem

from gateway import Gateway
from load import SEED
from proxy import wait_until
from s3_faults import Fault
from s3_requests import Operation
from s3_service import AMPLIFICATION, RECOVERED, SILENCE, UNBELIEVABLE, Service

pytestmark = pytest.mark.stores("s3")

# One fault at a time

EVERYWHERE = [
    Fault.SLOW_DOWN, Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.CUT_BEFORE, Fault.SILENCE_BEFORE, Fault.ERROR_AFTER,
    Fault.CUT_AFTER, Fault.SILENCE_AFTER,
]  # fmt: skip


@pytest.mark.parametrize("operation", [Operation.PUT, Operation.HEAD], ids=lambda operation: operation.value)
@pytest.mark.parametrize("fault", [*EVERYWHERE, Fault.WRONG_ETAG, Fault.NO_ETAG], ids=lambda fault: fault.name)
def test_an_upload_survives_one_fault(service: Service, member: Member, operation: Operation, fault: Fault) -> None:
    rule = service.proxy.script.add(fault, operation, seconds=SILENCE)
    content = secrets.token_bytes(20_000)
    member.client.stored("/a.bin", content)
    assert rule.happened or operation is Operation.HEAD, "an upload may do without this request"
    assert member.client.download("/a.bin").content == content
    assert [blob.read() for blob in blobs_of(service.daemon.data)] == [content], "there is one blob"
    service.check()


@pytest.mark.parametrize(
    "fault",
    [*EVERYWHERE, Fault.WRONG_ETAG, Fault.NO_ETAG, Fault.SHORT_BODY],
    ids=lambda fault: fault.name,
)
@pytest.mark.parametrize("size", [20_000, 3 << 20])
def test_a_download_survives_one_fault(service: Service, member: Member, fault: Fault, size: int) -> None:
    content = secrets.token_bytes(size)
    member.client.stored("/a.bin", content)
    rule = service.proxy.script.add(fault, Operation.GET, seconds=SILENCE)
    answer = member.client.download("/a.bin")
    assert rule.happened == 1
    assert answer.status_code == 200 and answer.content == content
    part = member.client.download("/a.bin", headers={"Range": "bytes=100-9999"})
    assert part.status_code == 206 and part.content == content[100:10_000]


def test_a_body_that_breaks_goes_on_where_it_broke(service: Service, member: Member) -> None:
    content = secrets.token_bytes(1 << 20)
    member.client.stored("/a.bin", content)
    points = sorted({0, 1, len(content) - 1, *random.Random(SEED).sample(range(len(content)), 61)})
    for at in points:
        rule = service.proxy.script.add(Fault.SHORT_BODY, at=at)
        assert member.client.download("/a.bin").content == content, f"broken at {at}"
        assert rule.happened == 1
        # The budget of repetitions fills again with what goes well.
        for _ in range(10):
            assert member.client.download("/a.bin").status_code == 200
    assert service.proxy.ledger.amplification <= AMPLIFICATION


@pytest.mark.parametrize("fault", [Fault.FLIPPED, Fault.SHORT_LENGTH], ids=lambda fault: fault.name)
@pytest.mark.parametrize("size", [1, 20_000, 3 << 20])
def test_what_is_wrong_is_never_served_as_whole(service: Service, member: Member, size: int, fault: Fault) -> None:
    content = secrets.token_bytes(size)
    member.client.stored("/a.bin", content)
    for _ in range(8):
        rule = service.proxy.script.add(fault)
        try:
            answer = member.client.download("/a.bin")
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass  # broken off before the last byte
        else:
            assert answer.status_code in UNBELIEVABLE or answer.content == content
        assert rule.happened == 1
        assert member.client.download("/a.bin").content == content, "what is stored is right"
    service.check()


# Keys and clocks


@pytest.mark.parametrize(
    ("fault", "words"), [(Fault.KEY_REFUSED, "InvalidAccessKeyId"), (Fault.SKEWED, "clock")], ids=["key", "clock"]
)
def test_what_only_people_can_put_right_is_said_and_not_repeated(
    service: Service, member: Member, fault: Fault, words: str
) -> None:
    member.client.stored("/a.bin", b"a" * 100_000)
    rule = service.proxy.script.add(fault, left=None)
    logged = service.daemon.log_size()
    calls = 0
    asked = service.proxy.ledger.total
    for number in range(10):
        for answer in (member.client.upload(f"/{number}.bin", b"b" * 1_000), member.client.download("/a.bin")):
            calls += 1
            problem(answer, 503)
    assert rule.happened and service.proxy.ledger.total - asked <= calls + 5, "it was asked again and again"
    log = service.daemon.log(logged)
    alarms = [line for line in log.splitlines() if '"level":"critical"' in line and words in line]
    assert 1 <= len(alarms) <= 3, log
    assert service.real.server.secret_key not in log
    service.proxy.script.lift()
    wait_until(lambda: member.client.download("/a.bin").status_code == 200, RECOVERED, "it is served again")
    service.check()


def test_a_key_that_was_changed_needs_a_start_with_the_new_one(tmp_path: Path) -> None:
    with Gateway() as gateway, Service(tmp_path, gateway.server) as service:
        old = (f"--access-key={gateway.server.access_key}", f"--secret={gateway.server.secret_key}")
        member = new_member(service.daemon.url)
        member.client.stored("/a.bin", b"a" * 100_000)
        gateway.admin("key", "create", "--uid=test", "--access-key=fresh", "--secret=unguessable")
        gateway.admin("key", "rm", "--uid=test", old[0])
        gateway.restart()  # it remembers keys for a while
        try:
            answers = [member.client.upload(f"/{number}.bin", b"b") for number in range(5)]
            assert {answer.status_code for answer in answers} == {503}
            assert "InvalidAccessKeyId" in service.daemon.log()
            assert service.daemon.stop() == 0
            service.daemon.environment.update(S3_ACCESS_KEY="fresh", S3_SECRET_KEY="unguessable")
            service.daemon.start()
            assert member.client.download("/a.bin").content == b"a" * 100_000
            assert member.client.upload("/b.bin", b"b").status_code == 201
        finally:
            gateway.admin("key", "create", "--uid=test", *old)
            gateway.restart()
        service.check()


# Answers that are meant to harm


def test_redirects_are_not_followed(service: Service, member: Member) -> None:
    member.client.stored("/a.bin", b"a" * 100_000)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        location = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        service.proxy.script.add(Fault.REDIRECT, left=None, location=location)
        for answer in (member.client.download("/a.bin"), member.client.upload("/b.bin", b"b" * 10_000)):
            assert answer.status_code in UNBELIEVABLE, answer.text
            assert location not in answer.text
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    service.proxy.script.lift()
    wait_until(lambda: member.client.download("/a.bin").status_code == 200, RECOVERED, "it is served again")
    service.check()


def most_memory(service: Service, *arguments: str) -> tuple[int, int]:
    """How a command ended, and the most bytes of memory it had."""
    place = {"DATA_DIRECTORY": str(service.daemon.data), **service.bucket.settings}
    process = subprocess.Popen(
        [str(binary_path()), *arguments],
        env=clean_environment(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stopper = threading.Timer(120, process.kill)
    stopper.start()
    _, status, usage = os.wait4(process.pid, 0)
    stopper.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * 1024


def test_a_list_without_an_end_costs_no_memory(service: Service, member: Member) -> None:
    member.client.stored("/a.bin", b"a" * 100_000)
    status, usual = most_memory(service, "fsck")
    assert status == 0
    service.proxy.script.add(Fault.ENDLESS, left=None)
    status, most = most_memory(service, "fsck")
    print(f"{(most - usual) >> 20} MiB more than usual")
    assert status > 0 and most - usual < 64 << 20
