"""Too many tries from one address: 429 with Retry-After on every way to sign in, and nobody else is kept out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import expect
from client import Client, Member, basic, new_member, new_token
from commands import done
from daemon import Daemon

StartServer = Callable[..., Daemon]

# Counters are each process's own unless they share a cache.
pytestmark = pytest.mark.stores("sqlite", "postgres", "s3")

TRUSTED = {"HTTP_TRUSTED_PROXIES": "127.0.0.0/8"}
WRONG = "not the password"


def via(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


@pytest.fixture(scope="module")
def behind(shared_server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that believes what this machine says of where its requests come from, with a limit that is soon reached."""
    with Daemon(tmp_path_factory.mktemp("limits"), LIMITS_RATE_SIGN_IN="4/h", **TRUSTED) as daemon:
        yield daemon.start()


@pytest.fixture
def person(behind: Daemon) -> Member:
    return new_member(behind.url)


class Addresses:
    """Addresses that no other test has."""

    def __init__(self) -> None:
        self.number = 0

    def next(self) -> str:
        self.number += 1
        return f"198.51.{self.number // 250}.{self.number % 250 + 1}"


ADDRESSES = Addresses()


@pytest.fixture
def address() -> str:
    return ADDRESSES.next()


def refused(answer: requests.Response) -> int:
    """A 429 as it must be; returns its pause."""
    expect.problem(answer, 429, "too_many_requests")
    pause = int(answer.headers["Retry-After"])
    assert pause >= 1
    assert "WWW-Authenticate" not in answer.headers
    return pause


def sign_in(url: str, login: str, password: str, address: str) -> requests.Response:
    body = {"login": login, "password": password}
    return requests.post(url + "/api/v1/user/auth", json=body, headers=via(address), timeout=60)


def with_basic(url: str, login: str, password: str, address: str) -> requests.Response:
    headers = {"Authorization": basic(login, password), **via(address)}
    return requests.get(url + "/api/v1/files", headers=headers, timeout=60)


def with_basic_below(url: str, login: str, password: str, address: str) -> requests.Response:
    headers = {"Authorization": basic(login, password), **via(address)}
    return requests.put(url + "/api/files/a", data=b"x", headers=headers, timeout=60)


WAYS = pytest.mark.parametrize("way", [sign_in, with_basic, with_basic_below])
Way = Callable[[str, str, str, str], requests.Response]


@WAYS
def test_wrong_passwords_end_in_429(behind: Daemon, person: Member, address: str, way: Way) -> None:
    for _ in range(4):
        expect.problem(way(behind.url, person.login, WRONG, address), 401, "unauthenticated")
    for password in (WRONG, person.password):
        assert 800 <= refused(way(behind.url, person.login, password, address)) <= 900
    # Whoever has it elsewhere, or a token, is not kept out.
    assert way(behind.url, person.login, person.password, ADDRESSES.next()).status_code < 300
    token = {"Authorization": f"Bearer {person.token}", **via(address)}
    assert requests.get(behind.url + "/api/v1/files", headers=token, timeout=60).status_code == 200


def test_all_ways_are_counted_together(behind: Daemon, person: Member, address: str) -> None:
    for way in (sign_in, with_basic, with_basic_below, sign_in):
        assert way(behind.url, person.login, WRONG, address).status_code == 401
    for way in (sign_in, with_basic, with_basic_below):
        refused(way(behind.url, person.login, WRONG, address))


def test_an_unknown_login_is_counted_as_a_known_one(behind: Daemon, address: str) -> None:
    login = f"nobody-{secrets.token_hex(4)}"
    for _ in range(4):
        assert sign_in(behind.url, login, WRONG, address).status_code == 401
    refused(sign_in(behind.url, login, WRONG, address))


def test_right_passwords_are_not_counted(behind: Daemon, person: Member, address: str) -> None:
    for _ in range(10):
        assert with_basic(behind.url, person.login, person.password, address).status_code == 200
    for _ in range(6):
        assert sign_in(behind.url, person.login, person.password, address).status_code == 200
    for _ in range(4):
        assert sign_in(behind.url, person.login, WRONG, address).status_code == 401


def test_a_first_burst_with_the_right_password_is_not_refused(behind: Daemon, person: Member, address: str) -> None:
    with ThreadPoolExecutor(30) as threads:
        ask = lambda _: with_basic(behind.url, person.login, person.password, address).status_code  # noqa: E731
        assert set(threads.map(ask, range(30))) == {200}


