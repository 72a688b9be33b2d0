"""The page of the API: Swagger UI with files of the server alone, or the plain page where the server was built without."""

from __future__ import annotations

import gzip
import re

import pytest

from client import Client
from conftest import need_swagger_ui
from daemon import Daemon

FILES = {
    "/docs/start.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
}
EVERYTHING = {"/docs": "text/html; charset=utf-8", **FILES}
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(autouse=True)
def swagger_ui(server: Daemon) -> None:
    need_swagger_ui(server)


@pytest.mark.parametrize(("path", "media_type"), EVERYTHING.items())
def test_what_the_page_is_made_of_is_served(anonymous: Client, path: str, media_type: str) -> None:
    whole = anonymous.raw("GET", path)
    assert whole.status_code == 200 and whole.content
    assert whole.headers["Content-Type"] == media_type
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cache-Control"] == "public, no-cache"
    assert "Content-Encoding" not in whole.headers
    packed = anonymous.raw("GET", path, headers=[("Accept-Encoding", "gzip, br")])
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == whole.content
    assert packed.headers["ETag"] != whole.headers["ETag"]
    for answer, headers in ((whole, []), (packed, [("Accept-Encoding", "gzip")])):
        head = anonymous.raw("HEAD", path, headers=headers)
        assert head.status_code == 200 and not head.content
        assert head.headers["Content-Length"] == str(len(answer.content))
        known = anonymous.raw("GET", path, headers=[*headers, ("If-None-Match", answer.headers["ETag"])])
        assert known.status_code == 304 and not known.content
        assert known.headers["ETag"] == answer.headers["ETag"]
    assert anonymous.put(path, data=b"x").status_code == 405


def test_the_browser_may_load_nothing_else(anonymous: Client) -> None:
    page = anonymous.get("/docs")
    policy = dict(directive.split(" ", 1) for directive in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "data: blob:" and policy["media-src"] == "blob:"
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page.text)) == {*FILES, "data:,", "/openapi.json"}


def test_nothing_external_is_referred_to(anonymous: Client) -> None:
    for path in ("/docs", "/docs/start.js"):
        assert "//" not in re.sub(r"^\s*//.*$|/\*\*", "", anonymous.get(path).text, flags=re.MULTILINE), path
    # What looks like a URL in the style is the namespace of a picture that it holds itself.
    style = anonymous.get("/docs/swagger-ui.css").text
    assert "@import" not in style
    assert all(url.strip("\"'").startswith("data:") for url in re.findall(r"url\((\"[^\"]*|'[^']*|[^)]*)", style))
    assert "validatorUrl: null" in anonymous.get("/docs/start.js").text


@pytest.mark.parametrize("name", ["", "index.html", "swagger-ui.css.map", "start.js.gz", "%2e%2e/openapi.json", "a/b"])
def test_there_is_no_other_file(anonymous: Client, name: str) -> None:
    answer = anonymous.raw("GET", "/docs/" + name)
    assert answer.status_code == (404 if name else 200)
