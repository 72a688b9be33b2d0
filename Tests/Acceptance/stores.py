"""Where the servers under test keep what they know: STORAGED_TEST_STORES.

sqlite    a file in the data directory (when nothing is said)
postgres  a database of each data directory's own, in the cluster that STORAGED_TEST_POSTGRES names
nodes     the same, shared by two processes with one data directory
s3        a file in the data directory for the records; the bytes below a prefix of each data directory's own, in the
          bucket that STORAGED_TEST_S3_* names
stack     the whole of it: two processes with data directories of their own over Postgres and the bucket, behind nginx
          as deploy/nginx has it; and over the Redis that STORAGED_TEST_REDIS names, if it names one
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import buckets
from buckets import Bucket

MODES = ("sqlite", "postgres", "nodes", "s3", "stack")
MODE = os.environ.get("STORAGED_TEST_STORES") or "sqlite"
NODES = 2 if MODE in ("nodes", "stack") else 1
ON_POSTGRES = MODE in ("postgres", "nodes", "stack")
IN_BUCKET = MODE in ("s3", "stack")
BEHIND_NGINX = MODE == "stack"
# The cache that the nodes of the stack share, where there is one.
REDIS = os.environ.get("STORAGED_TEST_REDIS") if MODE == "stack" else None

_databases: dict[Path, str] = {}
_buckets: dict[Path, Bucket] = {}


def cluster() -> str:
    """The URL of the cluster in which databases are made; its user may do everything there."""
    url = os.environ.get("STORAGED_TEST_POSTGRES")
    if not url:
        raise RuntimeError("STORAGED_TEST_POSTGRES names no Postgres; `scripts/postgres run COMMAND` starts one")
    return url


def psql(url: str, statement: str) -> str:
    """What a statement prints; it is sent alone, in a session of its own."""
    command = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{statement}: {result.stderr}")
    return result.stdout.strip()


def in_cluster(url: str, name: str) -> str:
    """The URL of another database in the same cluster."""
    return urlsplit(url)._replace(path="/" + name).geturl()


def create_database(url: str) -> str:
    """Makes an empty database in a cluster and returns its URL."""
    name = f"test_{secrets.token_hex(8)}"
    psql(url, f"CREATE DATABASE {name}")
    return in_cluster(url, name)


def drop_database(url: str) -> None:
    psql(in_cluster(url, "postgres"), f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


def with_stores(environment: Mapping[str, str]) -> dict[str, str]:
    """What a server or command is told, and the stores of its data directory unless it names some itself."""
    place = environment.get("DATA_DIRECTORY")
    found: dict[str, str] = {}
    if place is not None and ON_POSTGRES and "DATABASE_URL" not in environment:
        found["DATABASE_URL"] = database_of(Path(place))
    bucket = bucket_of(Path(place)) if place is not None else None
    if bucket is not None and not {"BLOBS_STORE", "S3_BUCKET"} & environment.keys():
        found.update(bucket.settings)
    if place is not None and REDIS:
        found["CACHE_URL"] = REDIS
    if place is not None and BEHIND_NGINX:
        # All clients have one address there, which nginx passes on, so that it counts like any other.
        found |= {"LIMITS_RATE_SIGN_IN": "none", "LIMITS_RATE_REGISTER": "none"}
    return {**found, **environment}


def database_of(data: Path) -> str:
    place = Path(os.path.abspath(data))
    if place not in _databases:
        _databases[place] = create_database(cluster())
    return _databases[place]


def use_database(data: Path, url: str) -> None:
    """Makes a database that is there already the one of a data directory, and of the commands on it."""
    _databases[Path(os.path.abspath(data))] = url


def bucket_of(data: Path) -> Bucket | None:
    """Where the bytes of a data directory's server are; None for the directory itself."""
    place = Path(os.path.abspath(data))
    if IN_BUCKET and place not in _buckets:
        _buckets[place] = Bucket.fresh(buckets.server())
    return _buckets.get(place)


def use_bucket(data: Path, bucket: Bucket) -> None:
    """Makes a part of a bucket the one of a data directory, and of the commands on it."""
    _buckets[Path(os.path.abspath(data))] = bucket


def forget_bucket(data: Path) -> None:
    """Leaves a part of a bucket to whoever made it."""
    _buckets.pop(Path(os.path.abspath(data)), None)


def drop_stores(below: Path) -> None:
    """The databases and parts of buckets of all data directories below a folder."""
    for place in [place for place in _databases if place.is_relative_to(below)]:
        drop_database(_databases.pop(place))
    for place in [place for place in _buckets if place.is_relative_to(below)]:
        _buckets.pop(place).clear()


# What the database of a data directory says


def rows(data: Path, query: str) -> list[dict[str, Any]]:
    """The rows of a query that every database understands, by the names of their columns."""
    if ON_POSTGRES:
        return list(json.loads(psql(database_of(data), f"SELECT coalesce(json_agg(r), '[]') FROM ({query}) AS r")))
    connection = sqlite3.connect(f"file:{data}/storaged.sqlite?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query)]
    finally:
        connection.close()


def change(data: Path, statement: str) -> int:
    """Runs one UPDATE, INSERT or DELETE and says how many rows it changed."""
    if ON_POSTGRES:
        query = f"WITH changed AS ({statement} RETURNING 1) SELECT count(*) FROM changed"
        return int(psql(database_of(data), query))
    connection = sqlite3.connect(data / "storaged.sqlite")
    try:
        with connection:
            return connection.execute(statement).rowcount
    finally:
        connection.close()


def blob(digits: str) -> str:
    """A literal of bytes, from hexadecimal digits."""
    return f"x'{digits}'" if not ON_POSTGRES else f"'\\x{digits}'::bytea"
