"""A PyTensor graph as a tape for the machine: recorded in seconds, with nothing to compile.

All shapes are known when a model is fitted. So every operation that only selects or moves numbers
(indexing, reshaping, joining, broadcasting) is carried out once, on the *places* of the numbers
instead of the numbers, and leaves no instruction behind. What only depends on constants is
computed once. What is left is elementwise arithmetic, sums and products with a matrix, each of
which is an instruction of :mod:`densing_bayes.fitting.engine.machine`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import (
    Alloc,
    Join,
    MakeVector,
)
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    IncSubtensor,
    unflatten_index_variables,
)

from densing_bayes.errors import FitError
from densing_bayes.fitting.engine import machine
from densing_bayes.fitting.engine.operations import CHAINED, DIRECT, SAME, SELECTING
from densing_bayes.fitting.engine.recording import Recording
from densing_bayes.fitting.engine.schedule import Places, schedule

LONG_RUN = 16  # members of a group, on average, from which its sum is an instruction of its own


class Tape(NamedTuple):
    """A recorded function.

    Attributes
    ----------
    blocks, code, listed
        As :func:`densing_bayes.fitting.engine.machine.run` takes them.
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
    FitError
        If the graph has an operation that the machine lacks.
    """
    recorder = _Recorder()
    for variable, value in inputs.items():
        recorder.input(variable, np.asarray(value, dtype=float))
    places = [recorder.places(output) for output in outputs]
    return recorder.tape(places)


class _Recorder:
    """Places of the variables of a graph, and the recording that they belong to."""

    def __init__(self) -> None:
        self.made = Recording()
        self.at: dict[Variable, Places] = {}
        self.inputs: dict[str, slice] = {}

    def input(self, variable: Variable, value: NDArray[np.float64]) -> None:
        """Give an input its places."""
        at = self.made.reserve(value.size)
        self.made.value[at] = value.ravel()
        self.inputs[str(variable.name)] = slice(self.made.end - value.size, self.made.end)
        self.at[variable] = at.reshape(value.shape)

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
            self.at[variable] = self.made.constant(variable.data if numeric else 0.0)
        elif isinstance(variable, SharedVariable):
            self.input(variable, np.asarray(variable.get_value(), dtype=float))
        else:
            raise FitError(f"the graph has an input that was not given: {variable}")

    def _results(self, node: Apply) -> list[Places]:
        """Places of the outputs of a node whose inputs have theirs."""
        op = node.op
        if isinstance(op, SAME) or type(op).__name__ == "ViewOp":
            return [self.at[node.inputs[0]]]
        given = [self.at[each] for each in node.inputs]
        if isinstance(op, Shape):
            return [self.made.constant(given[0].shape)]
        if isinstance(op, Shape_i):
            return [self.made.constant(given[0].shape[op.i])]
        if isinstance(op, Elemwise):
            return [self._elementwise(op.scalar_op, given)]
        if isinstance(op, MakeVector):
            return [np.array([at.item() for at in given], dtype=int)]
        if isinstance(op, Join):
            return [np.concatenate(given, axis=op.axis)]
        if isinstance(op, Alloc):
            sizes = tuple(int(self.made.value[at]) for at in given[1:])
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
        if all(self.made.known[at].all() for at in given):
            storage = [[None] for _ in node.outputs]
            op.perform(node, self._actual(node, 0), storage)
            return [self.made.constant(cell[0]) for cell in storage]
        raise FitError(f"the machine has no operation for {op}")

    def _actual(self, node: Apply, start: int) -> list[Any]:
        """Values of the inputs of a node from the ``start``-th on, which have to be known."""
        actual = []
        for variable in node.inputs[start:]:
            if isinstance(variable, Constant):
                actual.append(variable.data)
            elif self.made.known[at := self.at[variable]].all():
                actual.append(self.made.value[at].astype(variable.type.dtype))
            else:
                raise FitError(f"{node.op} by an index that depends on the inputs")
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
        some = ~self.made.nothing(y)
        groups, member = np.unique(target[some], return_inverse=True)
        if groups.size:
            added = self._grouped(y[some], member, groups.size)
            result[groups] = self.made.apply("add", result[groups], added)
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
        source = ((self.made.in_row(summands), False),)
        return self.made.instruct(machine.SCATTER, "", groups, len(summands), source, member)

    def _total(self, summands: Places) -> Places:
        summands = summands[~self.made.nothing(summands)]
        if not summands.size:
            return self.made.zero.reshape(1)
        if np.all(summands == summands[0]):
            return self.made.apply("mul", summands[:1], self.made.constant([float(len(summands))]))
        source = ((self.made.in_row(summands), False),)
        return self.made.instruct(machine.SUM, "", 1, len(summands), source, np.zeros(0, int))

    def _sum(self, x: Places, axis: tuple[int, ...] | None) -> Places:
        if axis is None or len(axis) == x.ndim:
            return self._total(x.ravel()).reshape(())
        kept = tuple(int(n) for n in np.delete(x.shape, axis))
        if not x.size:
            return np.full(kept, self.made.zero)
        summed = np.moveaxis(x, axis, range(len(axis))).reshape(-1, int(np.prod(kept)))
        member = np.broadcast_to(np.arange(summed.shape[1]), summed.shape).ravel()
        some = ~self.made.nothing(summed.ravel())
        result = np.full(summed.shape[1], self.made.zero)
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
            start, by_row, by_column = self.made.in_row(matrix.ravel()), columns, 1
        operands = ((start, False), (self.made.in_row(vector), False))
        listed = np.array([columns, by_row, by_column])
        return self.made.instruct(machine.PRODUCT, "", rows, rows, operands, listed)

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
                return self.made.apply("neq", flat[0], np.full(len(flat[0]), self.made.zero))
            return self.made.apply("trunc", flat[0]) if kind in "iu" else flat[0]
        if name == "Clip":
            return self.made.apply("minimum", self.made.apply("maximum", flat[0], flat[1]), flat[2])
        if name == "Log1mexp":
            far = self.made.apply("log1p", self.made.apply("neg", self.made.apply("exp", flat[0])))
            near = self.made.apply("log", self.made.apply("neg", self.made.apply("expm1", flat[0])))
            half = np.full(len(flat[0]), self.made.constant(-np.log(2.0)))
            return self.made.apply("switch", self.made.apply("gt", half, flat[0]), far, near)
        if name in ("LT", "LE"):
            return self.made.apply({"LT": "gt", "LE": "ge"}[name], flat[1], flat[0])
        if name in CHAINED:
            # What repeats most comes first: products of parameters are shared by all cells.
            result, *others = sorted(flat, key=_order)
            for each in others:
                result = self.made.apply(CHAINED[name], result, each)
            return result
        if name in DIRECT:
            return self.made.apply(DIRECT[name], *flat)
        raise FitError(f"the machine has no operation '{name}'")

    # Tape ----------------------------------------------------------------------------------------

    def tape(self, outputs: list[Places]) -> Tape:
        """The tape that writes the outputs."""
        rows = [self.made.in_row(at.ravel()) if at.size else 0 for at in outputs]
        read = [row + np.arange(at.size) for row, at in zip(rows, outputs, strict=True)]
        written = [np.arange(span.start, span.stop) for span in self.inputs.values()]
        kept = np.concatenate([*read, *written]).astype(int)
        starts = np.array(self.made.starts)
        found = schedule(self.made.instructions, starts, self.made.end, kept)

        def place(at: int) -> int:
            return int(found.moved[self.made.range[at]] + at - starts[self.made.range[at]])

        def placed(start: int, count: int) -> slice:
            return slice(place(start), place(start) + count) if count else slice(0, 0)

        memory = np.zeros(found.size)
        for each in np.flatnonzero(found.fixed):
            start, size, to = starts[each], found.sizes[each], found.moved[each]
            memory[to : to + size] = self.made.value[start : start + size]
        return Tape(
            found.blocks,
            found.code,
            found.listed,
            memory,
            {name: placed(at.start, at.stop - at.start) for name, at in self.inputs.items()},
            [(placed(row, at.size), at.shape) for row, at in zip(rows, outputs, strict=True)],
        )


def _order(at: Places) -> tuple[int, int]:
    """How often places repeat, the most repetitive first."""
    return len(np.unique(at)), int(at[0])


def _long_runs(member: Places, groups: int) -> bool:
    """Whether groups lie one after the other, and sums of each pay."""
    return len(member) >= LONG_RUN * groups and bool(np.all(np.diff(member) >= 0))
