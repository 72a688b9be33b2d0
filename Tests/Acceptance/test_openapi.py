"""The document is valid, is what the server serves, and is true of whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
import hypothesis
import requests
import schemathesis
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

import openapi
from client import Client, Member, basic, new_member, new_token
from conftest import start_daemon
from daemon import Daemon, run_command
from lanes import direct

# Where the bytes and the records are makes no difference to what an answer looks like; nginx may.
pytestmark = pytest.mark.stores("sqlite", "postgres", "stack")

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
# Requests for each operation and kind of credentials: at the edges of the schemas, and random ones, valid and not.
EDGES, RANDOM = 24, 6
# Where credentials are needed and missing, every answer is the same.
REFUSED_EDGES, REFUSED_RANDOM = 4, 2

ADMIN = {"ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": "of all the words"}
FOR_ADMINISTRATORS = ("listUsers", "getUser")

SETTINGS = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


def test_the_document_is_valid() -> None:
    validate(openapi.document())


def test_every_example_is_what_its_schema_says() -> None:
    examples = list(openapi.examples())
    assert len(examples) > 50
    for place, schema, value in examples:
        assert openapi.errors(value, schema) == [], place


@pytest.mark.parametrize("path", ["/openapi.json", "/api/openapi"])
def test_the_server_serves_what_the_command_prints(anonymous: Client, tmp_path: Path, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == run_command("openapi", directory=tmp_path).stdout
    assert json.loads(answer.text)["openapi"].startswith("3.1")
    again = anonymous.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.content
    head = anonymous.head(path, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(answer.content)


def test_the_root_leads_to_the_page(anonymous: Client) -> None:
    root = anonymous.get("/")
    assert (root.status_code, root.headers["Location"]) == (302, "/docs")
    page = anonymous.get(root.headers["Location"])
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    # The page is of nothing from anywhere else.
    assert "/openapi.json" in page.text
    assert "//" not in page.text.replace("</", "").replace("/**", "").split("<script>")[0]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server of this module's own, with an administrator: what is sent here is of no use to others."""
    daemon = start_daemon(tmp_path_factory.mktemp("openapi"), **ADMIN)
    yield daemon
    assert daemon.stop() == 0, daemon.log()


@pytest.fixture(scope="module")
def member(api: Daemon) -> Member:
    return new_member(api.url)


def pairs() -> Iterator[tuple[str, str]]:
    """Every operation with every kind of credentials that it takes, and with none."""
    for one in openapi.operations():
        for kind in dict.fromkeys([*one.credentials, "none"]):
            yield one.id, kind
        if one.id in FOR_ADMINISTRATORS:
            yield one.id, "administrator"


@direct("nginx has answers of its own to methods and targets that no client sends")
@pytest.mark.parametrize(("operation", "kind"), pairs())
def test_the_document_is_true(api: Daemon, member: Member, operation: str, kind: str) -> None:
    if operation == "signOut" and kind == "bearer":
        member = new_member(api.url)
    headers = {
        "none": {},
        "basic": {"Authorization": basic(member.login, member.password)},
        "bearer": {"Authorization": f"Bearer {member.token}"},
        "containerToken": {"X-Auth-Token": new_token()},
        "administrator": {"Authorization": basic(*ADMIN.values())},
    }[kind]
    session = requests.Session()
    session.trust_env = False
    schema = schemathesis.openapi.from_dict(openapi.document())
    described = schema.find_operation_by_id(operation)

    # Below this path the container dialect takes what the hash dialect does not.
    is_shared = described.path == "/api/files/by-hash/{hash}"
    chosen = [check for check in CHECKS if not (is_shared and check is checks.unsupported_method)]

    def send(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=api.url, session=session, headers=headers, checks=chosen, timeout=60)
        assert api.alive, "the server died"

    is_refused = kind == "none" and "none" not in openapi.operation(operation).credentials
    generation = schema.config.generation_for(operation=described)
    edges = list(
        schema.iter_coverage_cases(described, generation_modes=list(GenerationMode), generation_config=generation)
    )
    for case in spread(edges, REFUSED_EDGES if is_refused else EDGES):
        send(case)
    one = openapi.operation(operation)
    if not one.parameters and not one.requests:
        return
    settings = hypothesis.settings(SETTINGS, max_examples=REFUSED_RANDOM if is_refused else RANDOM)
    for mode in GenerationMode:
        settings(hypothesis.given(case=described.as_strategy(generation_mode=mode))(send))()


def spread(cases: list[schemathesis.Case], count: int) -> list[schemathesis.Case]:
    """At most so many, from everywhere."""
    return cases if len(cases) <= count else [cases[index * len(cases) // count] for index in range(count)]
