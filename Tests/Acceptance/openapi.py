"""The OpenAPI document that the server carries, its operations, and answers held against it."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from jsonschema import Draft202012Validator

from daemon import run_command

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@functools.cache
def document() -> dict[str, Any]:
    """The document, as the binary prints it."""
    with tempfile.TemporaryDirectory() as directory:
        result = run_command("openapi", directory=Path(directory))
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def resolved(value: Any) -> Any:
    """What a reference leads to; everything else as it is."""
    if not isinstance(value, dict) or "$ref" not in value:
        return value
    target: Any = document()
    for name in value["$ref"].removeprefix("#/").split("/"):
        target = target[name.replace("~1", "/").replace("~0", "~")]
    return target


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str

    @property
    def definition(self) -> dict[str, Any]:
        return dict(document()["paths"][self.path][self.method])

    @property
    def id(self) -> str:
        return str(self.definition["operationId"])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return [resolved(one) for one in self.definition.get("parameters", [])]

    @property
    def requests(self) -> dict[str, dict[str, Any]]:
        """The contents that it takes, by media type."""
        return dict(self.definition.get("requestBody", {}).get("content", {}))

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        return {status: resolved(one) for status, one in self.definition["responses"].items()}

    @property
    def credentials(self) -> list[str]:
        """The kinds it takes, by their names in the document; "none" where it needs none."""
        needs = self.definition.get("security", document()["security"])
        return [next(iter(need), "none") for need in needs] or ["none"]


def operations() -> list[Operation]:
    return [
        Operation(method, path) for path, item in document()["paths"].items() for method in item if method in METHODS
    ]


def operation(identifier: str) -> Operation:
    return next(one for one in operations() if one.id == identifier)


def errors(value: Any, schema: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document()["components"],
        **schema,
    }
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def examples() -> Iterator[tuple[str, Any, Any]]:
    """Every example of a content or parameter with its schema: where it stands, schema, value."""

    def walk(node: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
        if isinstance(node, dict):
            if "example" in node and "schema" in node:
                yield place, node["schema"], node["example"]
            for name, value in node.items():
                if name != "example":
                    yield from walk(value, f"{place}/{name}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                yield from walk(value, f"{place}/{index}")

    yield from walk(document(), "")


def described(answer: requests.Response, one: Operation) -> Any:
    """Holds an answer against what the operation says of its status; returns the example of its content, if any."""
    assert str(answer.status_code) in one.answers, f"{one.id} answers {answer.status_code}: {answer.text[:300]}"
    description = one.answers[str(answer.status_code)]
    for name, header in description.get("headers", {}).items():
        header = resolved(header)
        assert name in answer.headers or not header.get("required"), f"{name} is missing"
        if name in answer.headers and header["schema"].get("type") != "integer":
            assert not errors(answer.headers[name], header["schema"]), f"{name}: {answer.headers[name]}"
    contents = description.get("content")
    if contents is None:
        assert not answer.content, answer.text[:300]
        return None
    media_type = answer.headers["Content-Type"].split(";")[0]
    content = contents.get(media_type, contents.get("*/*"))
    assert content is not None, f"{media_type} is none of {list(contents)}"
    if "schema" in content:
        value = answer.json() if media_type.endswith("json") else answer.text
        assert errors(value, content["schema"]) == []
    return content.get("example")
