"""The command lines of the original assignments, word for word but for the port."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import expect
from client import new_login, new_password, new_token, token_client
from daemon import Daemon


def curl(*arguments: str, directory: Path) -> str:
    """Runs curl as a user types it and returns what it prints."""
    result = subprocess.run(
        ["curl", "-sS", *arguments], cwd=directory, capture_output=True, text=True, timeout=30, check=True
    )
    return result.stdout


@pytest.fixture
def localhost(server: Daemon) -> str:
    return f"http://localhost:{server.port}"


# Assignment 004: containers


def test_upload_list_and_delete_of_the_container_assignment(server: Daemon, localhost: str, tmp_path: Path) -> None:
    header = f"X-Auth-Token: {new_token()}"
    assert json.loads(curl("-H", header, f"{localhost}/api/files", directory=tmp_path)) == []
    for name in ("bash", "file3", "file1", "bash_profile", "file4"):
        (tmp_path / name).write_text(f"content of {name}")
        put = [f"{localhost}/api/files/{name}", "--upload-file", name]
        assert curl("-H", header, *put, "-w", "%{http_code}", directory=tmp_path) == "204"
    listed = curl("-H", header, f"{localhost}/api/files", directory=tmp_path)
    assert json.loads(listed) == ["bash", "bash_profile", "file1", "file3", "file4"]
    assert curl("-H", header, f"{localhost}/api/files/file1", directory=tmp_path) == "content of file1"
    delete = ["-X", "DELETE", f"{localhost}/api/files/file1", "-w", "%{http_code}"]
    assert curl("-H", header, *delete, directory=tmp_path) == "204"
    assert curl("-H", header, *delete, "-o", "/dev/null", directory=tmp_path) == "404"
    listed = curl("-H", header, f"{localhost}/api/files", directory=tmp_path)
    assert json.loads(listed) == ["bash", "bash_profile", "file3", "file4"]


def test_the_very_lines_of_the_container_assignment(server: Daemon, localhost: str, tmp_path: Path) -> None:
    (tmp_path / "some_file.txt").write_bytes(b"some content")
    token = "18ce71ad-1391-46c7-91de-56948fda0d8a"
    header = f"X-Auth-Token: {token}"
    url = f"{localhost}/api/files/new_file.txt"
    assert curl("-H", header, url, "--upload-file", "some_file.txt", directory=tmp_path) == ""
    assert "new_file.txt" in json.loads(curl("-H", header, f"{localhost}/api/files", directory=tmp_path))
    assert token_client(server.url, token).get("/api/files/new_file.txt").content == b"some content"
    assert curl("-H", header, "-X", "DELETE", url, directory=tmp_path) == ""
    assert "new_file.txt" not in token_client(server.url, token).names()


def test_curl_uploads_from_a_pipe(server: Daemon, localhost: str, tmp_path: Path) -> None:
    token = new_token()
    subprocess.run(
        ["curl", "-sSf", "-T", "-", "-H", f"X-Auth-Token: {token}", f"{localhost}/api/files/piped.bin"],
        input=bytes(range(256)) * 4096,
        timeout=30,
        check=True,
    )
    assert token_client(server.url, token).get("/api/files/piped.bin").content == bytes(range(256)) * 4096


def test_curl_with_a_name_that_nobody_encoded(server: Daemon, localhost: str, tmp_path: Path) -> None:
    (tmp_path / "отчёт.txt").write_text("годовой")
    token = new_token()
    arguments = ["-H", f"X-Auth-Token: {token}", "-T", "отчёт.txt", "-w", "%{http_code}"]
    assert curl(*arguments, f"{localhost}/api/files/", directory=tmp_path) == "204"
    assert token_client(server.url, token).names() == ["отчёт.txt"]


# Assignment 002: accounts and paths


def test_the_endpoints_of_the_accounts_assignment_in_a_row(localhost: str, tmp_path: Path) -> None:
    base = f"{localhost}/api/v1"
    credentials = {"login": new_login(), "password": new_password()}
    as_json = ["-H", "Content-Type: application/json", "-d", json.dumps(credentials)]
    assert json.loads(curl(f"{base}/files/ping", directory=tmp_path))["db"] >= 0
    registered = json.loads(curl("-X", "POST", f"{base}/user/register", *as_json, directory=tmp_path))
    assert registered["login"] == credentials["login"]
    token = json.loads(curl("-X", "POST", f"{base}/user/auth", *as_json, directory=tmp_path))["token"]
    bearer = ["-H", f"Authorization: Bearer {token}"]

    (tmp_path / "notes.txt").write_bytes(b"n" * 8512)
    form = ["-F", "path=/homework/test-folder/notes.txt", "-F", "file=@notes.txt"]
    record = json.loads(curl(*bearer, "-X", "POST", f"{base}/files/upload", *form, directory=tmp_path))
    expect.file_record(record, "/homework/test-folder/notes.txt", b"n" * 8512)

    (tmp_path / "tree-picture.png").write_bytes(b"p" * 1945)
    form = ["-F", "file=@tree-picture.png", "-F", "path=homework/work-folder/environment"]
    picture = json.loads(curl(*bearer, "-X", "POST", f"{base}/files/upload", *form, directory=tmp_path))
    expect.file_record(picture, "/homework/work-folder/environment/tree-picture.png", b"p" * 1945)

    listed = json.loads(curl(*bearer, f"{base}/files", directory=tmp_path))
    assert listed["account"] == credentials["login"]
    assert listed["files"] == [record, picture]

    by_path = f"{base}/files/download/?path=/homework/test-folder/notes.txt"
    assert curl(*bearer, by_path, directory=tmp_path) == "n" * 8512
    assert curl(*bearer, f"{base}/files/download?path={picture['id']}", directory=tmp_path) == "p" * 1945
    saved = ["-O", "-J", f"{base}/files/download?path={picture['id']}"]
    (tmp_path / "down").mkdir()
    curl(*bearer, *saved, directory=tmp_path / "down")
    assert (tmp_path / "down" / "tree-picture.png").read_bytes() == b"p" * 1945


def test_forms_of_curl_register_and_sign_in(localhost: str, tmp_path: Path) -> None:
    login, password = new_login(), new_password()
    fields = ["-d", f"username={login}", "-d", f"password={password}"]
    status = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert curl(*status, f"{localhost}/api/v1/user/register", *fields, directory=tmp_path) == "201"
    assert curl(*status, f"{localhost}/api/v1/user/auth", *fields, directory=tmp_path) == "200"
    basic = ["-u", f"{login}:{password}"]
    assert json.loads(curl(*basic, f"{localhost}/api/v1/files", directory=tmp_path))["account"] == login


def test_curl_resumes_a_download(server: Daemon, localhost: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    client = token_client(server.url)
    assert client.put_name("big.bin", content).status_code == 204
    (tmp_path / "big.bin").write_bytes(content[:100_000])
    header = f"X-Auth-Token: {client.headers['X-Auth-Token']}"
    curl("-C", "-", "-o", "big.bin", "-H", header, f"{localhost}/api/files/big.bin", directory=tmp_path)
    assert (tmp_path / "big.bin").read_bytes() == content
