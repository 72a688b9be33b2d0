"""What the server shows of itself: /metrics in Prometheus' own format, and the files that are made for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

import expect
from client import Client, new_member, token_client
from conftest import StartServer
from daemon import Daemon, free_port, run_command
from lanes import direct
from metrics import scrape, settled_scrape, value
from wire import Wire

pytestmark = direct("nginx shows the figures to no client")

WaitUntil = Callable[[Callable[[], bool], float], None]

ROOT = Path(__file__).resolve().parents[2]

# Figures of what not every daemon has. Other tests find them where they are: those of the connection and of the pool here, those of
# services that fail in Tests/Faults.
ELSEWHERE = {
    "storage_database_connections",
    "storage_retries_total",
    "storage_calls_given_up_total",
    "http_requests_refused_total",
}


def families(text: str) -> dict[str, Metric]:
    """Everything that was counted, as Prometheus' own client library reads it."""
    found = list(text_string_to_metric_families(text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def check_format(text: str) -> None:
    """The rules of the format that a lenient parser would not miss."""
    assert text.endswith("\n") and "\r" not in text and "\n\n" not in text
    types: dict[str, str] = {}
    described: set[str] = set()
    last = ""
    seen: set[str] = set()
    for line in text.splitlines():
        if match := re.fullmatch(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line):
            assert match[1] not in described
            described.add(match[1])
        elif match := re.fullmatch(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)", line):
            assert match[1] not in types and match[1] > last, "each name once, in order"
            last = match[1]
            types[last] = match[2]
        else:
            match = re.fullmatch(
                r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\S+)', line
            )
            assert match, line
            base = re.sub(r"_(bucket|sum|count)$", "", match[1]) if types[last] in ("histogram", "summary") else match[1]
            assert base == last, line
            assert (match[1], match[2]) not in seen, "each series once"
            seen.add((match[1], match[2]))
            float(match[3])
    for name, kind in types.items():
        assert name in described, f"{name} says nothing about itself"
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith("_seconds"), name


def test_everything_is_in_the_format(server: Daemon) -> None:
    client = token_client(server.url)
    client.put_name("a.txt")
    client.get("/api/files/a.txt")
    client.get('/no"such\\path\n')
    text = scrape(server.url)
    check_format(text)
    found = families(text)
    for family in found.values():
        if family.type != "histogram":
            continue
        series: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        counts: dict[tuple[tuple[str, str], ...], float] = {}
        for sample in family.samples:
            labels = tuple(sorted((key, label) for key, label in sample.labels.items() if key != "le"))
            if sample.name.endswith("_bucket"):
                series.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
            elif sample.name.endswith("_count"):
                counts[labels] = sample.value
        for labels, buckets in series.items():
            assert buckets == sorted(buckets) and buckets[-1][0] == float("inf")
            assert [count for _, count in buckets] == sorted(count for _, count in buckets)
            assert buckets[-1][1] == counts[labels]


def test_a_head_request_has_the_same_fields_and_no_content(server: Daemon) -> None:
    answer = Client(server.url).head("/metrics")
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.stores("sqlite", "postgres", "s3")
def test_requests_are_counted_by_route_and_never_by_what_clients_chose(start: StartServer) -> None:
    daemon = start()
    client = token_client(daemon.url)
    for number in range(20):
        assert client.put_name(f"hidden-{number}.txt", b"x" * 1000).status_code == 204
        assert client.get(f"/api/files/hidden-{number}.txt").status_code == 200
        assert Client(daemon.url).get(f"/nothing/hidden-{number}").status_code == 404
        client.request(("PROPFIND", "MKCOL", "TRACE", "LOCK")[number % 4], "/api/files")
    text = settled_scrape(daemon.url)
    name = "/api/files/{filename}"
    assert value(text, "http_requests_total", route=name, method="PUT", status="204") == 20
    assert value(text, "http_requests_total", route=name, method="GET", status="200") == 20
    assert value(text, "http_requests_total", route="-", status="404") == 20
    assert value(text, "http_requests_total", route="/api/files", method="other", status="405") == 20
    assert value(text, "http_request_duration_seconds_count", route=name, method="PUT") == 20
    assert value(text, "http_request_body_bytes_total") == 20_000
    assert value(text, "http_response_body_bytes_total") >= 20_000
    assert "hidden" not in text.lower()
    assert client.headers["X-Auth-Token"] not in text
    again = scrape(daemon.url)
    assert len(again.splitlines()) - len(text.splitlines()) < 30, "what was counted must not grow with the requests"


@pytest.mark.stores("sqlite", "postgres", "s3")
def test_the_parts_behind_are_measured(start: StartServer, wait_until: WaitUntil) -> None:
    daemon = start(BLOBS_MEMORY_CACHE="1MiB", UPKEEP_INTERVAL="1s")
    client = token_client(daemon.url)
    client.put_name("a.bin", b"x" * 10_000)
    client.put_name("large.bin", b"x" * 1_000_000)
    for _ in range(5):
        client.get("/api/files/a.bin")
    client.get("/api/files/large.bin")
    for task in ("collector", "sweeper"):
        wait_until(lambda: value(scrape(daemon.url), "storage_upkeep_passes_total", task=task, result="succeeded") >= 1, 30)
    text = settled_scrape(daemon.url)
    found = families(text)
    for operation in ("stage", "publish", "open"):
        (count,) = (
            sample.value
            for sample in found["storage_blob_operation_seconds"].samples
            if sample.name.endswith("_count") and sample.labels["operation"] == operation
        )
        assert count >= 2, operation
    assert sum(
        sample.value
        for sample in found["storage_database_operation_seconds"].samples
        if sample.name.endswith("_count") and sample.labels["operation"] in ("claim", "commit")
    ) >= 4
    assert value(text, "storage_cache_hits_total", cache="memory") >= 3
    assert value(text, "storage_cache_misses_total", cache="memory") >= 1
    assert 10_000 <= value(text, "storage_cache_bytes", cache="memory") < 1 << 20
    for task in ("collector", "sweeper"):
        assert value(text, "storage_upkeep_last_success_timestamp_seconds", task=task) > 1_700_000_000
        assert value(text, "storage_upkeep_interval_seconds", task=task) == 1
        # What has not happened yet is shown too: an alert can see that it stays so.
        assert f'storage_upkeep_passes_total{{task="{task}",result="failed"}} 0\n' in text
    assert value(text, "storage_disk_free_bytes") > 0
    assert value(text, "storage_disk_size_bytes") >= value(text, "storage_disk_free_bytes")
    assert value(text, "process_resident_memory_bytes") > 1 << 20
    assert value(text, "process_virtual_memory_bytes") >= value(text, "process_resident_memory_bytes")
    assert 3 < value(text, "process_open_fds") < value(text, "process_max_fds")
    assert value(text, "process_cpu_seconds_total") > 0
    version = run_command("--version", directory=daemon.directory).stdout.split()[1]
    assert value(text, "storaged_build_info", version=version) == 1


@pytest.mark.stores("postgres", "nodes")
def test_the_pool_is_measured(start: StartServer) -> None:
    daemon = start(POOL_SIZE="3")
    node = f"http://127.0.0.1:{daemon.ports[0]}"
    token_client(node).put_name("a.txt")
    text = scrape(node)
    check_format(text)
    states = [value(text, "storage_database_connections", state=state) for state in ("in_use", "idle")]
    assert 1 <= sum(states) <= 7 and states[0] <= 1
    assert value(text, "storage_database_waiting") == 0
    assert value(text, "storage_database_wait_timeouts_total") == 0


@pytest.mark.stores("sqlite")
def test_a_shared_cache_is_measured(start: StartServer, redis: str, wait_until: WaitUntil) -> None:
    daemon = start(CACHE_URL=redis)

    shown: list[str] = []

    def is_asked() -> bool:
        """Nobody has looked this token up before; a machine that is busy may get no answer in time."""
        new_member(daemon.url).client.listing()
        shown.append(scrape(daemon.url))
        is_open = 'storage_circuit_open{service="redis"} 1\n' in shown[-1]
        return not is_open and value(shown[-1], "storage_cache_questions_total", result="miss") > 0

    wait_until(is_asked, 60)
    text = shown[-1]
    check_format(text)
    for result in ("hit", "failed", "not_asked"):
        assert f'storage_cache_questions_total{{result="{result}"}} ' in text
    assert "storage_cache_malformed_total 0\n" in text
    assert 'storage_circuit_open{service="redis"} 0\n' in text


def test_it_is_shown_to_nobody_who_comes_through_a_proxy(server: Daemon) -> None:
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        answer = Client(server.url).get("/metrics", headers={name: "192.0.2.1"})
        missing = Client(server.url).get("/nothing", headers={name: "192.0.2.1"})
        expect.problem(answer, 404, "no_route")
        assert answer.json()["detail"] == missing.json()["detail"]
        for method in ("POST", "OPTIONS", "TRACE"):
            refused = Client(server.url).request(method, "/metrics", headers={name: "192.0.2.1"})
            expect.problem(refused, 404, "no_route")
            assert "Allow" not in refused.headers


@pytest.mark.stores("sqlite")
def test_the_admin_port_has_it_alone(start: StartServer) -> None:
    port = free_port()
    server = start(ADMIN_PORT=str(port))
    for method in ("GET", "POST", "OPTIONS"):
        expect.problem(Client(server.url).request(method, "/metrics"), 404, "no_route")
    admin = f"http://127.0.0.1:{port}"
    check_format(scrape(admin))
    assert requests.get(admin + "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=30).status_code == 200
    for path in ("/", "/healthz", "/api/v1/files", "/api/files/a"):
        assert requests.get(admin + path, timeout=30).status_code == 404
    assert requests.post(admin + "/metrics", timeout=30).status_code == 405


@pytest.mark.stores("sqlite")
def test_an_admin_port_that_cannot_be_had_is_said_at_the_start(start: StartServer, tmp_path: Path) -> None:
    daemon = start()
    with Daemon(tmp_path / "second", ADMIN_PORT=str(daemon.port)) as second:
        second.directory.mkdir()
        second.spawn()
        assert second.processes[0].wait(30) == 69
        assert "admin.port" in second.log() and "in use" in second.log()
    with Daemon(tmp_path / "third", ADMIN_PORT="9464", ADMIN_HOST="192.0.2.1") as third:
        third.directory.mkdir()
        third.spawn()
        assert third.processes[0].wait(30) == 78
        assert "admin.host" in third.log()
        assert not third.data.exists()


@pytest.mark.stores("sqlite")
def test_the_refusals_of_the_connection_are_counted(start: StartServer) -> None:
    daemon = start()
    with Wire(daemon.port) as wire:
        wire.send(b"GET / HTTP/1.1\r\n\r\n")
        assert wire.read_reply().status_code == 400
    text = scrape(daemon.url)
    check_format(text)
    assert value(text, "http_requests_refused_total", code="malformed_request") == 1
    assert value(text, "http_connections_accepted_total") >= 2


def selects(selector: str, name: str, label: str) -> bool:
    """Whether the braces of a selector of PromQL take a series whose label `name` is this, whatever its other labels."""
    tests = {
        "=": lambda wanted: label == wanted,
        "!=": lambda wanted: label != wanted,
        "=~": lambda wanted: re.fullmatch(wanted, label) is not None,
        "!~": lambda wanted: re.fullmatch(wanted, label) is None,
    }
    matchers = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selector)
    return all(tests[operator](wanted) for found, operator, wanted in matchers if found == name)


def test_a_full_container_is_no_error_of_the_server() -> None:
    for path in ("deploy/prometheus/alerts.yml", "deploy/grafana/storaged.json"):
        text = (ROOT / path).read_text().replace('\\"', '"')
        (selector,) = [found for found in re.findall(r"http_requests_total(\{[^}]*\})", text) if "status" in found]
        assert [status for status in (200, 404, 500, 503, 507) if selects(selector, "status", str(status))] == [500, 503]


def used_names(expressions: list[str]) -> set[str]:
    """The names of figures in expressions of PromQL."""
    found: set[str] = set()
    for expression in expressions:
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)', " ", expression)
        found |= set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", bare)) - {"histogram_quantile"}
    return found


