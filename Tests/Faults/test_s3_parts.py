"""Uploads in parts that are disturbed, or whose server is killed: they are stored whole, or nothing is left of them."""

from __future__ import annotations

import contextlib
import random
import secrets
import threading
from hashlib import sha256

import pytest
import requests
from blobs import bytes_stored
from client import Client, Member

from load import SEED
from proxy import wait_until
from s3_faults import Fault
from s3_requests import Operation
from s3_service import AWAY, SILENCE, Service

pytestmark = pytest.mark.stores("s3")

LARGE = (64 << 20) + 4_321  # sent in five parts

MULTIPART = [
    (Fault.SLOW_DOWN, Operation.BEGIN),
    (Fault.CUT_AFTER, Operation.BEGIN),
    (Fault.CUT_BEFORE, Operation.PART),
    (Fault.ERROR_AFTER, Operation.PART),
    (Fault.WRONG_ETAG, Operation.PART),
    (Fault.NO_ETAG, Operation.PART),
    (Fault.ERROR_IN_200, Operation.COMPLETE),
    (Fault.CUT_AFTER, Operation.COMPLETE),
    (Fault.SILENCE_AFTER, Operation.COMPLETE),
    (Fault.SLOW_DOWN, Operation.HEAD),
]


@pytest.mark.parametrize(
    ("fault", "operation"), MULTIPART, ids=[f"{operation.value}-{fault.name}" for fault, operation in MULTIPART]
)
def test_an_upload_in_parts_survives_one_fault_or_leaves_nothing(
    service: Service, member: Member, fault: Fault, operation: Operation
) -> None:
    content = secrets.token_bytes(1 << 20) * 64 + secrets.token_bytes(4_321)
    rule = service.proxy.script.add(fault, operation, seconds=SILENCE)
    answer = member.client.put("/api/files/large.bin", data=content)
    assert rule.happened == 1
    if answer.status_code == 204:
        got = member.client.get("/api/files/large.bin")
        assert sha256(got.content).digest() == sha256(content).digest()
    else:
        # An answer that cannot be believed may end an upload; it must not end it well.
        assert fault in (Fault.NO_ETAG, Fault.WRONG_ETAG) and answer.status_code in AWAY, answer.text
    assert member.client.put("/api/files/large.bin", data=content).status_code == 204
    service.check()
    assert bytes_stored(service.daemon.data) == len(content)


# Crashes within an upload in parts


def points(count: int) -> list[tuple[Operation, int, Fault, int | None]]:
    """Where the server is killed: at which request, before or after its effect, and after how many bytes of it."""
    rng = random.Random(SEED)
    chosen: list[tuple[Operation, int, Fault, int | None]] = [
        (Operation.BEGIN, 0, Fault.SILENCE_AFTER, None),
        (Operation.PART, 1, Fault.SILENCE_BEFORE, 5_000_000),
        (Operation.PART, 3, Fault.SILENCE_AFTER, None),
        (Operation.COMPLETE, 0, Fault.SILENCE_BEFORE, None),
        (Operation.COMPLETE, 0, Fault.SILENCE_AFTER, None),
        (Operation.HEAD, 0, Fault.SILENCE_BEFORE, None),
    ]
    while len(chosen) < count:
        operation = rng.choices(
            [Operation.BEGIN, Operation.PART, Operation.COMPLETE, Operation.HEAD], weights=[1, 6, 2, 1]
        )[0]
        is_part = operation is Operation.PART
        fault = rng.choice([Fault.SILENCE_BEFORE, Fault.SILENCE_AFTER])
        at = rng.randrange(16 << 20) if is_part and fault is Fault.SILENCE_BEFORE else None
        chosen.append((operation, rng.randrange(5) if is_part else 0, fault, at))
    return chosen[:count]


@pytest.mark.parametrize("count", [6, pytest.param(50, marks=pytest.mark.nightly)])
def test_kills_within_an_upload_in_parts_leave_nothing(service: Service, member: Member, count: int) -> None:
    kept = {f"/kept-{number}.bin": secrets.token_bytes(10_000) for number in range(5)}
    for path, content in kept.items():
        member.client.stored(path, content)
    block = secrets.token_bytes(1 << 20)
    reached = 0
    for number, (operation, skip, fault, at) in enumerate(points(count)):
        content = b"%8d" % number + block * 64 + b"x" * 4_313
        assert len(content) == LARGE
        rule = service.proxy.script.add(fault, operation, skip=skip, at=at, seconds=600)
        answers: list[int] = []
        upload = threading.Thread(target=send, args=(member, f"/large-{number}.bin", content, answers))
        upload.start()
        wait_until(lambda rule=rule, upload=upload: rule.silent.is_set() or not upload.is_alive(), 60, "the point")
        reached += rule.happened
        service.daemon.kill()
        upload.join()
        service.proxy.script.lift()
        service.daemon.start()
        answer = member.client.download(f"/large-{number}.bin")
        if answers == [201] or answer.status_code == 200:
            assert sha256(answer.content).digest() == sha256(content).digest(), f"half of it, killed at {operation}"
            assert member.client.remove(f"/large-{number}.bin").status_code == 204
        else:
            assert answer.status_code == 404
        for path, expected in kept.items():
            assert member.client.download(path).content == expected, f"{path}, killed at {operation}"
        service.check()
        assert bytes_stored(service.daemon.data) == 50_000, f"left at {operation} {fault}"
    print(f"killed at {reached} of {count} points, seed {SEED}")
    assert reached >= count * 0.8


def send(member: Member, path: str, content: bytes, answers: list[int]) -> None:
    """Uploads, and notes the status if there is one."""
    client = Client(member.client.url, member.client.headers)
    with contextlib.suppress(requests.RequestException):
        answers.append(client.post(f"/api/v1/files/upload?path={path}", data=content).status_code)
