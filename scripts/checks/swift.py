"""Just enough of Swift's lexical grammar to tell code from comments and string literals."""

import re

_STRING_START = re.compile(r'(#*)("""|")')


def blank_comments_and_strings(text: str) -> str:
    """Replaces comments and the insides of string literals by spaces. Quotes, newlines and interpolated code stay."""
    out = list(text)
    _scan(text, 0, out, closing=None)
    return "".join(out)


def _blank(out: list, start: int, end: int) -> None:
    for index in range(start, min(end, len(out))):
        if out[index] != "\n":
            out[index] = " "


def _scan(text: str, index: int, out: list, closing) -> int:
    """Walks over code from `index`; with `closing` it ends behind the parenthesis that closes an interpolation."""
    depth = 0
    while index < len(text):
        character = text[index]
        if text.startswith("//", index):
            end = text.find("\n", index)
            end = len(text) if end < 0 else end
            _blank(out, index, end)
            index = end
        elif text.startswith("/*", index):
            end = _end_of_block_comment(text, index)
            _blank(out, index, end)
            index = end
        elif character in '"#':
            match = _STRING_START.match(text, index)
            if match:
                index = _scan_string(text, match.end(), out, match.group(1), match.group(2))
            else:
                index += 1
        else:
            if closing and character == "(":
                depth += 1
            elif closing and character == ")":
                if depth == 0:
                    return index + 1
                depth -= 1
            index += 1
    return index


def _end_of_block_comment(text: str, index: int) -> int:
    depth = 0
    while index < len(text):
        if text.startswith("/*", index):
            depth += 1
            index += 2
        elif text.startswith("*/", index):
            depth -= 1
            index += 2
            if depth == 0:
                return index
        else:
            index += 1
    return index


def _scan_string(text: str, index: int, out: list, hashes: str, quote: str) -> int:
    escape = "\\" + hashes
    end_mark = quote + hashes
    while index < len(text):
        if text.startswith(end_mark, index):
            return index + len(end_mark)
        if quote == '"' and text[index] == "\n":
            return index
        if text.startswith(escape + "(", index):
            _blank(out, index, index + len(escape) + 1)
            index = _scan(text, index + len(escape) + 1, out, closing=")")
            _blank(out, index - 1, index)
        elif text.startswith(escape, index):
            _blank(out, index, index + len(escape) + 1)
            index += len(escape) + 1
        else:
            _blank(out, index, index + 1)
            index += 1
    return index
