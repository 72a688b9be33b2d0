"""Archives of files and folders: every program opens them, and what it unpacks is what was stored."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import expect
from archives import FORMATS, OPENERS, Opener, Tree, judge, read, run
from blobs import blobs_of
from client import Client, new_member, token_client
from conftest import SharedServer, StartServer
from daemon import Daemon
from lanes import on_disk
from stores import IN_BUCKET

MIB = 1 << 20
GIB = 1 << 30
WaitUntil = Callable[[Callable[[], bool], float], None]
TYPES = {"zip": "application/zip", "tar": "application/x-tar", "7z": "application/x-7z-compressed"}
# What may stay in memory of an archive: a page of entries, some chunks, two compressors.
MEMORY_GROWTH = (64 if IN_BUCKET else 32) * MIB

TREE: Tree = {
    "plain.txt": b"plain\n" * 10_000,
    "empty.txt": b"",
    "a b & c's \"file\".txt": b"quoted",
    "-rf": b"no option",
    "отчёт.txt": b"cyrillic",
    "caf\u00e9": b"composed",
    "\U0001f4c1/日本語.png": bytes(random.Random(1).randbytes(300_000)),
    "я" * 127: b"a segment of 254 bytes",
    "n" * 255: b"a segment of 255 bytes",
    "deep/" + "/".join(["d" * 99] * 9) + "/" + "e" * 105: b"a path of 1,024 bytes below /above/my tree",
    "noise.jpg": random.Random(2).randbytes(MIB + 1),
    "noise.bin": random.Random(3).randbytes(70_000),
    "nothing": None,
    "more/nothing": None,
}


def store(client: Client, tree: Tree, root: str) -> None:
    for name, content in tree.items():
        if content is None:
            assert client.make_folder(f"/{root}/{name}").status_code == 201
        else:
            assert client.put_name(f"{root}/{name}", content).status_code == 204


def with_folders(tree: Tree, root: str) -> Tree:
    """The tree as an archive has it: below its name, every folder by itself."""
    whole: Tree = {root: None}
    for name, content in tree.items():
        path = f"{root}/{name}"
        whole.update({path[:index]: None for index, letter in enumerate(path) if letter == "/"})
        whole[path] = content
    return whole


def archive(client: Client, path: str, form: str) -> bytes:
    response = client.download(path, compression=form)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == TYPES[form]
    return response.content


@pytest.fixture(scope="module")
def packed(shared_server: SharedServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An archive of TREE in each format, by its format."""
    client = token_client(shared_server.running().url)
    store(client, TREE, "above/my tree")
    folder = tmp_path_factory.mktemp("archives")
    for form in FORMATS:
        (folder / f"tree.{form}").write_bytes(archive(client, "/above/my tree", form))
    return {form: folder / f"tree.{form}" for form in FORMATS}


@pytest.mark.parametrize("opener", OPENERS, ids=str)
def test_every_program_unpacks_what_was_stored(packed: dict[str, Path], tmp_path: Path, opener: Opener) -> None:
    if opener.missing:
        pytest.skip(f"needs {opener.name}")
    unpacked = opener.unpack(packed[opener.format], tmp_path / "unpacked")
    assert unpacked == with_folders(TREE, "my tree")


@pytest.mark.parametrize("form", FORMATS)
def test_every_program_says_that_it_is_whole(packed: dict[str, Path], form: str) -> None:
    judge(packed[form], form)


@pytest.mark.parametrize("form", FORMATS)
def test_python_reads_what_was_stored(packed: dict[str, Path], tmp_path: Path, form: str) -> None:
    assert read(packed[form].read_bytes(), form, tmp_path) == with_folders(TREE, "my tree")


@pytest.mark.parametrize("form", FORMATS)
def test_names_are_kept_byte_for_byte(client: Client, tmp_path: Path, form: str) -> None:
    """bsdtar composes what it unpacks, so this is for readers that do not."""
    store(client, {"e\u0301": b"decomposed", "\u00e9": b"composed"}, "tree")
    tree = read(archive(client, "/tree", form), form, tmp_path)
    assert tree == {"tree": None, "tree/e\u0301": b"decomposed", "tree/\u00e9": b"composed"}


def test_times_are_those_of_the_records(client: Client, tmp_path: Path) -> None:
    record = client.stored("/docs/a.txt", b"a")
    content = archive(client, "/docs", "tar")
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        modified = packed.getmember("docs/a.txt").mtime
    assert expect.moment(record["modified_at"]).timestamp() == int(modified)
    path = tmp_path / "docs.zip"
    path.write_bytes(archive(client, "/docs", "zip"))
    run(["unzip", "-q", str(path)], cwd=tmp_path)
    assert (tmp_path / "docs/a.txt").stat().st_mtime == int(modified)


