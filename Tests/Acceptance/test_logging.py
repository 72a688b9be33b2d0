"""The log: to stderr or to files, whole under load, through rotation, and when the disk is full."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import expect
from client import Client, token_client
from conftest import StartServer
from daemon import Daemon, free_port
from wire import Wire, head

ROOT = Path(__file__).resolve().parents[2]
WaitUntil = Callable[[Callable[[], bool], float], None]

# One process writes its files; several on one machine would be given names of their own.
pytestmark = pytest.mark.stores("sqlite")


def lines(path: Path) -> list[dict[str, object]]:
    """The lines of a log in JSON, each of which must be whole."""
    opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    with opened as file:
        content = file.read()
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def hang_up(daemon: Daemon) -> None:
    for process in daemon.processes:
        process.send_signal(signal.SIGHUP)


def test_the_log_goes_to_a_file_whose_folder_is_made(start: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "var" / "log" / "storaged.log"
    daemon = start(LOG_FILE=str(path), LOG_FORMAT="json")
    Client(daemon.url).get("/healthz", headers={"X-Request-ID": "one"})
    assert daemon.stop() == 0
    assert daemon.log() == "", "stderr is for what has no other place"
    found = [line for line in lines(path) if line.get("request_id") == "one"]
    assert len(found) == 1
    assert {"method": "GET", "status": "200", "level": "info", "message": "request"}.items() <= found[0].items()
    assert any(line["message"] == "stopping" for line in lines(path)), "the last lines are there too"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


def test_errors_go_to_a_file_of_their_own_as_well(start: StartServer, tmp_path: Path) -> None:
    everything, errors = tmp_path / "logs" / "all.log", tmp_path / "logs" / "error_logs.log"
    daemon = start(LOG_FILE=str(everything), LOG_ERROR_FILE=str(errors), LOG_FORMAT="json", BLOBS_MEMORY_CACHE="0")
    client = token_client(daemon.url)
    assert client.put_name("a.bin", b"x" * 100_000).status_code == 204
    for blob in (daemon.data / "containers").rglob("*"):
        if blob.is_file():
            blob.unlink()
    expect.problem(client.get("/api/files/a.bin", headers={"X-Request-ID": "lost"}), 500)
    assert daemon.stop() == 0
    found = lines(errors)
    assert found and {line["level"] for line in found} <= {"error", "critical"}
    assert any(line.get("request_id") == "lost" for line in found)
    assert [line for line in lines(everything) if line["level"] in ("error", "critical")] == found


def test_text_is_one_line_for_each_record(start: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "storaged.log"
    daemon = start(LOG_FILE=str(path), LOG_FORMAT="text")
    Client(daemon.url).get("/healthz")
    assert daemon.stop() == 0
    for line in path.read_text().splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \w+ +[\w.]+: ", line), line


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_that_clients_send_breaks_a_line(start: StartServer, tmp_path: Path, form: str) -> None:
    path = tmp_path / "storaged.log"
    daemon = start(LOG_FILE=str(path), LOG_FORMAT=form, LOG_LEVEL="trace")
    evil = "\x1b[31m\u2028\u202e\u0085 level=critical message=forged"
    client = token_client(daemon.url)
    client.put("/api/files/" + "%0A%0D%1B%5B31m%E2%80%A8forged", data=b"x")
    client.upload("/a\nforged\r\n.txt", name=evil)
    Client(daemon.url).get("/healthz", headers={"X-Request-ID": 'a"b{}', "traceparent": '00-"-x'})
    Client(daemon.url).post("/api/v1/user/auth", json={"login": evil, "password": "x"})
    with Wire(daemon.port) as wire:
        wire.send(head("GET", "/\x1b[31mforged\x00"))
        wire.read_reply()
    assert daemon.stop() == 0
    content = path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", content)
    for mark in ("\u2028", "\u202e", "\u0085"):
        assert mark.encode() not in content
    for line in content.splitlines():
        if form == "json":
            json.loads(line)
        else:
            assert re.match(rb"\d{4}-\d\d-\d\dT", line), line


def test_the_trace_of_a_request_is_in_its_lines(start: StartServer, tmp_path: Path) -> None:
    path = tmp_path / "storaged.log"
    daemon = start(LOG_FILE=str(path), LOG_FORMAT="json", BLOBS_MEMORY_CACHE="0")
    client = token_client(daemon.url)
    client.put_name("a.bin", b"x" * 100_000)
    for blob in (daemon.data / "containers").rglob("*"):
        if blob.is_file():
            blob.unlink()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for value in (f"00-{trace}-00f067aa0ba902b7-01", f"00-{trace.upper()}-00f067aa0ba902b7-01"):
        client.get("/api/files/a.bin", headers={"traceparent": value})
    assert daemon.stop() == 0
    first, second = (line["trace_id"] for line in lines(path) if line["level"] == "error" and "trace_id" in line)
    assert first == trace
    assert re.fullmatch("[0-9a-f]{32}", str(second)) and second != trace, "a malformed one begins a trace of its own"


@pytest.mark.parametrize("key", ["LOG_FILE", "LOG_ERROR_FILE"])
def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path, key: str) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "storaged.log", tmp_path):
        with Daemon(tmp_path / "home", **{key: str(path)}) as daemon:
            daemon.directory.mkdir(exist_ok=True)
            daemon.spawn()
            assert daemon.processes[0].wait(30) == 78
            assert key.lower().replace("log_", "log.").replace("_", "-") in daemon.log()
            assert str(path) in daemon.log() and "cannot be written" in daemon.log()
            assert not daemon.data.exists()


def test_one_file_is_not_both(tmp_path: Path) -> None:
    path = tmp_path / "storaged.log"
    (tmp_path / "link.log").symlink_to(path)
    with Daemon(tmp_path / "home", LOG_FILE=str(path), LOG_ERROR_FILE=str(tmp_path / "link.log")) as daemon:
        daemon.directory.mkdir()
        daemon.spawn()
        assert daemon.processes[0].wait(30) == 78
        assert "log.error-file" in daemon.log()


def test_sighup_without_files_changes_nothing(start: StartServer) -> None:
    daemon = start()
    for _ in range(3):
        hang_up(daemon)
        assert Client(daemon.url).get("/healthz").status_code == 200
    assert daemon.alive


def test_sighup_opens_a_renamed_file_anew(start: StartServer, tmp_path: Path, wait_until: WaitUntil) -> None:
    path = tmp_path / "logs" / "storaged.log"
    daemon = start(LOG_FILE=str(path), LOG_FORMAT="json")
    path.rename(path.with_suffix(".1"))
    Client(daemon.url).get("/healthz", headers={"X-Request-ID": "before"})
    hang_up(daemon)
    wait_until(path.exists, 10)
    Client(daemon.url).get("/healthz", headers={"X-Request-ID": "after"})
    # A folder that is gone, and cannot be made: what is open is written on, and stderr says so.
    path.parent.rename(tmp_path / "moved")
    path.parent.write_text("")
    hang_up(daemon)
    wait_until(lambda: "cannot be opened again" in daemon.log(), 10)
    Client(daemon.url).get("/healthz", headers={"X-Request-ID": "still"})
    assert daemon.stop() == 0
    assert "before" in [line.get("request_id") for line in lines(tmp_path / "moved" / "storaged.1")]
    names = [line.get("request_id") for line in lines(tmp_path / "moved" / "storaged.log")]
    assert [name for name in names if name in ("before", "after", "still")] == ["after", "still"]


def test_sighup_during_the_start_opens_a_renamed_file_anew(tmp_path: Path, wait_until: WaitUntil) -> None:
    path = tmp_path / "storaged.log"
    nobody = f"postgres://ada:secret@127.0.0.1:{free_port()}/files"
    with Daemon(tmp_path / "home", LOG_FILE=str(path), DATABASE_URL=nobody) as daemon:
        daemon.directory.mkdir()
        daemon.spawn()
        wait_until(lambda: path.exists() and "waiting up to" in path.read_text(), 20)
        path.rename(path.with_suffix(".1"))
        hang_up(daemon)
        wait_until(path.exists, 10)
        assert daemon.alive, "the database is waited for"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        # Nobody but root may mount: the file that takes nothing is the next best.
        yield Path("/dev/full")
        return
    yield place / "storaged.log"
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_lines_and_nothing_else(start: StartServer, small_disk: Path, wait_until: WaitUntil) -> None:
    daemon = start(LOG_FILE=str(small_disk), LOG_FORMAT="json")
    client = token_client(daemon.url)
    for number in range(500):
        assert client.put_name("a.txt", b"%d" % number).status_code == 204
    wait_until(lambda: "No space left on device" in daemon.log(), 10)
    assert daemon.log().count("No space left on device") == 1, "it is said once"
    figures = Client(daemon.url).get("/metrics").text
    lost = re.search(r'storaged_log_lines_lost_total\{reason="write_failed"\} (\d+)', figures)
    assert lost and int(lost[1]) > 0
    assert client.get("/api/files/a.txt").content == b"499"
    if small_disk.name == "full":
        return
    small_disk.write_bytes(b"")
    client.get("/api/files/a.txt", headers={"X-Request-ID": "again"})
    wait_until(lambda: small_disk.stat().st_size > 0, 10)
    content = small_disk.read_bytes()
    # The line that was cut before the disk was cleared is ended first.
    assert all(json.loads(line) for line in content.splitlines() if line)


def test_a_real_logrotate_under_load_loses_no_line(start: StartServer, tmp_path: Path, wait_until: WaitUntil) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    daemon = start(LOG_FILE=str(folder / "storaged.log"), LOG_ERROR_FILE=str(folder / "errors.log"), LOG_FORMAT="json")
    example = (ROOT / "deploy/logrotate/storaged").read_text()
    pid = daemon.processes[0].pid
    for old, new in (
        ("/var/log/storaged/*.log", f"{folder}/*.log"),
        ("create 0640 storaged storaged", "create 0640"),
        ("systemctl kill --kill-whom=main --signal=HUP storaged.service", f"kill -HUP {pid}"),
    ):
        assert old in example
        example = example.replace(old, new)
    rules = tmp_path / "rules"
    rules.write_text(example)
    rules.chmod(0o644)

    ended = threading.Event()
    sent: list[set[str]] = [set(), set()]

    def load(client: Client, mine: set[str], worker: int) -> None:
        number = 0
        while not ended.is_set():
            name = f"load-{worker}-{number}"
            answer = client.get("/healthz", headers={"X-Request-ID": name})
            assert answer.headers["X-Request-ID"] == name
            mine.add(name)
            number += 1

    threads = [
        threading.Thread(target=load, args=(token_client(daemon.url), mine, worker)) for worker, mine in enumerate(sent)
    ]
    for thread in threads:
        thread.start()
    try:
        for turn in range(1, 5):
            time.sleep(0.3)
            command = ["logrotate", "-f", "-s", str(tmp_path / "state"), str(rules)]
            result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert result.returncode == 0, result.stderr
            # The next turn compresses what this one has renamed: the daemon has to have let go of it, as it has after a day.
            wait_until(lambda: (folder / "storaged.log").stat().st_size > 0, 10)
            assert len(list(folder.glob("storaged.log.*"))) == turn
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert daemon.stop() == 0

    files = sorted(folder.glob("storaged.log*"))
    assert len(files) == 5 and sum(path.suffix == ".gz" for path in files) == 3
    found = [str(line.get("request_id")) for path in files for line in lines(path) if line["message"] == "request"]
    assert sorted(name for name in found if name.startswith("load-")) == sorted(sent[0] | sent[1])
    assert len(sent[0] | sent[1]) > 100
    assert os.stat(folder / "storaged.log").st_mode & 0o777 == 0o640
