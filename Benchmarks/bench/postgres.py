"""The rows about Postgres: the same server with its records there, beside pgbench, beside itself, and beside nginx."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import loads
from bench.report import Result, alternate
from bench.servers import Daemon, Member, new_member, storaged
from bench.settings import Settings
from bench.state import list_row
from bench.transfers import both_with_file

# What Postgres's documentation advises is a quarter of the memory. A million records and pgbench's million rows take 0.8 GB; with the
# 128 MiB that it comes with, what is measured is how it reads its files.
CACHE = "1GB"

SCRIPT = Path(__file__).parents[2] / "scripts" / "postgres"


def programs() -> Path | None:
    """Where the programs of Postgres are; None where it is not installed."""
    found = subprocess.run([str(SCRIPT), "programs"], capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


@dataclass
class Cluster:
    """A Postgres as it comes, but with checksums and a cache that holds the data: every COMMIT waits for the disk."""

    url: str

    def database(self) -> str:
        """Makes an empty database and returns its URL."""
        name = f"bench_{uuid.uuid4().hex[:8]}"
        self._psql(f"CREATE DATABASE {name}")
        return self.url.removesuffix("/postgres") + "/" + name

    def settle(self, database: str) -> None:
        """What else would come during a measurement, and what pgbench does for its own rows."""
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            self._psql(statement, database)

    def _psql(self, statement: str, database: str | None = None) -> None:
        subprocess.run(["psql", "-X", "-q", "-c", statement, database or self.url], check=True)


@contextmanager
def on_postgres(settings: Settings) -> Iterator[tuple[Cluster, str]]:
    """A cluster, which goes with everything in it, and the URL of an empty database there."""
    # It runs as another user than root, who must get there.
    settings.directory.chmod(0o711)
    home = Path(tempfile.mkdtemp(dir=settings.directory, prefix="postgres-"))
    command = [str(SCRIPT), "start", str(home), f"shared_buffers={CACHE}"]
    started = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    try:
        cluster = Cluster(started.stdout.strip())
        yield cluster, cluster.database()
    finally:
        subprocess.run([str(SCRIPT), "stop", str(home), "immediate"], check=True)
        shutil.rmtree(home)


class Pgbench:
    """`pgbench -S -M prepared`: one row by its primary key, by a statement that the server has compiled."""

    def __init__(self, cluster: Cluster, rows: int):
        directory = programs()
        assert directory
        self.program = directory / "pgbench"
        self.url = cluster.database()
        scale = max(1, rows // 100_000)
        self._run("--initialize", "--quiet", f"--scale={scale}")

    def rate(self, clients: int, seconds: int) -> float:
        """Transactions per second."""
        options = ("--select-only", "--protocol=prepared", "--no-vacuum")
        output = self._run(*options, f"--client={clients}", f"--jobs={min(2, clients)}", f"--time={seconds}")
        rate = re.search(r"tps = ([\d.]+) \(without initial connection time\)", output)
        assert rate, output
        return float(rate[1])

    def _run(self, *options: str) -> str:
        command = [str(self.program), *options, self.url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# Rows as uploads make them, with bytes that nobody has: for what looks at records alone.
FILL = """
SELECT set_config('fill.container', encode(c.id, 'hex'), false)
FROM containers c JOIN accounts a ON a.id = c.account_id WHERE a.login = convert_to(:'login', 'UTF8') \\gset
CREATE TEMPORARY TABLE loaded AS SELECT number, uuid_send(gen_random_uuid()) AS file, uuid_send(gen_random_uuid()) AS revision,
    uuid_send(gen_random_uuid()) AS blob, decode(current_setting('fill.container'), 'hex') AS container,
    (EXTRACT(EPOCH FROM now()) * 1000000)::bigint AS now FROM generate_series(0, :count - 1) number;
INSERT INTO blobs (id, space, hash, gen, size, state, state_at)
SELECT blob, container, sha256(blob), 0, 32, 'live', now FROM loaded;
INSERT INTO files (id, container_id, path, depth, type, kind, created_at, modified_at)
SELECT uuid_send(gen_random_uuid()), container, convert_to(path, 'UTF8'), depth, 'folder', 'other', now, now FROM
(SELECT DISTINCT container, 'loaded/' || lpad((number / 1000)::text, 5, '0') AS path, 2 AS depth, now FROM loaded
UNION SELECT container, 'loaded', 1, now FROM loaded) folders;
INSERT INTO files (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at,
    copy_of, number, size, media_type, revised_at, blob_id, space, hash, gen)
