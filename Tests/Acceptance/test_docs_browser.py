"""Somebody who tries the API in the page `/docs`: signs in in each of the three ways, uploads files and downloads them.

STORAGED_PICTURE names a file for the picture of the page that the documentation shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser, chromium
from client import Member, new_token
from conftest import need_swagger_ui
from daemon import Daemon

pytestmark = pytest.mark.nightly

NOTE = b"Remember the milk.\n"
BYTES = bytes(range(256)) * 40

UPLOAD = "#operations-Accounts_and_paths-uploadFile"
DOWNLOAD = "#operations-Accounts_and_paths-downloadFile"
PUT = "#operations-Containers-putName"
GET = "#operations-Containers-getName"

# Keeps what the policy of the page forbids.
WATCH = """
window.forbidden = [];
addEventListener("securitypolicyviolation", (event) => forbidden.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@pytest.fixture
def browser(server: Daemon, tmp_path: Path) -> Iterator[Browser]:
    """The page, opened. It is as it should be to its end: nothing but this server was asked, nothing forbidden or wrong was done."""
    need_swagger_ui(server)
    if not chromium():
        pytest.skip("there is no chromium")
    with Browser(tmp_path) as browser:
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        browser.open(server.url + "/docs")
        browser.wait(f"document.querySelector('{GET}') !== null")
        yield browser
        assert browser.value("forbidden") == []
        assert browser.seen("Runtime.exceptionThrown") == []
        assert [entry for entry in browser.seen("Log.entryAdded") if entry["entry"]["level"] == "error"] == []
        assert [call for call in browser.seen("Runtime.consoleAPICalled") if call["type"] == "error"] == []
        asked = {event["request"]["url"] for event in browser.seen("Network.requestWillBeSent")}
        assert all(url.startswith((server.url + "/", "data:", "blob:")) for url in asked), asked


def authorise(browser: Browser, kind: str, member: Member) -> None:
    """Gives the page a credential, as a person does."""
    browser.click(".btn.authorize")
    if kind == "basic":
        place, fields = 1, {"#auth-basic-username": member.login, "#auth-basic-password": member.password}
    elif kind == "bearer":
        place, fields = 2, {"#auth-bearer-value": member.token}
    else:
        place, fields = 3, {"#api_key_value": new_token()}
    for selector, value in fields.items():
        browser.type(selector, value)
    browser.click(f".auth-container:nth-child({place}) .authorize")
    browser.click(f".auth-container:nth-child({place}) .btn-done")
    browser.wait("document.querySelector('.dialog-ux') === null")


def execute(browser: Browser, operation: str, file: Path | None = None) -> str:
    """Opens an operation and sends its example, with a file where it takes one; returns the status."""
    browser.click(f"{operation} .opblock-summary-control")
    if file is not None:
        browser.choose(f"{operation} input[type=file]", file)
    browser.click(f"{operation} .execute")
    status = f"{operation} .live-responses-table tbody .response-col_status"
    browser.element(status)
    return str(browser.value(f"document.querySelector('{status}').innerText")).strip()


def downloaded(browser: Browser, operation: str) -> bytes:
    """Takes the file out of the answer to an operation."""
    browser.click(f"{operation} .live-responses-table a[download]")
    return browser.download()


@pytest.mark.parametrize("kind", ["basic", "bearer", "containerToken"])
def test_files_go_in_and_come_out(browser: Browser, member: Member, tmp_path: Path, kind: str) -> None:
    authorise(browser, kind, member)
    note = tmp_path / "notes.txt"
    note.write_bytes(NOTE)
    assert execute(browser, UPLOAD, note) == "201"
    if picture := os.environ.get("STORAGED_PICTURE"):
        browser.run(f"document.querySelector('{UPLOAD} .opblock-section-request-body').scrollIntoView()")
        browser.wait("document.getAnimations().length === 0")
        Path(picture).write_bytes(browser.picture())
    assert execute(browser, DOWNLOAD) == "200"
    assert downloaded(browser, DOWNLOAD) == NOTE
    # A body of nothing but the file, over the file of the form: the two operations have the same path for an example.
    content = tmp_path / "notes.bin"
    content.write_bytes(BYTES)
    assert execute(browser, PUT, content) == "204"
    assert execute(browser, GET) == "200"
    assert downloaded(browser, GET) == BYTES


def test_nobody_is_signed_in_before(browser: Browser) -> None:
    browser.click(f"{DOWNLOAD} .opblock-summary-control")
    browser.click(f"{DOWNLOAD} .execute")
    browser.wait(f"document.querySelector('{DOWNLOAD} .live-responses-table')?.innerText.includes('401')")
    # What the browser logs of it is an error to it and none to us.
    browser.forget("Log.entryAdded")
