"""What versions the tree counts on: dependencies are not older than the fixes in SECURITY.md's table, SQL is not younger than SQLite."""

import json
import re
from typing import Dict, Iterator, Tuple

from .tree import Finding, Rule, Tree

_ROW = re.compile(r"^\|\s*`?([\w.-]+)`?\s*\|\s*(\d+(?:\.\d+)+)\s*\|")
_REQUIREMENT = re.compile(r"\.package\(\s*url:\s*\"[^\"]*/([\w.-]+?)(?:\.git)?\"\s*,\s*(?:from|exact):\s*\"([\d.]+)\"")


def _version(text: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("-")[0]))


def floors(tree: Tree) -> Dict[str, str]:
    rows = (_ROW.match(line) for _, line in tree.text_lines("SECURITY.md"))
    return {row[1].lower(): row[2] for row in rows if row}


def _check(tree: Tree) -> Iterator[Finding]:
    if "Package.swift" not in tree.files:
        return
    known = floors(tree)
    if not known:
        yield Finding("SECURITY.md", 1, "the table of oldest safe dependencies is missing")
    for number, line in tree.text_lines("Package.swift"):
        for name, version in _REQUIREMENT.findall(line):
            floor = known.get(name.lower())
            if floor and _version(version) < _version(floor):
                yield Finding("Package.swift", number, f"{name} {version} allowed; SECURITY.md asks for {floor} or later")
    yield from _check_resolved(tree, known)


def _check_resolved(tree: Tree, known: Dict[str, str]) -> Iterator[Finding]:
    text = tree.text("Package.resolved")  # made by the first build; not tracked, so asked for by name
    if text is None:
        return
    for pin in json.loads(text).get("pins", []):
        version, floor = pin["state"].get("version"), known.get(pin["identity"].lower())
        if floor and (version is None or _version(version) < _version(floor)):
            line = text[: text.index(f'"{pin["identity"]}"')].count("\n") + 1
            yield Finding(
                "Package.resolved", line, f"{pin['identity']} {version} resolved; SECURITY.md asks for {floor} or later"
            )


# What came with SQLite 3.38 and later, where 3.37 is promised.
_YOUNGER = re.compile(
    r"\bIS\s+(NOT\s+)?DISTINCT\s+FROM\b|->>|\b(FULL|RIGHT)\s+(OUTER\s+)?JOIN\b"
    r"|\b(unixepoch|format|concat|concat_ws|string_agg|octet_length|unhex|timediff|json_array_insert)\s*\("
)


def _check_sql(tree: Tree) -> Iterator[Finding]:
    shared = tree.swift("Sources/StorageSQL/", "Sources/StorageSQLite/")
    for path in [*shared, *(path for path in tree.files if path.startswith("Migrations/sqlite/"))]:
        for number, line in tree.text_lines(path):
            if _YOUNGER.search(line):
                yield Finding(path, number, "SQLite 3.37 does not know this SQL; where the databases differ, SQLDialect has the words")


_TABLE = "| Package | Oldest |\n|---|---|\n| swift-nio | 2.100.0 |\n"
_PIN = '{"pins": [{"identity": "swift-nio", "state": {"version": "%s"}}], "version": 3}\n'
_MANIFEST = '.package(url: "https://github.com/apple/swift-nio.git", from: "%s"),\n'

RULES = [
    Rule(
        "dependency-floors",
        _check,
        caught=[
            {"Package.swift": "// none\n"},
            {"SECURITY.md": _TABLE, "Package.swift": _MANIFEST % "2.99.1"},
            {"SECURITY.md": _TABLE, "Package.swift": _MANIFEST % "2.101.2", "Package.resolved": _PIN % "2.42.0"},
        ],
        passed=[{"SECURITY.md": _TABLE, "Package.swift": _MANIFEST % "2.101.2", "Package.resolved": _PIN % "2.100.0"}],
    ),
    Rule(
        "sqlite-floor",
        _check_sql,
        caught=[
            {"Sources/StorageSQL/A.swift": 'let a = "(a, b) IS DISTINCT FROM (c, d)"\n'},
            {"Sources/StorageSQLite/A.swift": 'let a = """\n    SELECT unixepoch()\n    """\n'},
            {"Migrations/sqlite/sqlite_0001_a.up.sql": "SELECT a FROM b RIGHT JOIN c\n"},
        ],
        passed=[
            {"Sources/StorageSQL/A.swift": 'let a = "(a, b) IS NOT (c, d)"\n'},
            {"Sources/StoragePostgres/A.swift": 'let a = "IS DISTINCT FROM"\n'},
        ],
    ),
]
