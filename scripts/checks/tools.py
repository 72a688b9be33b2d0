"""Rules that other programs decide: the formatter, the shell linter, the Python compiler."""

import os
import re
import shutil
import subprocess
from typing import Iterator, List

from .tree import Finding, Rule, Tree

_DIAGNOSTIC = re.compile(r"^(?P<path>.+?):(?P<line>\d+):(?:\d+:)? *(?P<kind>error|warning|note|style|info)?:? *(?P<message>.+)$")


def swift_files(tree: Tree) -> List[str]:
    """What the formatter formats and lints."""
    return [*tree.swift("Sources/", "Tests/", "Migrations/", "Examples/", "Benchmarks/"), *tree.swift("Package.swift")]


def _findings(tree: Tree, command: List[str]) -> Iterator[Finding]:
    result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    lines = (result.stdout + result.stderr).splitlines()
    matches = [match for match in map(_DIAGNOSTIC.match, lines) if match]
    for match in matches:
        yield Finding(os.path.relpath(os.path.join(tree.root, match["path"]), tree.root), int(match["line"]), match["message"])
    if result.returncode != 0 and not matches:
        yield Finding(command[0], 1, " ".join(lines)[-500:] or f"ended with status {result.returncode}")


def _check_format(tree: Tree) -> Iterator[Finding]:
    files = swift_files(tree)
    if not files:
        return
    if shutil.which("swift") is None:
        yield Finding(".swift-format", 1, "no swift in PATH, so nothing was linted")
        return
    yield from _findings(tree, ["swift", "format", "lint", "--strict", "--parallel", "--configuration", ".swift-format", *files])


def shell_files(tree: Tree) -> Iterator[str]:
    for path in tree.files:
        head = (tree.text(path) or "")[:40].split("\n", 1)[0]
        if path.endswith(".sh") or re.match(r"^#!.*\b(ba)?sh\b", head):
            yield path


def _check_shell(tree: Tree) -> Iterator[Finding]:
    files = list(shell_files(tree))
    for path in files:
        yield from _findings(tree, ["bash", "-n", path])
    if files and shutil.which("shellcheck"):
        yield from _findings(tree, ["shellcheck", "--format=gcc", "--external-sources", *files])


def _check_python(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        text = tree.text(path) or ""
        if path.endswith(".py") or re.match(r"^#!.*\bpython3\b", text[:40]):
            try:
                compile(text, path, "exec")
            except SyntaxError as error:
                yield Finding(path, error.lineno or 1, error.msg)


def _check_executable(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if (tree.text(path) or "").startswith("#!") and not os.access(os.path.join(tree.root, path), os.X_OK):
            yield Finding(path, 1, "starts with #! but is not executable")


RULES = [
    Rule(
        "swift-format",
        _check_format,
        caught=[
            {"Sources/StorageCore/A.swift": "let a = 1;\n"},
            {"Sources/StorageCore/A.swift": "struct A {\n  let a = 1\n}\n"},
            {"Sources/StorageCore/A.swift": "public struct A {}\n"},
            {"Tests/StorageCoreTests/A.swift": "let a = b!\n"},
        ],
        passed=[{"Sources/StorageCore/A.swift": "/// An A.\npublic struct A {}\n"}],
    ),
    Rule("shell", _check_shell, caught=[{"scripts/a": "#!/bin/bash\nif true; then\n"}], passed=[{"scripts/a": "#!/bin/bash\ntrue\n"}]),
    Rule("python", _check_python, caught=[{"Tests/Acceptance/a.py": "def a(:\n"}], passed=[{"Tests/Acceptance/a.py": "a = 1\n"}]),
    Rule("executable", _check_executable, caught=[{"scripts/a": "#!/bin/bash\ntrue\n"}]),
]
