"""Which module may import what. A new row or name here is a change of the architecture: say why in the commit."""

import re
from typing import Iterator

from .tree import Finding, Rule, Tree

# Part of the toolchain, or an API package that every embedder's program has anyway.
PLATFORM = "Swift Synchronization Glibc Musl FoundationEssentials"
SHARED = "NIOCore NIOPosix NIOConcurrencyHelpers Logging Metrics Tracing ServiceLifecycle"

# Folder of a module → what it may import beside its own module. The longest folder that fits a file counts.
ALLOWED = {
    "Migrations": "",
    "Sources/StorageCore": f"{PLATFORM} {SHARED} CLibcrypto",
    "Sources/StorageCore/Disk": f"{PLATFORM} {SHARED} CLibcrypto CLinux",
    "Sources/StorageSQL": f"{PLATFORM} {SHARED} StorageCore StorageMigrations",
    "Sources/StorageSQLite": f"{PLATFORM} {SHARED} StorageCore StorageSQL StorageMigrations GRDB GRDBSQLite",
    "Sources/StoragePostgres": f"{PLATFORM} {SHARED} StorageCore StorageSQL StorageMigrations CLibpq",
    "Sources/StorageS3": f"{PLATFORM} {SHARED} StorageCore AsyncHTTPClient NIOHTTP1 NIOSSL HTTPTypes",
    "Sources/StorageRedis": f"{PLATFORM} {SHARED} StorageCore CHiredis",
    "Sources/StorageHTTP": f"{PLATFORM} {SHARED} StorageCore Hummingbird HummingbirdCore HTTPTypes NIOHTTPTypes"
    " NIOHTTPTypesHTTP1 NIOHTTP1 CZlib",
    "Sources/StorageTesting": f"{PLATFORM} {SHARED} StorageCore Testing",
    "Examples/MirroredBlobStore": "StorageCore",
    "Examples/Stash": "StorageCore ArgumentParser _NIOFileSystem",
    "Examples/WebApp": f"{SHARED} StorageCore StorageSQL StorageSQLite StorageHTTP ArgumentParser Hummingbird HTTPTypes",
    "Sources/storaged": f"{PLATFORM} {SHARED} StorageCore StorageMigrations StorageSQL StorageSQLite StoragePostgres"
    " StorageS3 StorageRedis StorageHTTP ArgumentParser AsyncHTTPClient Configuration Hummingbird HummingbirdCore"
    " HummingbirdTLS HTTPTypes NIOHTTP1 NIOSSL UnixSignals Yams CSwaggerUI",
}

_IMPORT = re.compile(
    r"^\s*(?P<attributes>(?:@\w+(?:\([^)]*\))?\s+)*)(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:typealias|struct|class|enum|protocol|let|var|func|actor)\s+)?(?P<module>\w+)"
)


def _check_table(tree: Tree) -> Iterator[Finding]:
    for path in tree.swift("Sources/", "Migrations/", "Examples/"):
        folders = [folder for folder in ALLOWED if path.startswith(folder + "/")]
        if not folders:
            yield Finding(path, 1, "this module has no row in the import table (scripts/checks/imports.py)")
            continue
        folder = max(folders, key=len)
        allowed = ALLOWED[folder].split()
        for number, line in tree.code_lines(path):
            match = _IMPORT.match(line)
            if match and match["module"] not in allowed:
                yield Finding(path, number, f"{folder} may not import {match['module']} (scripts/checks/imports.py)")


def _check_reexport(tree: Tree) -> Iterator[Finding]:
    for path in tree.swift("Sources/", "Migrations/"):
        for number, line in tree.code_lines(path):
            if "@_exported" in line:
                yield Finding(path, number, "@_exported hides a dependency from its importer: import where it is used")


def _check_test_framework(tree: Tree) -> Iterator[Finding]:
    for path in tree.swift("Tests/"):
        for number, line in tree.code_lines(path):
            match = _IMPORT.match(line)
            if match and match["module"] == "XCTest":
                yield Finding(path, number, "tests are written with Swift Testing, not XCTest")


RULES = [
    Rule(
        "import-table",
        _check_table,
        caught=[
            {"Sources/StorageCore/Files/A.swift": "import Foundation\n"},
            {"Sources/StorageCore/Files/A.swift": "import Dispatch\n"},
            {"Sources/StorageCore/Files/A.swift": "public import struct Foundation.Data\n"},
            {"Sources/StorageCore/Files/A.swift": "@preconcurrency import GRDB\n"},
            {"Sources/StorageCore/Files/A.swift": "import CLinux\n"},
            {"Sources/StorageCore/Files/A.swift": "#if canImport(Darwin)\n    import Darwin\n#endif\n"},
            {"Sources/StorageSQL/A.swift": "import GRDB\n"},
            {"Sources/StorageSQLite/A.swift": "package import StoragePostgres\n"},
            {"Sources/StorageHTTP/A.swift": "import StorageSQLite\n"},
            {"Sources/StorageHTTP/A.swift": "import Configuration\n"},
            {"Sources/StorageTesting/A.swift": "import StorageS3\n"},
            {"Sources/StorageNew/A.swift": "import StorageCore\n"},
            {"Migrations/Migration.swift": "import StorageCore\n"},
            {"Examples/Stash/Put.swift": "import StorageSQL\n"},
            {"Examples/Other/Other.swift": "import StorageCore\n"},
        ],
        passed=[
            {"Sources/StorageCore/Disk/A.swift": "import CLinux\npublic import NIOCore\n"},
            {"Sources/StorageCore/Files/A.swift": '// import Foundation\nlet a = """\n    import Foundation\n    """\n'},
            {"Sources/storaged/Wiring.swift": "import StorageSQLite\nimport Configuration\n"},
        ],
    ),
    Rule("re-export", _check_reexport, caught=[{"Sources/StorageHTTP/A.swift": "@_exported import StorageCore\n"}]),
    Rule("test-framework", _check_test_framework, caught=[{"Tests/StorageCoreTests/A.swift": "import XCTest\n"}]),
]