@pytest.mark.stores("sqlite")
def test_dashboard_and_alerts_use_only_what_is_there(start: StartServer, redis: str, wait_until: WaitUntil) -> None:
    daemon = start(UPKEEP_INTERVAL="1s", CACHE_URL=redis)
    member = new_member(daemon.url)
    member.client.stored("/a.txt")
    member.client.download("/a.txt")
    wait_until(lambda: value(scrape(daemon.url), "storage_upkeep_passes_total", task="collector", result="succeeded") >= 1, 30)
    text = scrape(daemon.url)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    names = {sample.name for sample in samples} | ELSEWHERE
    known = (ROOT / "Sources/StorageHTTP/Metrics/MetricsRegistry+Helps.swift").read_text()
    assert all(f'"{name}":' in known for name in ELSEWHERE)

    dashboard = json.loads((ROOT / "deploy/grafana/storaged.json").read_text())
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(targets) > 20
    assert used_names(targets) and used_names(targets) <= names, used_names(targets) - names
    queries = [variable["query"]["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert queries == ["label_values(storaged_build_info, instance)"]
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places) == len(set(places))

    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    expressions = re.findall(r"expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)", rules)
    alerts = [folded or plain for folded, plain in expressions]
    assert len(alerts) == rules.count("- alert:") > 10
    assert used_names(alerts) <= names | {"up"}, used_names(alerts) - names
    # A label that is asked for by its value is there with it, not only the name.
    for name, selector in re.findall(r"(\w+)\{([^}]*)\}", " ".join(targets + alerts)):
        labels = {pair for pair in re.findall(r'(\w+)="([^"]*)"', selector) if pair[0] != "job"}
        assert not labels or any(sample.name == name and labels <= sample.labels.items() for sample in samples), selector
    # What is counted and neither drawn nor watched is either a plain fact or was forgotten.
    unused = {family.name for family in text_string_to_metric_families(text)} - {
        re.sub(r"_(total|bucket|count|sum)$", "", name) for name in used_names(targets + alerts)
    }
    assert unused == {
        "http_connections_accepted",
        "metrics_dropped_series",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
        "storage_collected_bytes",
        "storaged_build_info",
    }
