"""The checker must catch what it is there to catch, and accept whatever a correct server may do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from history import Operation, Read, Value, violations

OLD, NEW, OTHER = "0" * 64, "1" * 64, "2" * 64


def put(path: str, value: str, began: float, acknowledged: float | None) -> Operation:
    return Operation("put", {path: value}, began, acknowledged)


def delete(path: str, began: float, acknowledged: float | None) -> Operation:
    return Operation("delete", {path: None}, began, acknowledged)


def move(source: str, target: str, value: str, began: float, acknowledged: float | None) -> Operation:
    return Operation("move", {source: None, target: value}, began, acknowledged)


State = Mapping[str, Value]
START: State = {"a": OLD}
EMPTY: State = {}

EXPLAINED: dict[str, tuple[State, list[Operation], State]] = {
    "nothing happened": (START, [], {"a": OLD}),
    "nothing was ever there": (EMPTY, [], {}),
    "acknowledged write": (EMPTY, [put("a", NEW, 1, 2)], {"a": NEW}),
    "acknowledged overwrite": (START, [put("a", NEW, 1, 2)], {"a": NEW}),
    "acknowledged delete": (START, [delete("a", 1, 2)], {}),
    "doubtful write that happened": (START, [put("a", NEW, 1, None)], {"a": NEW}),
    "doubtful write that did not": (START, [put("a", NEW, 1, None)], {"a": OLD}),
    "doubtful new file that happened": (EMPTY, [put("a", NEW, 1, None)], {"a": NEW}),
    "doubtful new file that did not": (EMPTY, [put("a", NEW, 1, None)], {}),
    "doubtful delete that happened": (START, [delete("a", 1, None)], {}),
    "doubtful delete that did not": (START, [delete("a", 1, None)], {"a": OLD}),
    "doubtful write, acknowledged one later, the doubtful landed last": (
        START,
        [put("a", NEW, 1, None), put("a", OTHER, 2, 3)],
        {"a": NEW},
    ),
    "two at once, the first wins": (EMPTY, [put("a", NEW, 1, 4), put("a", OTHER, 2, 3)], {"a": NEW}),
    "two at once, the second wins": (EMPTY, [put("a", NEW, 1, 4), put("a", OTHER, 2, 3)], {"a": OTHER}),
    "delete and write at once": (START, [delete("a", 1, 4), put("a", NEW, 2, 3)], {}),
    "the same bytes written again": (START, [delete("a", 1, 2), put("a", OLD, 3, 4)], {"a": OLD}),
    "acknowledged move": (START, [move("a", "b", OLD, 1, 2)], {"b": OLD}),
    "doubtful move that happened": (START, [move("a", "b", OLD, 1, None)], {"b": OLD}),
    "doubtful move that did not": (START, [move("a", "b", OLD, 1, None)], {"a": OLD}),
    "doubtful moves of two clients, one happened": (
        {"a": OLD, "c": NEW},
        [move("a", "b", OLD, 1, None), move("c", "d", NEW, 1, None)],
        {"b": OLD, "c": NEW},
    ),
    "a write after an acknowledged move": (
        START,
        [move("a", "b", OLD, 1, 2), put("a", NEW, 3, 4)],
        {"a": NEW, "b": OLD},
    ),
}

CAUGHT: dict[str, tuple[State, list[Operation], State, str]] = {
    "a lost write": (EMPTY, [put("a", NEW, 1, 2)], {}, "lost"),
    "a lost file of before": (START, [], {}, "lost"),
    "a lost overwrite": (START, [put("a", NEW, 1, 2)], {"a": OLD}, "old value"),
    "an overwrite that left nothing": (START, [put("a", NEW, 1, 2)], {}, "lost"),
    "a resurrected file": (START, [delete("a", 1, 2)], {"a": OLD}, "old value"),
    "a resurrected older value": (START, [put("a", NEW, 1, 2), put("a", OTHER, 3, 4)], {"a": NEW}, "old value"),
    "a half file": (EMPTY, [put("a", NEW, 1, None)], {"a": OTHER}, "nobody wrote"),
    "a half file over an old one": (START, [put("a", NEW, 1, None)], {"a": OTHER}, "nobody wrote"),
    "a file nobody asked for": (EMPTY, [], {"x": OTHER}, "nobody wrote"),
    "another's bytes": ({"a": OLD, "b": NEW}, [], {"a": NEW, "b": NEW}, "nobody wrote"),
    "doubt does not excuse a loss": (START, [put("a", NEW, 1, None)], {}, "lost"),
    "a delete in doubt does not excuse wrong bytes": (START, [delete("a", 1, None)], {"a": NEW}, "nobody wrote"),
    "a move that left a copy": (START, [move("a", "b", OLD, 1, 2)], {"a": OLD, "b": OLD}, "old value"),
    "a move that lost the file": (START, [move("a", "b", OLD, 1, 2)], {}, "lost"),
    "half a doubtful move: in both places": (START, [move("a", "b", OLD, 1, None)], {"a": OLD, "b": OLD}, ""),
    "half a doubtful move: in neither": (START, [move("a", "b", OLD, 1, None)], {}, "lost"),
}


@pytest.mark.parametrize(("before", "history", "snapshot"), EXPLAINED.values(), ids=EXPLAINED.keys())
def test_what_may_happen_is_accepted(before: State, history: list[Operation], snapshot: State) -> None:
    assert violations(before, history, snapshot) == []


@pytest.mark.parametrize(("before", "history", "snapshot", "verdict"), CAUGHT.values(), ids=CAUGHT.keys())
def test_what_must_not_happen_is_caught(before: State, history: list[Operation], snapshot: State, verdict: str) -> None:
    found = violations(before, history, snapshot)
    assert found
    assert all(verdict in line for line in found)


def test_each_damaged_path_is_named_once() -> None:
    before = dict.fromkeys("abcdef", OLD)
    found = violations(before, [], {"a": OLD, "b": NEW, "d": OLD, "e": OLD, "f": OLD, "x": NEW})
    assert [line.partition(":")[0] for line in sorted(found)] == ["b", "c", "x"]


@pytest.mark.parametrize(
    ("read", "fine"),
    [
        pytest.param(Read("a", OLD, 0.1, 0.2), True, id="before the write"),
        pytest.param(Read("a", NEW, 0.1, 0.2), False, id="a value from the future"),
        pytest.param(Read("a", OLD, 1.1, 1.9), True, id="during the write, the old value"),
        pytest.param(Read("a", NEW, 1.1, 1.9), True, id="during the write, the new value"),
        pytest.param(Read("a", NEW, 3, 4), True, id="after the write"),
        pytest.param(Read("a", OLD, 3, 4), False, id="a stale value after the write"),
        pytest.param(Read("a", None, 3, 4), False, id="nothing after the write"),
        pytest.param(Read("a", OTHER, 3, 4), False, id="bytes of nobody"),
        pytest.param(Read("x", None, 3, 4), True, id="nothing where nothing was"),
        pytest.param(Read("x", NEW, 3, 4), False, id="something where nothing was"),
    ],
)
def test_reads_on_the_way_are_judged_too(read: Read, fine: bool) -> None:
    found = violations(START, [put("a", NEW, 1, 2)], {"a": NEW}, [read])
    assert (found == []) == fine
