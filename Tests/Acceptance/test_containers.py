"""The container dialect: X-Auth-Token, PUT, GET, DELETE and a list of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import expect
from blobs import blobs_of
from client import Client, Member, new_token, token_client
from conftest import start_daemon
from daemon import Daemon
from ways import WAYS, Way, by_name
from wire import Wire, chunked, head

WaitUntil = Callable[[Callable[[], bool], float], None]
WITH_A_TOKEN = [way for way in WAYS if not way.is_hash]


def test_a_new_token_reads_an_empty_list_and_creates_nothing(server: Daemon, client: Client) -> None:
    response = client.get("/api/files")
    assert response.status_code == 200 and response.json() == []
    expect.problem(client.get("/api/files/a.txt"), 404)
    expect.problem(client.delete("/api/files/a.txt"), 404)
    expect.problem(client.download("/a.txt"), 404)
    assert client.listing() == {"account": None, "account_id": None, "files": []}
    assert client.put_name("a.txt").status_code == 204
    assert expect.is_uuid(client.listing()["account_id"])


QUOTA = 1 << 20
REFUSED = [
    pytest.param({"Repr-Digest": "sha-256=:" + "A" * 43 + "=:"}, 1, 400, id="wrong digest"),
    pytest.param({"If-Match": "*"}, 1, 412, id="condition"),
    pytest.param({"If-Match": "bare"}, 1, 400, id="malformed condition"),
    pytest.param({"Content-Encoding": "gzip"}, 1, 415, id="encoded"),
    pytest.param({"Content-Range": "bytes 0-1/2"}, 1, 400, id="part"),
    pytest.param({"Origin": "https://evil.example"}, 1, 403, id="foreign page"),
    pytest.param({}, QUOTA + 1, 507, id="over the quota"),
]


@pytest.fixture(scope="module")
def with_quota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that counts what a container takes."""
    daemon = start_daemon(tmp_path_factory.mktemp("quota"), LIMITS_CONTAINER_QUOTA=str(QUOTA))
    yield daemon
    assert daemon.alive and daemon.stop() == 0, daemon.log()


@pytest.fixture(params=["no quota", "quota"])
def new(request: pytest.FixtureRequest, server: Daemon, with_quota: Daemon) -> Client:
    """A token under which nobody has written, with and without a quota."""
    return token_client((with_quota if request.param == "quota" else server).url)


@pytest.mark.parametrize(("headers", "size", "status"), REFUSED)
@pytest.mark.parametrize("way", WITH_A_TOKEN, ids=by_name(WITH_A_TOKEN))
def test_a_refused_first_write_creates_nothing(
    with_quota: Daemon, way: Way, headers: dict[str, str], size: int, status: int
) -> None:
    client = token_client(with_quota.url)
    way.refused(way.send(client, b"x" * size, headers), status)
    assert client.listing() == {"account": None, "account_id": None, "files": []}


def test_a_first_write_that_cannot_be_creates_nothing(new: Client) -> None:
    for answer in (
        new.put("/api/files/a//b", data=b"x"),
        new.post("/api/v1/files/upload", data=b"x"),
        new.post("/api/v1/files/upload?path=/a/", data=b"x"),
        new.post("/http/upload", data=b"x"),
        new.move("/a", "/b"),
        new.copy("/a", "/b"),
        new.remove("/a"),
        new.make_folder("/a/../b"),
    ):
        assert 400 <= answer.status_code < 500
        assert new.listing()["account_id"] is None, answer.request.url


