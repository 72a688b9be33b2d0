"""The files of a working tree, and what a rule says about them."""

import os
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from .swift import blank_comments_and_strings

BUILD_FOLDERS = {".git", ".build", ".build-tools", ".build-lean", ".build-docs", "__pycache__", ".pytest_cache"}


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'warning: ' if self.is_warning else ''}{self.message}"


class Tree:
    """Every file that git tracks or would add; without git every file but build products."""

    def __init__(self, root: str):
        self.root = root
        self.files: List[str] = sorted(self._list())
        self._texts: Dict[str, Optional[str]] = {}
        self._codes: Dict[str, str] = {}

    def _list(self) -> Iterator[str]:
        if os.path.exists(os.path.join(self.root, ".git")):
            listing = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
            for name in set(listing.split("\0")):
                if name and os.path.isfile(os.path.join(self.root, name)):
                    yield name
            return
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in BUILD_FOLDERS]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def git(self, *arguments: str) -> str:
        """Output of a git command in this tree; empty where it is no repository."""
        if not os.path.exists(os.path.join(self.root, ".git")):
            return ""
        return subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", self.root, *arguments], check=True, capture_output=True, text=True, errors="surrogateescape"
        ).stdout

    def text(self, path: str) -> Optional[str]:
        """The file's text, None where it is binary or not there."""
        if path not in self._texts:
            try:
                with open(os.path.join(self.root, path), "rb") as file:
                    data = file.read()
                self._texts[path] = None if b"\0" in data else data.decode("utf-8", errors="replace")
            except OSError:
                self._texts[path] = None
        return self._texts[path]

    def size(self, path: str) -> int:
        return os.path.getsize(os.path.join(self.root, path))

    def swift(self, *folders: str) -> List[str]:
        """Swift files below any of the folders."""
        return [path for path in self.files if path.endswith(".swift") and path.startswith(folders)]

    def code(self, path: str) -> str:
        """A Swift file's text with comments and the insides of string literals blanked; lines and columns stay."""
        if path not in self._codes:
            self._codes[path] = blank_comments_and_strings(self.text(path) or "")
        return self._codes[path]

    def code_lines(self, path: str) -> Iterator[Tuple[int, str]]:
        return enumerate(self.code(path).split("\n"), start=1)

    def text_lines(self, path: str) -> Iterator[Tuple[int, str]]:
        return enumerate((self.text(path) or "").split("\n"), start=1)


Files = Dict[str, str]


@dataclass(frozen=True)
class Rule:
    """`caught` and `passed` are little trees: every one of `caught` must give a finding, none of `passed` may."""

    name: str
    check: Callable[[Tree], Iterable[Finding]]
    caught: List[Files] = field(default_factory=list)
    passed: List[Files] = field(default_factory=list)
    needs_git: bool = False
