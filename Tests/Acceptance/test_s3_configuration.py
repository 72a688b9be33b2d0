"""A bucket by configuration alone: the settings, what is refused, a server that comes and goes, the hot cache."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import expect
from blobs import blobs_of
from buckets import Bucket, Server, server
from client import Client, new_member, token_client
from commands import done, findings, lines, stored_blobs
from conftest import StartServer
from daemon import Daemon, free_port, run_command
from forwarder import Forwarder
from stores import cluster, create_database, drop_database, use_bucket

EXIT_UNAVAILABLE = 69
EXIT_CONFIGURATION = 78
LARGE = (64 << 20) + 12_345  # sent in parts

WaitUntil = Callable[[Callable[[], bool], float], None]
StartInBucket = Callable[..., Daemon]


# Each test has a part of the bucket of its own, whatever the others run on.
pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty part of the bucket."""
    if Server.named_by(os.environ) is None:
        pytest.skip("STORAGED_TEST_S3_ENDPOINT names no S3 server; `scripts/radosgw run COMMAND` starts one")
    one = Bucket.fresh(server())
    yield one
    one.clear()


@pytest.fixture
def start_in(start: StartServer, tmp_path: Path) -> StartInBucket:
    """Starts a server on a part of a bucket, of which the commands on its data know too."""

    def start_one(bucket: Bucket, name: str = "server", **environment: str) -> Daemon:
        use_bucket(tmp_path / name / "data", bucket)
        return start(tmp_path / name, **{**bucket.settings, **environment})

    return start_one


def way_to(bucket: Bucket, port: int) -> Forwarder:
    """The way there; when it is closed, its connections are cut and new ones refused."""
    return Forwarder(port, [int(urlsplit(bucket.server.endpoint).port or 80)])


def by_way_of(bucket: Bucket, port: int) -> Bucket:
    return bucket.at(f"http://127.0.0.1:{port}")


# What is kept there


def test_the_bytes_lie_in_the_bucket_and_nothing_else_does(start_in: StartInBucket, bucket: Bucket) -> None:
    daemon = start_in(bucket)
    member, container = new_member(daemon.url), token_client(daemon.url)
    member.client.stored("/a.txt", b"of an account")
    assert container.put_name("b.txt", b"of a token").status_code == 204
    shared, own = expect.digest(b"of an account"), expect.digest(b"of a token")
    keys = bucket.keys()
    assert "store.id" in keys and f"store/{shared[:2]}/{shared}" in keys
    assert sum(key.startswith("containers/") and key.endswith(f"/{own[:2]}/{own}") for key in keys) == 1
    assert len(keys) == 4 and "store.probe" in keys
    assert not [path for tree in ("store", "containers") for path in (daemon.data / tree).rglob("*")]
    assert {blob.read() for blob in blobs_of(daemon.data)} == {b"of an account", b"of a token"}
    assert bucket.server.secret_key not in daemon.log(limit=1 << 30)
    assert daemon.stop() == 0

    again = start_in(bucket)
    member.client.url = again.url
    member.client.session.close()
    assert member.client.download("/a.txt").content == b"of an account"
    assert findings(again) == []
    # Radosgw understands `If-None-Match`; a server that is started again finds that out again.
    told = [line for line in again.log().splitlines() if "the bucket answers" in line]
    assert len(told) == 2 and all('"conditional_put":"yes"' in line for line in told), told


def test_a_large_file_goes_up_and_down_in_parts(start_in: StartInBucket, bucket: Bucket) -> None:
    daemon = start_in(bucket, BLOBS_MEMORY_CACHE="0")
    client = new_member(daemon.url).client
    content = secrets.token_bytes(1 << 20) * (LARGE >> 20) + secrets.token_bytes(LARGE % (1 << 20))
    client.stored("/large.bin", content)
    assert sorted(bucket.sizes("store/").values()) == [LARGE] and bucket.uploads() == []
    assert client.download("/large.bin").content == content
    for first, last in ((0, 0), (LARGE - 1, LARGE - 1), (8 << 20, 40 << 20), (LARGE - 70_000, LARGE + 5)):
        part = client.download("/large.bin", headers={"Range": f"bytes={first}-{last}"})
        assert part.status_code == 206 and part.content == content[first : last + 1]
    assert daemon.staging_files() == 0
    assert findings(daemon) == []


