"""Lists: what is in them, in which order, page by page."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

import expect
from client import Client, Member

FILES = [
    "/B.txt",
    "/a b.txt",
    "/a!.txt",
    "/a-b.txt",
    "/a.txt",
    "/a/b.txt",
    "/a/b/c.png",
    "/a0.txt",
    "/docs/e\u0301.txt",
    "/docs/z.txt",
    "/docs/\u00e9.txt",
    "/docs/отчёт.txt",
    "/docs/\U0001f4c1.txt",
    "/docsie.txt",
    "/song.mp3",
]


def in_byte_order(paths: list[str]) -> list[str]:
    return sorted(paths, key=lambda path: path.encode())


@pytest.fixture
def filled(client: Client) -> Client:
    """A principal with FILES, made in an order that is not theirs."""
    for path in FILES[::2] + FILES[1::2]:
        assert client.put_name(path[1:], path.encode()).status_code == 204
    return client


EXPECTED = in_byte_order(FILES)


def test_everything_is_listed_in_byte_order(filled: Client) -> None:
    assert filled.paths() == EXPECTED
    assert filled.names() == [path[1:] for path in EXPECTED]


def test_records_are_complete_and_equal_to_those_of_the_upload(member: Member) -> None:
    record = member.client.stored("/docs/a.txt", b"hello", "a.txt")
    assert member.client.listing()["files"] == [record]
    expect.file_record(record, "/docs/a.txt", b"hello")


@pytest.mark.parametrize("prefix", ["/docs/", "/docs", "/a", "/a/", "/", "/docs/e", "/nothing", "/docs/о", "/a b"])
def test_a_prefix_selects_by_bytes(filled: Client, prefix: str) -> None:
    assert filled.paths(prefix=prefix) == [path for path in EXPECTED if path.startswith(prefix)]


@pytest.mark.parametrize("wildcard", ["/%", "/_.txt", "/*", "/a%", "/\\"])
def test_a_prefix_has_no_wildcards(filled: Client, wildcard: str) -> None:
    assert filled.paths(prefix=wildcard) == []


def test_a_folder_is_listed_one_level_deep_with_its_folders(client: Client) -> None:
    for name in ("top.txt", "docs/b.txt", "docs/a.txt", "docs/inner/deep.txt", "docs.txt", "docs-old/x.txt"):
        assert client.put_name(name).status_code == 204
    assert client.make_folder("/docs/empty").status_code == 201
    found = client.listing(folder="/docs")["files"]
    assert [(record["path"], record["type"]) for record in found] == [
        ("/docs/a.txt", "file"),
        ("/docs/b.txt", "file"),
        ("/docs/empty", "folder"),
        ("/docs/inner", "folder"),
    ]
    for record in found:
        if record["type"] == "folder":
            expect.folder_record(record, record["path"])
    assert client.paths(folder="/docs/") == client.paths(folder="/docs")
    assert client.paths(folder="/") == ["/docs", "/docs-old", "/docs.txt", "/top.txt"]
    assert client.paths(folder="/docs/empty") == []


def test_the_plain_list_has_files_only(client: Client) -> None:
    assert client.make_folder("/docs/empty").status_code == 201
    client.stored("/docs/a.txt")
    assert client.paths() == ["/docs/a.txt"]
    assert client.names() == ["docs/a.txt"]


def test_kinds_are_told_apart(client: Client) -> None:
    kinds = {"image": ["/a.jpg", "/b.png"], "media": ["/a.mp3", "/b.mp4"], "text": ["/a.txt"], "other": ["/a.bin"]}
    for paths in kinds.values():
        for path in paths:
            client.stored(path, b"x", path[1:])
    for kind, paths in kinds.items():
        assert client.paths(kind=kind) == paths


def pages(client: Client, route: str, limit: int) -> list[list[str]]:
    """All pages from the first on, along the `next` links."""
    found: list[list[str]] = []
    url: str | None = f"{client.url}{route}?limit={limit}"
    while url:
        assert urlsplit(url).netloc == urlsplit(client.url).netloc, "the link must be absolute"
        response = client.session.get(url)
        assert response.status_code == 200, response.text
        body = response.json()
        found.append(
            [record["path"] for record in body["files"]] if isinstance(body, dict) else ["/" + n for n in body]
        )
        url = response.links.get("next", {}).get("url")
        if isinstance(body, dict):
            assert bool(body.get("cursor")) == bool(url), "body and header must agree on whether there is more"
        assert len(found) < 100
    return found


@pytest.mark.parametrize("route", ["/api/v1/files", "/api/files"])
@pytest.mark.parametrize("limit", [1, 4, len(EXPECTED) - 1, len(EXPECTED), 1000])
def test_pages_hold_every_entry_once(filled: Client, route: str, limit: int) -> None:
    found = pages(filled, route, limit)
    assert [path for page in found for path in page] == EXPECTED
    assert all(len(page) == limit for page in found[:-1]) and len(found[-1]) <= limit


@pytest.mark.parametrize("query", ["prefix=/docs/", "folder=/docs", "kind=text"])
def test_pages_of_a_selection_stay_in_it(filled: Client, query: str) -> None:
    whole = [record["path"] for record in filled.get(f"/api/v1/files?{query}").json()["files"]]
    response = filled.get(f"/api/v1/files?{query}&limit=2")
    found = [record["path"] for record in response.json()["files"]]
    while "next" in response.links:
        response = filled.session.get(response.links["next"]["url"])
        found += [record["path"] for record in response.json()["files"]]
    assert len(whole) > 2 and found == whole


def test_the_cursor_of_the_body_continues_too(filled: Client) -> None:
    first = filled.listing(limit=3)
    second = filled.listing(limit=3, cursor=first["cursor"])
    assert [record["path"] for record in first["files"] + second["files"]] == EXPECTED[:6]


def test_changes_between_pages_repeat_and_skip_nothing_else(client: Client) -> None:
    names = [f"n{number:02}.txt" for number in range(10)]
    for name in names:
        assert client.put_name(name).status_code == 204
    response = client.get("/api/v1/files?limit=4")
    found = [record["name"] for record in response.json()["files"]]
    assert client.put_name("n00a.txt").status_code == 204, "before the cursor: must not shift the rest"
    assert client.delete("/api/files/n03.txt").status_code == 204, "the entry the cursor stands on"
    assert client.delete("/api/files/n05.txt").status_code == 204
    while "next" in response.links:
        response = client.session.get(response.links["next"]["url"])
        found += [record["name"] for record in response.json()["files"]]
    assert found == [name for name in names if name != "n05.txt"]


@pytest.mark.parametrize("limit", ["0", "-1", "+5", "1001", "1e3", "0x10", "ten", "5.0", "99999999999999999999", "５"])
@pytest.mark.parametrize("route", ["/api/v1/files", "/api/files"])
def test_a_limit_that_is_none_is_a_bad_request(client: Client, route: str, limit: str) -> None:
    expect.problem(client.get(route, params={"limit": limit}), 400)


@pytest.mark.parametrize("cursor", ["!", "%00", "../..", "x" * 5000])
def test_a_cursor_that_is_none_is_a_bad_request(client: Client, cursor: str) -> None:
    expect.problem(client.get("/api/v1/files", params={"limit": 2, "cursor": cursor}), 400)


def test_an_empty_list_is_a_list(client: Client, member: Member) -> None:
    assert client.names() == [] and client.paths() == []
    assert member.client.names() == [] and member.client.paths() == []
    assert client.get("/api/v1/files?limit=5").json()["files"] == []


def test_more_than_one_batch_of_files_is_listed_whole(client: Client) -> None:
    names = [f"many/{number:04}.txt" for number in range(1100)]
    for name in names:
        assert client.put_name(name, b"x").status_code == 204
    assert client.names() == names
    assert [path for page in pages(client, "/api/v1/files", 1000) for path in page] == ["/" + name for name in names]
