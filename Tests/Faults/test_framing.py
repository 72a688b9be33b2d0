"""The proxy must understand what it cuts: messages in pieces of any size, and every way of asking for a COMMIT."""

from __future__ import annotations

import struct

import pytest

from framing import SSL_REQUEST, Backend, Commits, Frontend, Message


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


TLS_WISH = message(b"", struct.pack("!i", SSL_REQUEST))
STARTUP = message(b"", struct.pack("!i", 3 << 16) + b"user\0ann\0\0")
PASSWORD = message(b"p", b"secret\0")
QUERY = message(b"Q", b"SELECT 1\0")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_messages_are_found_in_pieces_of_any_size(size: int) -> None:
    stream = TLS_WISH + STARTUP + PASSWORD + QUERY
    frontend = Frontend()
    found = [one for at in range(0, len(stream), size) for one in frontend.feed(stream[at : at + size])]
    assert [one.kind for one in found] == [b"", b"", b"p", b"Q"]
    assert b"".join(one.raw for one in found) == stream
    assert found[3].body == b"SELECT 1\0"


def test_the_answer_to_a_wish_for_tls_is_one_byte() -> None:
    backend = Backend(wishes=1)
    answer = b"N" + message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I")
    assert [one.raw for one in backend.feed(answer)] == [answer[:1], answer[1:10], answer[10:]]


def simple(text: bytes) -> Message:
    return Message(b"Q", message(b"Q", text + b"\0"))


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        (b"COMMIT", True),
        (b"commit;", True),
        (b"END", True),
        (b"UPDATE files SET size = 1; COMMIT", True),
        (b"BEGIN", False),
        (b"ROLLBACK", False),
        (b"SET synchronous_commit = on", False),
        (b"UPDATE uploads SET committed_at = 1", False),
        (b"SELECT 'end'", False),
    ],
)
def test_a_simple_query_asks_for_a_commit_or_not(text: bytes, asks: bool) -> None:
    assert Commits().is_asked_by(simple(text)) == asks


def test_a_prepared_commit_is_one_when_it_runs() -> None:
    commits = Commits()

    def asks(kind: bytes, body: bytes) -> bool:
        return commits.is_asked_by(Message(kind, message(kind, body)))

    assert not asks(b"P", b"c\0COMMIT\0\0\0")
    assert not asks(b"P", b"s\0SELECT 1\0\0\0")
    for statement, expected in ((b"c", True), (b"s", False), (b"c", True)):
        assert not asks(b"B", b"\0" + statement + b"\0\0\0\0\0\0\0")
        assert asks(b"E", b"\0\0\0\0\0") == expected
    assert not asks(b"P", b"c\0SELECT 2\0\0\0")
    assert not asks(b"B", b"\0c\0\0\0\0\0\0\0") and not asks(b"E", b"\0\0\0\0\0")


@pytest.mark.parametrize(("tag", "told"), [(b"COMMIT", True), (b"ROLLBACK", False), (b"INSERT 0 1", False)])
def test_only_its_tag_tells_of_a_commit(tag: bytes, told: bool) -> None:
    assert Commits.is_told_by(Message(b"C", message(b"C", tag + b"\0"))) == told
