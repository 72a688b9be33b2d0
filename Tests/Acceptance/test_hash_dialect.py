"""The hash dialect (assignment 003): who knows the digest of a published file reads it, and owners delete their own."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
from pathlib import Path

import pytest

import expect
from blobs import blobs_of, shared_blob
from client import Client, Member, basic, new_login, new_member, new_password
from conftest import StartServer
from daemon import Daemon, run_command
from large import FORMS, RAW, SIZES, LargeFile, Send, hash_of


def curl(*arguments: str) -> str:
    """Runs curl as a user types it and returns what it prints."""
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30, check=True).stdout


def new_content() -> tuple[bytes, str]:
    """Bytes that nobody has, with their digest: the shared server keeps what other tests published."""
    content = secrets.token_bytes(100)
    return content, hashlib.sha256(content).hexdigest()


@pytest.fixture
def other(server: Daemon) -> Member:
    return new_member(server.url)


def publish(client: Client, content: bytes, name: str = "sent.txt") -> dict[str, object]:
    response = client.post("/api/files", files={"file": (name, content)})
    assert response.status_code == 200, response.text
    return dict(response.json())


# As the assignment tells it


def test_upload_download_and_delete_as_the_assignment_has_them(server: Daemon, tmp_path: Path) -> None:
    login, password = f"{new_login()}@example.org", new_password()
    files = f"http://localhost:{server.port}/api/files"
    body = json.dumps({"email": login, "password": password})
    users = f"http://localhost:{server.port}/api/users"
    user = json.loads(curl("-X", "POST", users, "-H", "Content-Type: application/json", "-d", body))
    assert user["email"] == login and isinstance(user["id"], int)
    content, digest = new_content()
    source = tmp_path / "report.bin"
    source.write_bytes(content)

    uploaded = json.loads(curl("-u", f"{login}:{password}", "-F", f"file=@{source}", files))
    assert uploaded["hash"] == uploaded["file_hash"] == digest
    assert uploaded["name"] == "report.bin" and uploaded["size"] == len(content)
    assert shared_blob(server.data, digest).read() == content, "the assignment's layout on disk, and in a bucket"

    saved = tmp_path / "down"
    saved.mkdir()
    curl("-o", str(saved / "a"), "-G", files, "-d", f"hash={digest}")
    curl("-o", str(saved / "b"), "-G", files, "-d", f"file_hash={digest}")
    curl("-o", str(saved / "c"), f"{files}/by-hash/{digest}")
    assert {path.read_bytes() for path in saved.iterdir()} == {content}
    subprocess.run(["curl", "-sSOJ", f"{files}?hash={digest}"], cwd=saved, check=True, timeout=30, capture_output=True)
    assert (saved / "report.bin").read_bytes() == content

    deleted = json.loads(curl("-u", f"{login}:{password}", "-X", "DELETE", f"{files}?hash={digest}"))
    assert deleted == {"hash": digest, "file_hash": digest}
    status = curl("-o", "/dev/null", "-w", "%{http_code}", f"{files}?hash={digest}")
    assert status == "404"


@pytest.mark.parametrize("parameter", ["hash", "file_hash", "body", "path"])
@pytest.mark.parametrize("kind", ["Basic", "Bearer"])
def test_every_way_to_delete(server: Daemon, member: Member, anonymous: Client, parameter: str, kind: str) -> None:
    header = basic(member.login, member.password) if kind == "Basic" else f"Bearer {member.token}"
    client = Client(server.url, {"Authorization": header})
    content, digest = new_content()
    publish(client, content)
    if parameter == "body":
        response = client.delete("/api/files", json={"file_hash": digest})
    elif parameter == "path":
        response = client.delete(f"/api/files/by-hash/{digest}")
    else:
        response = client.delete("/api/files", params={parameter: digest})
    if parameter == "path":
        assert response.status_code == 204 and response.content == b""
    else:
        assert response.status_code == 200 and response.json() == {"hash": digest, "file_hash": digest}
    expect.problem(anonymous.get(f"/api/files/by-hash/{digest}"), 404)
    expect.problem(client.delete(f"/api/files/by-hash/{digest}"), 404)


def test_what_a_download_tells_browsers_and_caches(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    uploaded = member.client.post("/api/files", files={"file": ("страница.html", content, "text/html")})
    etag = expect.strong_etag(uploaded)
    assert uploaded.headers["Location"] == f"/api/files/by-hash/{digest}"
    assert uploaded.headers["Repr-Digest"].startswith("sha-256=:")
    response = anonymous.get(f"/api/files/by-hash/{digest}")
    assert response.content == content
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert response.headers["Content-Type"] == "text/html"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment;") and "%D1%81%D1%82%D1%80" in disposition
    assert "Repr-Digest" not in response.headers
    part = anonymous.get(f"/api/files?hash={digest}", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == content[10:20]
    assert anonymous.get(f"/api/files?hash={digest}", headers={"If-None-Match": etag}).status_code == 304
    head = anonymous.head(f"/api/files/by-hash/{digest}")
    assert head.headers["Content-Length"] == str(len(content)) and head.content == b""


# Who may what


def test_the_same_bytes_of_two_owners_are_deleted_in_turn(member: Member, other: Member, anonymous: Client) -> None:
    content, digest = new_content()
    mine, theirs = publish(member.client, content, "mine.txt"), publish(other.client, content, "theirs.txt")
    assert mine["hash"] == theirs["hash"] and mine["id"] != theirs["id"]
    url = f"/api/files/by-hash/{digest}"
    assert 'filename="mine.txt"' in anonymous.get(url).headers["Content-Disposition"]
    assert member.client.delete(url).status_code == 204
    left = anonymous.get(url)
    assert left.content == content and 'filename="theirs.txt"' in left.headers["Content-Disposition"]
    expect.problem(member.client.delete(url), 403, "forbidden")
    expect.problem(member.client.delete("/api/files", params={"hash": digest}), 403, "forbidden")
    assert anonymous.get(url).content == content
    assert other.client.delete(url).status_code == 204
    expect.problem(anonymous.get(url), 404)
    expect.problem(other.client.delete(url), 404)


@pytest.mark.parametrize("header", [None, "Basic eDp5", "Bearer x"])
def test_changes_need_credentials_and_reading_ignores_them(server: Daemon, member: Member, header: str | None) -> None:
    content, digest = new_content()
    publish(member.client, content)
    client = Client(server.url, {"Authorization": header} if header else {})
    expect.problem(client.post("/api/files", files={"file": b"x"}), 401)
    expect.problem(client.post("/api/files", data=b"x"), 401)
    expect.problem(client.delete(f"/api/files?hash={digest}"), 401)
    expect.problem(client.delete(f"/api/files/by-hash/{digest}"), 401)
    assert client.get(f"/api/files?hash={digest}").content == content


def malformed(digest: str) -> list[str]:
    full_width = digest.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789abcdef"})
    return ["", "x", "../../etc/passwd", digest[:63], digest + "0", full_width, f" {digest}", f"{digest}\n", "0" * 64]


def test_unknown_private_and_malformed_hashes_look_the_same(client: Client, member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    assert client.put_name("private.txt", content).status_code == 204
    assert member.client.put_name("private.txt", content).status_code == 204
    answers = set()
    for hash_ in [*malformed(digest), digest, digest.upper()]:
        for parameter in ("hash", "file_hash"):
            response = anonymous.get("/api/files", params={parameter: hash_})
            body = expect.without_request_id(expect.problem(response, 404, "not_found"))
            names = sorted(name for name in response.headers if name != "Date")
            answers.add(json.dumps([body, names]))
        expect.problem(member.client.delete("/api/files", params={"hash": hash_}), 404, "not_found")
    for hash_ in ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", digest[:63], digest + "0", "%EF%BC%91" * 64, digest]:
        reply = anonymous.raw("GET", f"/api/files/by-hash/{hash_}")
        body = expect.without_request_id(expect.problem(reply, 404, "not_found"))
        answers.add(json.dumps([body, sorted(name for name in reply.headers if name != "Date")]))
    assert len(answers) == 1, answers
    assert member.client.get("/api/files/private.txt").content == content


def test_a_hash_in_upper_case_is_the_same_hash(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    publish(member.client, content)
    assert anonymous.get(f"/api/files?hash={digest.upper()}").content == content
    assert anonymous.get(f"/api/files/by-hash/{digest.upper()}").content == content
    deleted = member.client.delete(f"/api/files?hash={digest.upper()}")
    assert deleted.json() == {"hash": digest, "file_hash": digest}


def test_a_private_file_is_on_no_public_route(member: Member, client: Client, anonymous: Client) -> None:
    content, digest = new_content()
    for owner in (member.client, client):
        record = owner.stored("/private.txt", content)
        for name in (digest, record["id"]):
            for url in (f"/api/files?hash={name}", f"/api/files?file_hash={name}", f"/api/files/by-hash/{name}"):
                expect.problem(anonymous.get(url), 404)
            for url in (f"/http/load/{name}", f"/stream/load/{name}", f"/http/load/{name}.txt"):
                expect.problem(anonymous.get(url), 404)


def test_the_same_bytes_published_make_only_that_file_public(member: Member, other: Member, anonymous: Client) -> None:
    content, digest = new_content()
    assert member.client.put_name("private.txt", content).status_code == 204
    publish(other.client, content, "public.txt")
    response = anonymous.get(f"/api/files?hash={digest}")
    assert 'filename="public.txt"' in response.headers["Content-Disposition"]
    assert other.client.delete(f"/api/files/by-hash/{digest}").status_code == 204
    expect.problem(anonymous.get(f"/api/files?hash={digest}"), 404)
    assert member.client.get("/api/files/private.txt").content == content


# One namespace


def test_the_other_dialects_show_what_was_published_to_its_owner(member: Member, other: Member) -> None:
    content, digest = new_content()
    published = publish(member.client, content, "report.txt")
    path = f"by-hash/{digest}"
    assert member.client.names() == [path]
    record = member.client.listing()["files"][0]
    expect.file_record(record, "/" + path, content)
    assert record["id"] == published["id"]
    for reference in (published["id"], "/" + path):
        assert member.client.download(str(reference)).content == content
        expect.problem(other.client.download(str(reference)), 404)
    assert member.client.get(f"/api/files/{path}").content == content
    assert other.client.names() == []


def test_only_this_dialect_puts_files_there_and_nothing_leaves(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    publish(member.client, content)
    assert member.client.put_name("a.txt", b"a").status_code == 204
    path = f"/by-hash/{digest}"
    for response in (
        member.client.put_name(path[1:], b"other"),
        member.client.put_name("by-hash/x", b"other"),
        member.client.upload(path, b"other"),
        member.client.upload("/by-hash/", b"other"),
        member.client.make_folder("/by-hash/folder"),
        member.client.move("/a.txt", "/by-hash/a.txt"),
        member.client.copy("/a.txt", path, overwrite=True),
        member.client.move(path, "/out.txt"),
        member.client.move("/by-hash", "/out"),
    ):
        expect.problem(response, 409, "path_conflict")
    assert anonymous.get(f"/api/files?hash={digest}").content == content
    assert member.client.copy(path, "/copy.txt").status_code == 200
    assert member.client.remove(path).status_code == 204
    expect.problem(anonymous.get(f"/api/files?hash={digest}"), 404)
    assert member.client.download("/copy.txt").content == content


def test_with_a_container_token_by_hash_is_a_name_like_any_other(client: Client, member: Member) -> None:
    content, digest = new_content()
    publish(member.client, content)
    expect.problem(client.get(f"/api/files/by-hash/{digest}"), 404)
    assert client.get(f"/api/files?hash={digest}").json() == []
    assert client.put_name(f"by-hash/{digest}", b"mine").status_code == 204
    assert client.get(f"/api/files/by-hash/{digest}").content == b"mine"
    refused = client.post("/api/files", files={"file": content})
    expect.problem(refused, 405)
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.names() == [f"by-hash/{digest}"]


def test_the_last_name_of_the_same_bytes_counts(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    first, second = publish(member.client, content, "first.txt"), publish(member.client, content, "second.txt")
    assert first["id"] == second["id"] and second["name"] == "second.txt"
    assert 'filename="second.txt"' in anonymous.get(f"/api/files?hash={digest}").headers["Content-Disposition"]
    assert len(member.client.names()) == 1


# A raw body


@pytest.mark.parametrize("media_type", [None, "image/png", "application/x-www-form-urlencoded"])
def test_a_raw_body_is_published_under_its_hash(member: Member, anonymous: Client, media_type: str | None) -> None:
    content, digest = new_content()
    headers = [("Content-Type", media_type)] if media_type else []
    uploaded = member.client.raw("POST", "/api/files", headers, content)
    assert uploaded.status_code == 200, uploaded.content
    answer = uploaded.json()
    assert answer["hash"] == answer["file_hash"] == answer["name"] == digest
    assert answer["size"] == len(content) and expect.is_uuid(answer["id"])
    assert uploaded.headers["Location"] == f"/api/files/by-hash/{digest}"
    found = anonymous.get(f"/api/files?hash={digest}")
    assert found.content == content and found.headers["ETag"] == uploaded.headers["ETag"]
    is_typed = media_type == "image/png"
    assert found.headers["Content-Type"] == ("image/png" if is_typed else "application/octet-stream")
    assert f'filename="{digest}"' in found.headers["Content-Disposition"]


def test_an_empty_body_is_a_file_too(member: Member, anonymous: Client) -> None:
    answer = member.client.raw("POST", "/api/files", body=b"")
    assert answer.status_code == 200 and answer.json()["hash"] == expect.digest(b"") and answer.json()["size"] == 0
    found = anonymous.get(f"/api/files?hash={expect.digest(b'')}")
    assert found.status_code == 200 and found.content == b""


def test_parameters_are_no_file(member: Member) -> None:
    expect.problem(member.client.post("/api/files", json={"file": "x"}), 422)
    expect.problem(member.client.post("/api/files", files={"file": (None, b"x")}), 422)
    assert member.client.names() == []


# The same again


def test_the_same_form_again_changes_nothing(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    part = {"file": ("a.txt", content, "text/plain")}
    first = member.client.post("/api/files", files=part)
    again = member.client.post("/api/files", files=part)
    assert again.status_code == 200 and again.json() == first.json()
    assert (
        again.headers["ETag"] == first.headers["ETag"] and again.headers["Repr-Digest"] == first.headers["Repr-Digest"]
    )
    assert "Location" in first.headers and "Location" not in again.headers
    assert anonymous.get(f"/api/files?hash={digest}").headers["ETag"] == first.headers["ETag"]


def test_the_bytes_alone_again_keep_name_type_and_tag(member: Member, anonymous: Client) -> None:
    content, digest = new_content()
    first = member.client.post("/api/files", files={"file": ("a.html", content, "text/html")})
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        again = member.client.post("/api/files", data=content, headers=headers)
        assert again.status_code == 200 and again.json() == first.json()
        assert again.headers["ETag"] == first.headers["ETag"] and "Location" not in again.headers
    found = anonymous.get(f"/api/files?hash={digest}")
    assert found.headers["Content-Type"] == "text/html" and found.headers["ETag"] == first.headers["ETag"]
    assert 'filename="a.html"' in found.headers["Content-Disposition"]


def test_a_new_name_keeps_the_place_of_the_oldest_publication(member: Member, other: Member, anonymous: Client) -> None:
    content, digest = new_content()
    url = f"/api/files/by-hash/{digest}"
    mine, theirs = publish(member.client, content, "mine.txt"), publish(other.client, content, "theirs.txt")
    renamed = publish(member.client, content, "new.txt")
    assert (renamed["id"], renamed["name"]) == (mine["id"], "new.txt")
    assert 'filename="new.txt"' in anonymous.get(url).headers["Content-Disposition"]
    assert publish(other.client, content, "later.txt")["id"] == theirs["id"]
    assert 'filename="new.txt"' in anonymous.get(url).headers["Content-Disposition"]
    assert member.client.delete(url).status_code == 204
    publish(member.client, content, "newest.txt")
    assert 'filename="later.txt"' in anonymous.get(url).headers["Content-Disposition"], "the oldest that is left"


# Deleting


def test_bytes_are_collected_when_the_last_reference_has_gone(start: StartServer) -> None:
    daemon = start()
    members = [new_member(daemon.url) for _ in range(2)]
    content, digest = new_content()
    blob = shared_blob(daemon.data, digest)
    for member in members:
        publish(member.client, content)
    members[0].client.put_name("private.txt", content)

    def collect(*arguments: str) -> None:
        result = run_command("gc", *arguments, directory=daemon.directory, DATA_DIRECTORY=str(daemon.data))
        assert result.returncode == 0, result.stderr

    url = f"/api/files/by-hash/{digest}"
    for delete in (
        lambda: members[0].client.delete(url),
        lambda: members[1].client.delete("/api/files", params={"hash": digest}),
        lambda: members[0].client.delete("/api/files/private.txt"),
    ):
        collect("--grace", "0")
        assert blob.read() == content, "there is a reference left"
        assert delete().status_code in (200, 204)
    collect()
    assert blob.exists(), "the grace period"
    collect("--grace", "0")
    assert not blob.exists()
    expect.problem(Client(daemon.url).get(url), 404)
    publish(members[1].client, content)
    assert Client(daemon.url).get(url).content == content
    assert [blob.name.partition(".")[0] for blob in blobs_of(daemon.data, f"store/{digest[:2]}")] == [digest]


def test_two_different_hashes_are_a_bad_request(member: Member, anonymous: Client) -> None:
    (content, digest), (other, second) = new_content(), new_content()
    publish(member.client, content)
    publish(member.client, other)
    both = f"/api/files?hash={digest}&file_hash={second}"
    expect.problem(anonymous.get(both), 400, "invalid_query")
    expect.problem(member.client.delete(both), 400, "invalid_query")
    assert len(member.client.names()) == 2
    assert anonymous.get(f"/api/files?hash={digest}&file_hash={digest}").content == content


@pytest.mark.parametrize(
    ("body", "status"),
    [(None, 400), ({}, 422), ({"file_hash": None}, 422), ({"file_hash": 7}, 422), ({"file_hash": "x"}, 404)],
    ids=["nothing", "no member", "null", "a number", "no hash"],
)
def test_a_delete_that_names_nothing_deletes_nothing(
    member: Member, body: dict[str, object] | None, status: int
) -> None:
    content, digest = new_content()
    publish(member.client, content)
    expect.problem(member.client.delete("/api/files", json=body), status)
    assert member.client.names() == [f"by-hash/{digest}"]


# Users


def test_only_the_administrator_sees_the_users(member: Member, anonymous: Client, client: Client) -> None:
    for url in ("/api/users", "/api/users/1", "/api/users/999999"):
        expect.problem(anonymous.get(url), 401)
        expect.problem(member.client.get(url), 403)
        expect.problem(client.get(url), 403)


def test_a_user_is_registered_once_and_told_what_is_wrong(anonymous: Client) -> None:
    body = {"email": f"{new_login()}@example.org", "password": new_password()}
    first = anonymous.post("/api/users", json=body)
    assert first.status_code == 201
    assert first.json().keys() >= {"id", "email"} and isinstance(first.json()["id"], int)
    expect.problem(anonymous.post("/api/users", json=body), 409)
    assert "email" in expect.problem(anonymous.post("/api/users", json={"password": new_password()}), 422)["detail"]
    short = {"email": f"{new_login()}@example.org", "password": "x"}
    assert "password" in expect.problem(anonymous.post("/api/users", json=short), 422)["detail"]
    for path, name in (("/api/v1/user/auth", "login"), ("/api/v1/user/auth", "email")):
        assert anonymous.post(path, json={name: body["email"], "password": body["password"]}).status_code == 200


# Large files


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("send", [*FORMS.values(), *RAW.values()], ids=[*FORMS, *RAW])
def test_a_large_file_is_published_by_every_client(start: StartServer, tmp_path: Path, size: int, send: Send) -> None:
    daemon = start()
    member = new_member(daemon.url)
    file = LargeFile(tmp_path / "large.bin", size)
    answer = json.loads(send(f"{daemon.url}/api/files", file, {"Authorization": f"Bearer {member.token}"}))
    assert answer["hash"] == file.hash and answer["size"] == size
    assert hash_of(f"{daemon.url}/api/files?hash={file.hash}") == file.hash