def test_two_stores_share_a_bucket(start_in: StartInBucket, bucket: Bucket) -> None:
    within = replace(bucket, prefix=bucket.prefix + "/within")
    one, other = start_in(bucket, "one"), start_in(within, "other")
    for daemon in (one, other):
        new_member(daemon.url).client.stored("/a.txt", b"the same")
    assert len(within.keys("store/")) == 1
    assert len(bucket.keys("store/")) == 1
    assert findings(one) == findings(other) == []


def test_a_bucket_that_keeps_versions_is_emptied(start_in: StartInBucket, bucket: Bucket) -> None:
    client: Any = bucket.server.client
    versioned = replace(bucket, server=replace(bucket.server, bucket=f"versions-{secrets.token_hex(8)}"))
    client.create_bucket(Bucket=versioned.server.bucket)
    client.put_bucket_versioning(Bucket=versioned.server.bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        daemon = start_in(versioned)
        container = token_client(daemon.url)
        for number in range(5):
            assert container.put_name(f"{number}", b"%d" % number).status_code == 204
        for key in versioned.keys("containers/"):
            versioned.write(key, versioned.read(key))  # a second version of each
        for number in range(1, 5):
            assert container.delete(f"/api/files/{number}").status_code == 204
        assert json.loads(done(daemon, "gc", "--grace", "0", "--json"))["blobs"] == 4
        listed = client.list_object_versions(Bucket=versioned.server.bucket, Prefix=versioned.prefix + "/containers/")
        assert len(listed["Versions"]) == 2 and "DeleteMarkers" not in listed
        assert container.get("/api/files/0").content == b"0"
        assert findings(daemon) == []
        assert daemon.stop() == 0
    finally:
        versioned.clear()
        client.delete_bucket(Bucket=versioned.server.bucket)


def test_uploads_that_were_left_by_others_are_swept(start_in: StartInBucket, bucket: Bucket) -> None:
    daemon = start_in(bucket)
    upload = bucket.begin_upload("store/00/" + "0" * 64)
    foreign = replace(bucket, prefix=bucket.prefix + "-other").begin_upload("store/00/" + "0" * 64)
    done(daemon, "gc")
    assert bucket.uploads() == [upload], "it is younger than a day"
    assert json.loads(done(daemon, "gc", "--grace", "0", "--json"))["uploads"] == 1
    assert bucket.uploads() == []
    bucket.begin_upload("store/00/" + "0" * 64)
    assert "gave back 1 unfinished upload" in done(daemon, "gc", "--grace", "0")
    neighbour = replace(bucket, prefix=bucket.prefix + "-other")
    assert neighbour.uploads() == [foreign], "what is not below the prefix is nobody's business"
    neighbour.clear()


# What is said, and what is not


@pytest.mark.parametrize("arguments", [["config"], ["config", "--json"]], ids=["text", "json"])
@pytest.mark.parametrize(
    "environment",
    [
        {"S3_ENDPOINT": "{0}", "S3_BUCKET": "{1}", "S3_ACCESS_KEY": "{2}", "S3_SECRET_KEY": "{3}"},
        {"ENDPOINT_URL": "{0}", "BUCKET": "{1}", "ACCESS_KEY": "{2}", "SECRET_KEY": "{3}"},
        {"AWS_ENDPOINT_URL": "{0}", "BUCKET_NAME": "{1}", "AWS_ACCESS_KEY_ID": "{2}", "AWS_SECRET_ACCESS_KEY": "{3}"},
    ],
    ids=["own", "short", "AWS"],
)
def test_every_spelling_is_shown_without_the_keys(
    tmp_path: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    values = ("https://s3.example.org", "pictures", "hunter2access", "hunter2secret")
    told = {name: text.format(*values) for name, text in environment.items()}
    result = run_command(*arguments, directory=tmp_path, S3_SESSION_TOKEN="hunter2session", **told)
    assert result.returncode == 0, result.stderr
    assert "https://s3.example.org" in result.stdout and "pictures" in result.stdout
    assert all(f"{name} in the environment" in result.stdout for name in told)
    assert "hunter2" not in result.stdout + result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_seeds_start_a_server(start: StartServer, bucket: Bucket, tmp_path: Path) -> None:
    use_bucket(tmp_path / "server-0" / "data", bucket)
    daemon = start(
        ENDPOINT_URL=bucket.server.endpoint,
        BUCKET=bucket.server.bucket,
        ACCESS_KEY=bucket.server.access_key,
        SECRET_KEY=bucket.server.secret_key,
        S3_PREFIX=bucket.prefix,
    )
    token_client(daemon.url).put_name("a", b"a")
    assert stored_blobs(daemon) == 1 and len(bucket.keys("containers/")) == 1


def test_a_key_is_no_argument(tmp_path: Path) -> None:
    for key in ("secret-key", "access-key", "session-token"):
        result = run_command("serve", f"--s3-{key}", "hunter2", directory=tmp_path)
        assert result.returncode == EXIT_CONFIGURATION
        assert f"s3.{key}" in result.stderr and "hunter2" not in result.stderr


# What cannot be


def refused(directory: Path, bucket: Bucket, *arguments: str, key: str, **other: str) -> str:
    """What the server says of a bucket that can never be right; it says so at once, and makes nothing."""
    started = time.monotonic()
    settings = {**bucket.settings, **other}
    result = run_command(*(arguments or ("serve", "--http-port", "0")), directory=directory, **settings)
    assert result.returncode == EXIT_CONFIGURATION, f"{result.returncode}\n{result.stdout}{result.stderr}"
    assert time.monotonic() - started < 10
    assert list(directory.iterdir()) == []
    assert key in result.stderr, result.stderr
    assert bucket.server.secret_key not in result.stdout + result.stderr and "hunter2" not in result.stderr
    return result.stderr


COMMANDS: list[tuple[str, ...]] = [(), ("gc",), ("fsck",)]


@pytest.mark.parametrize("arguments", COMMANDS, ids=["serve", "gc", "fsck"])
def test_a_wrong_secret_is_refused_at_once(bucket: Bucket, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = refused(tmp_path, bucket, *arguments, key="s3.secret-key", S3_SECRET_KEY="hunter2" * 5)
    assert "S3_SECRET_KEY in the environment" in said or "s3.access-key" in said
    assert bucket.keys() == []


def test_an_unknown_key_is_refused_at_once(bucket: Bucket, tmp_path: Path) -> None:
    refused(tmp_path, bucket, key="s3.access-key", S3_ACCESS_KEY="hunter2")


@pytest.mark.parametrize("arguments", COMMANDS, ids=["serve", "gc", "fsck"])
def test_a_bucket_that_is_not_there_is_refused_at_once(
    bucket: Bucket, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    said = refused(tmp_path, bucket, *arguments, key="s3.bucket", S3_BUCKET="no-such-bucket")
    assert "no-such-bucket" in said


class Elsewhere(BaseHTTPRequestHandler):
    """An S3 server whose bucket is in another region, as Amazon's says it."""

    code, status = "AuthorizationHeaderMalformed", 400
    message = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-9'"

    def answer(self) -> None:
        region = "<Region>eu-central-9</Region>"
        body = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message>{region}</Error>".encode()
        self.send_response(self.status)
        self.send_header("x-amz-bucket-region", "eu-central-9")
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Moved(Elsewhere):
    code, status = "PermanentRedirect", 301
    message = "The bucket you are attempting to access must be addressed using the specified endpoint. (eu-central-9)"


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that answers like this."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("handler", [Elsewhere, Moved])
def test_a_wrong_region_is_refused_at_once(
    bucket: Bucket, tmp_path: Path, handler: type[BaseHTTPRequestHandler]
) -> None:
    with served(handler) as address:
        said = refused(tmp_path, bucket.at(address), key="s3.region")
    assert "eu-central-9" in said


@pytest.mark.parametrize(
    ("key", "variable", "value"),
    [
        ("s3.endpoint", "S3_ENDPOINT", "s3.example.org"),
        ("s3.endpoint", "S3_ENDPOINT", "ftp://s3.example.org"),
        ("s3.endpoint", "S3_ENDPOINT", "https://s3.example.org/files"),
        ("s3.endpoint", "S3_ENDPOINT", "http://ada:hunter2@127.0.0.1"),
        ("s3.prefix", "S3_PREFIX", "/files"),
        ("s3.prefix", "S3_PREFIX", "a/../b"),
        ("s3.prefix", "S3_PREFIX", "a//b"),
        ("s3.prefix", "S3_PREFIX", "a\nb"),
        ("s3.bucket", "S3_BUCKET", "my bucket"),
        ("s3.bucket", "S3_BUCKET", "a/b"),
        ("s3.region", "S3_REGION", "eu west"),
        ("s3.secret-key", "S3_SECRET_KEY", "hunter2 hunter2"),
        ("s3.path-style", "S3_PATH_STYLE", "perhaps"),
        ("blobs.hot-cache", "BLOBS_HOT_CACHE", "much"),
        ("blobs.fallback", "BLOBS_FALLBACK", "tape"),
    ],
)
def test_settings_that_are_none_are_refused_at_once(tmp_path: Path, key: str, variable: str, value: str) -> None:
    bucket = Bucket(Server("http://127.0.0.1:9", "us-east-1", "files", "access", "secret-of-the-test"), "prefix")
    said = refused(tmp_path, bucket, key=key, **{variable: value})
    assert f"{variable} in the environment" in said


def test_another_store_than_the_one_of_the_database_is_refused(
    start_in: StartInBucket, bucket: Bucket, tmp_path: Path
) -> None:
    daemon, other = start_in(bucket), replace(bucket, prefix=bucket.prefix + "/other")
    second = start_in(other, "second")
    told = {"DATABASE_URL": f"sqlite:{daemon.data}/storaged.sqlite", **other.settings}
    assert daemon.stop() == second.stop() == 0
    (tmp_path / "third").mkdir()
    for arguments in (["serve", "--http-port", "0"], ["gc"]):
        result = run_command(*arguments, directory=tmp_path / "third", **told)
        assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
        if arguments[0] == "serve":
            ids = [store.read("store.id").decode().strip() for store in (bucket, other)]
            assert all(identifier in result.stderr for identifier in ids), result.stderr
    told = {"DATA_DIRECTORY": str(daemon.data), "BLOBS_STORE": "disk"}
    on_disk = run_command("serve", "--http-port", "0", directory=daemon.directory, **told)
    assert on_disk.returncode == EXIT_CONFIGURATION, "the database belongs to the bucket"


# A server that comes and goes


def test_accounts_need_no_bucket(start_in: StartInBucket, bucket: Bucket) -> None:
    daemon = start_in(bucket)
    member = new_member(daemon.url)
    away = by_way_of(bucket, free_port()).settings
    told = {**away, "DATA_DIRECTORY": str(daemon.data)}
    for arguments in (["user", "list"], ["user", "disable", member.login]):
        result = run_command(*arguments, directory=daemon.directory, **told)
        assert result.returncode == 0, result.stderr


def test_a_start_says_at_once_what_it_waits_for(bucket: Bucket, tmp_path: Path, wait_until: WaitUntil) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        away = by_way_of(bucket, silent.getsockname()[1])
        with Daemon(tmp_path, **away.settings) as daemon:
            daemon.spawn()
            wait_until(lambda: "waiting up to 30s for the bucket" in daemon.log(), 25)


def test_commands_do_not_wait_for_a_server_that_is_away(bucket: Bucket, tmp_path: Path) -> None:
    away = by_way_of(bucket, free_port())
    started = time.monotonic()
    result = run_command("gc", directory=tmp_path, **away.settings)
    assert result.returncode == EXIT_UNAVAILABLE, result.stderr
    assert "s3.endpoint" in result.stderr and bucket.server.secret_key not in result.stderr
    assert time.monotonic() - started < 20


@pytest.mark.nightly
def test_a_server_that_stays_away_ends_the_start_after_30_seconds(bucket: Bucket, tmp_path: Path) -> None:
    with Daemon(tmp_path, **by_way_of(bucket, free_port()).settings) as daemon:
        started = time.monotonic()
        daemon.spawn()
        (process,) = daemon.processes
        assert process.wait(50) == EXIT_UNAVAILABLE, daemon.log()
        assert 29 < time.monotonic() - started < 45
        assert "s3.endpoint" in daemon.log()
        assert not daemon.data.exists() or not (daemon.data / "store.id").exists()
    assert bucket.keys() == []


def test_a_start_waits_for_a_server_that_comes_late(bucket: Bucket, tmp_path: Path, wait_until: WaitUntil) -> None:
    port = free_port()
    use_bucket(tmp_path / "data", bucket)
    with Daemon(tmp_path, **by_way_of(bucket, port).settings) as daemon:
        daemon.spawn()
        wait_until(lambda: "s3" in daemon.log().lower(), 15)
        assert daemon.alive and daemon.status_of("/readyz") != 200
        with closing(way_to(bucket, port)):
            wait_until(daemon.ready, 15)
            token_client(daemon.url).put_name("a", b"a")
            assert len(bucket.keys("containers/")) == 1
            assert daemon.stop() == 0


def test_a_server_that_goes_away_and_comes_back(bucket: Bucket, tmp_path: Path, wait_until: WaitUntil) -> None:
    port = free_port()
    way = way_to(bucket, port)
    use_bucket(tmp_path / "data", bucket)
    with Daemon(tmp_path, BLOBS_MEMORY_CACHE="0", **by_way_of(bucket, port).settings) as daemon:
        client = token_client(daemon.start().url)
        assert client.put_name("a", b"a").status_code == 204
        way.close()
        wait_until(lambda: daemon.status_of("/readyz") == 503, 10)
        assert daemon.status_of("/healthz") == 200
        for answer in (client.get("/api/files/a"), client.put_name("b", b"b")):
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1, answer.text
            assert bucket.server.secret_key not in answer.text and str(port) not in answer.text
        assert client.names() == ["a"], "what needs no bytes goes on"
        assert client.delete("/api/files/a").status_code == 204
        with closing(way_to(bucket, port)):
            wait_until(daemon.ready, 35)
            assert client.put_name("b", b"b").status_code == 204
            assert client.get("/api/files/b").content == b"b"
            assert daemon.stop() == 0


# Nodes that share nothing but a database and a bucket


def test_nodes_with_data_directories_of_their_own_behave_as_one(
    start: StartServer, bucket: Bucket, tmp_path: Path
) -> None:
    if not os.environ.get("STORAGED_TEST_POSTGRES"):
        pytest.skip("STORAGED_TEST_POSTGRES names no Postgres; `scripts/postgres run COMMAND` starts one")
    url = create_database(cluster())
    told = {"DATABASE_URL": url, **bucket.settings}
    try:
        daemons = [Daemon(directory, **told) for directory in (tmp_path / "one", tmp_path / "other")]
        for daemon in daemons:
            daemon.directory.mkdir()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Daemon.start, daemons))
        member = new_member(daemons[0].url)
        there = Client(daemons[1].url, member.client.headers)
        for number in range(20):
            writer, reader = (member.client, there) if number % 2 else (there, member.client)
            writer.stored("/a.txt", b"%d" % number)
            assert reader.download("/a.txt").content == b"%d" % number
        found = run_command("fsck", "--read-data", directory=tmp_path, DATA_DIRECTORY=str(daemons[0].data), **told)
        assert found.returncode == 0, found.stdout + found.stderr
        assert [daemon.stop() for daemon in daemons] == [0, 0]
    finally:
        for daemon in daemons:
            daemon.kill()
        drop_database(url)


# The hot cache


def hot_files(daemon: Daemon) -> list[Path]:
    return sorted(path for path in (daemon.data / "hot").rglob("*") if path.is_file())


def test_hot_files_are_served_without_the_bucket(bucket: Bucket, tmp_path: Path) -> None:
    port = free_port()
    way = way_to(bucket, port)
    use_bucket(tmp_path / "data", bucket)
    settings = {"BLOBS_HOT_CACHE": "8MiB", "BLOBS_MEMORY_CACHE": "0", **by_way_of(bucket, port).settings}
    contents = {f"/{number}.bin": secrets.token_bytes(200_000 + number) for number in range(8)}
    with Daemon(tmp_path, **settings) as daemon:
        client = new_member(daemon.start().url).client
        for path, content in contents.items():
            client.stored(path, content)
        cold = "/cold.bin"
        client.stored(cold, b"never read")
        for path, content in contents.items():
            assert client.download(path).content == content
        assert daemon.stop() == 0
        daemon.start()
        way.close()
        for path, content in contents.items():
            assert client.download(path).content == content, "also after a start"
            part = client.download(path, headers={"Range": "bytes=100-199"})
            assert part.status_code == 206 and part.content == content[100:200]
        with closing(way_to(bucket, port)):
            assert daemon.stop() == 0


def test_the_hot_cache_keeps_its_size_and_never_serves_what_is_wrong(start_in: StartInBucket, bucket: Bucket) -> None:
    capacity = 4 << 20
    daemon = start_in(bucket, BLOBS_HOT_CACHE=str(capacity), BLOBS_MEMORY_CACHE="0")
    client = new_member(daemon.url).client
    contents = {f"/{number}.bin": secrets.token_bytes(400_000) for number in range(20)}
    for path, content in contents.items():
        client.stored(path, content)
    for _ in range(2):
        for path, content in contents.items():
            assert client.download(path).content == content
            assert sum(file.stat().st_size for file in hot_files(daemon)) <= capacity
    assert hot_files(daemon)
    large = secrets.token_bytes(2 * capacity)
    client.stored("/large.bin", large)
    assert client.download("/large.bin").content == large
    assert sum(file.stat().st_size for file in hot_files(daemon)) <= capacity
    assert client.remove("/0.bin").status_code == 204
    done(daemon, "gc", "--grace", "0")
    assert client.download("/0.bin").status_code == 404
    assert findings(daemon) == []
    assert lines(done(daemon, "user", "list", "--json"))[0]["files"] == 20
