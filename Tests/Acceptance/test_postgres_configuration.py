"""PostgreSQL by configuration alone: both spellings, refusals, a server that comes and goes, several nodes."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import pytest

from client import Client, new_member, sign_in, token_client
from commands import lines, wait_for_status
from conftest import StartServer
from daemon import Daemon, free_port, run_command
from forwarder import Forwarder
from stores import cluster, create_database, drop_database, psql

EXIT_UNAVAILABLE = 69
EXIT_CONFIGURATION = 78

WaitUntil = Callable[[Callable[[], bool], float], None]


# Each test has a database of its own, whatever the others run on.
pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def database() -> Iterator[SplitResult]:
    """The URL of an empty database."""
    if not os.environ.get("STORAGED_TEST_POSTGRES"):
        pytest.skip("STORAGED_TEST_POSTGRES names no Postgres; `scripts/postgres run COMMAND` starts one")
    url = create_database(cluster())
    yield urlsplit(url)
    drop_database(url)


@pytest.fixture
def certificate() -> Iterator[tuple[Path, Path]]:
    """The certificate of a database server at 127.0.0.1, which is its own authority, and its key."""
    folder = Path(tempfile.mkdtemp(prefix="storaged-tls-", dir="/tmp"))
    folder.chmod(0o755)
    chain, key = folder / "chain.pem", folder / "key.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=database"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)]
    subprocess.run(["openssl", *made, *names], check=True, capture_output=True, timeout=60)
    key.chmod(0o600)
    yield chain, key
    shutil.rmtree(folder)


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[SplitResult]:
    """The URL of an empty database of a server of its own, which speaks TLS."""
    chain, key = certificate
    script = str(Path(__file__).resolve().parents[2] / "scripts" / "postgres")
    folder = tempfile.mkdtemp(prefix="storaged-postgres-", dir="/tmp")
    if os.geteuid() == 0:
        # As whom the script runs it.
        shutil.chown(key, next(name for name in ("postgres", "nobody") if known(name)))
    settings = ["fsync=off", "ssl=on", f"ssl_cert_file={chain}", f"ssl_key_file={key}"]
    try:
        started = subprocess.run([script, "start", folder, *settings], capture_output=True, text=True, timeout=90, check=False)
        if started.returncode == EXIT_UNAVAILABLE:
            pytest.skip("there is no Postgres here")
        assert started.returncode == 0, started.stderr
        yield urlsplit(started.stdout.strip())
    finally:
        subprocess.run([script, "stop", folder, "immediate"], check=False, timeout=90)
        shutil.rmtree(folder)


def known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def at_port(url: SplitResult, port: int) -> str:
    """The same database behind another port of this machine."""
    return url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{port}").geturl()


def way_to(url: SplitResult, port: int) -> Forwarder:
    """The way there; when it is closed, its connections are cut and new ones refused."""
    return Forwarder(port, [int(url.port or 5432)])


def in_parts(url: SplitResult) -> dict[str, str]:
    """The same database as the variables of the container image name it."""
    return {
        "POSTGRES_HOST": str(url.hostname),
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": str(url.username),
        "POSTGRES_PASSWORD": str(url.password),
        "POSTGRES_db": url.path[1:],
    }


# TLS


def test_the_certificate_of_the_server_is_verified(
    start: StartServer, tmp_path: Path, encrypted: SplitResult, certificate: tuple[Path, Path]
) -> None:
    verified = f"sslmode=verify-full&sslrootcert={certificate[0]}"
    daemon = start(DATABASE_URL=encrypted._replace(query=verified).geturl())
    client = token_client(daemon.url)
    assert client.put_name("a.txt", b"mine").status_code == 204
    assert client.get("/api/files/a.txt").content == b"mine"
    sessions = "SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity a USING (pid) WHERE a.client_port > 0"
    inside, all_of_them = psql(encrypted.geturl() + "?sslmode=disable", sessions + " AND a.pid <> pg_backend_pid()").strip().split("|")
    assert int(all_of_them) > 0 and inside == all_of_them
    # Another name than the certificate's, and an authority that nobody knows.
    for netloc, query in (
        (encrypted.netloc.replace("127.0.0.1", "localhost"), verified),
        (encrypted.netloc, "sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"),
    ):
        url = encrypted._replace(netloc=netloc, query=query).geturl()
        result = run_command("user", "list", directory=tmp_path, DATABASE_URL=url)
        assert result.returncode == EXIT_UNAVAILABLE, result.stderr
        assert "certificate" in result.stderr and str(encrypted.password) not in result.stderr


# What is said, and what is not


@pytest.mark.parametrize("arguments", [["config"], ["config", "--json"]], ids=["text", "json"])
def test_both_spellings_are_shown_without_the_password(tmp_path: Path, arguments: list[str]) -> None:
    whole = urlsplit("postgres://ada:pass%40word@db.example:5433/files")
    for environment in ({"DATABASE_URL": whole.geturl()}, {**in_parts(whole), "POSTGRES_PASSWORD": "pass@word"}):
        result = run_command(*arguments, directory=tmp_path, POOL_SIZE="12", POOL_USE_LIFO="False", **environment)
        assert result.returncode == 0, result.stderr
        assert "postgres://ada:***@db.example:5433/files" in result.stdout
        assert "POOL_SIZE in the environment" in result.stdout
        assert "word" not in result.stdout.replace("admin.password", "").replace("auth.password-min", "")
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_no_argument(tmp_path: Path) -> None:
    result = run_command("serve", "--database-url", "postgres://ada:hunter2@127.0.0.1/files", directory=tmp_path)
    assert result.returncode == EXIT_CONFIGURATION
    assert "--database-url" in result.stderr and "DATABASE_URL" in result.stderr and "hunter2" not in result.stderr


def test_what_has_no_effect_is_said_at_the_start(start: StartServer) -> None:
    daemon = start(DATABASE_URL="memory:", POSTGRES_HOST="db.example", POOL_SIZE="12")
    log = daemon.log()
    assert "POSTGRES_HOST in the environment has no effect" in log
    assert "database.pool.size (POOL_SIZE in the environment) has no effect" in log


# What cannot be


def refused(directory: Path, url: str, *arguments: str) -> str:
    """What the server says of a database that can never be right; it says so at once, and makes nothing."""
    started = time.monotonic()
    result = run_command(*(arguments or ("serve", "--http-port", "0")), directory=directory, DATABASE_URL=url)
    assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
    assert time.monotonic() - started < 10
    assert list(directory.iterdir()) == []
    assert "database.url" in result.stderr and "DATABASE_URL in the environment" in result.stderr
    return result.stderr


def test_a_wrong_password_is_refused_at_once(database: SplitResult, tmp_path: Path) -> None:
    wrong = database._replace(netloc=f"{database.username}:hunter2@{database.hostname}:{database.port}").geturl()
    for arguments in ((), ("migrate", "up")):
        said = refused(tmp_path, wrong, *arguments)
        assert "password" in said and "hunter2" not in said


def test_a_database_that_is_not_there_is_refused_at_once(database: SplitResult, tmp_path: Path) -> None:
    said = refused(tmp_path, database._replace(path="/no_such_database").geturl())
    assert "no_such_database" in said and str(database.password) not in said


@pytest.mark.parametrize("url", ["postgres://a:hun@ter2@h/d", "postgresql+asyncpg://a:hunter2@h/d", "postgres://h:x/d"])
def test_an_address_that_is_none_is_refused_at_once(tmp_path: Path, url: str) -> None:
    said = refused(tmp_path, url)
    assert "postgres://user:password@host:port/database" in said and "ter2" not in said


def test_another_store_than_the_one_of_the_database_is_refused(
    start: StartServer, database: SplitResult, tmp_path: Path
) -> None:
    first = start(DATABASE_URL=database.geturl())
    other = tmp_path / "other"
    other.mkdir()
    for arguments in (["serve", "--http-port", "0"], ["gc"]):
        result = run_command(*arguments, directory=other, DATABASE_URL=database.geturl())
        assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
        if arguments[0] == "serve":
            assert (first.data / "store.id").read_text().strip() in result.stderr, result.stderr
        assert list(other.iterdir()) == [], "nothing was made"
    assert first.ready()


# A server that comes and goes


def test_commands_do_not_wait_for_a_server_that_is_away(tmp_path: Path) -> None:
    url = f"postgres://ada:hunter2@127.0.0.1:{free_port()}/files"
    result = run_command("migrate", "status", directory=tmp_path, DATABASE_URL=url)
    assert result.returncode == EXIT_UNAVAILABLE, result.stderr
    assert "database.url" in result.stderr and "hunter2" not in result.stderr


@pytest.mark.nightly
def test_a_server_that_stays_away_ends_the_start_after_30_seconds(tmp_path: Path) -> None:
    url = f"postgres://ada:hunter2@127.0.0.1:{free_port()}/files"
    with Daemon(tmp_path, DATABASE_URL=url) as daemon:
        started = time.monotonic()
        daemon.spawn()
        while daemon.alive:
            assert time.monotonic() - started < 40
            time.sleep(0.1)
        assert 25 < time.monotonic() - started < 34
        assert daemon.stop() == EXIT_UNAVAILABLE
        log = daemon.log()
        assert log.count("waiting up to 30s for the database") == 1 and "hunter2" not in log
        assert not daemon.data.exists()


def test_a_start_waits_for_a_server_that_comes(database: SplitResult, tmp_path: Path, wait_until: WaitUntil) -> None:
    port = free_port()
    with Daemon(tmp_path, DATABASE_URL=at_port(database, port)) as daemon:
        daemon.spawn()
        wait_until(lambda: "waiting up to 30s for the database" in daemon.log(), 10)
        with closing(way_to(database, port)):
            wait_until(daemon.ready, 10)
            assert daemon.stop() == 0


def test_readiness_follows_the_server(start: StartServer, database: SplitResult, wait_until: WaitUntil) -> None:
    port = free_port()
    way = way_to(database, port)
    daemon = start(DATABASE_URL=at_port(database, port))
    client = token_client(daemon.url)
    assert client.put_name("a", b"a").status_code == 204
    for _ in range(3):
        way.close()
        wait_until(lambda: daemon.status_of("/readyz") == 503, 5)
        assert daemon.status_of("/healthz") == 200
        answer = client.get("/api/files/a")
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        way = way_to(database, port)
        wait_until(daemon.ready, 5)
        assert client.get("/api/files/a").content == b"a"
    assert daemon.stop() == 0
    way.close()


# Several nodes


@pytest.fixture
def nodes(start: StartServer, database: SplitResult, tmp_path: Path) -> list[Daemon]:
    """Two processes over one database and one folder, one told the whole address and the other its parts."""
    directory = tmp_path / "shared"
    return [start(directory, DATABASE_URL=database.geturl()), start(directory, **in_parts(database))]


def test_nodes_over_one_database_behave_as_one(nodes: list[Daemon]) -> None:
    one, other = (Client(daemon.url) for daemon in nodes)
    member = new_member(nodes[0].url)
    there = Client(nodes[1].url, member.client.headers)
    assert member.client.upload("/a.txt", b"first").status_code == 201
    assert there.download("/a.txt").content == b"first"
    assert there.upload("/a.txt", b"second").status_code in (200, 201)
    assert member.client.download("/a.txt").content == b"second"
    assert there.remove("/a.txt").status_code == 204
    assert member.client.download("/a.txt").status_code == 404
    assert sign_in(nodes[1].url, member.login, member.password)
    assert member.client.post("/api/v1/user/logout").status_code in (200, 204)
    wait_for_status(there, 401)
    assert one.get("/readyz").status_code == other.get("/readyz").status_code == 200


def test_commands_work_beside_nodes(nodes: list[Daemon], database: SplitResult, tmp_path: Path) -> None:
    told = {"DATABASE_URL": database.geturl()}
    source = tmp_path / "folder"
    source.mkdir()
    (source / "note.txt").write_text("note")

    def run(*arguments: str, given: str | None = None) -> str:
        result = run_command(*arguments, directory=tmp_path, given=given, DATA_DIRECTORY=str(nodes[0].data), **told)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run("user", "add", "ada", "--password-stdin", given="correct horse\n")
    token = run("token", "add", "ada").strip()
    run("import", str(source), "--account", "ada")
    for daemon in nodes:
        client = Client(daemon.url, {"Authorization": f"Bearer {token}"})
        assert client.download("/note.txt").content == b"note"
    assert Client(nodes[1].url, {"Authorization": f"Bearer {token}"}).remove("/note.txt").status_code == 204
    assert lines(run("gc", "--grace", "0", "--json")) == [{"blobs": 1, "bytes": 4, "uploads": 0}]
    assert "all is well" in run("fsck", "--read-data")
    assert all(step["applied_at"] for step in lines(run("migrate", "up", "--json")))
    assert [row["login"] for row in lines(run("user", "list", "--json"))] == ["ada"]
    for daemon in nodes:
        assert run("health", "--http-port", str(daemon.port)).strip() == "ready"


def test_nodes_that_start_together_agree_on_schema_and_store(database: SplitResult, tmp_path: Path) -> None:
    told = {"DATABASE_URL": database.geturl(), "ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": "of all the words"}
    daemons = [Daemon(tmp_path, **told) for _ in range(4)]
    try:
        with ThreadPoolExecutor(len(daemons)) as pool:
            assert all(daemon.ready() for daemon in pool.map(Daemon.start, daemons))
        for daemon in daemons:
            assert sign_in(daemon.url, "root@example.org", "of all the words")
    finally:
        assert [daemon.stop() for daemon in daemons] == [0] * len(daemons)


@pytest.mark.parametrize(("mode", "words"), [("off", "no tables"), ("check", "needs")])
def test_the_schema_is_left_alone_where_that_was_asked_for(
    database: SplitResult, tmp_path: Path, mode: str, words: str
) -> None:
    told = {"DATABASE_URL": database.geturl(), "DATABASE_MIGRATE": mode}
    result = run_command("serve", "--http-port", "0", directory=tmp_path, **told)
    assert result.returncode == EXIT_CONFIGURATION and words in result.stderr and "migrate up" in result.stderr
    (tmp_path / "elsewhere").mkdir()
    up = run_command("migrate", "up", "--json", directory=tmp_path / "elsewhere", **told)
    assert up.returncode == 0 and all(step["applied_at"] for step in lines(up.stdout)), up.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with Daemon(tmp_path, **told) as daemon:
        assert daemon.start().stop() == 0
