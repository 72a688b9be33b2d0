"""Swift that is not written here, and what to write instead."""

import re
from typing import Iterator, List, Optional

from .tree import Files, Finding, Rule, Tree

CORE = "Sources/StorageCore/Files/A.swift"
PARSER = "Sources/StorageHTTP/Headers/RangeParser.swift"


def _forbidden(
    name: str,
    pattern: str,
    message: str,
    caught: List[str],
    passed: Optional[List[str]] = None,
    folders: tuple = ("Sources/", "Migrations/"),
    except_below: tuple = (),
    files: str = "",
    sample: str = CORE,
    passed_files: Optional[List[Files]] = None,
) -> Rule:
    """A rule that no line of code may match `pattern`; `files` narrows it to file names that match."""
    expression = re.compile(pattern)
    file_expression = re.compile(files)

    def check(tree: Tree) -> Iterator[Finding]:
        for path in tree.swift(*folders):
            if path.startswith(except_below) or not file_expression.search(path.rsplit("/", 1)[-1]):
                continue
            for number, line in tree.code_lines(path):
                if expression.search(line):
                    yield Finding(path, number, message)

    return Rule(
        name,
        check,
        caught=[{sample: f"{code}\n"} for code in caught],
        passed=[{sample: f"{code}\n"} for code in passed or []] + (passed_files or []),
    )


# Words that say who guards an unchecked promise.
_GUARD = re.compile(
    r"guard|protect|lock|mutex|confin|immutable|never (changes|written|mutated)|serial|owned|event loop|queue|pool|thread",
    re.IGNORECASE,
)
_UNCHECKED = re.compile(r"@unchecked\s+Sendable|nonisolated\(unsafe\)")
_DECLARATION = re.compile(r"\b(class|struct|enum|actor|extension|let|var|typealias|protocol)\b")


def _comment_above(lines: List[str], index: int) -> str:
    """The comment block directly above the declaration that `index` belongs to; attributes may stand between."""
    while index > 0 and not _DECLARATION.search(lines[index].split("//")[0]):
        index -= 1
    index -= 1
    while index >= 0 and lines[index].strip().startswith(("@", "#if")):
        index -= 1
    block: List[str] = []
    while index >= 0 and lines[index].strip().startswith("//"):
        block.append(lines[index].strip())
        index -= 1
    return " ".join(reversed(block))


def _check_unchecked(tree: Tree) -> Iterator[Finding]:
    for path in tree.swift("Sources/", "Migrations/", "Tests/", "Examples/"):
        raw = (tree.text(path) or "").split("\n")
        for number, line in tree.code_lines(path):
            match = _UNCHECKED.search(line)
            if match and not _GUARD.search(_comment_above(raw, number - 1)):
                yield Finding(
                    path,
                    number,
                    f"{match.group(0)} needs a comment directly above that says who guards it (a lock, an event loop …)",
                )


# Files in which bytes of strangers are taken apart.
PARSING_FILES = (
    r"(Parser|Path|Header|Auth|Multipart|Range|Token|Query|Percent|Cookie|Digest|Credential|Form(?![a-z]))"
    r"[A-Za-z0-9]*(\+[A-Za-z0-9+]+)?\.swift$"
)

