"""TLS: the same server behind a certificate, and every way in which the files can be wrong."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import expect
from client import Client, new_token
from daemon import Daemon, run_command
from lanes import direct
from wire import head as wire_head

pytestmark = [
    pytest.mark.skipif(not (shutil.which("openssl") and shutil.which("curl")), reason="needs openssl and curl"),
    direct("TLS ends at nginx; test_stack.py looks at that"),
]

EXIT_CONFIGURATION = 78


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", *kind, *names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key


class SecureDaemon(Daemon):
    """A server that speaks TLS."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> str:
        return self.environment["HTTP_TLS_CERTIFICATE"]

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def connect(self, port: int) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=self.context())

    def client(self) -> Client:
        client = Client(self.url, {"X-Auth-Token": new_token()})
        client.session.verify = self.certificate
        return client


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureDaemon]:
    directory = tmp_path_factory.mktemp("secure")
    certificate, key = make_certificate(directory, "server")
    with SecureDaemon(directory, HTTP_TLS_CERTIFICATE=str(certificate), HTTP_TLS_KEY=str(key)) as daemon:
        yield daemon.start()
        assert daemon.stop() == 0, daemon.log()


def curl(secure: SecureDaemon, *arguments: str) -> str:
    result = subprocess.run(
        ["curl", "-sS", "--cacert", secure.certificate, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def test_curl_uploads_lists_and_downloads(secure: SecureDaemon, tmp_path: Path) -> None:
    content = secrets.token_bytes(3 << 20)
    (tmp_path / "a.bin").write_bytes(content)
    token = f"X-Auth-Token: {uuid.uuid4()}"
    files = f"https://localhost:{secure.port}/api/files"
    said = curl(
        secure, "-v", "-H", token, "-H", "Expect: 100-continue", "-T", str(tmp_path / "a.bin"), f"{files}/a.bin"
    )
    assert said.index("HTTP/1.1 100 Continue") < said.index("HTTP/1.1 204")
    assert json.loads(curl(secure, "-H", token, files)) == ["a.bin"]
    for arguments, expected in (
        (["-r", "1000-1999999"], content[1000:2000000]),
        ([], content),
    ):
        curl(secure, "-H", token, *arguments, "-o", str(tmp_path / "b.bin"), f"{files}/a.bin")
        assert (tmp_path / "b.bin").read_bytes() == expected


def test_requests_upload_list_and_download(secure: SecureDaemon) -> None:
    client = secure.client()
    content = secrets.token_bytes(5 << 20)
    assert client.upload("/docs/a.bin", content).status_code == 201
    assert client.put("/api/files/b.bin", data=iter([content[:70_000], content[70_000:]])).status_code == 204
    assert client.names() == ["b.bin", "docs/a.bin"]
    for name in client.names():
        found = client.get(f"/api/files/{name}", headers={"Want-Repr-Digest": "sha-256=1"})
        assert hashlib.sha256(found.content).digest() == hashlib.sha256(content).digest()
        assert "Repr-Digest" in found.headers
        assert client.get(f"/api/files/{name}", headers={"Range": "bytes=-5"}).content == content[-5:]
    page = client.get("/api/files?limit=1")
    assert page.links["next"]["url"].startswith(secure.url + "/api/files?")
    own = client.put("/api/files/c", data=b"x", headers={"Origin": secure.url})
    assert own.status_code == 204


def test_a_refusal_reaches_a_client_that_is_still_sending(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "server")
    settings = {"HTTP_TLS_CERTIFICATE": str(certificate), "HTTP_TLS_KEY": str(key), "LIMITS_UPLOAD_SIZE": "1MiB"}
    with SecureDaemon(tmp_path, **settings) as daemon:
        client = daemon.start().client()
        expect.problem(client.put("/api/files/a", data=bytes(8 << 20)), 413, "too_large")
        expect.problem(client.put("/api/files/a", data=(bytes(1 << 16) for _ in range(64))), 413, "too_large")
        assert client.put("/api/files/a", data=b"x").status_code == 204
        assert daemon.stop() == 0


def read_to_end(secured: ssl.SSLSocket) -> None:
    while secured.recv(1 << 16):
        pass


def test_an_answer_that_is_cut_off_never_ends_in_order(tmp_path: Path) -> None:
    """A client that takes nothing for too long is left, and must not be told that it has got everything."""
    certificate, key = make_certificate(tmp_path, "server")
    settings = {"HTTP_TLS_CERTIFICATE": str(certificate), "HTTP_TLS_KEY": str(key), "LIMITS_WRITE_STALL": "500ms"}
    with SecureDaemon(tmp_path, **settings) as daemon:
        client = daemon.start().client()
        assert client.put("/api/files/a", data=bytes(24 << 20)).status_code == 204
        request = wire_head("GET", "/api/files/a", [*client.headers.items()])
        with socket.socket() as connection:
            # The system would take the whole of it for a client that does not read, or for what is between it and a node.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", daemon.ports[0]))
            context = daemon.context()
            with context.wrap_socket(connection, server_hostname="localhost", suppress_ragged_eofs=False) as secured:
                secured.sendall(request)
                assert secured.recv(1)
                deadline = time.monotonic() + 20
                while "broken_off" not in daemon.log():
                    assert time.monotonic() < deadline, daemon.log()
                    threading.Event().wait(0.05)
                with pytest.raises((ConnectionError, ssl.SSLEOFError)):
                    read_to_end(secured)
        assert daemon.stop() == 0


def test_the_health_command_asks_by_tls(secure: SecureDaemon) -> None:
    environment = {name: secure.environment[name] for name in ("HTTP_PORT", "HTTP_TLS_CERTIFICATE", "HTTP_TLS_KEY")}
    result = run_command("health", directory=secure.directory, **environment)
    assert (result.returncode, result.stdout.strip()) == (0, "ready"), result.stderr


@pytest.mark.parametrize(("version", "works"), [("tls1_1", False), ("tls1_2", True), ("tls1_3", True)])
def test_old_versions_are_refused(secure: SecureDaemon, version: str, works: bool) -> None:
    address = f"127.0.0.1:{secure.port}"
    command = ["openssl", "s_client", "-connect", address, "-CAfile", secure.certificate, f"-{version}"]
    result = subprocess.run(
        [*command, "-cipher", "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True, timeout=30, check=False
    )
    assert (b"Verify return code: 0" in result.stdout and b"Cipher is (NONE)" not in result.stdout) == works


def test_plain_http_gets_nothing_and_harms_nobody(secure: SecureDaemon) -> None:
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        try:
            while data := connection.recv(4096):
                answer += data
        except ConnectionError:
            pass
    assert b"HTTP/" not in answer
    assert secure.ready()


def test_a_stranger_does_not_trust_the_certificate(secure: SecureDaemon) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure.url + "/healthz", timeout=10)


WrongFiles = Callable[[Path, Path, Path], tuple[Path, Path]]


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _other_key(directory: Path, certificate: Path, _key: Path) -> tuple[Path, Path]:
    return certificate, make_certificate(directory, "other")[1]


def _locked_key(directory: Path, certificate: Path, key: Path) -> tuple[Path, Path]:
    locked = directory / "locked.key"
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", str(key), "-out", str(locked), "-passout", "pass:x"], check=True
    )
    return certificate, locked


WRONG: dict[str, tuple[str, WrongFiles]] = {
    "no certificate there": ("http.tls.certificate", lambda directory, _, key: (directory / "none.pem", key)),
    "no key there": ("http.tls.key", lambda directory, certificate, _: (certificate, directory / "none.key")),
    "a folder": ("http.tls.certificate", lambda directory, _, key: (directory, key)),
    "an empty certificate": ("http.tls.certificate", lambda directory, _, key: (_write(directory / "e", ""), key)),
    "no PEM": ("http.tls.key", lambda directory, certificate, _: (certificate, _write(directory / "e", "hello"))),
    "exchanged": ("http.tls.certificate", lambda _, certificate, key: (key, certificate)),
    "the key of another": ("http.tls.key", _other_key),
    "a key with a passphrase": ("http.tls.key", _locked_key),
}


@pytest.mark.parametrize(("setting", "wrong"), WRONG.values(), ids=WRONG.keys())
def test_wrong_files_are_refused_before_anything_is_touched(tmp_path: Path, setting: str, wrong: WrongFiles) -> None:
    certificate, key = wrong(tmp_path, *make_certificate(tmp_path, "server"))
    before = sorted(tmp_path.rglob("*"))
    result = run_command(
        "serve", directory=tmp_path, HTTP_PORT="0", HTTP_TLS_CERTIFICATE=str(certificate), HTTP_TLS_KEY=str(key)
    )
    assert result.returncode == EXIT_CONFIGURATION, result.stdout + result.stderr
    assert setting in result.stderr and "give the PEM files" in result.stderr
    assert "PRIVATE KEY" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
