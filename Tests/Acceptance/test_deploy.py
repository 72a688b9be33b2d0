"""What is shipped beside the program: the compose file, the Dockerfile, nginx's script. Each is held against the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

import nginx
from daemon import binary_path, free_port, run_command

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "Documentation" / "getting-started.md").read_text()

pytestmark = pytest.mark.stores("sqlite")


def output(*command: str, directory: Path | None = None) -> str:
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


# Compose and the image


@pytest.fixture
def stack(tmp_path: Path) -> dict[str, dict[str, object]]:
    """The services as Compose understands them, with the example's settings."""
    environment = tmp_path / ".env"
    environment.write_text((ROOT / ".env.example").read_text())
    compose = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    command = [*compose, "--env-file", str(environment), "-f", str(ROOT / "docker-compose.yml"), "config"]
    services: dict[str, dict[str, object]] = yaml.safe_load(output(*command))["services"]
    return services


def test_compose_starts_everything_after_what_it_needs(stack: dict[str, dict[str, object]]) -> None:
    def needs(name: str) -> dict[str, str]:
        found = stack[name].get("depends_on", {})
        assert isinstance(found, dict)
        return {service: condition["condition"] for service, condition in found.items()}

    stores = {"postgres": "service_healthy", "redis": "service_healthy", "s3-bucket": "service_completed_successfully"}
    assert needs("storaged-1") == stores
    assert needs("storaged-2") == {**stores, "storaged-1": "service_healthy"}
    assert needs("nginx") == {"storaged-1": "service_healthy", "storaged-2": "service_healthy"}
    # The image of storaged brings its own check.
    own = {name for name in stack if "healthcheck" not in stack[name]}
    assert own == {"storaged-1", "storaged-2", "s3-bucket"}
    published = [name for name in stack if "ports" in stack[name]]
    assert published == ["nginx"]


def test_the_program_understands_what_compose_and_the_image_tell_it(
    stack: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    environment = stack["storaged-1"]["environment"]
    assert isinstance(environment, dict)
    told = {name: str(value) for name, value in environment.items()}
    image = dict(re.findall(r"\b([A-Z_]+)=(\S+)", "".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))))
    assert set(image) == {"HTTP_HOST", "HTTP_PORT", "DATA_DIRECTORY", "LOG_FORMAT"}
    result = run_command("config", directory=tmp_path, **told, **image)
    assert result.returncode == 0, result.stderr
    shown = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines() if line.strip()}
    assert shown["http.host"] == "0.0.0.0" and shown["blobs.store"] == "s3"
    assert shown["database.url"].startswith("postgres://")
    assert shown["http.trusted-proxies"] == nginx_address(stack)


DOCKERFILE = (ROOT / "Dockerfile").read_text()


def nginx_address(stack: dict[str, dict[str, object]]) -> str:
    networks = stack["nginx"]["networks"]
    assert isinstance(networks, dict)
    return str(networks["inside"]["ipv4_address"])


def test_nginx_of_compose_knows_the_addresses_of_the_nodes(stack: dict[str, dict[str, object]]) -> None:
    nodes = (ROOT / "deploy" / "compose" / "storaged-nodes.conf").read_text()
    listed = re.findall(r"^server ([\d.]+):8080 ", nodes, re.MULTILINE)
    given = [stack[name]["networks"]["inside"]["ipv4_address"] for name in ("storaged-1", "storaged-2")]  # type: ignore[index]
    assert listed == given


