"""nginx in front of the nodes, with the configuration that is shipped: only ports, paths and certificates are others."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "nginx"

MAIN = """
{user}
daemon off;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log notice;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include conf.d/*.conf;
}}
"""

# What the port without TLS does here, where the clients speak plain HTTP, instead of sending them to the other.
PLAIN = "include storaged/storaged-routes.conf;"
REDIRECT = "return 308 https://$host$request_uri;"


def program() -> str:
    """Debian keeps it out of the PATH of users."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError("there is no nginx")
    return found


class Nginx:
    """Listens on `port` without TLS until it is closed; where a certificate is given also on `tls_port` with it."""

    def __init__(
        self,
        directory: Path,
        port: int,
        nodes: Sequence[int],
        tls_port: int | None = None,
        certificate: tuple[Path, Path] | None = None,
        replaced: Mapping[str, str] | None = None,
        redirects: bool = False,
    ):
        self.directory = directory
        self.port = port
        self.tls_port = tls_port
        self.process: subprocess.Popen[bytes] | None = None
        self._write(nodes, certificate, dict(replaced or {}), redirects)

    def __enter__(self) -> Nginx:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def nodes_file(self) -> Path:
        return self.directory / "storaged" / "storaged-nodes.conf"

    @property
    def command(self) -> list[str]:
        """The program on this configuration; what it is to do comes behind."""
        return [program(), "-p", str(self.directory), "-e", str(self.directory / "error.log"), "-c", "nginx.conf"]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("nginx does not start: " + self.log())
            time.sleep(0.01)

    def reload(self) -> None:
        """Has it read its configuration again and returns at once; what is under way ends with the old workers."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def wait_for_reload(self) -> None:
        """Returns when no worker of an older configuration is left, which is when its last request has ended."""
        deadline = time.monotonic() + 30
        while self._newest_workers() != self._workers():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def _newest_workers(self) -> list[int]:
        """Those that the log names behind the last reload."""
        log = (self.directory / "error.log").read_text()
        started = log.rpartition("reconfiguring")[2]
        return sorted(int(line.rpartition(" ")[2]) for line in started.splitlines() if "start worker process " in line)

    def _workers(self) -> list[int]:
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sorted(int(child) for child in children)

    def log(self) -> str:
        path = self.directory / "error.log"
        return path.read_text()[-5_000:] if path.exists() else ""

    def close(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def _write(
        self,
        nodes: Sequence[int],
        certificate: tuple[Path, Path] | None,
        replaced: dict[str, str],
        redirects: bool,
    ) -> None:
        """Every replacement must be of something that is there."""
        (self.directory / "conf.d").mkdir(parents=True)
        (self.directory / "storaged").mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        (self.directory / "nginx.conf").write_text(MAIN.format(user=user, directory=self.directory))
        server = (SHIPPED / "storaged.conf").read_text()
        changes = {
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl http2;\n": "",
            **({} if redirects else {REDIRECT: PLAIN}),
        }
        if certificate is None:
            # Without the whole server of TLS, which is the last one.
            server = server[: server.rindex("\nserver {")]
            del changes["    listen [::]:443 ssl http2;\n"]
        else:
            changes |= {
                "listen 443 ssl http2;": f"listen 127.0.0.1:{self.tls_port} ssl http2;",
                "/etc/ssl/storaged/fullchain.pem": str(certificate[0]),
                "/etc/ssl/storaged/privkey.pem": str(certificate[1]),
            }
        files = {path.name: path.read_text() for path in SHIPPED.glob("storaged-*.conf")}
        files["storaged.conf"] = server
        changes |= {"/var/log/nginx/storaged.log": str(self.directory / "access.log"), **replaced}
        for old, new in changes.items():
            (name,) = (name for name, text in files.items() if text.count(old) == 1)
            files[name] = files[name].replace(old, new)
        files["storaged-nodes.conf"] = "".join(f"server 127.0.0.1:{port} {LIMITS};\n" for port in nodes)
        for name, text in files.items():
            (self.directory / ("conf.d" if name == "storaged.conf" else "storaged") / name).write_text(text)


# As the shipped list of nodes has them.
LIMITS = "max_fails=2 fail_timeout=5s"
