"""
What clients know of a crashed server, and whether what they find afterwards can be explained by it.

A history is a list of operations, each with the values it wrote, when it began, and when it was acknowledged (None: in
doubt, because the connection broke or the answer was a 5xx). A value is the SHA-256 of a file's bytes, or None for no
file. The check is a pure function: no clock, no network.

The rule for one path: a value found there must have been written by an operation that no acknowledged operation
overwrote for certain, that is, none that began after the writer had been acknowledged. An operation in doubt may have
happened or not, but all of it or nothing: its values at several paths (a move) appear together.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

Value = str | None

BEGINNING = float("-inf")
CRASH = sys.float_info.max  # after everything clients saw of the running server
END = float("inf")  # the final look, after the crash


@dataclass(frozen=True)
class Operation:
    """One change that a client asked for: what each path holds once it is done."""

    name: str
    values: Mapping[str, Value]
    began: float
    acknowledged: float | None

    @property
    def in_doubt(self) -> bool:
        return self.acknowledged is None

    @property
    def ended(self) -> float:
        """When it had happened for certain; an operation in doubt may happen as late as the crash."""
        return END if self.acknowledged is None else self.acknowledged


@dataclass(frozen=True)
class Read:
    """What one path held at some moment between `began` and `ended`."""

    path: str
    value: Value
    began: float = END
    ended: float = END


def explains(writer: Operation, read: Read, history: Sequence[Operation]) -> bool:
    """Whether `read` can have seen the value of `writer`: written by then, and not overwritten for certain."""
    if writer.values.get(read.path) != read.value or writer.began > read.ended:
        return False
    return not any(
        other is not writer
        and not other.in_doubt
        and read.path in other.values
        and writer.ended < other.began
        and other.ended < read.began
        for other in history
    )


def _describe(read: Read, history: Sequence[Operation]) -> str:
    writers = [operation for operation in history if read.path in operation.values]
    known = {operation.values[read.path] for operation in writers}
    if read.value is None:
        verdict = "an acknowledged write is lost"
    elif read.value not in known:
        verdict = "bytes that nobody wrote"
    else:
        verdict = "an old value is back"
    latest = sorted(writers, key=lambda operation: operation.began)[-3:]
    wrote = ", ".join(f"{o.name} {(o.values[read.path] or 'nothing')[:12]} ({_state(o)})" for o in latest)
    return f"{read.path}: {verdict}: found {(read.value or 'nothing')[:12]}, last came {wrote or 'no operation'}"


def _state(operation: Operation) -> str:
    return "in doubt" if operation.in_doubt else "acknowledged"


def _unexplained(history: Sequence[Operation], reads: Iterable[Read]) -> list[str]:
    by_path: dict[str, list[Operation]] = {}
    for operation in history:
        for path in operation.values:
            by_path.setdefault(path, []).append(operation)
    found = []
    for read in reads:
        writers = by_path.get(read.path, [])
        if not any(explains(writer, read, writers) for writer in writers):
            found.append(_describe(read, writers))
    return found


def _outcomes(history: Sequence[Operation]) -> Iterator[list[Operation]]:
    """
    The history in every way its doubtful operations on several paths may have ended: done whole, or not at all.

    Those on one path need no cases: `explains` lets them have happened or not.
    """
    plain = [operation for operation in history if not (operation.in_doubt and len(operation.values) > 1)]
    doubtful = [operation for operation in history if operation.in_doubt and len(operation.values) > 1]
    for happened in itertools.product((False, True), repeat=len(doubtful)):
        done = [
            replace(operation, acknowledged=CRASH) for operation, yes in zip(doubtful, happened, strict=True) if yes
        ]
        yield plain + done


def _groups(history: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Operations that share paths, directly or through others, in one group each: groups are judged apart."""
    leader: dict[str, str] = {}

    def find(path: str) -> str:
        while leader.setdefault(path, path) != path:
            path = leader[path]
        return path

    for operation in history:
        if not (operation.in_doubt and len(operation.values) > 1):
            continue
        first, *rest = operation.values
        for path in rest:
            leader[find(path)] = find(first)
    groups: dict[str, list[Operation]] = {}
    for operation in history:
        for root in {find(path) for path in operation.values}:
            groups.setdefault(root, []).append(
                replace(operation, values={p: v for p, v in operation.values.items() if find(p) == root})
            )
    yield from groups.values()


def violations(
    before: Mapping[str, Value],
    history: Sequence[Operation],
    snapshot: Mapping[str, Value],
    reads: Sequence[Read] = (),
) -> list[str]:
    """
    Everything in `snapshot` (and in `reads` made on the way) that cannot be explained; empty when all is well.

    `before` and `snapshot` are whole states, found when no operation was under way: a path that is not in them held
    nothing. `history` is what was asked for in between, in any order.
    """
    touched = {path for operation in history for path in operation.values}
    paths = sorted(touched | set(before) | set(snapshot) | {read.path for read in reads})
    start = Operation("before", {path: before.get(path) for path in paths}, BEGINNING, BEGINNING)
    judged = [*reads, *(Read(path, snapshot.get(path)) for path in paths)]
    found = []
    for group in _groups([start, *history]):
        concerned = {path for operation in group for path in operation.values}
        of_group = [read for read in judged if read.path in concerned]
        found += min((_unexplained(outcome, of_group) for outcome in _outcomes(group)), key=len)
    return found