def test_nginx_understands_the_files_that_compose_gives_it(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    shutil.copytree(nginx.SHIPPED, tmp_path / "storaged")
    shutil.copy(ROOT / "deploy" / "compose" / "storaged-nodes.conf", tmp_path / "storaged")
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(nginx.MAIN.format(user=user, directory=tmp_path))
    server = (ROOT / "deploy" / "compose" / "nginx.conf").read_text()
    assert server.count("listen 80;") == 1
    (tmp_path / "conf.d" / "default.conf").write_text(server.replace("listen 80;", f"listen 127.0.0.1:{free_port()};"))
    shown = output(nginx.program(), "-p", str(tmp_path), "-e", "error.log", "-c", "nginx.conf", "-T")
    assert "test is successful" in shown
    assert "server 172.30.57.11:8080" in shown, "the nodes are among what was read"


def test_the_image_builds_on_what_a_checkout_of_it_has() -> None:
    """Every folder that the manifest names travels to the engine."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    named = set(re.findall(r'path: "([^"/]+)', (ROOT / "Package.swift").read_text())) | {"Sources", "Tests"}
    assert named and not named & set(ignored)
    assert {".git", ".env", "data"} <= set(ignored)


def test_the_example_of_the_stack_says_nothing_to_a_server_beside_it(tmp_path: Path) -> None:
    before = run_command("config", "--json", directory=tmp_path).stdout
    example = (ROOT / ".env.example").read_text()
    # What is commented out too.
    (tmp_path / ".env").write_text(re.sub(r"^# (?=[A-Z_0-9]+=)", "", example, flags=re.MULTILINE))
    result = run_command("config", "--json", directory=tmp_path)
    assert result.returncode == 0 and result.stdout == before != "", result.stdout + result.stderr


# A library as the program asks for it, without its version, and the package that has it.
PACKAGES = {
    "libsqlite3.so": "libsqlite3-",
    "libcrypto.so": "libssl",
    "libssl.so": "libssl",
    "libpq.so": "libpq",
    "libhiredis.so": "libhiredis",
    "libz.so": "zlib",
    "libstdc++.so": "libstdc++",
}
# Part of every Debian, or linked into a release binary.
EVERYWHERE = re.compile(r"(libc|libm|libgcc_s|libdl|libpthread|librt|libutil|libresolv|ld-linux.*)\.so|lib_?(swift|Foundation|dispatch|Blocks)")


def test_the_guide_and_the_image_install_every_library_that_the_program_asks_for() -> None:
    asked = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", str(binary_path())))
    names = {name.partition(".so")[0] + ".so" for name in asked if not EVERYWHERE.match(name)}
    assert {"libpq.so", "libsqlite3.so"} <= names
    (said,) = re.findall(r"`apt install (lib[^`]+)`", GUIDE)
    (installed,) = re.findall(r"apt-get install .*? (libpq5 .*?) ca-certificates", DOCKERFILE)
    assert set(said.split()) == set(installed.split())
    missing = {name for name in names if not any(package.startswith(PACKAGES[name]) for package in said.split())}
    assert missing == set()


def test_the_licence_of_what_the_program_carries_goes_with_it() -> None:
    kept = ".build-tools/swagger-ui/LICENSE"
    build, final = DOCKERFILE.split("\nFROM ")[-2:]
    (place,) = re.findall(rf"install -D -m 0644 {re.escape(kept)} (\S+)", build)
    assert f"COPY --from=build {place} /usr/share/doc/storaged/" in final
    shown = f"/usr/share/doc/storaged/{Path(place).name}"
    assert shown in (ROOT / "SECURITY.md").read_text()
    assert f"install -m 0644 {kept} {shown}" in GUIDE


@pytest.mark.parametrize("runs", [False, True])
def test_the_container_is_started_in_place_of_an_earlier_one(tmp_path: Path, runs: bool) -> None:
    docker, calls = tmp_path / "docker", tmp_path / "calls"
    docker.write_text(f'#!/bin/sh\necho "$*" >>{calls}\n[ "$1" != container ] || exit {0 if runs else 1}\n')
    docker.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["make", "-s", "-C", str(ROOT), "docker-run"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    made = [" ".join(line.split()[:2]) for line in calls.read_text().splitlines()]
    replaced = ["stop storaged", "rm storaged"] if runs else []
    assert made == ["build -t", "container inspect", *replaced, "run --name"]


# nginx


NODES_SCRIPT = ROOT / "deploy" / "nginx" / "storaged-nodes"


def nodes_script(nodes: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"STORAGED_NODES": str(nodes), "STORAGED_NGINX": "/bin/true", "PATH": "/usr/bin:/bin"}
    command = [str(NODES_SCRIPT), *arguments]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [([], 64), (["drain"], 64), (["list", "all"], 64), (["list"], 66), (["drain", "10.0.0.1:8080"], 66)],
)
def test_the_list_of_nodes_is_never_made_by_asking(tmp_path: Path, arguments: list[str], status: int) -> None:
    nodes = tmp_path / "storaged-nodes.conf"
    assert nodes_script(nodes, *arguments).returncode == status
    assert not nodes.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_who_may_only_read_the_nodes_may_list_them() -> None:
    folder = tempfile.mkdtemp(dir="/tmp")
    try:
        os.chmod(folder, 0o755)
        script = Path(shutil.copy(NODES_SCRIPT, folder))
        nodes = Path(folder) / "storaged-nodes.conf"
        nodes.write_text("server 10.0.0.11:8080;\nserver 10.0.0.12:8080 down;\n")
        nodes.chmod(0o644)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", str(script), "list"]
        listed = subprocess.run(
            nobody, env={"STORAGED_NODES": str(nodes), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30
        )
        assert (listed.returncode, listed.stdout) == (0, "10.0.0.11:8080 up\n10.0.0.12:8080 down\n"), listed.stderr
    finally:
        shutil.rmtree(folder)
