"""deploy/backup: whose database and bucket it is, and who gets to see their secrets."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from backups import program, run
from client import Client, new_member
from conftest import StartServer
from stores import database_of

# A password in a URL, and what it stands for.
ENCODED, PASSWORD = "p%40ss%5Cn%3A\\t", "p@ss\\n:\\t"
ADDRESS = "postgres://ada@db.example:5433/files?sslmode=require"
WITH_PASSWORD = ADDRESS.replace("@", f":{ENCODED}@", 1)
PARTS = {"HOST": "db.example", "PORT": "5433", "USER": "ada", "DB": "files", "PASSWORD": PASSWORD}
IN_PARTS = {f"POSTGRES_{name}": value for name, value in PARTS.items()}
TOLD = {
    "a URL": ({"DATABASE_URL": WITH_PASSWORD}, {}),
    "a URL without a password": ({"DATABASE_URL": ADDRESS, "PGPASSWORD": PASSWORD}, {}),
    "parts": (IN_PARTS, {}),
    "a .env": ({"PGPASSWORD": PASSWORD}, {".env": f"DATABASE_URL='{WITH_PASSWORD}'"}),
    "a .env and parts": ({"POSTGRES_PASSWORD": PASSWORD}, {".env": "POSTGRES_HOST=db.example\nPOSTGRES_DB=files"}),
    "YAML": (
        {"PGPASSWORD": PASSWORD, "CONFIG_PATH": "storaged.yaml"},
        {"storaged.yaml": f"database:\n  url: '{WITH_PASSWORD}'"},
    ),
}


def told_to_pg_dump(tmp_path: Path, environment: dict[str, str], files: dict[str, str]) -> tuple[str, list[str]]:
    """The password and the arguments that pg_dump is called with; it answers that it cannot."""
    (tmp_path / "data").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    seen = tmp_path / "seen"
    path = program(tmp_path / "bin", "pg_dump", f'printf "%s\\n" "$PGPASSWORD" "$@" >{seen}\nexit 9\n')
    result = run("storaged-backup", tmp_path / "backups", PATH=path, **environment)
    assert result.returncode == 9, result.stderr
    password, *arguments = seen.read_text().splitlines()
    return password, arguments


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(("environment", "files"), TOLD.values(), ids=TOLD.keys())
def test_the_database_of_the_settings_is_dumped_and_its_password_is_no_argument(
    tmp_path: Path, environment: dict[str, str], files: dict[str, str]
) -> None:
    password, arguments = told_to_pg_dump(tmp_path, environment, files)
    assert password == PASSWORD
    assert not any(secret in argument for argument in arguments for secret in (PASSWORD, ENCODED, "***"))
    (address,) = [argument.partition("=")[2] for argument in arguments if argument.startswith("--dbname=")]
    assert "@db.example:543" in address and "/files" in address


NOT_TOLD = {
    "YAML": {"storaged.yaml": f"database:\n  url: '{WITH_PASSWORD}'"},
    "a .env": {".env": f"DATABASE_URL='{WITH_PASSWORD}'"},
    "parts in a .env": {".env": "".join(f"{name}='{value}'\n" for name, value in IN_PARTS.items())},
}


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("files", NOT_TOLD.values(), ids=NOT_TOLD.keys())
@pytest.mark.parametrize("script", ["storaged-backup", "storaged-restore"])
def test_a_password_that_only_a_file_tells_is_asked_for(tmp_path: Path, files: dict[str, str], script: str) -> None:
    (tmp_path / "data").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    given = tmp_path / "backup"
    given.mkdir()
    for name in ("store.id", "version", "database.dump"):
        (given / name).touch()
    environment = {"CONFIG_PATH": "storaged.yaml"} if "storaged.yaml" in files else {}
    result = run(script, given, **environment)
    assert result.returncode == 78 and "PGPASSWORD" in result.stderr, result.stderr
    assert PASSWORD not in result.stderr and list(given.glob("20*Z")) == []


@pytest.mark.stores("postgres", "nodes")
def test_a_database_named_in_yaml_is_backed_up_and_restored(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    member = new_member(daemon.url)
    member.client.stored("/a.txt", b"mine")

    def settings(data: Path) -> dict[str, str]:
        """All but the password, which is the environment's."""
        url = urlsplit(database_of(data))
        address = url._replace(netloc=f"{url.username}@{url.hostname}:{url.port}").geturl()
        file = tmp_path / f"{data.parent.name}.yaml"
        file.write_text(json.dumps({"database": {"url": address}, "data": {"directory": str(data)}}))
        return {"CONFIG_PATH": str(file), "PGPASSWORD": unquote(url.password or "")}

    result = run("storaged-backup", tmp_path / "backups", **settings(daemon.data))
    assert result.returncode == 0, result.stderr
    (backup,) = (tmp_path / "backups").glob("20*Z")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = run("storaged-restore", backup, **settings(elsewhere / "data"))
    assert result.returncode == 0, result.stdout + result.stderr
    again = Client(start(elsewhere).url, {"Authorization": f"Bearer {member.token}"})
    assert again.download("/a.txt").content == b"mine"


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(
    ("endpoint", "provider"), [("https://s3.example.org", "Other"), (None, "AWS")], ids=["a service", "Amazon's own"]
)
def test_the_bucket_of_the_settings_is_copied(tmp_path: Path, endpoint: str | None, provider: str) -> None:
    (tmp_path / "data").mkdir()
    sqlite3.connect(tmp_path / "data" / "storaged.sqlite").close()
    seen = tmp_path / "seen"
    path = program(tmp_path / "bin", "rclone", f'env | grep ^RCLONE >{seen}\nprintf "%s\\n" "$@" >>{seen}\nexit 9\n')
    settings = {"S3_BUCKET": "files", "S3_PREFIX": "a/b", "S3_REGION": "eu-west-3", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"}
    if endpoint:
        settings["S3_ENDPOINT"] = endpoint
    result = run("storaged-backup", tmp_path / "backups", PATH=path, **settings)
    assert result.returncode == 9, result.stderr
    told = seen.read_text().splitlines()
    assert f"RCLONE_CONFIG_STORAGED_PROVIDER={provider}" in told
    assert f"RCLONE_CONFIG_STORAGED_ENDPOINT={endpoint or ''}" in told
    assert "RCLONE_CONFIG_STORAGED_REGION=eu-west-3" in told
    assert "storaged:files/a/b" in told


@pytest.mark.stores("sqlite")
def test_the_keys_of_a_bucket_that_only_a_file_tells_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    sqlite3.connect(tmp_path / "data" / "storaged.sqlite").close()
    (tmp_path / ".env").write_text("S3_BUCKET=files\nS3_ACCESS_KEY=key\nS3_SECRET_KEY=secret\n")
    result = run("storaged-backup", tmp_path / "backups", S3_ACCESS_KEY="key")
    assert result.returncode == 78 and "s3.secret-key" in result.stderr and ".env" in result.stderr, result.stderr