SELECT file, container, convert_to('loaded/' || lpad((number / 1000)::text, 5, '0') || '/' || lpad(number::text, 8, '0') || '.txt',
    'UTF8'), 3, 'file', revision, 'text', now, now, revision, 1, 32, 'text/plain', now, blob, container, sha256(blob), 0 FROM loaded;
INSERT INTO revisions (id, file_id, container_id, number, blob_id, size, media_type, created_at)
SELECT revision, file, container, 1, blob, 32, 'text/plain', now FROM loaded;
UPDATE containers SET used_bytes = 32 * :count, used_files = :count WHERE id = decode(current_setting('fill.container'), 'hex');
"""


@contextmanager
def filled(settings: Settings) -> Iterator[tuple[Cluster, str, Daemon, Member, Member]]:
    """A server on a cluster, with the records of `files` files in one account and of 1,000 in another."""
    with on_postgres(settings) as (cluster, url), storaged(settings.directory, DATABASE_URL=url) as daemon:
        many, few = new_member(daemon.url), new_member(daemon.url)
        for member, count in ((many, settings.files), (few, 1000)):
            command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"login={member.login}", "-v", f"count={count}", url]
            subprocess.run(command, input=FILL, text=True, check=True)
        cluster.settle(url)
        yield cluster, url, daemon, many, few


LOOKUPS = Path(__file__).parents[2] / ".build" / "release" / "bench-lookups"


def lookups(url: str, member: Member, clients: int, seconds: int, files: int) -> float:
    """Records a second that a process beside the database gets from the metadata store."""
    program = os.environ.get("BENCH_LOOKUPS", str(LOOKUPS))
    command = [program, url, member.login, str(clients), str(seconds), str(files)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def postgres_lookup(settings: Settings) -> list[Result]:
    results = []
    with filled(settings) as (cluster, url, _, many, _):
        peer = Pgbench(cluster, settings.files)

        def ours(clients: int) -> Callable[[], float]:
            return lambda: lookups(url, many, clients, settings.seconds, settings.files)

        def theirs(clients: int) -> Callable[[], float]:
            return lambda: peer.rate(clients, settings.seconds)

        for clients in (1, 16, 64):
            rates = alternate(settings.pairs, ours(clients), theirs(clients))
            what = f"record lookup through the Postgres store, {settings.files:,} files, {clients} clients"
            bounds = ("0.8", "1.5") if clients == 16 else ("–", "–")
            results.append(Result("postgres-lookup", what, "records/s", rates[0], *bounds, "pgbench -S -M prepared", rates[1]))
    return results


def postgres_put_1k(settings: Settings) -> list[Result]:
    clients = (1, 8, 32)
    with on_postgres(settings) as (_, url), storaged(settings.directory, DATABASE_URL=url) as daemon:
        authorization = new_member(daemon.url).client.headers["Authorization"]

        def files(count: int) -> Callable[[], float]:
            def rate() -> float:
                os.sync()
                return loads.wrk_put(daemon.url, count, settings.seconds, uuid.uuid4().hex[:8], authorization)

            return rate

        rates = dict(zip(clients, alternate(settings.pairs, *map(files, clients)), strict=True))
    what = "1 KiB PUT durable of one account on Postgres, {} clients"
    bounds = {8: ("2", "4"), 32: ("3", "8")}
    return [
        Result("postgres-put-1k", what.format(count), "files/s", rates[count], *bounds[count], "1 client", rates[1])
        for count in bounds
    ]


def postgres_get_1k(settings: Settings) -> list[Result]:
    with (
        on_postgres(settings) as (_, url),
        both_with_file(settings, 1024, DATABASE_URL=url) as (_, peer, target, header),
    ):
        ours, theirs = alternate(
            settings.pairs,
            lambda: loads.wrk(target, 64, settings.seconds, header=header),
            lambda: loads.wrk(peer.url + "/file.bin", 64, settings.seconds),
        )
    what = "1 KiB GET by path with Bearer on Postgres, 64 connections"
    return [Result("postgres-get-1k", what, "requests/s", ours, "0.25", "0.5", "nginx static", theirs)]


def postgres_many(settings: Settings) -> list[Result]:
    with filled(settings) as (_, url, daemon, many, few):
        pages = list_row(settings, daemon, many.client.headers, few.client.headers)
        ours, theirs = alternate(
            settings.pairs,
            lambda: lookups(url, many, 16, settings.seconds, settings.files),
            lambda: lookups(url, few, 16, settings.seconds, 1000),
        )
    what = f"record lookup among {settings.files:,} files, 16 clients, on Postgres"
    return [
        replace(pages, row="postgres-many", what=pages.what + ", on Postgres"),
        Result("postgres-many", what, "records/s", ours, "0.9", "1.0", "of 1,000 files", theirs),
    ]
