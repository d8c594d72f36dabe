"""A PyTensor graph as a tape for the machine: recorded in seconds, with nothing to compile.

All shapes are known when a model is fitted. So every operation that only selects or moves numbers
(indexing, reshaping, joining, broadcasting) is carried out once, on the *places* of the numbers
instead of the numbers, and leaves no instruction behind. What only depends on constants is
computed once. What is left is elementwise arithmetic, sums and products with a matrix, each of
which is an instruction of :mod:`densing_bayes.machine`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    ExtractDiag,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    unflatten_index_variables,
)

from densing_bayes import machine
from densing_bayes.machine import CODE
from densing_bayes.schedule import Instruction, Places, schedule

# Scalar operations of PyTensor by class name.
DIRECT = {
    "Sub": "sub",
    "TrueDiv": "div",
    "Neg": "neg",
    "Exp": "exp",
    "Log": "log",
    "Log1p": "log1p",
    "Expm1": "expm1",
    "Sqrt": "sqrt",
    "Sqr": "sqr",
    "Reciprocal": "reciprocal",
    "Pow": "pow",
    "Abs": "abs",
    "Sign": "sign",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "GammaLn": "gammaln",
    "Psi": "psi",
    "Erf": "erf",
    "Erfc": "erfc",
    "Erfcx": "erfcx",
    "Switch": "switch",
    "GT": "gt",
    "GE": "ge",
    "EQ": "eq",
    "NEQ": "neq",
    "Invert": "not",
    "IsNan": "isnan",
    "IsInf": "isinf",
    "RoundHalfToEven": "round",
    "Floor": "floor",
    "Ceil": "ceil",
    "Trunc": "trunc",
}
CHAINED = {
    "Add": "add",
    "Mul": "mul",
    "AND": "and",
    "OR": "or",
    "Maximum": "maximum",
    "Minimum": "minimum",
}
SAME = (CheckAndRaise, SpecifyShape, TensorFromScalar, ScalarFromTensor)
SELECTING = (
    DimShuffle,
    Reshape,
    Subtensor,
    AdvancedSubtensor,
    Split,
    ExtractDiag,
)


LONG_RUN = 16  # members of a group, on average, from which its sum is an instruction of its own


class Tape(NamedTuple):
    """A recorded function.

    Attributes
    ----------
    blocks, code, listed
        As :func:`densing_bayes.machine.run` takes them.
    memory
        Memory at the start, with the constants and the values that data had at recording.
    inputs
        Where each input and each data variable lies, by name.
    outputs
        Where each output lies, in the order given, and its shape.
    """

    blocks: NDArray[np.uint64]
    code: NDArray[np.uint64]
    listed: NDArray[np.uint64]
    memory: NDArray[np.float64]
    inputs: dict[str, slice]
    outputs: list[tuple[slice, tuple[int, ...]]]


def record(inputs: Mapping[Variable, Any], outputs: Sequence[Variable]) -> Tape:
    """Record the graph from some inputs to some outputs.

    Parameters
    ----------
    inputs
        Input variables, with names of their own, each with a value that has its shape. Shared
        variables (``pm.Data``) of the graph become inputs, too.
    outputs
        What is to be computed.

    Raises
    ------
    NotImplementedError
        If the graph has an operation that the machine lacks.
    """
    recorder = _Recorder()
    for variable, value in inputs.items():
        recorder.input(variable, np.asarray(value, dtype=float))
    places = [recorder.places(output) for output in outputs]
    return recorder.tape(places)


class _Recorder:
    """What is known while a tape is recorded.

    Memory is endless here: every result has a range of places of its own, and is written once.
    """

    def __init__(self) -> None:
        self.value = np.zeros(1024)  # of constants
        self.known = np.zeros(1024, dtype=bool)
        self.range = np.zeros(1024, dtype=int)
        self.starts: list[int] = []  # of the ranges
        self.end = 0
        self.at: dict[Variable, Places] = {}
        self.inputs: dict[str, slice] = {}
        self.instructions: list[Instruction] = []
        self.seen: dict[Any, Places] = {}  # instructions and constants, by what they say
        self.zero = self.constant(0.0)

    # Places --------------------------------------------------------------------------------------

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

    def input(self, variable: Variable, value: NDArray[np.float64]) -> None:
        """Give an input its places."""
        at = self.reserve(value.size)
        self.value[at] = value.ravel()
        self.inputs[str(variable.name)] = slice(self.end - value.size, self.end)
        self.at[variable] = at.reshape(value.shape)

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

    # Graph ---------------------------------------------------------------------------------------

    def places(self, variable: Variable) -> Places:
        """Places of a variable, recording all that it depends on."""
        waiting = [variable]
        while waiting:
            current = waiting[-1]
            if current in self.at:
                waiting.pop()
                continue
            node = current.owner
            if node is None:
                self._leaf(current)
                continue
            needed = node.inputs[:1] if isinstance(node.op, SAME) else node.inputs
            missing = [each for each in needed if each not in self.at]
            if missing:
                waiting += missing
                continue
            for output, at in zip(node.outputs, self._results(node), strict=True):
                self.at[output] = at
        return self.at[variable]

    def _leaf(self, variable: Variable) -> None:
        if isinstance(variable, Constant):
            numeric = isinstance(variable.data, np.ndarray | np.generic | float | int)
            self.at[variable] = self.constant(variable.data if numeric else 0.0)
        elif isinstance(variable, SharedVariable):
            self.input(variable, np.asarray(variable.get_value(), dtype=float))
        else:
            raise NotImplementedError(f"the graph has an input that was not given: {variable}")

    def _results(self, node: Apply) -> list[Places]:
        """Places of the outputs of a node whose inputs have theirs."""
        op = node.op
        if isinstance(op, SAME) or type(op).__name__ == "ViewOp":
            return [self.at[node.inputs[0]]]
        given = [self.at[each] for each in node.inputs]
        if isinstance(op, Shape):
            return [self.constant(given[0].shape)]
        if isinstance(op, Shape_i):
            return [self.constant(given[0].shape[op.i])]
        if isinstance(op, Elemwise):
            return [self._elementwise(op.scalar_op, given)]
        if isinstance(op, MakeVector):
            return [np.array([at.item() for at in given], dtype=int)]
        if isinstance(op, Join):
            return [np.concatenate(given, axis=op.axis)]
        if isinstance(op, Alloc):
            sizes = tuple(int(self.value[at]) for at in given[1:])
            return [np.broadcast_to(given[0], sizes)]
        if isinstance(op, SELECTING):  # at work on places instead of numbers
            storage: list[list[Any]] = [[None] for _ in node.outputs]
            perform: Any = op.perform
            perform(node, [given[0], *self._actual(node, 1)], storage)
            return [np.asarray(cell[0], dtype=int) for cell in storage]
        if isinstance(op, IncSubtensor | AdvancedIncSubtensor):
            indices = unflatten_index_variables(self._actual(node, 2), op.idx_list)
            return [self._changed(given[0], given[1], tuple(indices), op.set_instead_of_inc)]
        if isinstance(op, Sum):
            return [self._sum(given[0], op.axis)]
        if isinstance(op, CAReduce):
            return [self._reduced(op.scalar_op, given[0], op.axis)]
        if isinstance(op, OpFromGraph):
            return self._inner(op, given)
        if isinstance(op, Dot):
            return [self._product(given[0], given[1])]
        if all(self.known[at].all() for at in given):
            storage = [[None] for _ in node.outputs]
            op.perform(node, self._actual(node, 0), storage)
            return [self.constant(cell[0]) for cell in storage]
        raise NotImplementedError(f"the machine has no operation for {op}")

    def _actual(self, node: Apply, start: int) -> list[Any]:
        """Values of the inputs of a node from the ``start``-th on, which have to be known."""
        actual = []
        for variable in node.inputs[start:]:
            if isinstance(variable, Constant):
                actual.append(variable.data)
            elif self.known[at := self.at[variable]].all():
                actual.append(self.value[at].astype(variable.type.dtype))
            else:
                raise NotImplementedError(f"{node.op} by an index that depends on the inputs")
        return actual

    def _inner(self, op: OpFromGraph, given: list[Places]) -> list[Places]:
        """Outputs of an operation that is a graph itself."""
        outside, self.at = self.at, dict(zip(op.fgraph.inputs, given, strict=True))
        outputs = [self.places(output) for output in op.fgraph.outputs]
        self.at = outside
        return outputs

    def _changed(self, x: Places, y: Places, indices: tuple[Any, ...], replaced: bool) -> Places:
        """Numbers ``x`` with ``y`` put in the place of some, or added to them."""
        result = x.copy().ravel()
        target = np.arange(x.size).reshape(x.shape)[indices]
        y = np.broadcast_to(y, target.shape).ravel()
        target = target.ravel()
        if replaced:
            result[target] = y
            return result.reshape(x.shape)
        some = ~self.nothing(y)
        groups, member = np.unique(target[some], return_inverse=True)
        if groups.size:
            added = self._grouped(y[some], member, groups.size)
            result[groups] = self.apply("add", result[groups], added)
        return result.reshape(x.shape)

    def _grouped(self, summands: Places, member: Places, groups: int) -> Places:
        """Sums over groups, each of which has members."""
        if groups == 1:
            return self._total(summands)
        if groups == len(summands):
            result = np.empty(groups, dtype=int)
            result[member] = summands
            return result
        ends = np.searchsorted(member, np.arange(1, groups)) if _long_runs(member, groups) else None
        if ends is not None:
            return np.concatenate([self._total(part) for part in np.split(summands, ends)])
        source = ((self.in_row(summands), False),)
        return self.instruct(machine.SCATTER, "", groups, len(summands), source, member)

    def _total(self, summands: Places) -> Places:
        summands = summands[~self.nothing(summands)]
        if not summands.size:
            return self.zero.reshape(1)
        if np.all(summands == summands[0]):
            return self.apply("mul", summands[:1], self.constant([float(len(summands))]))
        source = ((self.in_row(summands), False),)
        return self.instruct(machine.SUM, "", 1, len(summands), source, np.zeros(0, int))

    def _sum(self, x: Places, axis: tuple[int, ...] | None) -> Places:
        if axis is None or len(axis) == x.ndim:
            return self._total(x.ravel()).reshape(())
        kept = tuple(int(n) for n in np.delete(x.shape, axis))
        if not x.size:
            return np.full(kept, self.zero)
        summed = np.moveaxis(x, axis, range(len(axis))).reshape(-1, int(np.prod(kept)))
        member = np.broadcast_to(np.arange(summed.shape[1]), summed.shape).ravel()
        some = ~self.nothing(summed.ravel())
        result = np.full(summed.shape[1], self.zero)
        groups, at = np.unique(member[some], return_inverse=True)
        if groups.size:
            result[groups] = self._grouped(summed.ravel()[some], at, groups.size)
        return result.reshape(kept)

    def _reduced(self, scalar_op: Any, x: Places, axis: tuple[int, ...] | None) -> Places:
        """A reduction other than a sum, one element after the other."""
        axis = tuple(range(x.ndim)) if axis is None else axis
        kept = tuple(int(n) for n in np.delete(x.shape, axis))
        rows = np.moveaxis(x, axis, range(len(axis))).reshape(-1, int(np.prod(kept)))
        result = rows[0]
        for row in rows[1:]:
            result = self._scalar(scalar_op, [result, row])
        return result.reshape(kept)

    def _product(self, left: Places, right: Places) -> Places:
        """Matrix products, by columns or by rows: whichever are fewer."""
        rows = left.reshape(-1, left.shape[-1])
        columns = right.reshape(right.shape[0], -1)
        if rows.shape[0] < columns.shape[1]:
            parts = np.stack([self._rows(columns.T, row) for row in rows])
        else:
            parts = np.stack([self._rows(rows, column) for column in columns.T], axis=1)
        return parts.reshape(left.shape[:-1] + right.shape[1:])

    def _rows(self, matrix: Places, vector: Places) -> Places:
        rows, columns = matrix.shape
        start = int(matrix[0, 0])
        by_row = int(matrix[1, 0]) - start if rows > 1 else 0
        by_column = int(matrix[0, 1]) - start if columns > 1 else 0
        layout = start + by_row * np.arange(rows)[:, None] + by_column * np.arange(columns)
        if min(by_row, by_column) < 0 or not np.array_equal(layout, matrix):
            start, by_row, by_column = self.in_row(matrix.ravel()), columns, 1
        operands = ((start, False), (self.in_row(vector), False))
        listed = np.array([columns, by_row, by_column])
        return self.instruct(machine.PRODUCT, "", rows, rows, operands, listed)

    # Elementwise ---------------------------------------------------------------------------------

    def _elementwise(self, scalar_op: Any, given: list[Places]) -> Places:
        whole = np.broadcast_shapes(*(at.shape for at in given))
        flat = [np.broadcast_to(at, whole).ravel() for at in given]
        if not flat[0].size:
            return np.empty(whole, dtype=int)
        return self._scalar(scalar_op, flat).reshape(whole)

    def _scalar(self, scalar_op: Any, flat: list[Places]) -> Places:
        name = type(scalar_op).__name__
        if name in ("Identity", "Second"):
            return flat[-1]
        if name == "Cast":
            kind = np.dtype(scalar_op.o_type.dtype).kind
            if kind == "b":
                return self.apply("neq", flat[0], np.full(len(flat[0]), self.zero))
            return self.apply("trunc", flat[0]) if kind in "iu" else flat[0]
        if name == "Clip":
            return self.apply("minimum", self.apply("maximum", flat[0], flat[1]), flat[2])
        if name == "Log1mexp":
            far = self.apply("log1p", self.apply("neg", self.apply("exp", flat[0])))
            near = self.apply("log", self.apply("neg", self.apply("expm1", flat[0])))
            half = np.full(len(flat[0]), self.constant(-np.log(2.0)))
            return self.apply("switch", self.apply("gt", half, flat[0]), far, near)
        if name in ("LT", "LE"):
            return self.apply({"LT": "gt", "LE": "ge"}[name], flat[1], flat[0])
        if name in CHAINED:
            # What repeats most comes first: products of parameters are shared by all cells.
            result, *others = sorted(flat, key=_order)
            for each in others:
                result = self.apply(CHAINED[name], result, each)
            return result
        if name in DIRECT:
            return self.apply(DIRECT[name], *flat)
        raise NotImplementedError(f"the machine has no operation '{name}'")

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

    # Tape ----------------------------------------------------------------------------------------

    def tape(self, outputs: list[Places]) -> Tape:
        """The tape that writes the outputs."""
        rows = [self.in_row(at.ravel()) if at.size else 0 for at in outputs]
        read = [row + np.arange(at.size) for row, at in zip(rows, outputs, strict=True)]
        written = [np.arange(span.start, span.stop) for span in self.inputs.values()]
        kept = np.concatenate([*read, *written]).astype(int)
        starts = np.array(self.starts)
        found = schedule(self.instructions, starts, self.end, kept)

        def place(at: int) -> int:
            return int(found.moved[self.range[at]] + at - starts[self.range[at]])

        memory = np.zeros(found.size)
        constant = np.flatnonzero(found.fixed)
        for each in constant:
            span = slice(starts[each], starts[each] + found.sizes[each])
            memory[found.moved[each] : found.moved[each] + found.sizes[each]] = self.value[span]
        return Tape(
            found.blocks,
            found.code,
            found.listed,
            memory,
            {
                name: slice(place(span.start), place(span.start) + span.stop - span.start)
                if span.stop > span.start
                else slice(0, 0)
                for name, span in self.inputs.items()
            },
            [
                (slice(place(row), place(row) + at.size) if at.size else slice(0, 0), at.shape)
                for row, at in zip(rows, outputs, strict=True)
            ],
        )


def _order(at: Places) -> tuple[int, int]:
    """How often places repeat, the most repetitive first."""
    return len(np.unique(at)), int(at[0])


def _long_runs(member: Places, groups: int) -> bool:
    """Whether groups lie one after the other, and sums of each pay."""
    return len(member) >= LONG_RUN * groups and bool(np.all(np.diff(member) >= 0))


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
