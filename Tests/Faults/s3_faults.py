"""What an S3 server can do wrong, when it is to do so, and how often it is asked for the same thing again."""

from __future__ import annotations

import enum
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from s3_requests import Operation, Request

EVERYTHING = frozenset(Operation)
WITH_ETAG = frozenset({Operation.PUT, Operation.GET, Operation.HEAD, Operation.PART})
DELETIONS = frozenset({Operation.DELETE, Operation.DELETE_MANY})


class Fault(enum.Enum):
    """One thing that goes wrong with one request."""

    # The request has no effect.
    SLOW_DOWN = "503 SlowDown"
    TOO_MANY = "429 with Retry-After"
    ERROR_BEFORE = "500 without an effect"
    CUT_BEFORE = "the connection is cut before the effect"
    SILENCE_BEFORE = "no answer, and no effect"
    REDIRECT = "a redirect to somewhere else"
    SKEWED = "403 RequestTimeTooSkewed"
    KEY_REFUSED = "403 InvalidAccessKeyId"
    ERROR_IN_200 = "200 with <Error>, and no effect"
    ENDLESS = "a list that does not end"
    # It has, and the answer does not say so.
    ERROR_AFTER = "500 after the effect"
    CUT_AFTER = "the connection is cut after the effect"
    SILENCE_AFTER = "no answer after the effect"
    LATE = "the connection is cut, and the effect comes later"
    # The answer is wrong.
    WRONG_ETAG = "a wrong ETag"
    NO_ETAG = "no ETag"
    SHORT_BODY = "a body that ends before its length"
    SHORT_LENGTH = "a length and a body that are too short"
    FLIPPED = "a body with one wrong bit"

    @property
    def operations(self) -> frozenset[Operation]:
        """Those it can happen to."""
        return _OPERATIONS.get(self, EVERYTHING)


_OPERATIONS = {
    Fault.ERROR_IN_200: frozenset({Operation.COMPLETE}),
    Fault.ENDLESS: frozenset({Operation.LIST, Operation.LIST_VERSIONS, Operation.LIST_UPLOADS}),
    Fault.LATE: DELETIONS,
    Fault.WRONG_ETAG: WITH_ETAG,
    Fault.NO_ETAG: WITH_ETAG,
    Fault.SHORT_BODY: frozenset({Operation.GET}),
    Fault.SHORT_LENGTH: frozenset({Operation.GET}),
    Fault.FLIPPED: frozenset({Operation.GET}),
}

_SPOILT = frozenset({Fault.SHORT_LENGTH, Fault.FLIPPED})


@dataclass
class Rule:
    """What happens to which requests."""

    fault: Fault
    operations: frozenset[Operation]
    # How many of them are left; None: all, until it is lifted.
    left: int | None = 1
    # How many are let through first.
    skip: int = 0
    # Part of the key.
    key: str = ""
    # The byte of the body where it happens; drawn when not given.
    at: int | None = None
    # How long a silence lasts, and how late an effect comes.
    seconds: float = 60.0
    # Where a redirect leads.
    location: str = ""
    happened: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    # Set when a silence has begun.
    silent: threading.Event = field(default_factory=threading.Event)

    def applies_to(self, request: Request) -> bool:
        """Whether it is this request's turn; counts it."""
        if self.over.is_set() or request.operation not in self.operations or self.key not in request.key:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.happened += 1
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.over.set()
        return True


@dataclass
class Storm:
    """Faults of several kinds at random, now and then some in a row."""

    rng: random.Random
    faults: Sequence[Fault]
    probability: float
    left: int
    longest_burst: int = 8
    seconds: float = 60.0
    happened: Counter[Fault] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    _burst: int = 0
    _spoilt: set[str] = field(default_factory=set)

    def rule_for(self, request: Request) -> Rule | None:
        if self.left == 0:
            return None
        fault: Fault | None = None
        # Bytes that are wrong twice in a row are damaged for everybody who sees them: the second time they are right.
        if request.operation is Operation.GET and request.key in self._spoilt:
            self._spoilt.discard(request.key)
            return None
        if self._burst:
            self._burst -= 1
            fault = Fault.SLOW_DOWN
        elif self.rng.random() < self.probability:
            fitting = [fault for fault in self.faults if request.operation in fault.operations]
            fault = self.rng.choice(fitting) if fitting else None
            if fault is Fault.SLOW_DOWN and self.rng.random() < 0.2:
                self._burst = self.rng.randrange(1, self.longest_burst)
        if fault is None:
            return None
        if fault in _SPOILT:
            self._spoilt.add(request.key)
        self.happened[fault] += 1
        self.left -= 1
        if self.left == 0:
            self.over.set()
        return Rule(fault, EVERYTHING, seconds=self.seconds)


class Script:
    """All that is to happen. A rule that was given first comes first, and the storm last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._storm: Storm | None = None

    def add(
        self, fault: Fault, *operations: Operation, left: int | None = 1, seconds: float = 60.0, **also: object
    ) -> Rule:
        """One more rule; without operations it is about all that the fault can happen to."""
        rule = Rule(fault, frozenset(operations) or fault.operations, left, seconds=seconds)
        for name, value in also.items():
            assert hasattr(rule, name), name
            setattr(rule, name, value)
        with self._lock:
            self._rules.append(rule)
        return rule

    def begin(self, storm: Storm) -> None:
        with self._lock:
            self._storm = storm

    def lift(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            for rule in self._rules:
                rule.over.set()
            self._rules.clear()
            self._storm = None

    def rule_for(self, request: Request) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.applies_to(request):
                    return rule
            return self._storm.rule_for(request) if self._storm else None


class Ledger:
    """
    How many requests there were, and how many of them asked again for what had gone wrong.

    Whether a client asks again or for the first time, a server cannot see: whatever comes for the same key within
    `memory` seconds after a fault counts as asked again, so that the figure is rather too high than too low.
    """

    def __init__(self, memory: float = 10.0) -> None:
        self.memory = memory
        self.requests: Counter[Operation] = Counter()
        self.faults: Counter[tuple[Operation, Fault]] = Counter()
        self.repeats = 0
        self._lock = threading.Lock()
        self._wrong: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)

    def note(self, request: Request, rule: Rule | None, now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        with self._lock:
            self.requests[request.operation] += 1
            wrong = [moment for moment in self._wrong.pop(request.identity, []) if now - moment < self.memory]
            if wrong:
                self.repeats += 1
                wrong.pop(0)
            if rule is not None:
                self.faults[request.operation, rule.fault] += 1
                wrong.append(now)
            if wrong:
                self._wrong[request.identity] = wrong

    @property
    def total(self) -> int:
        with self._lock:
            return sum(self.requests.values())

    @property
    def amplification(self) -> float:
        """All requests by those that would have been enough had nothing gone wrong."""
        with self._lock:
            total = sum(self.requests.values())
        return total / (total - self.repeats) if total > self.repeats else 1.0

    def counts(self, operations: Iterable[Operation] = Operation) -> dict[str, int]:
        """The requests by the names of their operations."""
        with self._lock:
            return {operation.value: self.requests[operation] for operation in operations if self.requests[operation]}
