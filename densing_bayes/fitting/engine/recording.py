"""Instructions as they are recorded, and what is known of the numbers that they write.

Memory is endless here: every result has a range of places of its own, and is written once. What
needs no instruction gets none: what depends on constants is computed, what has been computed is
used again, and what repeats is computed once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densing_bayes.fitting.engine import machine
from densing_bayes.fitting.engine.machine import CODE
from densing_bayes.fitting.engine.schedule import Instruction, Places


class Recording:
    """Instructions so far, the ranges of memory that they use, and the constants among them."""

    def __init__(self) -> None:
        self.value = np.zeros(1024)  # of constants
        self.known = np.zeros(1024, dtype=bool)
        self.range = np.zeros(1024, dtype=int)
        self.starts: list[int] = []  # of the ranges
        self.end = 0
        self.instructions: list[Instruction] = []
        self.seen: dict[Any, Places] = {}  # instructions and constants, by what they say
        self.zero = self.constant(0.0)

    def reserve(self, count: int) -> Places:
        """A new range of places."""
        start, self.end = self.end, self.end + count
        if self.end > len(self.value):
            more = max(self.end, 2 * len(self.value)) - len(self.value)
            self.value = np.concatenate([self.value, np.zeros(more)])
            self.known = np.concatenate([self.known, np.zeros(more, dtype=bool)])
            self.range = np.concatenate([self.range, np.zeros(more, dtype=int)])
        if count:
            self.range[start : self.end] = len(self.starts)
            self.starts.append(start)
        return np.arange(start, self.end)

    def constant(self, value: Any) -> Places:
        """Places of constants; equal arrays share them."""
        value = np.asarray(value, dtype=float)
        key = value.shape, value.tobytes()
        if key not in self.seen:
            at = self.reserve(value.size)
            self.value[at], self.known[at] = value.ravel(), True
            self.seen[key] = at.reshape(value.shape)
        return self.seen[key]

    def nothing(self, at: Places) -> NDArray[np.bool_]:
        """Which places are known to hold zero."""
        return self.known[at] & (self.value[at] == 0.0)

    def uniform(self, at: Places) -> float | None:
        """The one number that all of some places are known to hold."""
        if not self.known[at].all():
            return None
        values = self.value[at]
        return float(values[0]) if np.all(values == values[0]) else None

    def in_row(self, at: Places) -> int:
        """Start of flat places, once they lie one after the other in one range."""
        row = self.range[at[0]] == self.range[at[-1]] and np.array_equal(
            at, np.arange(at[0], at[0] + len(at))
        )
        if row:
            return int(at[0])
        return int(self.instruct(machine.ELEMENTWISE, "gather", len(at), len(at), (), at)[0])

    def instruct(
        self,
        kind: int,
        operation: str,
        size: int,
        length: int,
        operands: tuple[tuple[int, bool], ...],
        listed: Places,
    ) -> Places:
        """Places of the result of an instruction; one that says the same is not repeated."""
        key = kind, operation, size, length, operands, listed.tobytes()
        if key not in self.seen:
            at = self.reserve(size)
            starts, single = tuple(o[0] for o in operands), tuple(o[1] for o in operands)
            code = CODE.get(operation, 0)
            self.instructions.append(
                Instruction(kind, code, int(at[0]), size, length, starts, single, listed)
            )
            self.seen[key] = at
        return self.seen[key]

    def apply(self, operation: str, *operands: Places) -> Places:
        """Places of the results of an elementwise operation on flat operands of one length."""
        simple = self._simpler(operation, *operands)
        if simple is not None:
            return simple
        # Where the same numbers meet again and again, as parameters of a benchmark do in its
        # cells, their result is computed once.
        distinct, member = _distinct(operands)
        if len(member) > len(distinct[0]):
            return self.apply(operation, *distinct)[member]
        count = len(operands[0])
        if all(self.known[at].all() for at in operands):
            return self.constant(_computed(operation, [self.value[at] for at in operands]))
        single = [count > 1 and bool(np.all(at == at[0])) for at in operands]
        pairs = zip(operands, single, strict=True)
        where = tuple((int(at[0]) if one else self.in_row(at), one) for at, one in pairs)
        none = np.zeros(0, int)
        return self.instruct(machine.ELEMENTWISE, operation, count, count, where, none)

    def _simpler(self, operation: str, *operands: Places) -> Places | None:
        """The same by no operation, or by a cheaper one."""
        a, b = operands[0], operands[-1]
        if operation in ("add", "mul"):
            nothing, other = self.nothing(a), self.nothing(b)
            some = ~(nothing | other)
            if not some.all():
                zero = np.full(len(a), self.zero)
                rest = np.where(nothing, b, a) if operation == "add" else zero
                result = rest.copy()
                if some.any():
                    result[some] = self.apply(operation, a[some], b[some])
                return result
        if operation == "mul":
            if self.uniform(a) == 1.0:
                return b
            if self.uniform(b) == 1.0:
                return a
            if self.uniform(b) == -1.0:
                return self.apply("neg", a)
            if self.uniform(a) == -1.0:
                return self.apply("neg", b)
            if np.array_equal(a, b):
                return self.apply("sqr", a)
        if operation == "sub":
            if self.uniform(b) == 0.0:
                return a
            if self.uniform(a) == 0.0:
                return self.apply("neg", b)
        if operation == "div":
            if self.uniform(b) == 1.0:
                return a
            if self.uniform(a) == 1.0:
                return self.apply("reciprocal", b)
        if operation == "pow":
            return self._power(a, self.uniform(b))
        if operation == "switch":
            chosen = self.uniform(a)
            if chosen is not None:
                return operands[1] if chosen else operands[2]
        return None

    def _power(self, base: Places, exponent: float | None) -> Places | None:
        if exponent is None:
            return None
        if exponent < 0.0 and exponent in (-1.0, -2.0, -0.5):
            positive = self._power(base, -exponent)
            return self.apply("reciprocal", base if positive is None else positive)
        if exponent == 1.0:
            return base
        if exponent == 2.0:
            return self.apply("sqr", base)
        return self.apply("sqrt", base) if exponent == 0.5 else None


def _distinct(operands: tuple[Places, ...]) -> tuple[tuple[Places, ...], Places]:
    """Distinct columns of places, and which of them each column is."""
    if any(len(at) > 1 and np.all(np.diff(at) > 0) for at in operands):
        return operands, np.arange(len(operands[0]))
    member = np.zeros(len(operands[0]), dtype=int)
    for at in operands:
        values, own = np.unique(at, return_inverse=True)
        _, member = np.unique(member * len(values) + own, return_inverse=True)
    _, first = np.unique(member, return_index=True)
    return tuple(at[first] for at in operands), member


def _computed(operation: str, values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Results of an elementwise operation, by the machine itself."""
    count = len(values[0])
    memory = np.concatenate([*values, np.zeros(count), np.zeros(machine.SCRATCH)])
    places = [count * i for i in range(len(values))] + [0] * (3 - len(values))
    row = [CODE[operation], count * len(values), *places, 0]
    blocks = np.array([[machine.ELEMENTWISE, count, 0, 1]], dtype=np.uint64)
    nowhere = np.zeros(1, dtype=np.uint64)
    machine.run(blocks, np.array([row], dtype=np.uint64), nowhere, memory)
    return memory[count * len(values) : count * (len(values) + 1)].copy()
