"""Which tests belong to STORAGED_TEST_STORES, and an end for the stores made for them: a plugin of both folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import buckets
import stores

# For tests of files in the data directory.
on_disk = pytest.mark.stores(*(mode for mode in stores.MODES if mode not in ("s3", "stack")))


def direct(reason: str) -> pytest.MarkDecorator:
    """For tests of something that a client and the server have between them alone; the reason says what nginx makes of it."""
    return pytest.mark.direct(reason)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stores(*modes): runs only with these of STORAGED_TEST_STORES")
    config.addinivalue_line("markers", "direct(reason): runs only where clients speak with the server itself")
    if stores.MODE not in stores.MODES:
        pytest.exit(f"STORAGED_TEST_STORES is {stores.MODE}, not one of {', '.join(stores.MODES)}", returncode=2)
    try:
        if stores.ON_POSTGRES:
            stores.psql(stores.cluster(), "SELECT 1")
        if stores.IN_BUCKET:
            buckets.server()
    except (RuntimeError, OSError) as error:
        pytest.exit(f"stores for the tests: {error}", returncode=2)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out, without calling it a skip, what says nothing about these stores."""
    others = [item for item in items if not belongs(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if belongs(item)]


def belongs(item: pytest.Item) -> bool:
    if stores.BEHIND_NGINX and item.get_closest_marker("direct"):
        return False
    return all(stores.MODE in mark.args for mark in item.iter_markers("stores"))


@pytest.fixture(autouse=True)
def stores_of_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drops those whose servers had their data below `tmp_path`."""
    directory: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if directory is not None:
        stores.drop_stores(directory)


def pytest_unconfigure() -> None:
    stores.drop_stores(Path("/"))
