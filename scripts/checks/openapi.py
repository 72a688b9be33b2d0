"""The OpenAPI document beside the sources: the same routes, the same problem codes."""

import json
import re
from typing import Dict, Iterator, Tuple

from .tree import Files, Finding, Rule, Tree

DOCUMENT = "Sources/StorageHTTP/OpenAPI/openapi.json"
HTTP = "Sources/StorageHTTP/"
CORE = "Sources/StorageCore/"

# `Route(.get, "…")`; or a download, which is a GET and says so by its name: `.download("…")`.
_ROUTE = re.compile(r"(?:\bRoute\(\s*\.(\w+),|\.(?:download|publicDownload)\()\s*\"([^\"]+)\"")

# Where a problem code stands: the literals of problems, the codes that errors of parsers and connections have.
_LITERALS = re.compile(r"\b(?:Problem|self\.init)\(\s*\.\w+,\s*\"(\w+)\"")
_CONNECTION = re.compile(r"case \.\w+: \"(\w+)\"")
_PARSER = re.compile(r"case \w+ = \"(\w+)\"")
_DOMAIN = re.compile(r"public static let `?(\w+)`? = Self\(\"(\w+)\"\)")
_MAPPED = re.compile(r"^\s*\.(\w+): \.\w+,$", re.MULTILINE)

Place = Tuple[str, int]


def _places(tree: Tree, path: str, expression: "re.Pattern[str]") -> Iterator[Tuple["re.Match[str]", Place]]:
    """Matches in code, comments apart."""
    text = re.sub(r"//[^\n]*", lambda comment: " " * len(comment.group()), tree.text(path) or "")
    for match in expression.finditer(text):
        yield match, (path, text.count("\n", 0, match.start()) + 1)


def _check_routes(tree: Tree) -> Iterator[Finding]:
    if DOCUMENT not in tree.files:
        return
    routes: Dict[str, Place] = {}
    for path in tree.swift(HTTP):
        for match, place in _places(tree, path, _ROUTE):
            routes.setdefault(f"{(match.group(1) or 'get').upper()} {match.group(2)}", place)
    paths = json.loads(tree.text(DOCUMENT) or "{}").get("paths", {})
    documented = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    for route in sorted(set(routes) - documented):
        yield Finding(*routes[route], f"{route} is not in the OpenAPI document")
    for operation in sorted(documented - set(routes)):
        yield Finding(DOCUMENT, 1, f"no route serves {operation}")


def _codes(tree: Tree) -> Dict[str, Place]:
    codes: Dict[str, Place] = {}
    mapped = set()
    for path in tree.swift(HTTP):
        name = path.rsplit("/", 1)[-1]
        expressions = [_LITERALS]
        if name == "ConnectionFault.swift":
            expressions.append(_CONNECTION)
        if name == "ParseError.swift":
            expressions.append(_PARSER)
        for expression in expressions:
            for match, place in _places(tree, path, expression):
                codes.setdefault(match.group(1), place)
        if name == "Problem+Mapping.swift":
            mapped = {match.group(1) for match, _ in _places(tree, path, _MAPPED)}
    for path in tree.swift(CORE):
        for match, place in _places(tree, path, _DOMAIN):
            if match.group(1) in mapped:
                codes.setdefault(match.group(2), place)
    return codes


def _check_codes(tree: Tree) -> Iterator[Finding]:
    if DOCUMENT not in tree.files:
        return
    codes = _codes(tree)
    schemas = json.loads(tree.text(DOCUMENT) or "{}").get("components", {}).get("schemas", {})
    listed = {one["const"] for one in schemas.get("ProblemCode", {}).get("oneOf", [])}
    for code in sorted(set(codes) - listed):
        yield Finding(*codes[code], f"the problem code {code} is not in the OpenAPI document")
    for code in sorted(listed - set(codes)):
        yield Finding(DOCUMENT, 1, f"no source has the problem code {code}")


def _document(paths: Dict[str, Dict[str, object]], codes: Tuple[str, ...] = ()) -> str:
    meanings = [{"const": code} for code in codes]
    return json.dumps({"paths": paths, "components": {"schemas": {"ProblemCode": {"oneOf": meanings}}}})


_ROUTES: Files = {
    HTTP + "Dialects/A.swift": 'let a = [\n    Route(.get, "/a/{name}") { _ in },\n    Route(\n        .delete, "/a/{name}"\n    ) { _ in },\n    .download("/c") { _ in },\n]\n',
    DOCUMENT: _document({"/a/{name}": {"get": {}, "delete": {}}, "/c": {"get": {}}}),
}
_SOURCES: Files = {
    HTTP + "A.swift": 'throw Problem(\n    .badRequest, "literal", "Text.")\n// Problem(.badRequest, "comment", "")\n',
    HTTP + "Errors/Problem+Mapping.swift": "let statuses = [\n    .notFound: .notFound,\n]\n",
    HTTP + "Connection/ConnectionFault.swift": 'case .malformed: "malformed"\n',
    HTTP + "Parsing/ParseError.swift": 'case invalid = "invalid"\n',
    CORE + "Errors/StorageError.swift": 'public static let notFound = Self("not_found")\npublic static let hidden = Self("hidden")\n',
    DOCUMENT: _document({}, ("literal", "malformed", "invalid", "not_found")),
}

RULES = [
    Rule(
        "openapi-routes",
        _check_routes,
        caught=[
            {**_ROUTES, DOCUMENT: _document({"/a/{name}": {"get": {}}, "/c": {"get": {}}})},
            {**_ROUTES, DOCUMENT: _document({"/a/{name}": {"get": {}, "delete": {}}})},
            {**_ROUTES, DOCUMENT: _document({"/a/{file}": {"get": {}, "delete": {}}, "/c": {"get": {}}})},
            {**_ROUTES, DOCUMENT: _document({"/a/{name}": {"get": {}, "delete": {}}, "/b": {"get": {}}, "/c": {"get": {}}})},
        ],
        passed=[_ROUTES],
    ),
    Rule(
        "openapi-codes",
        _check_codes,
        caught=[
            {**_SOURCES, DOCUMENT: _document({}, ("literal", "malformed", "invalid"))},
            {**_SOURCES, DOCUMENT: _document({}, ("literal", "malformed", "not_found"))},
            {**_SOURCES, DOCUMENT: _document({}, ("literal", "invalid", "not_found"))},
            {**_SOURCES, DOCUMENT: _document({}, ("malformed", "invalid", "not_found"))},
            {**_SOURCES, DOCUMENT: _document({}, ("literal", "malformed", "invalid", "not_found", "other"))},
        ],
        passed=[_SOURCES],
    ),
]
