"""The faulty S3 server itself: what goes through it unharmed, and that each fault is what it says."""

from __future__ import annotations

import contextlib
import io
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from buckets import Bucket, server

from proxy import wait_until
from s3_faults import Fault, Ledger, Rule, Storm
from s3_proxy import PASSING, WRONG_ETAG, S3Proxy
from s3_requests import Head, Operation, Request

pytestmark = pytest.mark.stores("s3")

CONTENT = bytes(range(256)) * 64
PART = 5 << 20


@pytest.fixture
def proxy() -> Iterator[S3Proxy]:
    with S3Proxy(server().endpoint, seed=1) as one:
        yield one


@pytest.fixture
def real() -> Iterator[Bucket]:
    """What is really there."""
    bucket = Bucket.fresh(server())
    yield bucket
    bucket.clear()


@pytest.fixture
def bucket(proxy: S3Proxy, real: Bucket) -> Bucket:
    """The same by way of the proxy."""
    return real.at(proxy.url)


def code_of(failure: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response: Any = failure.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


# What goes through


@pytest.mark.parametrize("expect", [True, False], ids=["100-continue", "at once"])
def test_what_is_not_to_fail_goes_through(proxy: S3Proxy, bucket: Bucket, real: Bucket, *, expect: bool) -> None:
    client: Any = bucket.server.client
    if not expect:

        def forget(params: Any, **_: object) -> None:
            params["headers"].pop("Expect", None)

        client.meta.events.register_last("before-call.s3.PutObject", forget)
    whole = {"Bucket": real.server.bucket, "Key": real.prefix + "/some key/ä+%.bin"}
    for content in (b"", b"x", CONTENT, bytes(3 << 20)):
        client.put_object(Body=io.BytesIO(content), **whole)
        assert real.read("some key/ä+%.bin") == content
        assert client.head_object(**whole)["ContentLength"] == len(content)
        assert client.get_object(**whole)["Body"].read() == content
        if len(content) > 1:
            part = client.get_object(Range="bytes=1-9", **whole)["Body"].read()
            assert part == content[1:10]
    assert bucket.keys() == ["some key/ä+%.bin"]
    client.delete_objects(Bucket=real.server.bucket, Delete={"Objects": [{"Key": whole["Key"]}]})
    assert real.keys() == [] and proxy.ledger.repeats == 0
    assert proxy.ledger.counts() == {
        "ListObjects": 1, "DeleteObjects": 1, "PutObject": 4, "GetObject": 6, "HeadObject": 4,
    }  # fmt: skip


def test_a_multipart_upload_goes_through(proxy: S3Proxy, bucket: Bucket, real: Bucket) -> None:
    content = random.Random(1).randbytes(2 * PART + 1)
    complete(bucket, "large", content)
    assert real.read("large") == content and real.uploads() == []
    upload = bucket.begin_upload("other")
    assert real.uploads() == bucket.uploads() == [upload]
    bucket.clear()
    assert proxy.ledger.counts([Operation.BEGIN, Operation.PART, Operation.COMPLETE, Operation.ABORT]) == {
        "CreateMultipartUpload": 2, "UploadPart": 3, "CompleteMultipartUpload": 1, "AbortMultipartUpload": 1,
    }  # fmt: skip


def complete(bucket: Bucket, key: str, content: bytes) -> Any:
    client: Any = bucket.server.client
    upload = bucket.begin_upload(key)
    whole = {"Bucket": bucket.server.bucket, "Key": f"{bucket.prefix}/{key}", "UploadId": upload.identifier}
    parts = [
        {"PartNumber": number + 1, "ETag": client.upload_part(PartNumber=number + 1, Body=piece, **whole)["ETag"]}
        for number, piece in enumerate(content[start : start + PART] for start in range(0, len(content), PART))
    ]
    return client.complete_multipart_upload(MultipartUpload={"Parts": parts}, **whole)


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "status", "code", "has_effect"),
    [
        (Fault.SLOW_DOWN, 503, "SlowDown", False),
        (Fault.TOO_MANY, 429, "TooManyRequests", False),
        (Fault.ERROR_BEFORE, 500, "InternalError", False),
        (Fault.ERROR_AFTER, 500, "InternalError", True),
        (Fault.SKEWED, 403, "RequestTimeTooSkewed", False),
        (Fault.KEY_REFUSED, 403, "InvalidAccessKeyId", False),
    ],
)
def test_a_refusal(
    proxy: S3Proxy, bucket: Bucket, real: Bucket, fault: Fault, status: int, code: str, *, has_effect: bool
) -> None:
    proxy.script.add(fault, Operation.PUT)
    with pytest.raises(ClientError) as failure:
        bucket.write("a", CONTENT)
    assert code_of(failure) == (status, code)
    assert real.keys() == (["a"] if has_effect else [])
    bucket.write("a", CONTENT)
    assert bucket.read("a") == CONTENT
    assert proxy.ledger.faults == {(Operation.PUT, fault): 1} and proxy.ledger.repeats == 1


