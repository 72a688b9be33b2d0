"""Large files on disk and the ways in which clients send them, none of which holds a file in memory."""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from wire import BOUNDARY, form_type

MIB = 1 << 20
TIMEOUT = 900

SIZES = [
    pytest.param(64 * MIB, id="64 MiB"),
    pytest.param(5 << 30, id="5 GiB", marks=pytest.mark.nightly),
]


@dataclass
class LargeFile:
    """A file of which no two MiB are alike."""

    path: Path
    size: int
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        block = random.Random(self.size).randbytes(MIB)
        digest = hashlib.sha256()
        with self.path.open("wb") as file:
            for number in range(self.size // MIB):
                piece = number.to_bytes(8, "big") + block[8:]
                digest.update(piece)
                file.write(piece)
        self.hash = digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while piece := file.read(MIB):
                yield piece


class FormStream:
    """A form with one file, read from the disk while it is sent: what requests-toolbelt does."""

    def __init__(self, file: LargeFile):
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file.path.name}"\r\n\r\n'
        tail = f"\r\n--{BOUNDARY}--\r\n"
        self.size = len(head) + file.size + len(tail)
        self.parts = self._parts(head.encode(), file, tail.encode())

    @staticmethod
    def _parts(head: bytes, file: LargeFile, tail: bytes) -> Iterator[bytes]:
        yield head
        yield from file.pieces()
        yield tail

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return self.parts

    def read(self, _: int = -1) -> bytes:
        return next(self.parts, b"")


Headers = Mapping[str, str]
Send = Callable[[str, LargeFile, Headers], str]


def _curl(url: str, headers: Headers, *arguments: str) -> str:
    fields = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", "--fail-with-body", "-X", "POST", *fields, *arguments, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout


def _requests(url: str, headers: Headers, data: object) -> str:
    with requests.Session() as session:
        session.trust_env = False
        response = session.post(url, data=data, headers=dict(headers), timeout=TIMEOUT)  # type: ignore[arg-type]
        assert response.status_code == 200, response.text
        response.encoding = "utf-8"
        return response.text


BINARY = {"Content-Type": "application/octet-stream"}
FORM = {"Content-Type": form_type()}

FORMS: dict[str, Send] = {
    "curl, form": lambda url, file, headers: _curl(url, headers, "-F", f"file=@{file.path}"),
    "curl, chunked form": lambda url, file, headers: _curl(
        url, {**headers, "Transfer-Encoding": "chunked"}, "-F", f"file=@{file.path}"
    ),
    "requests, form": lambda url, file, headers: _requests(url, {**headers, **FORM}, FormStream(file)),
    "requests, chunked form": lambda url, file, headers: _requests(url, {**headers, **FORM}, iter(FormStream(file))),
}

RAW: dict[str, Send] = {
    "curl, raw": lambda url, file, headers: _curl(url, {**headers, **BINARY}, "-T", str(file.path)),
    "curl, chunked": lambda url, file, headers: _curl(
        url, {**headers, **BINARY, "Transfer-Encoding": "chunked"}, "-T", str(file.path)
    ),
    "requests, raw": lambda url, file, headers: _requests(url, {**headers, **BINARY}, file.path.open("rb")),
    "requests, chunked": lambda url, file, headers: _requests(url, {**headers, **BINARY}, file.pieces()),
}


def hash_of(url: str) -> str:
    """The digest of what anybody gets from a URL."""
    received = hashlib.sha256()
    with requests.get(url, stream=True, timeout=TIMEOUT) as response:
        assert response.status_code == 200, response.text
        for piece in response.iter_content(MIB):
            received.update(piece)
    return received.hexdigest()
