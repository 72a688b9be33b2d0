"""Configuration: every source, their order, the assignments' own names, and refusals that name key and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

import expect
from client import Client, new_login, new_password
from daemon import Daemon, run_command
from lanes import direct

pytestmark = direct("commands do not go through nginx")

EXIT_CONFIGURATION = 78


def refused(directory: Path, *arguments: str, **environment: str) -> str:
    """Starts a server that must refuse its configuration without touching anything; returns what it said."""
    before = sorted(directory.rglob("*"))
    result = run_command(*(arguments or ("serve",)), directory=directory, **environment)
    assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
    assert sorted(directory.rglob("*")) == before
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("HTTP_PORT", "http.port", "eighty"),
        ("HTTP_PORT", "http.port", "65536"),
        ("HTTP_PORT", "http.port", "-1"),
        ("LIMITS_UPLOAD_SIZE", "limits.upload-size", "much"),
        ("LIMITS_UPLOAD_SIZE", "limits.upload-size", "10 parsecs"),
        ("SHUTDOWN_DRAIN", "shutdown.drain", "soon"),
        ("AUTH_REGISTRATION", "auth.registration", "sometimes"),
        ("AUTH_CONTAINERS", "auth.containers", "maybe"),
        ("LOG_LEVEL", "log.level", "loud"),
        ("BLOBS_STORE", "blobs.store", "tape"),
        ("DATABASE_MIGRATE", "database.migrate", "perhaps"),
    ],
)
def test_a_bad_value_names_key_and_value(tmp_path: Path, name: str, key: str, value: str) -> None:
    said = refused(tmp_path, **{name: value})
    assert key in said and value in said


def test_a_bad_value_that_may_hold_a_secret_is_not_repeated(tmp_path: Path) -> None:
    said = refused(tmp_path, DATABASE_URL="oracle://scott:tiger@somewhere")
    assert "database.url" in said and "tiger" not in said


def test_an_unknown_key_of_the_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("http:\n  prot: 8080\n")
    said = refused(tmp_path, CONFIG_PATH="config.yaml")
    assert "http.prot" in said and "http.port" in said


@pytest.mark.parametrize("text", ["http: [", "http:\n\tport: 1", "- a\n- b\n"], ids=["cut off", "tab", "a list"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert "config.yaml" in refused(tmp_path, CONFIG_PATH="config.yaml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "nowhere.yaml" in refused(tmp_path, CONFIG_PATH="nowhere.yaml")


def test_unknown_names_of_the_environment_are_ignored(tmp_path: Path) -> None:
    assert run_command("config", directory=tmp_path, HTTP_PROT="8080", WHATEVER="1").returncode == 0


def test_each_source_overrides_the_one_below(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("http:\n  port: 1001\nlog:\n  level: error\nauth:\n  registration: off\n")
    (tmp_path / ".env").write_text("# comment\nHTTP_PORT = '1002'  \nLOG_LEVEL=warning\n\nUNKNOWN=1\n")

    def in_force(*arguments: str, **environment: str) -> str:
        result = run_command("config", *arguments, directory=tmp_path, CONFIG_PATH="config.yaml", **environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "1002" in in_force() and "1001" not in in_force()
    assert "1003" in in_force(HTTP_PORT="1003") and "1002" not in in_force(HTTP_PORT="1003")
    assert "1004" in in_force("--http-port", "1004", HTTP_PORT="1003")
    assert "warning" in in_force()


# A port given by a flag is one for all nodes.
@pytest.mark.stores("sqlite", "postgres")
def test_the_file_and_flags_reach_the_server(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("auth:\n  registration: off\n")
    with Daemon(tmp_path, CONFIG_PATH="config.yaml") as daemon:
        daemon.arguments = ["--http-port", daemon.environment.pop("HTTP_PORT")]
        daemon.start()
        registration = {"login": new_login(), "password": new_password()}
        expect.problem(Client(daemon.url).post("/api/v1/user/register", json=registration), 403)
        assert daemon.stop() == 0


def test_version_and_help(tmp_path: Path) -> None:
    for argument in ("--version", "--help"):
        result = run_command(argument, directory=tmp_path)
        assert result.returncode == 0 and result.stdout.strip()
    assert not list(tmp_path.iterdir())


def test_migrations_can_be_run_and_shown_apart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environment = {"DATA_DIRECTORY": str(data)}
    for arguments in (("migrate", "up"), ("migrate", "status")):
        result = run_command(*arguments, directory=tmp_path, **environment)
        assert result.returncode == 0, result.stdout + result.stderr
    with Daemon(tmp_path, DATABASE_MIGRATE="check") as daemon:
        assert daemon.start().stop() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--database-url", "sqlite:/no/such/folder/x.sqlite"], ["database.url", "--database-url", "folder"]),
        (["--http-host", "203.0.113.5"], ["http.host", "203.0.113.5", "--http-host"]),
        (["--http-host", "no.such.host.invalid"], ["http.host", "no.such.host.invalid"]),
        (["--data-directory", "/proc/x"], ["data.directory", "/proc/x", "--data-directory"]),
        (["--data-directory", "/etc/passwd"], ["data.directory", "/etc/passwd", "--data-directory"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_start_that_cannot_be_names_the_setting(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    said = refused(tmp_path, "serve", *arguments)
    assert all(word in said for word in words), said
    assert "started at least once" not in said


@pytest.mark.parametrize(("mode", "words"), [("off", "no tables"), ("check", "needs")])
def test_a_new_store_whose_schema_may_not_be_made_is_refused_with_the_cure(
    tmp_path: Path, mode: str, words: str
) -> None:
    result = run_command("serve", "--database-migrate", mode, "--http-port", "0", directory=tmp_path)
    assert result.returncode == EXIT_CONFIGURATION, result.stderr
    for word in (words, "storaged migrate up", "database.migrate", "--database-migrate"):
        assert word in result.stderr, result.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with Daemon(tmp_path / "one") as daemon:
        daemon.directory.mkdir()
        daemon.start()
        result = run_command("serve", "--http-port", str(daemon.port), directory=tmp_path)
        assert result.returncode == 69 and "http.port" in result.stderr


@pytest.mark.parametrize("arguments", [["config"], ["openapi"], ["health"], ["config", "--json"]])
def test_commands_that_need_no_data_directory_make_none(tmp_path: Path, arguments: list[str]) -> None:
    result = run_command(*arguments, "--http-port", "1", directory=tmp_path) if arguments != ["openapi"] else None
    result = result or run_command("openapi", directory=tmp_path)
    assert result.returncode == (1 if arguments == ["health"] else 0), result.stderr
    assert list(tmp_path.iterdir()) == []
