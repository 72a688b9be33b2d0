"""A browser without a window that seeks in a film: it asks for the ranges that it needs, of a page of another origin."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import av
import pytest

from client import new_member
from test_cors import StartServer

SECONDS = 60
PAGE = """<!doctype html><video id="film" crossorigin="anonymous" preload="metadata" muted src="%s"></video>
<script>
const film = document.getElementById("film"), places = [0.75, 0.25, 0.9], seen = [];
const tell = (report) => fetch("/report", {method: "POST", body: JSON.stringify(report)});
const next = () => { film.currentTime = Math.floor(film.duration * places[seen.length]); };
film.onloadedmetadata = next;
film.onseeked = () => {
    seen.push(film.currentTime);
    if (seen.length < places.length) next(); else tell({duration: film.duration, seen});
};
film.onerror = () => tell({error: film.error.code + " " + film.error.message});
</script>
"""


def film(seconds: int) -> bytes:
    """A WebM of VP8 that shows noise, which is large: 10 pictures a second, every tenth whole, and an index at its end."""
    file = io.BytesIO()
    options = {"g": "10", "deadline": "realtime", "cpu-used": "8", "crf": "4", "b": "6M"}
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        noise = random.Random(1)
        for number in range(10 * seconds):
            picture = av.VideoFrame(160, 120, "yuv420p")
            for plane in picture.planes:
                plane.update(noise.randbytes(plane.buffer_size))
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file.getvalue()


@contextmanager
def page_server() -> Iterator[tuple[ThreadingHTTPServer, dict[str, str], Queue[dict[str, object]]]]:
    """Serves the page at `/` and takes what it reports."""
    shown: dict[str, str] = {}
    reports: Queue[dict[str, object]] = Queue()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if self.path == "/":
                self.wfile.write((PAGE % shown["film"]).encode())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, shown, reports
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_chromium_seeks(start: StartServer, tmp_path: Path) -> None:
    program = shutil.which("chromium")
    if not program:
        pytest.skip("there is no chromium")
    with page_server() as (pages, shown, reports):
        origin = f"http://127.0.0.1:{pages.server_port}"
        server = start(HTTP_CORS_ORIGINS=origin)
        member = new_member(server.url)
        form = {"file": ("film.webm", film(SECONDS), "video/webm")}
        uid = member.client.post("/http/upload", files=form).json()["uid"]
        shown["film"] = f"{server.url}/http/load/{uid}?inline=1"
        before = server.log_size()
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        browser = subprocess.Popen(
            [*command, f"--user-data-dir={tmp_path / 'browser'}", "--remote-debugging-port=0", origin + "/"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            report = reports.get(timeout=60)
        finally:
            browser.terminate()
            browser.wait()
        assert "error" not in report, report
        assert report["duration"] == pytest.approx(SECONDS, abs=0.1)
        assert report["seen"] == pytest.approx([45, 15, 54], abs=1)
        # The film is not fetched whole to get to its end.
        assert server.log(before).count('"status":"206"') >= 3