def test_a_burst_of_guesses_is_no_way_around(behind: Daemon, person: Member, address: str) -> None:
    with ThreadPoolExecutor(30) as threads:
        ask = lambda number: sign_in(behind.url, person.login, f"{WRONG} {number}", address).status_code  # noqa: E731
        statuses = list(threads.map(ask, range(30)))
    assert statuses.count(401) <= 4 and set(statuses) == {401, 429}


def test_a_neighbour_may_sign_in_until_the_address_has_none_left(behind: Daemon, person: Member, address: str) -> None:
    for _ in range(6):
        sign_in(behind.url, "somebody@example.org", WRONG, address)
    assert sign_in(behind.url, person.login, person.password, address).status_code == 200
    for number in range(8):
        assert sign_in(behind.url, f"sprayed-{number}", WRONG, address).status_code == 401
    refused(sign_in(behind.url, person.login, person.password, address))


def test_one_network_of_ipv6_is_one_address(behind: Daemon, person: Member) -> None:
    network = f"2001:db8:{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}"
    for number in range(4):
        assert sign_in(behind.url, person.login, WRONG, f"{network}:{number:x}::1").status_code == 401
    refused(sign_in(behind.url, person.login, WRONG, f"{network}:ffff::9"))


def test_what_an_untrusted_sender_forwards_is_not_believed(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="2/h")
    person = new_member(server.url)
    for _ in range(2):
        assert sign_in(server.url, person.login, WRONG, ADDRESSES.next()).status_code == 401
    refused(sign_in(server.url, person.login, WRONG, ADDRESSES.next()))
    assert server.log().count("a proxy on this machine is not trusted") == 1
    # A direct client at this machine is exempt.
    for _ in range(5):
        body = {"login": person.login, "password": WRONG}
        assert requests.post(server.url + "/api/v1/user/auth", json=body, timeout=60).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/user/password", "/api/v1/user"])