@pytest.mark.parametrize("form", FORMATS)
def test_the_headers_of_an_archive(client: Client, form: str) -> None:
    client.stored("/docs/я.txt", b"a")
    for path, name in (("/docs", "docs"), ("/docs/я.txt", "%D1%8F.txt")):
        got = client.download(path, compression=form)
        head = client.head("/api/v1/files/download", params={"path": path, "compression": form})
        assert got.status_code == head.status_code == 200 and not head.content
        for headers in (got.headers, head.headers):
            assert headers["Content-Type"] == TYPES[form]
            assert headers["Content-Disposition"].startswith("attachment;")
            assert headers["Content-Disposition"].endswith(f"filename*=UTF-8''{name}.{form}")
            assert headers["Accept-Ranges"] == "none"
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert {"ETag", "Content-Length", "Last-Modified"}.isdisjoint(headers)
        ranged = client.download(path, compression=form, headers={"Range": "bytes=0-1"})
        assert ranged.status_code == 200 and len(ranged.content) > 2


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_alone_and_folders_by_id(client: Client, tmp_path: Path, form: str) -> None:
    record = client.stored("/docs/a.txt", b"alone")
    folder = client.listing(folder="/")["files"][0]
    for path in ("/docs/a.txt", record["id"]):
        assert read(archive(client, path, form), form, tmp_path) == {"a.txt": b"alone"}
    for path in ("/docs", "docs", folder["id"]):
        assert read(archive(client, path, form), form, tmp_path) == {"docs": None, "docs/a.txt": b"alone"}


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_in_it(client: Client, tmp_path: Path, form: str) -> None:
    client.make_folder("/empty")
    client.put_name("nothing.txt", b"")
    assert read(archive(client, "/empty", form), form, tmp_path) == {"empty": None}
    assert read(archive(client, "/nothing.txt", form), form, tmp_path) == {"nothing.txt": b""}


def test_what_cannot_be_packed(client: Client, stranger: Client, anonymous: Client) -> None:
    client.stored("/docs/a.txt", b"a")
    for value in ("", "rar", "ZIP", "gz", "zip,tar"):
        expect.problem(client.download("/docs", compression=value), 400, "unknown_compression")
    expect.problem(client.get("/api/v1/files/download", params={"compression": "zip"}), 400)
    for form in FORMATS:
        expect.problem(client.download("/none", compression=form), 404)
        expect.problem(stranger.download("/docs", compression=form), 404)
        expect.problem(anonymous.download("/docs", compression=form), 401)


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_that_changes_is_packed_whole(client: Client, tmp_path: Path, form: str) -> None:
    """What is not touched is there, and what is there was stored at some time."""
    lasting: Tree = {f"lasting/{number}.txt": f"lasting {number}".encode() for number in range(300)}
    store(client, lasting, "tree")
    other = token_client(client.url, client.headers["X-Auth-Token"])
    stop = threading.Event()

    def change() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            name = f"tree/changing/{turn % 10}"
            other.put_name(name, f"turn {turn}".encode() * (turn % 50))
            if turn % 3 == 0:
                other.remove(f"/tree/changing/{(turn + 5) % 10}")
            if turn % 10 == 0:
                other.move(f"/{name}", f"/tree/moved-{turn % 4}", overwrite=True)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        packed = [archive(client, "/tree", form) for _ in range(10)]
    finally:
        stop.set()
        changing.join()
    for content in packed:
        path = tmp_path / f"tree.{form}"
        path.write_bytes(content)
        judge(path, form)
        tree = read(content, form, tmp_path)
        assert with_folders(lasting, "tree").items() <= tree.items()
        for name in tree.keys() - with_folders(lasting, "tree").keys():
            words = set((tree[name] or b"").split(b"turn "))
            assert len(words - {b""}) <= 1, f"{name} is of several revisions"


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_bytes_never_make_a_whole_archive(start: StartServer, form: str) -> None:
    daemon = start()
    client = new_member(daemon.url).client
    client.stored("/tree/a.txt", b"first" * 20_000, "a.txt")
    before = set(blobs_of(daemon.data))
    client.stored("/tree/b.txt", b"second" * 20_000, "b.txt")
    (blob,) = set(blobs_of(daemon.data)) - before
    blob.write(b"sec0nd" * 20_000)
    with pytest.raises(requests.exceptions.RequestException):
        _ = client.download("/tree", compression=form).content
    assert daemon.alive


class Pieces:
    """A download, read piece by piece and given to a program as it comes."""

    def __init__(self, client: Client, path: str, form: str):
        params = {"path": path, "compression": form}
        self.response = client.get("/api/v1/files/download", params=params, stream=True, timeout=900)
        assert self.response.status_code == 200
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.response.iter_content(MIB):
            self.size += len(piece)
            yield piece

    def save(self, path: Path) -> Path:
        with path.open("wb") as file:
            file.writelines(self)
        return path


