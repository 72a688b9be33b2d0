"""The servers that are measured: storaged's release binary, and nginx with a configuration of our own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Acceptance"))

from buckets import Bucket, Server
from client import Member, new_member
from daemon import Daemon, free_port

__all__ = ["Bucket", "Daemon", "Member", "Nginx", "Server", "new_member", "storaged"]

NGINX = """
daemon off;
{user}
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log error;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 100000000;
    client_max_body_size 0;
    client_body_buffer_size 256k;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {directory}/www;
        location /dav/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
    }}
}}
"""


class Nginx:
    """nginx as people run it: static files by sendfile, PUT by its DAV module, no access log."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.port = free_port()
        self.files = directory / "www"
        (self.files / "dav").mkdir(parents=True)
        configuration = directory / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(NGINX.format(directory=directory, port=self.port, user=user))
        self.process = subprocess.Popen(["nginx", "-e", str(directory / "error.log"), "-c", str(configuration)])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processor_seconds(self) -> float:
        """User plus system time of all its processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sum(processor_seconds(int(pid)) for pid in [self.process.pid, *map(int, children)])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def storaged(directory: Path, **environment: str) -> Iterator[Daemon]:
    """A fresh server with the default configuration, but as silent in its log as nginx is; its data go with it."""
    with tempfile.TemporaryDirectory(dir=directory, prefix="storaged-") as home:
        daemon = Daemon(Path(home), LOG_LEVEL="warning", **environment).start()
        try:
            yield daemon
        finally:
            if daemon.alive:
                daemon.stop()


@contextmanager
def nginx(directory: Path) -> Iterator[Nginx]:
    """nginx on files of its own, which go with it."""
    with tempfile.TemporaryDirectory(dir=directory, prefix="nginx-") as home:
        server = Nginx(Path(home))
        try:
            deadline = time.monotonic() + 10
            probe = ["curl", "-s", "-o", "/dev/null", server.url + "/"]
            while subprocess.run(probe, check=False).returncode != 0:
                if server.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("nginx does not start: " + (server.directory / "error.log").read_text())
                time.sleep(0.01)
            yield server
        finally:
            server.stop()
