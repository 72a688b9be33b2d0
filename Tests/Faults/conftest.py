"""What the faults share: which tests run with which stores, and a server with faults behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Member, new_member

from s3_service import Service

pytest_plugins = ["lanes"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as one:
        yield one


@pytest.fixture
def member(service: Service) -> Member:
    return new_member(service.daemon.url)
