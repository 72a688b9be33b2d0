"""Clients of the server: one per principal, over `requests`, with exact requests where a library would tidy up."""

from __future__ import annotations

import http.client
import secrets
import uuid
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from stores import NODES
from wire import Part, Reply, form, form_type

TIMEOUT = 60.0


class OneRequestEach(HTTPAdapter):
    """A connection for each request, so that the next request goes to another node."""

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        self.poolmanager.clear()
        return super().send(*arguments, **options)


class Client:
    """One principal's connection to one server. Redirects are never followed; proxies and .netrc are ignored."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None):
        self.url = url
        self.headers = dict(headers or {})
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(self.headers)
        if NODES > 1:
            self.session.mount("http://", OneRequestEach())
            self.session.mount("https://", OneRequestEach())

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", TIMEOUT)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.url + path, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Any) -> requests.Response:
        return self.request("HEAD", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def raw(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
    ) -> Reply:
        """One request with the target exactly as written and headers that may repeat."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in [*self.headers.items(), *headers]:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    # Accounts and paths

    def upload(
        self,
        path: str,
        content: bytes = b"content",
        name: str = "sent.bin",
        media_type: str | None = None,
        **headers: str,
    ) -> requests.Response:
        """Uploads as a browser form does: `path` first, then the file."""
        return self.send_form([Part("path", path.encode()), Part("file", content, name, media_type)], **headers)

    def send_form(self, parts: Iterable[Part], query: str = "", **headers: str) -> requests.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(
            "/api/v1/files/upload" + query, data=form(parts), headers={"Content-Type": form_type(), **fields}
        )

    def stored(self, path: str, content: bytes = b"content", name: str = "sent.bin") -> dict[str, Any]:
        """The record of a file that is made here and now."""
        response = self.upload(path, content, name)
        assert response.status_code in (200, 201), response.text
        return dict(response.json())

    def download(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> requests.Response:
        return self.get("/api/v1/files/download", params={"path": path, **query}, headers=headers)

    def remove(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> requests.Response:
        return self.delete("/api/v1/files", params={"path": path, **query}, headers=headers)

    def make_folder(self, path: str) -> requests.Response:
        return self.post("/api/v1/folders", json={"path": path})

    def move(self, source: str, target: str, **members: Any) -> requests.Response:
        return self.post("/api/v1/files/move", json={"from": source, "to": target, **members})

    def copy(self, source: str, target: str, **members: Any) -> requests.Response:
        return self.post("/api/v1/files/copy", json={"from": source, "to": target, **members})

    def search(self, query: str | None = None, **options: Any) -> requests.Response:
        body = {"options": options} if query is None else {"options": options, "query": query}
        return self.post("/api/v1/files/search", json=body)

    def found(self, query: str | None = None, **options: Any) -> list[str]:
        """The paths of what a search finds."""
        response = self.search(query, **options)
        assert response.status_code == 200, response.text
        body = response.json()
        assert body["mathes"] == body["matches"]
        return [record["path"] for record in body["matches"]]

    def revisions(self, path: str, **members: Any) -> list[dict[str, Any]]:
        response = self.post("/api/v1/files/revisions", json={"path": path, **members})
        assert response.status_code == 200, response.text
        return list(response.json()["revisions"])

    def restore(self, path: str, revision: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        body = {"path": path, "rev_id": revision}
        return self.post("/api/v1/files/revisions/restore", json=body, headers=headers)

    def status(self) -> dict[str, Any]:
        response = self.get("/api/v1/user/status")
        assert response.status_code == 200, response.text
        return dict(response.json())

    def listing(self, **query: str | int) -> dict[str, Any]:
        response = self.get("/api/v1/files", params=query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def paths(self, **query: str | int) -> list[str]:
        return [record["path"] for record in self.listing(**query)["files"]]

    # Containers

    def put_name(self, name: str, content: bytes = b"content", **headers: str) -> requests.Response:
        fields = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.put("/api/files/" + quote(name), data=content, headers=fields)

    def names(self) -> list[str]:
        response = self.get("/api/files")
        assert response.status_code == 200, response.text
        return list(response.json())


@dataclass
class Member:
    """A registered account, signed in."""

    login: str
    password: str
    token: str
    client: Client


def new_token() -> str:
    return str(uuid.uuid4())


def token_client(url: str, token: str | None = None) -> Client:
    return Client(url, {"X-Auth-Token": token or new_token()})


def basic(login: str, password: str) -> str:
    return "Basic " + b64encode(f"{login}:{password}".encode()).decode()


def new_login() -> str:
    return f"user-{secrets.token_hex(8)}"


def new_password() -> str:
    return secrets.token_hex(12)


def sign_in(url: str, login: str, password: str) -> str:
    response = Client(url).post("/api/v1/user/auth", json={"login": login, "password": password})
    assert response.status_code == 200, response.text
    return str(response.json()["token"])


def new_member(url: str) -> Member:
    """Registers an account of its own and signs in."""
    login, password = new_login(), new_password()
    response = Client(url).post("/api/v1/user/register", json={"login": login, "password": password})
    assert response.status_code == 201, response.text
    token = sign_in(url, login, password)
    return Member(login, password, token, Client(url, {"Authorization": f"Bearer {token}"}))