def test_proving_it_again_is_counted_too(behind: Daemon, person: Member, address: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {person.token}", **via(address)}
    body = {"password": WRONG, "new_password": "another horse entirely"}
    method = "DELETE" if path == "/api/v1/user" else "POST"
    for _ in range(4):
        answer = requests.request(method, behind.url + path, json=body, headers=headers, timeout=60)
        expect.problem(answer, 403, "forbidden")
    refused(requests.request(method, behind.url + path, json=body, headers=headers, timeout=60))
    refused(sign_in(behind.url, person.login, person.password, address))
    assert requests.get(behind.url + "/api/v1/files", headers=headers, timeout=60).status_code == 200


def test_nothing_is_hashed_once_the_limit_is_reached(behind: Daemon, person: Member, address: str) -> None:
    def seconds() -> float:
        began = behind.processor_seconds()
        for _ in range(4):
            sign_in(behind.url, person.login, WRONG, address)
        return behind.processor_seconds() - began

    hashed, refused_ones = seconds(), seconds()
    assert hashed > 5 * refused_ones, (hashed, refused_ones)


def test_wrong_tokens_are_told_to_wait_and_right_ones_work(behind: Daemon, person: Member, address: str) -> None:
    def ask(token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **via(address)}
        return requests.get(behind.url + "/api/v1/files", headers=headers, timeout=60)

    for _ in range(12):
        assert ask(secrets.token_urlsafe(32)).status_code == 401
    refused(ask(secrets.token_urlsafe(32)))
    assert ask(person.token).status_code == 200
    assert sign_in(behind.url, person.login, person.password, address).status_code == 200


def test_where_container_tokens_are_known_guesses_end(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="2/h", AUTH_CONTAINERS="known", **TRUSTED)
    known = new_token()
    done(server, "token", "add", "--container", "--token-stdin", given=known + "\n")

    def ask(token: str, address: str) -> requests.Response:
        headers = {"X-Auth-Token": token, **via(address)}
        return requests.get(server.url + "/api/files", headers=headers, timeout=60)

    for _ in range(6):
        assert ask(new_token(), "192.0.2.1").status_code == 401
    for token in (new_token(), known):
        refused(ask(token, "192.0.2.1"))
    assert ask(known, "192.0.2.2").status_code == 200


def test_any_container_token_is_nobodys_guess(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="1/h", **TRUSTED)
    for _ in range(20):
        headers = {"X-Auth-Token": new_token(), **via("192.0.2.1")}
        assert requests.put(server.url + "/api/files/a", data=b"x", headers=headers, timeout=60).status_code == 204


@pytest.mark.parametrize(("path", "field"), [("/api/v1/user/register", "login"), ("/api/users", "email")])
def test_registrations(start: StartServer, path: str, field: str) -> None:
    server = start(**TRUSTED)

    def register(login: str, address: str, password: str = "correct horse battery") -> requests.Response:
        body = {field: login, "password": password}
        return requests.post(server.url + path, json=body, headers=via(address), timeout=60)

    expect.problem(register("a@example.org", "192.0.2.1", "short"), 422)
    for number in range(4):
        assert register(f"{number}@example.org", "192.0.2.1").status_code == 201
    expect.problem(register("0@example.org", "192.0.2.1"), 409, "login_taken")
    assert 600 < refused(register("5@example.org", "192.0.2.1")) <= 720
    refused(register("0@example.org", "192.0.2.1"))
    assert register("5@example.org", "192.0.2.2").status_code == 201
    # Both ways are one.
    body = {"login": "6@example.org", "password": "correct horse battery"}
    other = requests.post(server.url + "/api/v1/user/register", json=body, headers=via("192.0.2.1"), timeout=60)
    refused(other)


def test_registrations_by_administrators_are_not_counted(start: StartServer) -> None:
    server = start(
        AUTH_REGISTRATION="admin", ADMIN_EMAIL="root@example.org", ADMIN_PASSWORD="of all the words", **TRUSTED
    )
    headers = {"Authorization": basic("root@example.org", "of all the words"), **via("192.0.2.1")}
    for number in range(7):
        body = {"login": f"{number}@example.org", "password": "correct horse battery"}
        answer = requests.post(server.url + "/api/v1/user/register", json=body, headers=headers, timeout=60)
        assert answer.status_code == 201


def test_requests(start: StartServer) -> None:
    server = start(LIMITS_RATE_REQUESTS="5/h", **TRUSTED)
    token = new_token()

    def ask(path: str, address: str | None) -> requests.Response:
        headers = {"X-Auth-Token": token, **(via(address) if address else {})}
        return requests.get(server.url + path, headers=headers, timeout=60)

    assert Client(server.url, {"X-Auth-Token": token}).put("/api/files/a", data=b"x").status_code == 204
    # What is answered from memory counts as well.
    assert [ask("/api/files/a", "192.0.2.1").status_code for _ in range(4)] == [200] * 4
    assert ask("/docs", "192.0.2.1").status_code == 200
    for path in ("/api/files/a", "/docs"):
        refused(ask(path, "192.0.2.1"))
    for path in ("/healthz", "/readyz"):
        assert ask(path, "192.0.2.1").status_code == 200
    assert ask("/api/files/a", "192.0.2.2").status_code == 200
    assert [ask("/api/files/a", None).status_code for _ in range(10)] == [200] * 10


def test_requests_for_what_is_not_there_count_too(start: StartServer) -> None:
    server = start(LIMITS_RATE_REQUESTS="4/h", **TRUSTED)
    paths = ["/nothing/here", "/api/v1/nothing", "/api/files/%FF", "/docs"]
    statuses = [requests.get(server.url + path, headers=via("192.0.2.1"), timeout=60).status_code for path in paths]
    assert statuses[:2] == [404, 404] and 429 not in statuses
    for path in ("/nothing/here", "/docs"):
        refused(requests.get(server.url + path, headers=via("192.0.2.1"), timeout=60))


def test_a_pause_may_be_longer_than_an_hour(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="5/d", **TRUSTED)
    for _ in range(5):
        assert sign_in(server.url, "nobody", WRONG, "192.0.2.1").status_code == 401
    assert 17_000 < refused(sign_in(server.url, "nobody", WRONG, "192.0.2.1")) <= 17_280


def test_limits_end_by_themselves(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="1/s", **TRUSTED)
    person = new_member(server.url)
    deadline = time.monotonic() + 20
    while sign_in(server.url, person.login, WRONG, "192.0.2.1").status_code != 429:
        assert time.monotonic() < deadline
    time.sleep(1.1)
    assert sign_in(server.url, person.login, person.password, "192.0.2.1").status_code == 200


def test_none_is_no_limit(start: StartServer) -> None:
    server = start(LIMITS_RATE_SIGN_IN="none", LIMITS_RATE_REGISTER="none", **TRUSTED)
    for number in range(12):
        assert sign_in(server.url, "nobody", f"{WRONG} {number}", "192.0.2.1").status_code == 401
