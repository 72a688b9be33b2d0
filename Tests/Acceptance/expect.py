"""What every answer of one sort must look like, written once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import requests

from wire import Reply

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
STRONG_ETAG = re.compile(r'^"[\x21\x23-\x7e]+"$')
CODE = re.compile(r"^[a-z][a-z0-9_]*$")

RECORD = {
    "id",
    "name",
    "created_ad",
    "created_at",
    "modified_at",
    "path",
    "size",
    "is_downloadable",
    "hash",
    "media_type",
    "kind",
    "type",
}


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def problem(response: requests.Response | Reply, status: int, code: str | None = None) -> dict[str, Any]:
    """An RFC 9457 answer of that status, complete and consistent; returns its members."""
    assert response.status_code == status, f"{response.status_code}, not {status}: {response.content[:500]!r}"
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    for member in ("type", "title", "detail", "code", "request_id", "message"):
        assert isinstance(body[member], str) and body[member], f"{member} is missing in {body}"
    assert body["message"] == body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert CODE.match(body["code"])
    if code is not None:
        assert body["code"] == code
    return dict(body)


def without_request_id(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "request_id"}


def file_record(body: Mapping[str, Any], path: str, content: bytes) -> None:
    """A record of a file with that path and those bytes."""
    common_record(body, path)
    assert body["type"] == "file"
    assert body["size"] == len(content)
    assert body["hash"] == digest(content)
    assert body["is_downloadable"] is True
    assert body["kind"] in ("image", "media", "text", "other")
    assert "/" in body["media_type"]


def folder_record(body: Mapping[str, Any], path: str) -> None:
    """A record of a folder with that path."""
    common_record(body, path)
    assert body["type"] == "folder"
    assert body["size"] == 0
    assert body["hash"] is None
    assert body["is_downloadable"] is False


def common_record(body: Mapping[str, Any], path: str) -> None:
    assert set(body) >= RECORD
    assert is_uuid(body["id"])
    assert body["path"] == path
    assert body["name"] == path.rpartition("/")[2]
    assert TIME.match(body["created_ad"]) and TIME.match(body["modified_at"])
    assert body["created_at"] == body["created_ad"]
    assert moment(body["created_at"]) <= moment(body["modified_at"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def strong_etag(response: requests.Response | Reply) -> str:
    """The answer's ETag, which must be there and strong."""
    etag = response.headers["ETag"]
    assert STRONG_ETAG.match(etag), etag
    return str(etag)
