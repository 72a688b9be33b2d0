"""Searches by name: text and POSIX extended regular expressions, below folders, by extension, in order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import expect
from client import Client, Member, new_member
from conftest import StartServer
from daemon import Daemon

TREE = {
    "/docs/report 2023.txt": 5,
    "/docs/report 2024.txt": 3,
    "/docs/old/report (1).PDF": 4,
    "/docs/old/notes.tar.gz": 1,
    "/docs.txt": 2,
    "/photo.jpeg": 6,
    "/report/readme": 7,
}


def put(client: Client, path: str, content: bytes) -> None:
    """Stores a file at just this path, whatever its name."""
    assert client.put_name(path.removeprefix("/"), content).status_code == 204


@pytest.fixture
def tree(client: Client) -> Client:
    """A container with a few files and folders."""
    for path, size in TREE.items():
        put(client, path, b"x" * size)
    client.make_folder("/reports")
    return client


REPORTS = ["/docs/old/report (1).PDF", "/docs/report 2023.txt", "/docs/report 2024.txt"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("report", REPORTS),
        ("Report", []),
        ("docs", ["/docs.txt"]),
        ("s/r", []),
        ("^report.*txt$", REPORTS[1:]),
        ("202[34]", REPORTS[1:]),
        ("(photo|readme)", ["/photo.jpeg", "/report/readme"]),
        ("^[^.]+$", ["/report/readme"]),
        ("[[:digit:]]{4}", REPORTS[1:]),
        ("[[:upper:]]", REPORTS[:1]),
        ("report (1).PDF", REPORTS[:1]),
        (r"\(1\)", REPORTS[:1]),
        (r"\.gz$", ["/docs/old/notes.tar.gz"]),
        ("^$", []),
        ("nothing of the sort", []),
        ("x" * 256, []),
        ("", sorted(TREE)),
        (None, sorted(TREE)),
    ],
)
def test_names_are_found_by_text_and_by_expression(tree: Client, query: str | None, found: list[str]) -> None:
    assert tree.found(query) == found


def test_what_is_found_is_a_record(tree: Client) -> None:
    records = {record["path"]: record for record in tree.listing()["files"]}
    for record in tree.search("report").json()["matches"]:
        assert record == records[record["path"]]


def test_the_first_list_is_spelled_as_in_the_assignment(tree: Client) -> None:
    body = tree.search("photo").json()
    assert list(body) == ["mathes", "matches"]
    assert body["mathes"] == body["matches"] and len(body["matches"]) == 1


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/docs", REPORTS),
        ("docs/", REPORTS),
        ("/docs/old", REPORTS[:1]),
        ("/", REPORTS),
        ("", REPORTS),
        ("/reports", []),
        ("/doc", []),
        ("/none", []),
        ("/docs.txt", []),
    ],
)
def test_a_folder_narrows_it(tree: Client, path: str, found: list[str]) -> None:
    assert tree.found("report", path=path) == found
    assert tree.found("^report", path=path) == found


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ("txt", ["/docs.txt", *REPORTS[1:]]),
        ("TXT", ["/docs.txt", *REPORTS[1:]]),
        ("pdf", REPORTS[:1]),
        ("gz", ["/docs/old/notes.tar.gz"]),
        ("tar.gz", ["/docs/old/notes.tar.gz"]),
        ("tx", []),
        ("t", []),
        ("x" * 254, []),
    ],
)
def test_an_extension_narrows_it(tree: Client, extension: str, found: list[str]) -> None:
    assert tree.found(extension=extension) == found
    assert tree.found(".", extension=extension) == found
    assert tree.found("2024", extension=extension) == [path for path in found if "2024" in path]


def test_order_and_limit(tree: Client) -> None:
    by_name = sorted(TREE, key=lambda path: path.rpartition("/")[2].encode())
    by_size = sorted(TREE, key=lambda path: (TREE[path], path))
    for query in (None, ".", "e"):
        kept = [path for path in TREE if query != "e" or "e" in path.rpartition("/")[2]]
        orders = {"name": by_name, "path": sorted(TREE), "size": by_size}
        for order, paths in orders.items():
            expected = [path for path in paths if path in kept]
            for limit in (1, 2, 5, 1000):
                assert tree.found(query, order_by=order, limit=limit) == expected[:limit]


def test_order_by_time(tree: Client) -> None:
    time.sleep(0.01)
    put(tree, "/a new file", b"new")
    time.sleep(0.01)
    put(tree, "/docs.txt", b"changed")
    assert tree.found(order_by="created_at")[-1] == "/a new file"
    assert tree.found(order_by="modified_at")[-2:] == ["/a new file", "/docs.txt"]
    assert tree.found("new|docs", order_by="created_at") == ["/docs.txt", "/a new file"]
    assert tree.found("new|docs", order_by="modified_at") == ["/a new file", "/docs.txt"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "x" * 257}, "query"),
        ({"query": "é" * 129}, "query"),
        ({"query": 1}, "query"),
        ({"query": ["a"]}, "query"),
        ({"options": "path"}, "options"),
        ({"options": []}, "options"),
        ({"options": {"path": 1}}, "path"),
        ({"options": {"extension": ".txt"}}, "extension"),
        ({"options": {"extension": ""}}, "extension"),
        ({"options": {"extension": "a/b"}}, "extension"),
        ({"options": {"extension": "x" * 255}}, "extension"),
        ({"options": {"extension": True}}, "extension"),
        ({"options": {"order_by": "colour"}}, "order_by"),
        ({"options": {"order_by": "-size"}}, "order_by"),
        ({"options": {"order_by": ""}}, "order_by"),
        ({"options": {"order_by": 1}}, "order_by"),
        ({"options": {"limit": 0}}, "limit"),
        ({"options": {"limit": -1}}, "limit"),
        ({"options": {"limit": 1001}}, "limit"),
        ({"options": {"limit": 1 << 63}}, "limit"),
        ({"options": {"limit": "10"}}, "limit"),
        ({"options": {"limit": 1.0}}, "limit"),
    ],
)
def test_a_bad_value_is_named(client: Client, body: dict[str, Any], field: str) -> None:
    assert field in expect.problem(client.post("/api/v1/files/search", json=body), 422)["detail"]


def test_nulls_and_unknown_members_are_left_out(tree: Client) -> None:
    options = {"path": None, "extension": None, "order_by": None, "limit": None, "colour": "red"}
    body = {"query": "photo", "options": options, "page": 7}
    assert [one["path"] for one in tree.post("/api/v1/files/search", json=body).json()["matches"]] == ["/photo.jpeg"]
    assert len(tree.post("/api/v1/files/search", json={"options": None}).json()["matches"]) == len(TREE)
    assert len(tree.post("/api/v1/files/search", json={}).json()["matches"]) == len(TREE)


def test_what_is_no_search(client: Client, anonymous: Client) -> None:
    for body in (b"", b"[]", b"{", b'"report"', b"query=report"):
        expect.problem(client.post("/api/v1/files/search", data=body), 400, "invalid_json")
    expect.problem(client.search(path="/a/../b"), 400, "invalid_path")
    expect.problem(client.search("x" * 20_000), 413, "too_large")
    expect.problem(anonymous.search("a"), 401)
    expect.problem(client.get("/api/v1/files/search"), 405)


NO_EXPRESSION = [
    "(", ")", "[", "[a", "a{", "a{1", "a{2,1}", "a{256}", "*", "+", "?", "a|*", "\\", "(a", "a)", "[[:x:]]", "[b-a]",
    "(a)\\1", "(a*)*\\1", "\\d", "*.txt", "notes (1", "(" * 250, "a" + "*" * 250, "(" * 40 + ")" * 40,
]  # fmt: skip


@pytest.mark.parametrize("query", NO_EXPRESSION)
def test_what_is_no_expression_is_a_text(tree: Client, query: str) -> None:
    name = f"x{query}y"[:255]
    put(tree, f"/{name}", b"")
    assert tree.found(query) == sorted(
        path for path in [*TREE, f"/{name}"] if query in path.rpartition("/")[2]
    )


@pytest.mark.parametrize("query", ["((a{99}){99}){99}", "(((((a{255}){255}){255}){255}){255}){255}"])
def test_what_repeats_too_much_is_refused(client: Client, query: str) -> None:
    detail = expect.problem(client.search(query), 422, "unprocessable")["detail"]
    assert detail.startswith("query: ")


SLOW_ELSEWHERE = [
    ("(a+)+$", False),
    ("(a+)+b$", True),
    ("(a|a)*c", False),
    ("(a*)*c", False),
    ("(a|b)*a(a|b){100}c", False),
    (".*.*.*.*.*.*.*.*c", False),
    ("a?" * 60 + "a" * 60, True),
]


@pytest.mark.parametrize(("query", "is_found"), SLOW_ELSEWHERE)
def test_no_expression_takes_long(client: Client, query: str, is_found: bool) -> None:
    for number in range(30):
        client.put_name(f"{number:02d}{'a' * 252}b", b"")
    # Where all ways are gone one by one, no client waits for the end.
    assert (len(client.found(query)) == 30) == is_found


def test_another_principal_finds_nothing(tree: Client, stranger: Client, member: Member) -> None:
    for client in (stranger, member.client):
        assert client.found() == client.found("report") == client.found(".", path="/docs") == []


def test_unusual_names_are_found_byte_for_byte(member: Member) -> None:
    client = member.client
    names = ["%", "_", "a%b", "a_b", "a\\b", "e\u0301", "é", "\U0001f600", "'; --", '"', "a b", "a+b", "[x]", "ÀÉ", "a.b.c"]
    for name in names:
        put(client, f"/{name}/{name}", b"")
    for name in names:
        assert f"/{name}/{name}" in client.found(name.replace("\\", "\\\\").replace("[", "\\["))
    assert client.found("_") == ["/_/_", "/a_b/a_b"]
    assert client.found("%") == ["/%/%", "/a%b/a%b"]
    assert client.found("é") == ["/é/é"]
    assert client.found("^.$", extension="none") == []
    assert "/\U0001f600/\U0001f600" in client.found("^.$")
    assert client.found(path="/é") == ["/é/é"]


def test_a_search_goes_over_many_stretches(client: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: client.put_name(f"f{number % 7}/{number:04d}.txt", b""), range(2300)))
    names = sorted(f"/f{number % 7}/{number:04d}.txt" for number in range(2300))
    assert client.found(limit=1000) == names[:1000]
    assert client.found() == names[:100]
    assert client.found("00.txt", limit=1000) == [name for name in names if name.endswith("00.txt")]
    assert client.found("^.*00[.]txt$", limit=1000) == [name for name in names if name.endswith("00.txt")]
    last = sorted(names, key=lambda path: path.rpartition("/")[2])
    assert client.found(order_by="name", limit=1000) == last[:1000]
    assert client.found("9", path="/f3", order_by="name", limit=3) == [
        path for path in last if "9" in path.rpartition("/")[2] and path.startswith("/f3/")
    ][:3]


def test_many_at_once_do_not_keep_others_waiting(start: StartServer) -> None:
    daemon: Daemon = start()
    client = new_member(daemon.url).client
    for number in range(100):
        client.put_name(f"{number:04d}{'ab' * 120}", b"")
    put(client, "/small", b"small")

    def search(_: int) -> int:
        return len(Client(daemon.url, client.headers).found("(a|b)*a(a|b){20}c"))

    with ThreadPoolExecutor(8) as pool:
        searches = [pool.submit(search, number) for number in range(8)]
        waits = []
        while not all(one.done() for one in searches):
            started = time.monotonic()
            assert client.download("/small").content == b"small"
            waits.append(time.monotonic() - started)
        assert [one.result() for one in searches] == [0] * 8
    assert not waits or sorted(waits)[len(waits) // 2] < 1, max(waits)
