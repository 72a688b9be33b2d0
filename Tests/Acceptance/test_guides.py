"""The guides in Documentation: their commands are run in order, and print what stands below them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from conftest import StartServer
from daemon import binary_path, clean_environment

DOCUMENTATION = Path(__file__).resolve().parents[2] / "Documentation"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "-- end of block --"

pytestmark = pytest.mark.stores("sqlite")


def blocks(guide: str) -> list[tuple[str, str]]:
    """Every block of commands (`sh`), and the text that it prints, empty where none is given."""
    found = FENCE.findall((DOCUMENTATION / guide).read_text())
    following = [*found[1:], ("", "")]
    return [
        (text, output if language == "text" else "")
        for (kind, text), (language, output) in zip(found, following, strict=True)
        if kind == "sh"
    ]


def pattern(output: str) -> str:
    """`…` stands for anything."""
    return ".*".join(re.escape(part) for part in output.strip().split("…"))


@pytest.mark.parametrize(("guide", "least"), [("getting-started.md", 4), ("dialects.md", 8)])
def test_the_commands_print_what_the_guide_says(start: StartServer, tmp_path: Path, guide: str, least: int) -> None:
    server = start()
    commands = blocks(guide)
    assert len(commands) >= least
    script = "curl() { command curl --silent --show-error \"$@\"; }\n"
    script += "".join(f"{text}echo\necho '{MARK}'\n" for text, _ in commands)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")],
        cwd=tmp_path,
        env=clean_environment({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    printed = result.stdout.split(MARK)
    for (text, output), said in zip(commands, printed, strict=False):
        assert re.fullmatch(pattern(output), said.strip(), re.DOTALL), f"{text}\nprinted\n{said}"


GUIDES = [*DOCUMENTATION.glob("*.md"), DOCUMENTATION.parent / "README.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#([^)]+))?\)")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide: Path) -> None:
    links = [(path, anchor) for path, anchor in LINK.findall(guide.read_text()) if "://" not in path]
    for path, anchor in links:
        target = guide.parent / path
        assert target.exists(), f"{guide.name} links {path}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{guide.name} links {path}#{anchor}"


def test_every_setting_and_command_of_the_guides_is_known() -> None:
    """Names of settings in code spans, and the commands of `storaged`."""
    environment = clean_environment({})

    def printed(*arguments: str) -> str:
        command = [str(binary_path()), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout

    settings = {line.split()[0] for line in printed("config").splitlines() if line.strip()}
    groups = {name.partition(".")[0] for name in settings}
    commands = set(re.findall(r"^  ([a-z-]+)  ", printed("--help"), re.MULTILINE)) | {"serve"}
    for guide in DOCUMENTATION.glob("*.md"):
        text = guide.read_text()
        for name in re.findall(r"`([a-z]+(?:\.[a-z-]+)+)(?::[^`]*)?`", text):
            if name.partition(".")[0] in groups:
                assert name in settings, f"{guide.name}: {name}"
        for name in re.findall(r"\bstoraged ([a-z][a-z-]+)", "\n".join(re.findall(r"`(storaged [^`]*)`", text))):
            assert name in commands, f"{guide.name}: storaged {name}"
    assert len(settings) > 30 and len(commands) > 8
