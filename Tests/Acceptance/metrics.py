"""What a server counts, as /metrics shows it."""

from __future__ import annotations

import time

import requests
from prometheus_client.parser import text_string_to_metric_families


def scrape(url: str) -> str:
    answer = requests.get(url + "/metrics", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def settled_scrape(url: str) -> str:
    """The figures when no request is under way but the one that asks: an answer is counted once it has left, which may be
    after the client has it."""
    deadline = time.monotonic() + 10
    while value(text := scrape(url), "http_requests_in_flight") > 1:
        assert time.monotonic() < deadline, "requests go on"
    return text


def total(text: str, name: str, **labels: str) -> float:
    """The sum of all figures with these labels; 0 where there is none yet."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def value(text: str, name: str, **labels: str) -> float:
    """The value of the one figure with these labels; 0 where there is none yet."""
    figures = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and all(sample.labels.get(key) == label for key, label in labels.items())
    ]
    assert len(figures) <= 1, figures
    return figures[0] if figures else 0
