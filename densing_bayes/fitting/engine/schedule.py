"""Order and memory of the instructions of a tape.

Elementwise instructions of one length that depend on each other element by element become one
block, which the machine runs chunk by chunk. Memory of a result that is not needed any more goes
to a later result of the same size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densing_bayes.fitting.engine.machine import ELEMENTWISE, PRODUCT, SCATTER, SCRATCH

Places = NDArray[np.int64]


class Instruction(NamedTuple):
    """An instruction whose places lie in the endless memory of the recorder.

    ``start`` and ``size`` are those of its result, ``length`` that of its loop. Operands are
    places where ``length`` numbers begin, or single numbers. ``listed`` has the places that a
    gather reads, the groups of a SCATTER, or columns and strides of the matrix of a PRODUCT.
    """

    kind: int
    operation: int
    start: int
    size: int
    length: int
    operands: tuple[int, ...]
    single: tuple[bool, ...]
    listed: Places

    def reads(self) -> list[Places]:
        """All places that it reads, by operand."""
        if self.kind == PRODUCT:
            columns, by_row, by_column = self.listed
            matrix = self.operands[0] + np.array(
                [0, (self.length - 1) * by_row + (columns - 1) * by_column]
            )
            return [matrix, self.operands[1] + np.arange(columns)]
        lengths = [1 if one else self.length for one in self.single]
        spans = [at + np.arange(n) for at, n in zip(self.operands, lengths, strict=True)]
        return [*spans, self.listed] if self.kind == ELEMENTWISE else spans


class Scheduled(NamedTuple):
    """Arrays for :func:`.run`, and where each range of places has gone."""

    blocks: NDArray[np.uint64]
    code: NDArray[np.uint64]
    listed: NDArray[np.uint64]
    size: int  # of the memory, with the scratch of the machine
    moved: Places  # start of each range, or -1 where nothing needs it
    fixed: NDArray[np.bool_]  # ranges with a place that no instruction writes
    sizes: Places  # of the ranges


def schedule(
    instructions: Sequence[Instruction], starts: Places, end: int, kept: Places
) -> Scheduled:
    """Order instructions and give every range its memory.

    Parameters
    ----------
    instructions
        In an order in which they could run.
    starts, end
        Where the ranges of the endless memory begin, and where the last one ends.
    kept
        Places that are written before the tape runs, or read afterwards; what no result depends
        on is dropped.
    """
    sizes = np.diff(starts, append=end)
    range_of = np.repeat(np.arange(len(starts)), sizes)
    writer = np.full(len(starts), -1)
    for number, each in enumerate(instructions):
        writer[range_of[each.start]] = number
    reads = [
        [np.unique(range_of[places]) for places in each.reads() if len(places)]
        for each in instructions
    ]
    alive = _alive(instructions, reads, writer, np.unique(range_of[kept]))
    blocks = _blocks(instructions, reads, writer, alive)
    moved, size = _allocate(instructions, blocks, reads, range_of, sizes, writer, kept)
    encoded = _encoded(instructions, blocks, range_of, starts, moved)
    return Scheduled(*encoded, size, moved, (writer < 0) & (moved >= 0), sizes)


def _alive(
    instructions: Sequence[Instruction],
    reads: list[list[Places]],
    writer: Places,
    wanted: Places,
) -> list[int]:
    """Instructions that something wanted depends on, in order."""
    needed = np.zeros(len(writer), dtype=bool)
    needed[wanted] = True
    ranges = {number: at for at, number in enumerate(writer) if number >= 0}
    alive = []
    for number in reversed(range(len(instructions))):
        if needed[ranges[number]]:
            alive.append(number)
            for each in reads[number]:
                needed[each] = True
    return alive[::-1]


def _blocks(
    instructions: Sequence[Instruction],
    reads: list[list[Places]],
    writer: Places,
    alive: list[int],
) -> list[list[int]]:
    """Blocks of instructions, the shortest loops first, so that the long ones come together."""
    before = {
        number: {int(writer[at]) for each in reads[number] for at in each if writer[at] >= 0}
        for number in alive
    }
    apart = {number: _not_in_step(instructions, number, before[number]) for number in alive}
    after: dict[int, list[int]] = defaultdict(list)
    for number, earlier in before.items():
        for each in earlier:
            after[each].append(number)
    missing = {number: len(earlier) for number, earlier in before.items()}

    def key(number: int) -> int:
        each = instructions[number]
        return each.length if each.kind == ELEMENTWISE else 0

    ready: dict[int, list[int]] = defaultdict(list)
    for number in alive:
        if not missing[number]:
            ready[key(number)].append(number)
    blocks = []
    while ready:
        length = min(ready)
        stack = ready.pop(length)
        stack, rest = (stack, []) if length else (stack[:1], stack[1:])
        if rest:
            ready[0] = rest
        block: list[int] = []
        here: set[int] = set()
        while stack:
            number = stack.pop()
            block.append(number)
            here.add(number)
            for later in after[number]:
                missing[later] -= 1
                if missing[later]:
                    continue
                joins = length and key(later) == length and not (apart[later] & here)
                (stack if joins else ready[key(later)]).append(later)
        blocks.append(block)
    return blocks


def _not_in_step(
    instructions: Sequence[Instruction], number: int, before: Iterable[int]
) -> set[int]:
    """Those of the instructions before that have to be finished, and not just in step."""
    own = instructions[number]
    in_step = {at for at, single in zip(own.operands, own.single, strict=True) if not single}
    listed = set(np.unique(own.listed).tolist()) if own.kind == ELEMENTWISE else set()

    def steps(each: Instruction) -> bool:
        whole = each.start in in_step and each.size == own.length
        span = range(each.start, each.start + each.size)
        partly = any(at in span for at in own.operands if at != each.start) or any(
            one and at in span for at, one in zip(own.operands, own.single, strict=True)
        )
        return whole and not partly and listed.isdisjoint(span)

    return {each for each in before if not steps(instructions[each])}


def _allocate(
    instructions: Sequence[Instruction],
    blocks: list[list[int]],
    reads: list[list[Places]],
    range_of: Places,
    sizes: Places,
    writer: Places,
    kept: Places,
) -> tuple[Places, int]:
    """Start of each range in memory, and the size of that memory."""
    moved = np.full(len(sizes), -1)
    size = 0
    lasting = set(np.unique(range_of[kept]).tolist())
    read_ever = {int(at) for block in blocks for n in block for each in reads[n] for at in each}
    for at in sorted(lasting | read_ever):
        if writer[at] < 0:
            moved[at], size = size, size + int(sizes[at])
    last = {
        int(at): number
        for block in blocks
        for number in block
        for each in reads[number]
        for at in each
    }
    free: dict[int, list[int]] = defaultdict(list)
    released: list[int] = []
    for block in blocks:
        # Chunks of a block run one after the other: what an instruction reads at other places than
        # its own must not be overwritten before the block has ended.
        later: set[int] = set()
        for number in block:
            whole = _read_in_step(instructions[number], reads[number], range_of, sizes)
            later |= {int(at) for found in reads[number] for at in found} - whole
        for number in block:
            each = instructions[number]
            at = int(range_of[each.start])
            if free[each.size]:
                moved[at] = free[each.size].pop()
            else:
                moved[at], size = size, size + each.size
            for read in {int(at) for found in reads[number] for at in found}:
                if last[read] == number and writer[read] >= 0 and read not in lasting:
                    if read in later:
                        released.append(read)
                    else:
                        free[int(sizes[read])].append(int(moved[read]))
        for read in released:
            free[int(sizes[read])].append(int(moved[read]))
        released.clear()
    return moved, size + SCRATCH


def _read_in_step(
    each: Instruction, reads: list[Places], range_of: Places, sizes: Places
) -> set[int]:
    """Ranges of which an elementwise instruction reads the element that it writes, and no other."""
    if each.kind != ELEMENTWISE:
        return set()
    pairs = list(zip(each.operands, each.single, strict=True))
    whole = {
        int(range_of[at])
        for at, single in pairs
        if not single and sizes[range_of[at]] == each.length
    }
    singles = {int(range_of[at]) for at, single in pairs if single}
    return whole - singles - set(np.unique(range_of[each.listed]).tolist())


def _encoded(
    instructions: Sequence[Instruction],
    blocks: list[list[int]],
    range_of: Places,
    starts: Places,
    moved: Places,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    def place(at: Places | int) -> Places:
        return moved[range_of[at]] + (at - starts[range_of[at]])

    code: list[tuple[int, ...]] = []
    index: list[Places] = []
    heads: list[tuple[int, ...]] = []
    listed_before = 0
    for block in blocks:
        first = instructions[block[0]]
        heads.append((first.kind, first.length, len(code), len(code) + len(block)))
        for number in block:
            each = instructions[number]
            operands = [int(place(at)) for at in each.operands]
            if len(each.listed):
                operands.append(listed_before)
                is_places = each.kind == ELEMENTWISE
                index.append(place(each.listed) if is_places else each.listed)
                listed_before += len(each.listed)
            if each.kind == SCATTER:
                operands.append(each.size)
            flags = sum(1 << i for i, one in enumerate(each.single) if one)
            operands += [0] * (3 - len(operands))
            code.append((each.operation, int(place(each.start)), *operands, flags))
    return (
        np.array(heads, dtype=np.uint64).reshape(-1, 4),
        np.array(code, dtype=np.uint64).reshape(-1, 6),
        np.concatenate([*index, np.zeros(0, int)]).astype(np.uint64),
    )