RULES = [
    _forbidden("force-try", r"\btry!", "try! ends the process: throw", ["let a = try! b()"], ["// try! it", 'let a = "try!"']),
    _forbidden("force-cast", r"\bas!", "as! ends the process: use as? and throw", ["let a = b as! C"]),
    _forbidden(
        "fatal-error",
        r"\b(fatalError|preconditionFailure|assertionFailure)\s*\(",
        "a server that ends loses every upload in flight: throw",
        ['fatalError("no")', "preconditionFailure()"],
        ["let fatalErrors = 1"],
    ),
    _forbidden(
        "print",
        r"(?<![.\w])(print|debugPrint|dump)\s*\(",
        "only the commands print; libraries log",
        ["print(a)", 'let a = "\\(print(b))"'],
        ["func fingerprint() {}", "// print(a)"],
        except_below=("Sources/storaged/Commands/",),
        passed_files=[{"Sources/storaged/Commands/A.swift": "print(a)\n"}],
    ),
    _forbidden(
        "unstructured-task",
        r"\bTask\s*(<[^>]*>\s*)?[({]|\bTask\s*\.\s*(init|detached|immediate|immediateDetached)\b|\bTask\s*$",
        "the task tree is the lifetime: a task group, or run() under a ServiceGroup",
        ["Task { }", "Task.detached { }", "let t = Task(priority: .low) { }", "Task<Void, Never> { }"],
        ["try await Task.sleep(for: .seconds(1))", "group.addTask { }", "Task.isCancelled"],
    ),
    _forbidden(
        "legacy-concurrency",
        r"\b(DispatchQueue|DispatchSemaphore|DispatchGroup|OperationQueue|NSLock|pthread_mutex_\w+)\b",
        "Mutex for short state, an actor for what must be awaited in order, a NIOThreadPool for blocking calls",
        ["let a = DispatchQueue(label: b)", "let l = NSLock()"],
    ),
    _forbidden(
        "blocking-sleep",
        r"(?<![.\w])(?<!func )(sleep|usleep|nanosleep)\s*\(|\bThread\.sleep\b",
        "a sleeping thread blocks its pool, and sleeping is no readiness: wait for the event",
        ["usleep(1000)", "sleep(1)"],
        ["try await clock.sleep(for: a)"],
        folders=("Sources/", "Migrations/", "Tests/"),
    ),
    _forbidden(
        "environment",
        r"(?<!\w)(getenv|secure_getenv|setenv)\s*\(|\bProcessInfo\b",
        "libraries take plain configuration structs and never read the environment",
        ['let home = getenv("HOME")', "ProcessInfo.processInfo.environment"],
        except_below=("Sources/storaged/",),
    ),
    _forbidden(
        "empty-names",
        r"\b(class|struct|enum|actor|protocol)\s+\w*(Manager|Helpers?|Utils?|Utilities)\b",
        "name it with the noun of the domain",
        ["struct FileManager {}", "enum PathUtils {}"],
        ["struct ManagerRole {}"],
    ),
    _forbidden(
        "character-work",
        r"\bCharacter\b|(?<!ASCII)\.(isHexDigit|isNumber|isLetter|isWhitespace|isNewline|isWholeNumber|hexDigitValue|wholeNumberValue)\b"
        r"|\.(contains|firstIndex\(of:|lastIndex\(of:|firstRange\(of:)\s*\(?\s*#*\""
        r"|\b(separator|separatedBy|omittingEmptySubsequences|whereSeparator):\s*#*\""
        r"|(?<!ASCII)\.(hasPrefix|hasSuffix|lowercased|uppercased|trimmingCharacters|components|replacingOccurrences)\s*\(",
        "parsing works on bytes ([UInt8], ByteBuffer, .utf8): Character hides CR LF and combining marks",
        [
            "let c: Character",
            'if line.contains("/") {}',
            'line.split(separator: ",")',
            "byte.isHexDigit",
            'path.hasPrefix("/")',
            "name.lowercased()",
        ],
        ["line.utf8.split(separator: UInt8(ascii: a))", "bytes.contains(0x2F)", "ASCII.isLetter(b)", "// a Character would hide it"],
        files=PARSING_FILES,
        sample=PARSER,
        passed_files=[
            {"Sources/StorageHTTP/Pages/Page.swift": "let c: Character\n"},
            {"Sources/StorageHTTP/Pages/DateFormat.swift": "let c: Character\n"},
        ],
    ),
    _forbidden(
        "force-unwrap-in-parser",
        r"[\w)\]]!(?![=])",
        "a parser must not trap: guard let",
        ["let a = b!", "let c = d[0]!.e"],
        ["if a != b {}", "if !a {}", "#expect(!a)"],
        files=PARSING_FILES,
        sample=PARSER,
    ),
    _forbidden(
        "trapping-arithmetic",
        r"(?i)\b\w*(length|declared|contentlength)\s*(\+|\*)=?\s|\s(\+|\*)\s*\w*length\b",
        "a number that a client sent may overflow: addingReportingOverflow, multipliedReportingOverflow",
        ["let end = start + contentLength", "length *= 10", "total = bodyLength + 1"],
        ["let end = start.addingReportingOverflow(length)", "let full = length", "let a = lengths + 1"],
        files=PARSING_FILES,
        sample=PARSER,
    ),
    Rule(
        "unchecked-without-guard",
        _check_unchecked,
        caught=[
            {CORE: "final class A: @unchecked Sendable {}\n"},
            {CORE: "/// Does something.\nfinal class A: @unchecked Sendable {}\n"},
            {CORE: "// guarded by lock\n\nfinal class A: @unchecked Sendable {}\n"},
            {CORE: "struct A {\n    nonisolated(unsafe) var b = 1\n}\n"},
        ],
        passed=[
            {CORE: "// Guarded by `lock`.\nfinal class A: @unchecked Sendable {}\n"},
            {CORE: "/// A handle.\n// Confined to the event loop of its channel.\n@frozen\nfinal class A: B,\n    @unchecked Sendable\n{}\n"},
            {CORE: "struct A {\n    // Immutable after `init`.\n    nonisolated(unsafe) let b: OpaquePointer\n}\n"},
        ],
    ),
]