def put_large(client: Client, name: str, size: int) -> str:
    """Stores a file of which no two MiB are alike; returns its hash."""
    block = random.Random(size).randbytes(MIB)
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for number in range(size // MIB):
            piece = number.to_bytes(8, "big") + block[8:]
            digest.update(piece)
            yield piece

    assert client.put(f"/api/files/{name}", data=pieces(), timeout=900).status_code == 204
    return digest.hexdigest()


def hash_of_entry(path: Path, form: str, name: str) -> str:
    """The hash of one entry, unpacked into a pipe."""
    command = {
        "zip": ["unzip", "-p", str(path), name],
        "tar": ["tar", "-xOf", str(path), name],
        "7z": ["7z", "e", "-so", "-bd", str(path), name],
    }[form]
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        digest = hashlib.file_digest(process.stdout, "sha256").hexdigest()  # type: ignore[arg-type]
    assert process.returncode == 0
    return digest


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "size", [pytest.param(100 * MIB, id="100 MiB"), pytest.param(5 * GIB, id="5 GiB", marks=pytest.mark.nightly)]
)
def test_a_large_file_passes_through_without_staying_in_memory(
    start: StartServer, tmp_path: Path, form: str, size: int
) -> None:
    daemon = start()
    client = token_client(daemon.url)
    expected = put_large(client, "tree/large.jpg", size)
    client.put_name("tree/small.txt", b"behind it")
    archive(client, "/tree/small.txt", form)
    daemon.mark_memory()
    path = Pieces(client, "/tree", form).save(tmp_path / f"tree.{form}")
    growth = daemon.memory_growth()
    assert growth <= MEMORY_GROWTH, f"grew by {growth / MIB:.1f} MiB"
    judge(path, form)
    assert hash_of_entry(path, form, "tree/large.jpg") == expected
    assert hash_of_entry(path, form, "tree/small.txt") == hashlib.sha256(b"behind it").hexdigest()


@on_disk
@pytest.mark.parametrize("form", FORMATS)
def test_a_client_that_leaves_leaves_no_file_open(start: StartServer, wait_until: WaitUntil, form: str) -> None:
    daemon = start()
    client = token_client(daemon.url)
    put_large(client, "tree/large.jpg", 100 * MIB)

    def is_reading() -> bool:
        return any("/containers/" in name for name in daemon.open_files())

    pieces = Pieces(client, "/tree", form)
    reading = iter(pieces)  # its end would be the connection's
    assert next(reading)
    wait_until(is_reading, 10)
    pieces.response.close()
    wait_until(lambda: not is_reading(), 10)
    assert daemon.alive


@pytest.fixture(scope="module")
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Client]]:
    """A server with a tree of so many files, of which many have the same bytes."""
    daemon = Daemon(tmp_path_factory.mktemp("crowd")).start()
    try:
        client = token_client(daemon.url)
        assert client.put_name("tree/00/0", b"0").status_code == 204
        count = request.param
        for number in range(1, 100):
            assert client.put_name(f"tree/00/{number}", b"%d" % number).status_code == 204
        for folder in range(1, count // 100):
            assert client.copy("/tree/00", f"/tree/{folder:02}").status_code == 200
        yield daemon, client
        assert daemon.stop() == 0, daemon.log()
    finally:
        daemon.kill()


@pytest.mark.parametrize(
    "crowd",
    [pytest.param(3_000, id="3,000"), pytest.param(70_000, id="70,000", marks=pytest.mark.nightly)],
    indirect=True,
)
@pytest.mark.parametrize("form", FORMATS)
def test_very_many_files(crowd: tuple[Daemon, Client], tmp_path: Path, form: str) -> None:
    daemon, client = crowd
    names = client.names()
    archive(client, "/tree/00", form)
    daemon.mark_memory()
    path = Pieces(client, "/tree", form).save(tmp_path / f"tree.{form}")
    growth = daemon.memory_growth()
    assert growth <= MEMORY_GROWTH, f"grew by {growth / MIB:.1f} MiB"
    judge(path, form)
    tree = read(path.read_bytes(), form, tmp_path)
    assert {name for name, content in tree.items() if content is not None} == set(names)
    assert all(tree[name] == name.rpartition("/")[2].encode() for name in names)


def test_a_zip_is_compressed_where_that_helps(client: Client) -> None:
    client.put_name("tree/text.txt", b"again and again " * 10_000)
    client.put_name("tree/noise.jpg", random.Random(4).randbytes(100_000))
    with zipfile.ZipFile(io.BytesIO(archive(client, "/tree", "zip"))) as packed:
        assert packed.getinfo("tree/text.txt").compress_size < 10_000
        assert 100_000 <= packed.getinfo("tree/noise.jpg").compress_size < 100_200
