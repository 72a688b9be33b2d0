"""The shape of the repository: file lengths, folders, migrations, files and words that do not belong."""

import re
from collections import Counter
from typing import Dict, Iterator, Set, Tuple

from .tree import Finding, Rule, Tree

LONGEST, LONG = 400, 300


def _check_length(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if path.startswith("Sources/") and path.endswith((".swift", ".c", ".h")):
            count = (tree.text(path) or "").count("\n")
            if count > LONGEST:
                yield Finding(path, LONGEST + 1, f"{count} lines; split it by topic (at most {LONGEST}, better {LONG})")
            elif count > LONG:
                yield Finding(path, LONG + 1, f"{count} lines; about {LONG} is the aim", is_warning=True)


_FOLDERS = re.compile(r"(?:^|/)(Utils?|Utilities|Helpers?|Misc|Common|New|Old|Deprecated|Managers?)/")


def _check_folders(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if path.startswith(("Sources/", "Tests/", "Migrations/")) and _FOLDERS.search(path):
            yield Finding(path, 1, "a folder is named after its topic, never Utils, New or Deprecated")


# -- Migrations ------------------------------------------------------------------------------------------------------

_SQL_NAME = re.compile(r"^(?P<dialect>[a-z]+)_(?P<number>\d{4})_(?P<topic>[a-z0-9_]+)\.(?P<way>up|down)\.sql$")
_RESOURCE = re.compile(r"\bPackageResources\.(\w+)")


def _check_migrations(tree: Tree) -> Iterator[Finding]:
    dialects: Dict[str, Dict[Tuple[int, str], Set[str]]] = {}
    for path in tree.files:
        parts = path.split("/")
        if parts[0] != "Migrations" or not path.endswith(".sql"):
            continue
        match = _SQL_NAME.match(parts[-1])
        if len(parts) != 3 or not match or match["dialect"] != parts[1]:
            yield Finding(path, 1, "a migration is Migrations/<dialect>/<dialect>_NNNN_topic.up.sql or .down.sql")
            continue
        ways = dialects.setdefault(parts[1], {}).setdefault((int(match["number"]), match["topic"]), set())
        ways.add(match["way"])

    for dialect, migrations in dialects.items():
        folder = f"Migrations/{dialect}"
        numbers = sorted(number for number, _ in migrations)
        if numbers != list(range(1, len(numbers) + 1)):
            yield Finding(folder, 1, f"numbers must be 0001, 0002 … without gap or repetition, found {numbers}")
        for (number, topic), ways in sorted(migrations.items()):
            for way in sorted({"up", "down"} - ways):
                yield Finding(folder, 1, f"{dialect}_{number:04}_{topic}.{way}.sql is missing")
        for other, theirs in dialects.items():
            for number, topic in sorted(set(theirs) - set(migrations)):
                yield Finding(folder, 1, f"{number:04}_{topic} exists for {other} only")

    yield from _check_migration_list(tree)


def _check_migration_list(tree: Tree) -> Iterator[Finding]:
    resources = {
        re.sub(r"[^A-Za-z0-9]", "_", path.rsplit("/", 1)[-1]): path
        for path in tree.files
        if path.startswith("Migrations/") and path.endswith(".sql")
    }
    listed: Counter = Counter()
    place = "Migrations/Migration.swift"
    for path in tree.swift("Migrations/"):
        for number, line in tree.code_lines(path):
            for name in _RESOURCE.findall(line):
                listed[name] += 1
                place = path
                if name not in resources:
                    yield Finding(path, number, f"no file below Migrations/ is called like the listed {name}")
                elif listed[name] == 2:
                    yield Finding(path, number, f"{name} is listed twice")
    for name, path in sorted(resources.items()):
        if name not in listed:
            yield Finding(path, 1, f"this migration is not in the list of {place}")


# -- What does not belong into the repository ------------------------------------------------------------------------

LARGEST_FILE = 1024 * 1024
_PRODUCTS = re.compile(
    r"(^|/)(\.build[^/]*|\.swiftpm|__pycache__|\.pytest_cache|DerivedData|\.idea|\.vscode|node_modules)/"
    r"|\.(o|a|so|swiftmodule|pyc|orig|rej|swp|log|pid|core|sqlite|sqlite-wal|sqlite-shm|pem|key|p12|env)$"
    r"|(^|/)(\.DS_Store|\.env|core|nohup\.out)$|~$"
)


def _check_files(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if _PRODUCTS.search(path):
            yield Finding(path, 1, "build products, data, keys and editors' files do not belong into the repository")
        elif tree.size(path) > LARGEST_FILE:
            yield Finding(path, 1, f"{tree.size(path)} bytes; what is this large is generated or fetched, not kept")
    for path in tree.git("ls-files", "-z", "--cached", "--ignored", "--exclude-standard").split("\0"):
        if path:
            yield Finding(path, 1, "tracked although .gitignore names it")


_WORDS = [
    (re.compile(r"(?<![\w.$}~])/(home|Users)/\w+/"), "no path of one machine"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "no private keys; tests make their own"),
    (re.compile(r"^(<{7}|>{7}|\|{7})( |$)"), "a merge conflict was left"),
    (re.compile(r"\b(FIXME|XXX)\b"), "fix it, or say in plain words what is missing"),
]
_DOCUMENT = re.compile(r"(?<![\w/-])[a-z][a-z-]{3,}\.md\b")


def _check_words(tree: Tree) -> Iterator[Finding]:
    names = {path.rsplit("/", 1)[-1] for path in tree.files}
    for path in tree.files:
        if path.startswith("scripts/checks/") or tree.text(path) is None:
            continue
        for number, line in tree.text_lines(path):
            for expression, message in _WORDS:
                match = expression.search(line)
                if match:
                    yield Finding(path, number, f"“{match.group(0).strip()}” does not belong here: {message}")
            for document in _DOCUMENT.findall(line):
                if document not in names:
                    yield Finding(path, number, f"{document} is not in this repository: readers cannot look it up")


_LIST = "enum List { static let all = [PackageResources.sqlite_0001_a_up_sql, PackageResources.sqlite_0001_a_down_sql] }\n"
_SOUND = {
    "Migrations/Migration.swift": _LIST,
    "Migrations/sqlite/sqlite_0001_a.up.sql": "SELECT 1;\n",
    "Migrations/sqlite/sqlite_0001_a.down.sql": "SELECT 1;\n",
}

RULES = [
    Rule(
        "file-length",
        _check_length,
        caught=[{"Sources/StorageCore/A.swift": "\n" * 401}, {"Sources/CLinux/CLinux.c": "\n" * 401}],
        passed=[{"Sources/StorageCore/A.swift": "\n" * 400, "Tests/StorageCoreTests/A.swift": "\n" * 900}],
    ),
    Rule("folder-names", _check_folders, caught=[{"Sources/StorageCore/Utils/A.swift": "\n"}]),
    Rule(
        "migrations",
        _check_migrations,
        caught=[
            {"Migrations/Migration.swift": _LIST, "Migrations/sqlite/sqlite_0001_a.up.sql": "SELECT 1;\n"},
            {**_SOUND, "Migrations/sqlite/sqlite_0002_b.up.sql": "\n", "Migrations/sqlite/sqlite_0002_b.down.sql": "\n"},
            {**_SOUND, "Migrations/Migration.swift": _LIST.replace("0001_a_down", "0002_b_down")},
            {**_SOUND, "Migrations/Migration.swift": _LIST.replace("0001_a_down", "0001_a_up")},
            {**_SOUND, "Migrations/Migration.swift": _LIST.replace("_sql]", "_sql, PackageResources.sqlite_0003_c_up_sql]"),
             "Migrations/sqlite/sqlite_0003_c.up.sql": "\n"},
            {**_SOUND, "Migrations/sqlite/0001-other.sql": "\n"},
            {**_SOUND, "Migrations/postgres/sqlite_0001_a.up.sql": "\n"},
            {**_SOUND, "Migrations/Migration.swift": _LIST.replace("]", ", PackageResources.postgres_0001_z_up_sql, "
             "PackageResources.postgres_0001_z_down_sql]"),
             "Migrations/postgres/postgres_0001_z.up.sql": "\n", "Migrations/postgres/postgres_0001_z.down.sql": "\n"},
        ],
        passed=[_SOUND],
    ),
    Rule(
        "stray-files",
        _check_files,
        caught=[
            {"storaged.sqlite": "\n"},
            {"Sources/StorageCore/A.swift.orig": "\n"},
            {"Documentation/large.txt": "x" * (LARGEST_FILE + 1)},
            {".env": "A=1\n"},
        ],
        passed=[{"Documentation/a.md": "\n", ".swift-format": "{}\n"}],
    ),
    Rule(
        "tracked-but-ignored",
        _check_files,
        needs_git=True,
        caught=[{".gitignore": "*.gen\n", "a.gen": "\n"}],
    ),
    Rule(
        "words",
        _check_words,
        caught=[
            {"Sources/StorageCore/A.swift": "// see reliability.md 2.3\n"},
            {"Sources/StorageCore/A.swift": "<<<<<<< ours\n"},
            {"README.md": "cd /home/someone/storaged\n"},
            {"Tests/Acceptance/key.txt": "-----BEGIN RSA PRIVATE KEY-----\n"},
        ],
        passed=[
            {"README.md": "the folder home/work\n", "Documentation/style.md": "\n", "Sources/A/A.swift": "// Documentation/style.md\n"},
        ],
    ),
]
