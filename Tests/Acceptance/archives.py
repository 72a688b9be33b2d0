"""Archives as programs of their users open them: what each of them reports of the entries, and unpacks."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TIMEOUT = 600

# Names are UTF-8 to the programs, too.
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}

FORMATS = ("zip", "tar", "7z")

# The content of a tree by the names in it; None for a folder.
Tree = dict[str, bytes | None]


@dataclass(frozen=True)
class Opener:
    """A program that unpacks an archive into a folder."""

    name: str
    format: str
    command: Callable[[Path], list[str]]
    # Whether it takes the archive from a pipe, as one who cannot seek.
    piped: bool = False

    def __str__(self) -> str:
        return f"{self.format}, {self.name}"

    @property
    def missing(self) -> bool:
        return shutil.which(self.name.split()[0]) is None

    def unpack(self, archive: Path, folder: Path) -> Tree:
        folder.mkdir()
        with archive.open("rb") as file:
            run(self.command(archive), cwd=folder, stdin=file if self.piped else subprocess.DEVNULL)
        return tree_of(folder)


OPENERS = [
    Opener("unzip", "zip", lambda archive: ["unzip", "-q", str(archive)]),
    Opener("bsdtar", "zip", lambda archive: ["bsdtar", "-xf", str(archive)]),
    Opener("bsdtar from a pipe", "zip", lambda _: ["bsdtar", "-xf", "-"], piped=True),
    Opener("7z", "zip", lambda archive: ["7z", "x", "-y", "-bd", str(archive)]),
    Opener("tar", "tar", lambda archive: ["tar", "-xf", str(archive)]),
    Opener("bsdtar", "tar", lambda archive: ["bsdtar", "-xf", str(archive)]),
    Opener("bsdtar from a pipe", "tar", lambda _: ["bsdtar", "-xf", "-"], piped=True),
    Opener("7z", "tar", lambda archive: ["7z", "x", "-y", "-bd", str(archive)]),
    Opener("7z", "7z", lambda archive: ["7z", "x", "-y", "-bd", str(archive)]),
    Opener("bsdtar", "7z", lambda archive: ["bsdtar", "-xf", str(archive)]),
]

# What says whether an archive is whole without unpacking it.
JUDGES = {
    "zip": [["unzip", "-tq"], ["7z", "t", "-bd"], ["bsdtar", "-tf"]],
    "tar": [["tar", "-tf"], ["7z", "t", "-bd"], ["bsdtar", "-tf"]],
    "7z": [["7z", "t", "-bd"], ["bsdtar", "-tf"]],
}


def run(command: list[str], **options: object) -> str:
    """The output of a program that must not complain."""
    process = subprocess.run(  # type: ignore[call-overload]
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False, env=UTF8, **options
    )
    errors = process.stderr.decode("utf-8", "replace")
    assert process.returncode == 0 and not errors, f"{command[0]}: {process.returncode}: {errors[:500]}"
    return str(process.stdout.decode("utf-8", "replace"))


def judge(archive: Path, form: str) -> None:
    """Lets every program that is there say that the archive is whole."""
    for command in JUDGES[form]:
        if shutil.which(command[0]):
            run([*command, str(archive)])


def tree_of(folder: Path) -> Tree:
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


def read(content: bytes, form: str, scratch: Path) -> Tree:
    """The tree in an archive, as Python reads it; 7z, which it cannot, as 7z does."""
    tree: Tree = {}
    if form == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            for info in archive.infolist():
                tree[info.filename.rstrip("/")] = None if info.is_dir() else archive.read(info)
    elif form == "tar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                tree[member.name] = None if file is None else file.read()
    else:
        if shutil.which("7z") is None:
            pytest.skip("needs 7z")
        path = scratch / "archive.7z"
        path.write_bytes(content)
        folder = scratch / "unpacked-7z"
        shutil.rmtree(folder, ignore_errors=True)
        tree = next(opener for opener in OPENERS if opener.format == form).unpack(path, folder)
    return tree
