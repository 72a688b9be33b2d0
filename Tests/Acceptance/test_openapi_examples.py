"""Every example of a request is sent, after those that it builds upon, and answered as the document says."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import requests

import openapi
from client import Client, basic
from conftest import need_swagger_ui, start_daemon
from daemon import Daemon
from openapi import Operation

# Where the bytes and the records are makes no difference to what an answer looks like.
pytestmark = pytest.mark.stores("sqlite", "postgres")

ADMIN = {"ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": "of all the words"}
FOR_ADMINISTRATORS = ("listUsers", "getUser")

# What must have been sent before, besides registering and signing in.
BEFORE = {
    "signIn": ["register"],
    "endSession": ["listSessions"],
    "listFiles": ["uploadFile"],
    "listNamesOrGetByHash": ["publish"],
    "downloadFile": ["uploadFile"],
    "deleteFile": ["uploadFile"],
    "move": ["uploadFile"],
    "copy": ["uploadFile"],
    "status": ["uploadFile"],
    "searchFiles": ["uploadFile"],
    "listRevisions": ["uploadFile"],
    "restoreRevision": ["uploadFile", "listRevisions"],
    "getName": ["putName"],
    "deleteName": ["putName"],
    "unpublish": ["publish"],
    "unpublishByHash": ["publish"],
    "getByHash": ["publish"],
    "getUser": ["registerUser"],
    "listUsers": ["registerUser"],
    "getByUID": ["uploadForUID"],
    "streamByUID": ["streamForUID"],
}

# Members whose values differ from run to run: the schema says enough of them.
VOLATILE = {
    "id", "rev_id", "account", "account_id", "root_folder_id", "home_folder_id", "login", "username", "email", "uid",
    "message", "token", "access_token", "db", "storage", "created_ad", "created_at", "modified_at", "last_used_at", "expires_at",
}  # fmt: skip

# Contents of which the example is the beginning.
ONLY_BEGUN = ("text/html", "text/javascript")

# Operations of which the example has lines of what is answered.
EXCERPTS = {"metrics"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = start_daemon(tmp_path_factory.mktemp("examples"), **ADMIN)
    yield daemon
    assert daemon.stop() == 0, daemon.log()


class Reader:
    """Somebody who follows the document word by word, but for the names that must be new for every reader."""

    def __init__(self, daemon: Daemon):
        self.client = Client(daemon.url)
        self.login = f"ada-{secrets.token_hex(8)}"
        self.names = {"ada": self.login, "grace@example.org": f"{self.login}@example.org"}
        self.values: dict[str, Any] = {}
        self.password = ""
        self.token: str | None = None

    def substituted(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.substituted(one) for name, one in value.items()}
        return self.names.get(value, value) if isinstance(value, str) else value

    def sign_in(self) -> None:
        self.send(openapi.operation("register"))
        answer = self.send(openapi.operation("signIn"))
        self.token = answer.json()["token"]

    def credentials(self, one: Operation) -> dict[str, str]:
        if one.id in FOR_ADMINISTRATORS:
            return {"Authorization": basic(*ADMIN.values())}
        if "bearer" not in one.credentials:
            return {}
        if self.token is None:
            self.sign_in()
        return {"Authorization": f"Bearer {self.token}"}

    def send(
        self, one: Operation, media_type: str | None = None, parameter: dict[str, Any] | None = None
    ) -> requests.Response:
        """Sends the example of the operation: of the media type, or its first; with one optional parameter."""
        path, query, headers = one.path, {}, self.credentials(one)
        for each in one.parameters:
            if each["in"] == "path":
                value = str(self.values.get(each["name"], each["example"]))
                path = path.replace("{" + each["name"] + "}", value)
            elif each["in"] == "query" and (each.get("required") or media_type == "*/*" or each == parameter):
                query[each["name"]] = str(each["example"]).lower() if each["example"] is False else each["example"]
            elif each == parameter:
                headers[each["name"]] = each["example"]
        body: dict[str, Any] = {}
        media_type = media_type or next(iter(one.requests), None)
        if media_type is not None:
            example = self.substituted(one.requests[media_type]["example"])
            if media_type == "application/json":
                body = {"json": example}
            elif media_type == "application/x-www-form-urlencoded":
                body = {"data": example}
            elif media_type == "multipart/form-data":
                fields = {name: (None, value) for name, value in example.items() if name != "file"}
                file = {"file": ("notes.txt", example["file"], "text/plain")} if "file" in example else {}
                body = {"files": {**fields, **file}}
            else:
                body = {"data": example.encode()}
                headers["Content-Type"] = "text/plain"
        answer = self.client.request(one.method.upper(), path, params=query, headers=headers, **body)
        assert answer.status_code < 400, f"{one.id}: {answer.status_code} {answer.text}"
        expected = openapi.described(answer, one)
        if one.id == "publish" and media_type == "*/*":
            # Raw bytes come without a name.
            expected = {**expected, "name": expected["hash"]}
        if one.id in EXCERPTS:
            assert set(expected.splitlines()) <= set(answer.text.splitlines())
        else:
            compare(answer, expected)
        self.remember(one, answer)
        return answer

    def remember(self, one: Operation, answer: requests.Response) -> None:
        """Keeps what later operations are asked for."""
        if one.id == "listSessions":
            self.values["id"] = answer.json()["sessions"][0]["id"]
        elif one.id == "listRevisions":
            example = openapi.operation("restoreRevision").requests["application/json"]["example"]
            self.names[example["rev_id"]] = answer.json()["revisions"][0]["rev_id"]
        elif one.id == "registerUser":
            self.values["id"] = answer.json()["id"]
        elif one.id == "uploadForUID":
            self.values["uid"] = answer.json()["uid"]
        elif one.id == "streamForUID":
            self.values["uid"] = answer.text.split()[-1]


def compare(answer: requests.Response, example: Any) -> None:
    """The answer has what the example has, and nothing more."""
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    if not media_type.endswith("/json"):
        if media_type in ONLY_BEGUN:
            assert answer.text.startswith(example)
        elif isinstance(example, str) and "UID" not in example:
            assert answer.text == example
        return
    if isinstance(example, list) and isinstance(example[0], dict):
        same(answer.json(), example)
    if isinstance(example, dict) and "openapi" not in example:
        same(answer.json(), example)


def same(value: Any, example: Any) -> None:
    assert type(value) is type(example), f"{value!r}, not {example!r}"
    if isinstance(example, dict):
        assert set(value) == set(example)
        for name in example.keys() - VOLATILE:
            same(value[name], example[name])
    elif isinstance(example, list):
        assert bool(value) == bool(example)
        for one in value:
            same(one, example[0])
    else:
        assert value == example


def requested() -> Iterator[tuple[str, str | None]]:
    """Every operation with every media type that it takes."""
    for one in openapi.operations():
        for media_type in one.requests or [None]:
            yield one.id, media_type


@pytest.mark.parametrize(("identifier", "media_type"), requested())
def test_the_example_is_true(api: Daemon, identifier: str, media_type: str | None) -> None:
    if identifier == "docsFile":
        need_swagger_ui(api)
    reader = Reader(api)
    for earlier in BEFORE.get(identifier, []):
        reader.send(openapi.operation(earlier))
    reader.send(openapi.operation(identifier), media_type)


@pytest.mark.parametrize("identifier", ["uploadFile", "makeFolder", "putName", "publish"])
def test_the_example_is_true_once_more(api: Daemon, identifier: str) -> None:
    reader = Reader(api)
    for _ in range(2):
        reader.send(openapi.operation(identifier))


# Fields that change nothing but the form of the answer, or hold for the example.
HARMLESS = ("Range", "Want-Repr-Digest", "If-None-Match")

# A form differs by its boundary from every other: only a body of nothing but the file has the digests of the examples.
OF_RAW_BODIES = ("Repr-Digest", "Content-Digest", "Content-MD5")


def parameters() -> Iterator[tuple[str, str]]:
    """Every operation with every parameter that it can do without and that its example holds for."""
    for one in openapi.operations():
        for parameter in one.parameters:
            is_sent = parameter["in"] == "query" or parameter["name"] in HARMLESS
            if parameter["name"] in OF_RAW_BODIES:
                is_sent = "*/*" in one.requests
            if is_sent and not parameter.get("required") and "example" in parameter:
                yield one.id, parameter["name"]


@pytest.mark.parametrize(("identifier", "name"), parameters())
def test_the_example_of_a_parameter_is_true(api: Daemon, identifier: str, name: str) -> None:
    if identifier == "docsFile":
        need_swagger_ui(api)
    reader = Reader(api)
    for earlier in BEFORE.get(identifier, []):
        reader.send(openapi.operation(earlier))
    one = openapi.operation(identifier)
    parameter = next(each for each in one.parameters if each["name"] == name)
    reader.send(one, "*/*" if "*/*" in one.requests else None, parameter)
