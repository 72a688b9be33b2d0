"""What is asked of an S3 server: the heads of HTTP messages, byte for byte as they came, and which operation it is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, unquote


class Operation(enum.Enum):
    """As people who run S3 servers call them."""

    HEAD_BUCKET = "HeadBucket"
    GET_VERSIONING = "GetBucketVersioning"
    LIST = "ListObjects"
    LIST_VERSIONS = "ListObjectVersions"
    LIST_UPLOADS = "ListMultipartUploads"
    DELETE_MANY = "DeleteObjects"
    PUT = "PutObject"
    GET = "GetObject"
    HEAD = "HeadObject"
    DELETE = "DeleteObject"
    BEGIN = "CreateMultipartUpload"
    PART = "UploadPart"
    LIST_PARTS = "ListParts"
    COMPLETE = "CompleteMultipartUpload"
    ABORT = "AbortMultipartUpload"
    OTHER = "another"


# By method, whether there is a key, and a parameter of the query; the first that fits.
_TABLE: list[tuple[str, bool, str | None, Operation]] = [
    ("HEAD", False, None, Operation.HEAD_BUCKET),
    ("GET", False, "versioning", Operation.GET_VERSIONING),
    ("GET", False, "versions", Operation.LIST_VERSIONS),
    ("GET", False, "uploads", Operation.LIST_UPLOADS),
    ("GET", False, None, Operation.LIST),
    ("POST", False, "delete", Operation.DELETE_MANY),
    ("PUT", True, "partNumber", Operation.PART),
    ("PUT", True, None, Operation.PUT),
    ("GET", True, "uploadId", Operation.LIST_PARTS),
    ("GET", True, None, Operation.GET),
    ("HEAD", True, None, Operation.HEAD),
    ("POST", True, "uploads", Operation.BEGIN),
    ("POST", True, "uploadId", Operation.COMPLETE),
    ("DELETE", True, "uploadId", Operation.ABORT),
    ("DELETE", True, None, Operation.DELETE),
]


@dataclass(frozen=True)
class Head:
    """The first line and the fields of a message, with the empty line at the end."""

    raw: bytes

    @cached_property
    def first(self) -> list[str]:
        """The three words of the first line."""
        return self.raw.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    @cached_property
    def fields(self) -> dict[str, str]:
        """By their names in lower case."""
        pairs = (line.split(":", 1) for line in self.raw.decode("latin-1").split("\r\n")[1:] if ":" in line)
        return {name.lower(): value.strip() for name, value in pairs}

    @property
    def status(self) -> int:
        """That of an answer."""
        return int(self.first[1])

    @property
    def length(self) -> int | None:
        """How long the body is said to be."""
        text = self.fields.get("content-length")
        return int(text) if text is not None else None

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self.fields.get("transfer-encoding", "").lower()

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return self.fields.get("connection", "").lower() == "close"

    def replacing(self, name: str, value: str | None) -> Head:
        """The same with another value of a field, or without it."""
        lines = [line for line in self.raw.split(b"\r\n")[:-2] if line.split(b":")[0].lower() != name.lower().encode()]
        if value is not None:
            lines.append(f"{name}: {value}".encode("latin-1"))
        return Head(b"\r\n".join([*lines, b"", b""]))


@dataclass(frozen=True)
class Request:
    """One request in path style."""

    head: Head

    @property
    def method(self) -> str:
        return self.head.first[0]

    @property
    def target(self) -> str:
        return self.head.first[1]

    @cached_property
    def key(self) -> str:
        """Without the bucket; empty for a request about the bucket."""
        path = self.target.partition("?")[0]
        return unquote(path.lstrip("/").partition("/")[2])

    @cached_property
    def query(self) -> dict[str, str]:
        parsed = parse_qs(self.target.partition("?")[2], keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}

    @cached_property
    def operation(self) -> Operation:
        for method, has_key, parameter, operation in _TABLE:
            if (method, has_key) == (self.method, bool(self.key)) and (parameter is None or parameter in self.query):
                return operation
        return Operation.OTHER

    @property
    def waits_for_leave(self) -> bool:
        """Whether the body is only sent when the server says so."""
        return self.head.fields.get("expect", "").lower() == "100-continue"

    @property
    def identity(self) -> tuple[str, str, str]:
        """The same for the same thing asked once more, of an upload begun anew too."""
        return (self.operation.value, self.key, self.query.get("partNumber", ""))