@pytest.mark.parametrize("way", WITH_A_TOKEN, ids=by_name(WITH_A_TOKEN))
def test_a_first_write_that_breaks_off_creates_nothing(with_quota: Daemon, wait_until: WaitUntil, way: Way) -> None:
    client = token_client(with_quota.url)
    body = way.body(b"x" * QUOTA)
    with Wire(with_quota.port) as wire:
        wire.send(head(way.method, way.target, [*client.headers.items(), *way.fields(len(body))]))
        wire.send(chunked(body)[: QUOTA // 2] if way.is_chunked else body[: QUOTA // 2])
        wait_until(lambda: with_quota.staging_files() > 0, 10)
    wait_until(lambda: with_quota.staging_files() == 0, 10)
    assert client.listing() == {"account": None, "account_id": None, "files": []}


def test_put_get_list_delete(client: Client) -> None:
    response = client.put_name("new_file.txt", b"some file")
    assert (response.status_code, response.content) == (204, b"")
    expect.strong_etag(response)
    assert client.names() == ["new_file.txt"]
    assert client.get("/api/files/new_file.txt").content == b"some file"
    response = client.delete("/api/files/new_file.txt")
    assert (response.status_code, response.content) == (204, b"")
    expect.problem(client.get("/api/files/new_file.txt"), 404)
    expect.problem(client.delete("/api/files/new_file.txt"), 404)
    assert client.names() == []


def test_an_overwrite_is_204_too(client: Client) -> None:
    first = client.put_name("a.txt", b"first")
    assert "Location" in first.headers, "a new file has a place"
    second = client.put_name("a.txt", b"second")
    assert second.status_code == 204 and "Location" not in second.headers
    assert expect.strong_etag(first) != expect.strong_etag(second)
    assert client.get("/api/files/a.txt").content == b"second"
    assert client.names() == ["a.txt"]
    assert expect.strong_etag(client.put_name("a.txt", b"second")) == expect.strong_etag(second)


def test_names_come_in_byte_order_without_a_leading_slash(client: Client) -> None:
    names = ["bash", "Bash", "bash_profile", "file1", "a/b", "a.b", "a b", "ф", "é"]
    for name in names:
        assert client.put_name(name).status_code == 204
    assert client.names() == sorted(names, key=str.encode)


def test_a_token_in_upper_and_lower_case_is_one_container(server: Daemon) -> None:
    token = new_token()
    lower, upper = token_client(server.url, token.lower()), token_client(server.url, token.upper())
    mixed = token_client(server.url, "".join(c.upper() if i % 2 else c for i, c in enumerate(token)))
    assert upper.put_name("a.txt", b"one").status_code == 204
    assert lower.get("/api/files/a.txt").content == b"one"
    assert lower.put_name("b.txt", b"two").status_code == 204
    assert upper.names() == mixed.names() == ["a.txt", "b.txt"]
    assert upper.listing() == lower.listing() == mixed.listing()


@pytest.mark.parametrize(
    "version",
    ["00000000-0000-0000-0000-000000000001", "18ce71ad-1391-46c7-91de-56948fda0d8a", "v1", "v3", "odd variant"],
)
def test_any_uuid_is_a_token(server: Daemon, version: str) -> None:
    made = new_token()
    tokens = {
        "v1": made[:14] + "1" + made[15:],
        "v3": made[:14] + "3" + made[15:],
        "odd variant": made[:19] + "f" + made[20:],
    }
    client = token_client(server.url, tokens.get(version, version))
    assert client.put_name("any.txt", version.encode()).status_code == 204
    assert client.get("/api/files/any.txt").content == version.encode()
    assert client.delete("/api/files/any.txt").status_code == 204


WHOLE = "18ce71ad-1391-46c7-91de-56948fda0d8b"
MALFORMED = {
    "nil": "00000000-0000-0000-0000-000000000000",
    "max": "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "max in upper case": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "empty": "",
    "no hyphens": WHOLE.replace("-", ""),
    "braces": "{" + WHOLE + "}",
    "urn": "urn:uuid:" + WHOLE,
    "one digit short": WHOLE[:-1],
    "one digit long": WHOLE + "0",
    "not hexadecimal": WHOLE[:-1] + "g",
    "hyphens elsewhere": WHOLE[:7] + "-" + WHOLE[7] + WHOLE[9:],
    "underscores": WHOLE.replace("-", "_"),
    "a space inside": WHOLE[:8] + " " + WHOLE[9:],
    "quoted": f'"{WHOLE}"',
    "two": f"{WHOLE}, {WHOLE}",
    "bearer": f"Bearer {WHOLE}",
    "words": "secret",
    "long": WHOLE * 50,
    "not ASCII": WHOLE[:-1] + "\xb2",
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_token_is_refused(anonymous: Client, token: str) -> None:
    for method, target, body in [
        ("GET", "/api/files", None),
        ("PUT", "/api/files/a.txt", b"x"),
        ("GET", "/api/files/a.txt", None),
        ("DELETE", "/api/files/a.txt", None),
        ("GET", "/api/v1/files", None),
    ]:
        expect.problem(anonymous.raw(method, target, [("X-Auth-Token", token)], body), 401)


def test_fullwidth_digits_are_no_token(anonymous: Client) -> None:
    fullwidth = WHOLE.replace("1", "１").encode().decode("latin-1")
    expect.problem(anonymous.raw("GET", "/api/files", [("X-Auth-Token", fullwidth)]), 401)


def test_a_missing_token_is_refused(anonymous: Client) -> None:
    expect.problem(anonymous.get("/api/files"), 401)
    expect.problem(anonymous.put("/api/files/a.txt", data=b"x"), 401)
    expect.problem(anonymous.delete("/api/files/a.txt"), 401)


def test_what_a_token_puts_every_dialect_lists_for_it(client: Client, stranger: Client) -> None:
    assert client.put_name("docs/a.txt", b"mine").status_code == 204
    (record,) = client.listing()["files"]
    expect.file_record(record, "/docs/a.txt", b"mine")
    assert client.download(record["id"]).content == client.download("/docs/a.txt").content == b"mine"
    assert stranger.names() == [] and stranger.paths() == []


def test_with_a_token_it_is_always_this_dialect(client: Client) -> None:
    client.put_name("a.txt", b"x")
    for query in ("?hash=", "?file_hash=", "?hash=" + expect.digest(b"x")):
        assert client.get("/api/files" + query).json() == ["a.txt"]


def test_accounts_have_a_container_too(member: Member) -> None:
    client = member.client
    assert client.names() == []
    assert client.put_name("docs/a.txt", b"mine").status_code == 204
    assert client.names() == ["docs/a.txt"]
    assert client.paths() == ["/docs/a.txt"]
    assert client.get("/api/files/docs/a.txt").content == b"mine"
    assert client.delete("/api/files/docs/a.txt").status_code == 204
    expect.problem(client.get("/api/files/docs/a.txt"), 404)


def test_a_token_container_keeps_no_trace_of_its_token(server: Daemon, client: Client) -> None:
    client.put_name("a.txt", b"x")
    token = client.headers["X-Auth-Token"]
    assert not [path for path in server.data.rglob("*") if token in path.name.lower()]
    assert not [blob for blob in blobs_of(server.data) if token in blob.key.lower()]
    account = client.listing()["account_id"]
    assert account != token
    assert token not in server.log(limit=1 << 30), "the log must not show the credential"
