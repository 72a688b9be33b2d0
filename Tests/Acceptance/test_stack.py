"""nginx as deploy/nginx has it, in front of two nodes: what it adds, what it hides, and that it keeps nothing for itself."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import expect
from client import Member, new_member, new_token, token_client
from conftest import StartServer
from daemon import Daemon, free_port
from nginx import LIMITS, SHIPPED, Nginx
from stores import rows
from wire import Wire, head

pytestmark = pytest.mark.stores("stack")

# All addresses of this machine are free of limits but this one.
STRANGER = "127.0.0.9"
LIMITED = {"127.0.0.0/8 1;": "127.0.0.1 1;", "rate=100r/s": "rate=1r/s", "burst=300 nodelay": "burst=2 nodelay"}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    chain, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subprocess.run(
        ["openssl", *made, *names, "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True, timeout=60
    )
    return chain, key


@pytest.fixture
def front(server: Daemon, certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[Nginx]:
    """As it is shipped: TLS on one port, the way there on the other."""
    with Nginx(tmp_path / "nginx", free_port(), server.ports, free_port(), certificate, redirects=True) as nginx:
        yield nginx


def curl(front: Nginx, certificate: tuple[Path, Path], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--cacert", str(certificate[0]), *arguments]
    return subprocess.run(command, capture_output=True, timeout=90, check=True)


def session_from(address: str) -> requests.Session:
    """A client at one of the addresses of this machine."""
    session, adapter = requests.Session(), requests.adapters.HTTPAdapter()
    adapter.init_poolmanager(1, 1, source_address=(address, 0))
    session.mount("http://", adapter)
    return session


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_files_go_both_ways_over_tls(
    front: Nginx, certificate: tuple[Path, Path], tmp_path: Path, version: str
) -> None:
    content, token = secrets.token_bytes(5_000_000), new_token()
    sent = tmp_path / "sent.bin"
    sent.write_bytes(content)
    url = f"https://localhost:{front.tls_port}/api/files/{version}.bin"
    shown = ["--write-out", "%{stderr}%{http_version} %{response_code}", "-H", f"X-Auth-Token: {token}", url]
    put = curl(front, certificate, version, "--upload-file", str(sent), *shown)
    got = curl(front, certificate, version, *shown)
    number = "2" if version == "--http2" else "1.1"
    assert put.stderr.decode() == f"{number} 204" and got.stderr.decode() == f"{number} 200"
    assert got.stdout == content


def test_absolute_urls_are_those_of_the_front(front: Nginx, certificate: tuple[Path, Path]) -> None:
    origin = f"https://localhost:{front.tls_port}"
    token = new_token()
    for name in ("a", "b"):
        curl(front, certificate, "-X", "PUT", "-d", "x", "-H", f"X-Auth-Token: {token}", f"{origin}/api/files/{name}")
    forged = ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: host=evil.example;proto=http"]
    fields = [part for field in [f"X-Auth-Token: {token}", *forged] for part in ("-H", field)]
    answer = curl(front, certificate, "--dump-header", "-", *fields, f"{origin}/api/files?limit=1").stdout.decode()
    links = [line for line in answer.splitlines() if line.lower().startswith("link:")]
    assert len(links) == 1 and f"<{origin}/api/files?limit=1&cursor=" in links[0]
    assert "strict-transport-security" in answer.lower()


def test_without_tls_one_is_sent_there(front: Nginx) -> None:
    answer = requests.get(f"http://localhost:{front.port}/api/files?limit=1", allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/api/files?limit=1")


def test_old_tls_is_refused(front: Nginx) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{front.tls_port}", "-tls1_1", "-cipher", "ALL@SECLEVEL=0"]
    result = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert result.returncode != 0 and b"alert protocol version" in result.stderr


def test_a_client_cannot_write_its_own_address(start: StartServer) -> None:
    server = start()
    forged = {"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1"}
    member = new_member(server.url)
    sign_in = {"login": member.login, "password": member.password}
    assert requests.post(f"{server.url}/api/v1/user/auth", json=sign_in, headers=forged, timeout=30).ok
    assert {row["address"] for row in rows(server.data, "SELECT address FROM audit")} == {"127.0.0.1"}


def test_wrong_passwords_are_counted_by_all_nodes_for_the_client_and_not_for_nginx(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="10/h", LIMITS_RATE_REGISTER="none")
    other = new_member(server.url)

    def sign_in(member: Member, password: str, address: str) -> requests.Response:
        body = {"login": member.login, "password": password}
        with session_from(address) as session:
            return session.post(f"{server.url}/api/v1/user/auth", json=body, timeout=30)

    # On a machine that is busy Redis may answer too late to count: then once more, from elsewhere.
    for number in range(5):
        member, address = new_member(server.url), f"127.0.1.{number + 1}"
        answers = [sign_in(member, "wrong", address).status_code for _ in range(40)]
        assert answers[:10] == [401] * 10 and answers[-1] == 429
        refused = sign_in(member, member.password, address)
        expect.problem(refused, 429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) > 0
        assert sign_in(member, member.password, STRANGER).ok and sign_in(other, other.password, address).ok
        if answers.count(401) < 20:
            return
    pytest.fail("two nodes that know of each other do not let twenty through")


def test_uploads_without_credentials_are_not_taken_for_local_ones(server: Daemon) -> None:
    answer = requests.post(f"{server.url}/stream/upload", data=b"x", timeout=30)
    assert answer.status_code == 401


def test_metrics_are_not_for_clients(server: Daemon) -> None:
    for path in ("/metrics", "/%6detrics", "//metrics", "/a/../metrics"):
        with Wire(server.port) as wire:
            wire.send(head("GET", path))
            expect.problem(wire.read_reply(), 404, "no_route")


def test_nginx_takes_every_target_that_storaged_takes(server: Daemon) -> None:
    for length, status in ((16_384, 404), (16_385, 414), (30_000, 414)):
        with Wire(server.port) as wire:
            wire.send(head("GET", "/".ljust(length, "a")))
            expect.problem(wire.read_reply(), status)


def test_an_upload_is_at_a_node_while_the_client_still_sends(
    start: StartServer, wait_until: Callable[[Callable[[], bool], float], None]
) -> None:
    server = start()
    content, token = secrets.token_bytes(8_000_000), new_token()
    with Wire(server.port) as wire:
        wire.send(head("PUT", "/api/files/a", [("X-Auth-Token", token), ("Content-Length", str(len(content)))]))
        wire.send(content[:4_000_000])
        wait_until(lambda: server.staging_files() == 1, 10)
        kept = [path for name in ("body", "proxy") for path in front_of(server).rglob(f"{name}/**/*") if path.is_file()]
        assert kept == []
        wire.send(content[4_000_000:])
        assert wire.read_reply().status_code == 204
    assert token_client(server.url, token).get("/api/files/a").content == content


def front_of(server: Daemon) -> Path:
    assert isinstance(server.forwarder, Nginx)
    return server.forwarder.directory


def test_a_slow_reader_gets_all_and_nginx_keeps_nothing_of_it(server: Daemon) -> None:
    content, token = secrets.token_bytes(30_000_000), new_token()
    assert token_client(server.url, token).put_name("big", content).status_code == 204
    with Wire(server.port) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        wire.send(head("GET", "/api/files/big", [("X-Auth-Token", token)]))
        reply = wire.read_head()
        assert reply.status_code == 200
        assert [path for path in front_of(server).glob("proxy/**/*") if path.is_file()] == []
        assert wire.read_body(reply) == content


def test_one_address_has_its_limit_and_this_machine_none(server: Daemon, tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", free_port(), server.ports, replaced=LIMITED) as nginx:
        mine = [requests.get(f"http://127.0.0.1:{nginx.port}/healthz", timeout=30).status_code for _ in range(10)]
        assert mine == [200] * 10
        answers = [ask_from(STRANGER, nginx.port) for _ in range(10)]
    assert [status for status, _, _ in answers][:3] == [200] * 3
    status, fields, body = answers[-1]
    assert status == 429 and fields["Retry-After"] == "1" and fields["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "too_many_requests"


# The clients are told by a field here, because this machine has one address of IPv6 alone.
TOLD = {"# The nodes, the limits and the log": "set_real_ip_from 127.0.0.1;\nreal_ip_header X-Real-IP;\n# The nodes"}


def test_a_subscriber_of_ipv6_has_one_limit_whatever_the_address(server: Daemon, tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", free_port(), server.ports, replaced=LIMITED | TOLD) as nginx:

        def asked(address: str) -> int:
            fields = {"X-Real-IP": address}
            return requests.get(f"http://127.0.0.1:{nginx.port}/healthz", headers=fields, timeout=30).status_code

        # A byte of the address may be any, a line feed too.
        assert [asked(f"2001:db8:a0a:a::{number}:a0a") for number in range(8)][-1] == 429
        assert asked("2001:db8:a0a:a:ffff:ffff:ffff:ffff") == 429
        assert asked("2001:db8:a0a:b::1") == 200
        # Those of IPv4 written as IPv6 are not of one network.
        assert [asked("::ffff:192.0.2.10") for _ in range(8)][-1] == 429
        assert asked("::ffff:192.0.2.11") == 200
        assert [asked("192.0.2.20") for _ in range(8)][-1] == 429
        assert asked("192.0.2.21") == 200


def ask_from(address: str, port: int) -> tuple[int, dict[str, str], bytes]:
    with session_from(address) as session:
        answer = session.get(f"http://127.0.0.1:{port}/healthz", timeout=30)
        return answer.status_code, dict(answer.headers), answer.content


def test_where_no_node_is_the_answer_is_a_problem_too(server: Daemon, tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", free_port(), [free_port(), free_port()]) as nginx:
        answer = requests.get(f"http://127.0.0.1:{nginx.port}/api/files", timeout=30)
    assert answer.status_code == 502 and answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 502 and answer.json()["code"] == "unavailable"


def test_a_node_that_is_away_is_not_noticed(server: Daemon, tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", free_port(), [server.ports[0], free_port()]) as nginx:
        client = token_client(f"http://127.0.0.1:{nginx.port}")
        for number in range(20):
            client.stored(f"/{number}.bin", b"%d" % number)
        assert len(client.names()) == 20


def test_a_reload_with_a_node_out_sends_it_nothing(server: Daemon, tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", free_port(), server.ports) as nginx:
        address = f"127.0.0.1:{server.ports[0]}"
        assert switch(nginx, "drain", address) == 0
        assert f"server {address} {LIMITS} down;" in nginx.nodes_file.read_text()
        assert switch(nginx, "drain", f"127.0.0.1:{server.ports[1]}") == 75, "the last one stays"
        assert switch(nginx, "drain", "127.0.0.1:1") == 66
        nginx.wait_for_reload()
        for _ in range(10):
            assert requests.get(f"http://127.0.0.1:{nginx.port}/healthz", timeout=30).status_code == 200
        last = (nginx.directory / "access.log").read_text().splitlines()[-10:]
        assert all(f"node=127.0.0.1:{server.ports[1]} " in line for line in last)
        assert switch(nginx, "restore", address) == 0
        assert nginx.nodes_file.read_text() == f"server {address} {LIMITS};\nserver 127.0.0.1:{server.ports[1]} {LIMITS};\n"


def switch(nginx: Nginx, *arguments: str) -> int:
    """The exit status of the script that takes nodes out and puts them back."""
    settings = {"STORAGED_NODES": str(nginx.nodes_file), "STORAGED_NGINX": " ".join(nginx.command), "PATH": "/usr/bin:/bin"}
    command = [str(SHIPPED / "storaged-nodes"), *arguments]
    return subprocess.run(command, env=settings, capture_output=True, timeout=30, check=False).returncode
