"""The systemd unit that is shipped, held against the program: what it forbids, how long it waits, where it lets write."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from client import new_member, token_client
from daemon import Daemon, binary_path, free_port, run_command
from stores import IN_BUCKET
from test_deploy import ROOT, output
from test_tls import SecureDaemon, make_certificate

UNIT = ROOT / "deploy" / "systemd" / "storaged.service"
ROTATION = ROOT / "deploy" / "logrotate" / "storaged"

pytestmark = pytest.mark.stores("sqlite", "postgres", "s3")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """As it is shipped, but for where the program is."""
    copy = tmp_path / "units" / UNIT.name
    copy.parent.mkdir()
    copy.write_text(UNIT.read_text().replace("/usr/local/bin/storaged", str(binary_path())))
    return copy


def settings_of(unit: Path, name: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(name + "=")]


def test_systemd_takes_the_unit_and_calls_it_closed(unit: Path) -> None:
    assert output("systemd-analyze", "verify", "--man=no", str(unit)) == ""
    # Exposure of at most 2.0 of 10, in tenths.
    output("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", str(unit))


def test_the_unit_waits_longer_than_the_program_and_heeds_its_exit_status(unit: Path) -> None:
    shown = run_command("config", directory=unit.parent).stdout
    limits = [int(re.search(rf"shutdown\.{name} +(\d+)s", shown).group(1)) for name in ("delay", "drain")]  # type: ignore[union-attr]
    (patience,) = settings_of(unit, "TimeoutStopSec")
    assert int(patience) > sum(limits)
    assert settings_of(unit, "RestartPreventExitStatus") == ["78"]
    assert run_command("serve", directory=unit.parent, HTTP_PORT="no port").returncode == 78


def allowed_calls(unit: Path) -> set[str]:
    """The names that SystemCallFilter leaves, groups resolved."""
    allowed: set[str] = set()
    for value in settings_of(unit, "SystemCallFilter"):
        names = {call for word in value.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def calls_of(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    lines = output("systemd-analyze", "syscall-filter", "--no-pager", word).splitlines()[1:]
    words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return {call for word in words for call in calls_of(word)}


# What a filter always lets through (systemd.exec(5)).
ALWAYS = {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}
CALL = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every call that servers of this test make is written there."""
    trace, wrapper = tmp_path / "trace", tmp_path / "storaged"
    wrapper.write_text(f'#!/bin/sh\nexec strace -D -f -qq -o {trace} {binary_path()} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("STORAGED_BINARY", str(wrapper))
    return trace


def look_at_calls(unit: Path, trace: Path, at_least: set[str]) -> None:
    text = trace.read_text(errors="replace")
    used = set(CALL.findall(text))
    assert at_least <= used, f"too little was seen: {sorted(used)}"
    assert used - allowed_calls(unit) - ALWAYS == set()
    # MemoryDenyWriteExecute
    both = [line for line in text.splitlines() if "PROT_WRITE|PROT_EXEC" in line]
    assert both == []


def test_the_program_needs_no_call_that_the_unit_forbids(unit: Path, trace: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with Daemon(tmp_path / "home", nodes=1, UPKEEP_INTERVAL="1s", UPKEEP_GRACE="0s") as daemon:
        daemon.start()
        client, member = token_client(daemon.url), new_member(daemon.url)
        for size in (0, 100, 3_000_000):
            assert client.put_name(f"{size}.bin", os.urandom(size)).status_code == 204
            assert len(client.get(f"/api/files/{size}.bin").content) == size
        member.client.stored("/folder/a.txt", b"a" * 100_000)
        for path, compression in (("/folder/a.txt", None), ("/folder", "zip"), ("/folder", "7z")):
            query = {"compression": compression} if compression else {}
            assert member.client.download(path, {"Accept-Encoding": "gzip"}, **query).status_code == 200
        assert client.delete("/api/files/100.bin").status_code == 204
        assert daemon.stop() == 0
    look_at_calls(unit, trace, {"accept4", "fsync"} if IN_BUCKET else {"accept4", "fsync", "openat2", "sendfile"})


def test_neither_does_it_with_tls_a_cache_and_log_files(
    unit: Path, trace: Path, tmp_path: Path, redis: str, wait_until: Callable[[Callable[[], bool], float], None]
) -> None:
    (tmp_path / "home").mkdir()
    certificate, key = make_certificate(tmp_path, "server")
    log = tmp_path / "logs" / "storaged.log"
    settings = {
        "LOG_FILE": str(log),
        "LOG_ERROR_FILE": str(log.with_name("errors.log")),
        "ADMIN_PORT": str(free_port()),
        "CACHE_URL": redis,
        "HTTP_TLS_CERTIFICATE": str(certificate),
        "HTTP_TLS_KEY": str(key),
    }
    with SecureDaemon(tmp_path / "home", nodes=1, **settings) as daemon:
        daemon.start()
        client = daemon.client()
        for size in (0, 100, 3_000_000):
            assert client.put_name(f"{size}.bin", os.urandom(size)).status_code == 204
            assert len(client.get(f"/api/files/{size}.bin").content) == size
        assert "cache" in client.get("/api/v1/files/ping").json(), "the cache was asked"
        figures = requests.get(f"http://127.0.0.1:{settings['ADMIN_PORT']}/metrics", timeout=30)
        assert figures.status_code == 200
        log.rename(log.with_name("old.log"))
        daemon.processes[0].send_signal(signal.SIGHUP)
        wait_until(log.exists, 10)
        assert daemon.stop() == 0
    assert '"request"' in log.with_name("old.log").read_text()
    look_at_calls(unit, trace, {"accept4", "connect", "fsync"})


def test_the_logs_that_are_rotated_lie_where_the_unit_lets_write(unit: Path) -> None:
    rule = ROTATION.read_text()
    (pattern,) = re.findall(r"^(/\S+) \{$", rule, re.MULTILINE)
    roots = {"StateDirectory": "/var/lib", "LogsDirectory": "/var/log"}
    writable = [f"{root}/{name}" for key, root in roots.items() for name in settings_of(unit, key)]
    assert str(Path(pattern).parent) in writable
    for named in re.findall(r"=(/\S+\.log)", rule):
        assert Path(named).match(pattern)
    assert settings_of(unit, "ProtectSystem") == ["strict"] and settings_of(unit, "LogsDirectoryMode") == ["0750"]


def test_logs_of_a_service_that_does_not_run_are_rotated_too(tmp_path: Path) -> None:
    script = re.search(r"postrotate\n(.*?)\n *endscript", ROTATION.read_text(), re.DOTALL)
    assert script is not None
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho \"$*\" >{tmp_path}/called\nexit 1\n")
    systemctl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(["sh", "-e", "-c", script.group(1)], env=environment, timeout=30, check=True)
    assert (tmp_path / "called").read_text() == "kill --kill-whom=main --signal=HUP storaged.service\n"