@pytest.mark.parametrize(
    ("fault", "has_effect"),
    [
        (Fault.CUT_BEFORE, False),
        (Fault.CUT_AFTER, True),
        (Fault.SILENCE_BEFORE, False),
        (Fault.SILENCE_AFTER, True),
    ],
)
def test_no_answer(proxy: S3Proxy, bucket: Bucket, real: Bucket, fault: Fault, *, has_effect: bool) -> None:
    proxy.script.add(fault, Operation.PUT, seconds=0.5)
    with pytest.raises(BotoCoreError):
        bucket.write("a", CONTENT)
    assert real.keys() == (["a"] if has_effect else [])
    bucket.write("a", CONTENT)
    assert bucket.read("a") == CONTENT


def test_a_completion_that_fails_with_200(proxy: S3Proxy, bucket: Bucket, real: Bucket) -> None:
    rule = proxy.script.add(Fault.ERROR_IN_200)
    with pytest.raises(ClientError) as failure:
        complete(bucket, "large", bytes(PART))
    assert code_of(failure)[1] == "InternalError"
    assert rule.over.is_set() and real.keys() == [] and len(real.uploads()) == 1


def test_a_wrong_etag_and_none(proxy: S3Proxy, bucket: Bucket) -> None:
    client: Any = bucket.server.client
    whole = {"Bucket": bucket.server.bucket, "Key": f"{bucket.prefix}/a"}
    right = client.put_object(Body=CONTENT, **whole)["ETag"]
    for operation, ask in (
        (Operation.PUT, lambda: client.put_object(Body=CONTENT, **whole)),
        (Operation.HEAD, lambda: client.head_object(**whole)),
        (Operation.GET, lambda: client.get_object(**whole)),
    ):
        proxy.script.add(Fault.WRONG_ETAG, operation)
        proxy.script.add(Fault.NO_ETAG, operation, skip=0)
        assert [ask().get("ETag") for _ in range(3)] == [WRONG_ETAG, None, right]


@pytest.mark.parametrize("at", [0, 1, 1000, len(CONTENT) - 1, None])
def test_wrong_bodies(proxy: S3Proxy, bucket: Bucket, at: int | None) -> None:
    bucket.write("a", CONTENT)
    proxy.script.add(Fault.SHORT_BODY, at=at)
    with pytest.raises(BotoCoreError):
        bucket.read("a")
    proxy.script.add(Fault.SHORT_LENGTH, at=at)
    short = bucket.read("a")
    assert len(short) < len(CONTENT) and CONTENT.startswith(short)
    proxy.script.add(Fault.FLIPPED, at=at)
    flipped = bucket.read("a")
    wrong = [place for place, (one, other) in enumerate(zip(flipped, CONTENT, strict=True)) if one != other]
    assert len(wrong) == 1 and at in (wrong[0], None)
    assert bucket.read("a") == CONTENT


def test_a_deletion_that_lands_late(proxy: S3Proxy, bucket: Bucket, real: Bucket) -> None:
    bucket.write("a", CONTENT)
    proxy.script.add(Fault.LATE, seconds=0.5)
    with pytest.raises(BotoCoreError):
        bucket.remove("a")
    assert real.keys() == ["a"]
    wait_until(lambda: bool(proxy.landed), 10, "it has landed")
    assert real.keys() == [] and proxy.landed == [204]


def test_a_redirect_leads_elsewhere(proxy: S3Proxy, bucket: Bucket) -> None:
    proxy.script.add(Fault.REDIRECT, Operation.GET, location="http://127.0.0.1:9")
    with pytest.raises(ClientError) as failure:
        bucket.read("a")
    assert code_of(failure)[0] == 307
    response: Any = failure.value.response
    assert response["ResponseMetadata"]["HTTPHeaders"]["location"].startswith("http://127.0.0.1:9/test/")


def test_a_list_without_an_end(proxy: S3Proxy) -> None:
    proxy.script.add(Fault.ENDLESS)
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"GET /test?list-type=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = 0
        while received < 10_000_000:
            received += len(connection.recv(1 << 20))


def test_a_server_that_is_gone(proxy: S3Proxy, bucket: Bucket) -> None:
    bucket.write("a", CONTENT)
    proxy.refuse()
    with pytest.raises(BotoCoreError):
        bucket.read("a")
    proxy.accept()
    assert bucket.read("a") == CONTENT


def test_rules_count_and_let_through(proxy: S3Proxy, bucket: Bucket) -> None:
    rule = proxy.script.add(Fault.SLOW_DOWN, Operation.PUT, left=2, skip=1, key="/b")
    outcomes = []
    for key in ("a", "b", "a", "b", "b", "b"):
        with contextlib.suppress(ClientError):
            bucket.write(key, b"x")
            outcomes.append(key)
    assert outcomes == ["a", "b", "a", "b"] and rule.happened == 2 and rule.over.is_set()
    proxy.script.add(Fault.SLOW_DOWN, left=None)
    proxy.script.lift()
    bucket.write("a", b"x")


def test_a_storm_has_the_faults_it_was_given(proxy: S3Proxy, bucket: Bucket, real: Bucket) -> None:
    storm = proxy.storm(random.Random(1), PASSING, count=40, probability=0.3, seconds=0.2)
    told: dict[str, bytes] = {}
    for number in range(1000):
        if storm.over.is_set():
            break
        key, content = f"{number % 20}", b"%d" % number
        with contextlib.suppress(ClientError, BotoCoreError):
            bucket.write(key, content)
            told[key] = content
        with contextlib.suppress(ClientError, BotoCoreError):
            bucket.read(key)
    assert sum(storm.happened.values()) == sum(proxy.ledger.faults.values()) == 40
    assert len(storm.happened) > 8
    assert {key: real.read(key) for key in told}.keys() == told.keys()


# The pure parts


def request(first: str, *fields: str) -> Request:
    return Request(Head("\r\n".join([first + " HTTP/1.1", "Host: h", *fields, "", ""]).encode()))


def test_operations_are_told_apart() -> None:
    found = {
        first: request(first).operation
        for first in (
            "HEAD /b", "GET /b?versioning", "GET /b?list-type=2&prefix=a%2F", "GET /b?versions&prefix=a",
            "GET /b/?uploads", "POST /b?delete=", "PUT /b/k", "PUT /b/k?partNumber=1&uploadId=x", "GET /b/k",
            "GET /b/k?uploadId=x", "HEAD /b/k", "POST /b/k?uploads", "POST /b/k?uploadId=x", "DELETE /b/k?uploadId=x",
            "DELETE /b/k", "PUT /b", "OPTIONS /b",
        )
    }  # fmt: skip
    operations = list(found.values())
    assert operations == [
        Operation.HEAD_BUCKET, Operation.GET_VERSIONING, Operation.LIST, Operation.LIST_VERSIONS,
        Operation.LIST_UPLOADS, Operation.DELETE_MANY, Operation.PUT, Operation.PART, Operation.GET,
        Operation.LIST_PARTS, Operation.HEAD, Operation.BEGIN, Operation.COMPLETE, Operation.ABORT, Operation.DELETE,
        Operation.OTHER, Operation.OTHER,
    ]  # fmt: skip
    assert request("GET /b/a%20b/%C3%A4?x=y").key == "a b/ä"


def test_a_field_is_replaced_and_nothing_else() -> None:
    head = Head(b'HTTP/1.1 200 OK\r\nEtag: "a"\r\nX-Odd:  b \r\n\r\n')
    assert head.replacing("ETag", '"c"').raw == b'HTTP/1.1 200 OK\r\nX-Odd:  b \r\nETag: "c"\r\n\r\n'
    assert head.replacing("ETag", None).raw == b"HTTP/1.1 200 OK\r\nX-Odd:  b \r\n\r\n"


def test_the_ledger_counts_what_is_asked_again() -> None:
    ledger, put, other = Ledger(), request("PUT /b/a"), request("PUT /b/c")
    wrong = Rule(Fault.SLOW_DOWN, frozenset({Operation.PUT}))
    for moment, asked, rule in [(0, put, wrong), (1, put, wrong), (2, other, None), (3, put, None), (4, put, None)]:
        ledger.note(asked, rule, float(moment))
    assert (ledger.total, ledger.repeats, ledger.amplification) == (5, 2, 5 / 3)
    ledger.note(put, wrong, 5.0)
    ledger.note(put, None, 50.0)
    assert ledger.repeats == 2, "what comes much later is asked for the first time"


def test_a_storm_is_the_same_from_the_same_seed() -> None:
    def faults(seed: int) -> list[Fault | None]:
        storm = Storm(random.Random(seed), PASSING, 0.5, 100)
        rules = [storm.rule_for(request("GET /b/k")) for _ in range(100)]
        return [rule.fault if rule else None for rule in rules]

    assert faults(1) == faults(1) != faults(2)
    assert Fault.ERROR_IN_200 not in faults(1) and None in faults(1)
