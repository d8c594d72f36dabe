"""A small vector machine: one compiled function that runs any tape.

A tape (:mod:`.tape`) is a list of instructions over one block of memory: elementwise
arithmetic, gathers, sums and products with a matrix. The function that executes them is compiled
once on a machine and kept in numba's cache, so that a model costs no compilation of its own.
Instructions over vectors of one length follow each other chunk by chunk, which keeps what they
hand on in the processor's first cache.

Places in memory are unsigned: numba would guard signed ones against counting from the end, which
keeps loops from being vectorised. Nothing here checks bounds; the recorder of tapes does.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

CHUNK: Final = 1024  # elements: a dozen such vectors fit the first cache

# Kinds of blocks of instructions.
ELEMENTWISE, SUM, SCATTER, PRODUCT = range(4)

# Elementwise operations. GATHER reads through a list of places.
OPERATIONS: Final = (
    *("gather", "add", "sub", "mul", "div", "neg", "exp", "log", "log1p", "expm1", "sqrt", "sqr"),
    *("reciprocal", "pow", "abs", "sign", "tanh", "sigmoid", "softplus", "gammaln", "psi", "erf"),
    *("erfc", "maximum", "minimum", "switch", "gt", "ge", "eq", "neq", "and", "or", "not"),
    *("isnan", "isinf", "round", "floor", "ceil", "trunc", "erfcx"),
)
CODE: Final = {name: code for code, name in enumerate(OPERATIONS)}
_GATHER, _ADD, _SUB, _MUL, _DIV, _NEG, _EXP, _LOG, _LOG1P, _EXPM1, _SQRT, _SQR = range(12)
_RECIPROCAL, _POW, _ABS, _SIGN, _TANH, _SIGMOID, _SOFTPLUS, _GAMMALN, _PSI, _ERF = range(12, 22)
_ERFC, _MAXIMUM, _MINIMUM, _SWITCH, _GT, _GE, _EQ, _NEQ, _AND, _OR, _NOT = range(22, 33)
_ISNAN, _ISINF, _ROUND, _FLOOR, _CEIL, _TRUNC, _ERFCX = range(33, 40)

# exp(x) = 2^k exp(r) with |r| <= log(2) / 2, log 2 in two parts (Cody and Waite), and k read off
# the lowest bits of x / log(2) + 1.5 * 2^52. libm's exp would be called one number at a time.
_PER_LOG2 = 1.4426950408889634
_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SHIFTER = 6755399441055744.0
_EXP_MIN, _EXP_MAX = -708.0, 709.0
_BIAS, _MANTISSA = 1023, 52
# log(x): the exponent of a double becomes one below 2^52, its fraction a number in [1, 2).
_AS_DOUBLE, _TWO_52 = 0x4330000000000000, 4503599627370496.0
_FRACTION, _ONE, _SQRT2 = 0xFFFFFFFFFFFFF, 0x3FF0000000000000, 1.4142135623730951
_SMALLEST, _GREATEST = 2.2250738585072014e-308, 1.7976931348623157e308
_TANH_SMALL = 0.1  # below which 1 - exp(-2x) would cancel and a series is exact

carray: Any = numba.carray  # type: ignore[attr-defined]  # it is public, and not in __all__
jit: Any = numba.njit(cache=True, nogil=True, error_model="numpy")

SCRATCH: Final = 5 * CHUNK  # places at the end of memory that the machine needs for itself


@jit
def _sum(memory, start, length):  # type: ignore[no-untyped-def]
    """Sum by eight partial sums, which processors can add at the same time."""
    lanes = np.uint64(8)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = (length // lanes) * lanes
    for j in range(np.uint64(0), whole, lanes):
        at = start + j
        s0 += memory[at]
        s1 += memory[at + np.uint64(1)]
        s2 += memory[at + np.uint64(2)]
        s3 += memory[at + np.uint64(3)]
        s4 += memory[at + np.uint64(4)]
        s5 += memory[at + np.uint64(5)]
        s6 += memory[at + np.uint64(6)]
        s7 += memory[at + np.uint64(7)]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for j in range(whole, length):
        total += memory[start + j]
    return total


@jit
def _scatter(code, i, index, memory, length):  # type: ignore[no-untyped-def]
    out, source, groups = code[i, 1], code[i, 2], code[i, 3]
    for j in range(code[i, 4]):
        memory[out + j] = 0.0
    for j in range(length):
        memory[out + index[groups + j]] += memory[source + j]


@jit
def _product(code, i, index, memory, rows):  # type: ignore[no-untyped-def]
    out, matrix, vector, at = code[i, 1], code[i, 2], code[i, 3], code[i, 4]
    columns, by_row = index[at], index[at + np.uint64(1)]
    by_column = index[at + np.uint64(2)]
    if by_column == np.uint64(1):
        for row in range(rows):
            memory[out + row] = _dot(memory, matrix + row * by_row, vector, columns)
        return
    for row in range(rows):
        memory[out + row] = 0.0
    for column in range(columns):
        factor, begin = memory[vector + column], matrix + column * by_column
        for row in range(rows):
            memory[out + row] += factor * memory[begin + row * by_row]


@jit
def _dot(memory, a, b, length):  # type: ignore[no-untyped-def]
    """Sum of products, by four partial sums."""
    lanes, s0, s1, s2, s3 = np.uint64(4), 0.0, 0.0, 0.0, 0.0
    whole = (length // lanes) * lanes
    for j in range(np.uint64(0), whole, lanes):
        s0 += memory[a + j] * memory[b + j]
        s1 += memory[a + j + np.uint64(1)] * memory[b + j + np.uint64(1)]
        s2 += memory[a + j + np.uint64(2)] * memory[b + j + np.uint64(2)]
        s3 += memory[a + j + np.uint64(3)] * memory[b + j + np.uint64(3)]
    total = (s0 + s1) + (s2 + s3)
    for j in range(whole, length):
        total += memory[a + j] * memory[b + j]
    return total


@jit
def _exp(memory, bits, scratch, source, sign, n):  # type: ignore[no-untyped-def]
    """Write exp(sign * x) to the scratch."""
    power, mantissa = scratch, scratch + np.uint64(CHUNK)
    for j in range(n):
        x = sign * memory[source + j]
        x = _EXP_MAX if x > _EXP_MAX else x
        x = _EXP_MIN if x < _EXP_MIN else x
        t = x * _PER_LOG2 + _SHIFTER
        k = t - _SHIFTER
        r = (x - k * _LOG2_HIGH) - k * _LOG2_LOW
        p = 1.0 / 6227020800.0
        p = p * r + 1.0 / 479001600.0
        p = p * r + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        p = p * r + 1.0
        memory[mantissa + j] = p
        memory[power + j] = t
    for j in range(n):
        bits[power + j] = (bits[power + j] + _BIAS) << _MANTISSA
    for j in range(n):
        memory[power + j] *= memory[mantissa + j]


@jit
def _log(memory, bits, scratch, source, n):  # type: ignore[no-untyped-def]
    """Write log(x) to the scratch: x = 2^k m, and a series in (m - 1) / (m + 1)."""
    exponent, mantissa = scratch, scratch + np.uint64(CHUNK)
    unusual = 0
    for j in range(n):
        x = memory[source + j]
        unusual += 0 if (x >= _SMALLEST) & (x <= _GREATEST) else 1
    if unusual:  # not positive, not finite, or less than full precision
        for j in range(n):
            memory[exponent + j] = math.log(memory[source + j])
        return
    for j in range(n):
        word = bits[source + j]
        bits[exponent + j] = (word >> _MANTISSA) | _AS_DOUBLE
        bits[mantissa + j] = (word & _FRACTION) | _ONE
    for j in range(n):
        k, m = memory[exponent + j] - _TWO_52 - _BIAS, memory[mantissa + j]
        upper = m > _SQRT2
        k = k + 1.0 if upper else k
        m = 0.5 * m if upper else m
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        p = 2.0 / 21.0
        p = p * z + 2.0 / 19.0
        p = p * z + 2.0 / 17.0
        p = p * z + 2.0 / 15.0
        p = p * z + 2.0 / 13.0
        p = p * z + 2.0 / 11.0
        p = p * z + 2.0 / 9.0
        p = p * z + 2.0 / 7.0
        p = p * z + 2.0 / 5.0
        p = p * z + 2.0 / 3.0
        memory[exponent + j] = k * _LOG2_HIGH + (2.0 * s + (s * z * p + k * _LOG2_LOW))


@jit
def _erfcx(x):  # type: ignore[no-untyped-def]
    """exp(x^2) erfc(x): the product, or an asymptotic series where its factors would end."""
    if x < 12.0:
        return math.exp(x * x) * math.erfc(x)
    y, term, total = 0.5 / (x * x), 1.0, 1.0
    for n in range(1, 20, 2):
        term *= -n * y
        total += term
    return total / (x * math.sqrt(math.pi))


@jit
def _psi(x):  # type: ignore[no-untyped-def]
    """Digamma of a positive number: recurrence up to where the asymptotic series holds."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = 1.0 / 132.0 - y * (691.0 / 32760.0 - y / 12.0)
    series = 1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * series))
    return total + math.log(x) - 0.5 / x - y * (1.0 / 12.0 - y * series)


@jit  # type: ignore[untyped-decorator]  # numba ships no types
def run(
    blocks: NDArray[np.uint64],
    code: NDArray[np.uint64],
    index: NDArray[np.uint64],
    memory: NDArray[np.float64],
) -> None:
    """Run a tape.

    Parameters
    ----------
    blocks
        Kind, length, first and last instruction of each block, (block, 4).
    code
        Operation, place of the result, places of up to three operands, and which operands are
        single numbers (bits 1, 2, 4), (instruction, 6). The operand of a gather is a place in
        ``index``, where the places to read begin. Operands of a SCATTER, which sums over groups,
        are the summands, the place of their groups in ``index`` and the number of groups; those
        of a PRODUCT the matrix, the vector, and a place in ``index`` with the number of columns
        and the two strides of the matrix.
    index
        Places in memory, or groups.
    memory
        Inputs, constants, what is computed on the way, outputs, and SCRATCH places more.
    """
    # Passing arrays to a function costs more than most instructions do: operations stand here.
    bits = memory.view(np.int64)
    scratch = np.uint64(len(memory) - SCRATCH)
    size = np.uint64(CHUNK)
    for block in range(np.uint64(len(blocks))):
        kind, length = blocks[block, 0], blocks[block, 1]
        first, last = blocks[block, 2], blocks[block, 3]
        if kind == ELEMENTWISE:
            start = np.uint64(0)
            while start < length:
                n = min(size, length - start)
                for i in range(first, last):
                    op, single = code[i, 0], code[i, 5]
                    o, a, b, c = code[i, 1] + start, code[i, 2], code[i, 3], code[i, 4]
                    # A single number is repeated over a chunk, in the last three of the scratch.
                    work = scratch + size + size
                    if single & np.uint64(1):
                        for j in range(n):
                            memory[work + j] = memory[a]
                        a = work
                    else:
                        a += start
                    work += size
                    if single & np.uint64(2):
                        for j in range(n):
                            memory[work + j] = memory[b]
                        b = work
                    else:
                        b += start
                    work += size
                    if single & np.uint64(4):
                        for j in range(n):
                            memory[work + j] = memory[c]
                        c = work
                    else:
                        c += start
                    if op == _GATHER:
                        for j in range(n):
                            memory[o + j] = memory[index[a + j]]
                    elif op == _ADD:
                        for j in range(n):
                            memory[o + j] = memory[a + j] + memory[b + j]
                    elif op == _SUB:
                        for j in range(n):
                            memory[o + j] = memory[a + j] - memory[b + j]
                    elif op == _MUL:
                        for j in range(n):
                            memory[o + j] = memory[a + j] * memory[b + j]
                    elif op == _DIV:
                        for j in range(n):
                            memory[o + j] = memory[a + j] / memory[b + j]
                    elif op == _EXP:
                        _exp(memory, bits, scratch, a, 1.0, n)
                        for j in range(n):
                            x = memory[a + j]
                            value = memory[scratch + j]
                            value = np.inf if x > _EXP_MAX else value
                            memory[o + j] = 0.0 if x < _EXP_MIN else value
                    elif op == _SIGMOID:
                        _exp(memory, bits, scratch, a, -1.0, n)
                        for j in range(n):
                            memory[o + j] = 1.0 / (1.0 + memory[scratch + j])
                    elif op == _TANH:
                        _exp(memory, bits, scratch, a, 2.0, n)
                        for j in range(n):
                            x = memory[a + j]
                            y = x * x
                            series = 1382.0 / 155925.0 - y * (
                                21844.0 / 6081075.0 - y * 929569.0 / 638512875.0
                            )
                            series = 17.0 / 315.0 - y * (62.0 / 2835.0 - y * series)
                            series = x * (1.0 - y * (1.0 / 3.0 - y * (2.0 / 15.0 - y * series)))
                            value = 1.0 - 2.0 / (memory[scratch + j] + 1.0)
                            memory[o + j] = series if abs(x) < _TANH_SMALL else value
                    elif op == _SOFTPLUS:
                        for j in range(n):
                            x = memory[a + j]
                            memory[o + j] = max(x, 0.0) + math.log1p(math.exp(-abs(x)))
                    elif op == _NEG:
                        for j in range(n):
                            memory[o + j] = -memory[a + j]
                    elif op == _SQR:
                        for j in range(n):
                            memory[o + j] = memory[a + j] * memory[a + j]
                    elif op == _RECIPROCAL:
                        for j in range(n):
                            memory[o + j] = 1.0 / memory[a + j]
                    elif op == _SQRT:
                        for j in range(n):
                            memory[o + j] = math.sqrt(memory[a + j])
                    elif op == _LOG:
                        _log(memory, bits, scratch, a, n)
                        for j in range(n):
                            memory[o + j] = memory[scratch + j]
                    elif op == _LOG1P:
                        for j in range(n):
                            memory[o + j] = math.log1p(memory[a + j])
                    elif op == _EXPM1:
                        for j in range(n):
                            memory[o + j] = math.expm1(memory[a + j])
                    elif op == _POW:
                        for j in range(n):
                            memory[o + j] = memory[a + j] ** memory[b + j]
                    elif op == _ABS:
                        for j in range(n):
                            memory[o + j] = abs(memory[a + j])
                    elif op == _SIGN:
                        for j in range(n):
                            memory[o + j] = np.sign(memory[a + j])
                    elif op == _GAMMALN:
                        for j in range(n):
                            memory[o + j] = math.lgamma(memory[a + j])
                    elif op == _PSI:
                        for j in range(n):
                            memory[o + j] = _psi(memory[a + j])
                    elif op == _ERF:
                        for j in range(n):
                            memory[o + j] = math.erf(memory[a + j])
                    elif op == _ERFC:
                        for j in range(n):
                            memory[o + j] = math.erfc(memory[a + j])
                    elif op == _MAXIMUM:
                        for j in range(n):
                            memory[o + j] = max(memory[a + j], memory[b + j])
                    elif op == _MINIMUM:
                        for j in range(n):
                            memory[o + j] = min(memory[a + j], memory[b + j])
                    elif op == _SWITCH:
                        for j in range(n):
                            memory[o + j] = memory[b + j] if memory[a + j] != 0.0 else memory[c + j]
                    elif op == _GT:
                        for j in range(n):
                            memory[o + j] = 1.0 if memory[a + j] > memory[b + j] else 0.0
                    elif op == _GE:
                        for j in range(n):
                            memory[o + j] = 1.0 if memory[a + j] >= memory[b + j] else 0.0
                    elif op == _EQ:
                        for j in range(n):
                            memory[o + j] = 1.0 if memory[a + j] == memory[b + j] else 0.0
                    elif op == _NEQ:
                        for j in range(n):
                            memory[o + j] = 1.0 if memory[a + j] != memory[b + j] else 0.0
                    elif op == _AND:
                        for j in range(n):
                            memory[o + j] = (
                                1.0 if memory[a + j] != 0.0 and memory[b + j] != 0.0 else 0.0
                            )
                    elif op == _OR:
                        for j in range(n):
                            memory[o + j] = (
                                1.0 if memory[a + j] != 0.0 or memory[b + j] != 0.0 else 0.0
                            )
                    elif op == _NOT:
                        for j in range(n):
                            memory[o + j] = 1.0 if memory[a + j] == 0.0 else 0.0
                    elif op == _ISNAN:
                        for j in range(n):
                            memory[o + j] = 1.0 if math.isnan(memory[a + j]) else 0.0
                    elif op == _ISINF:
                        for j in range(n):
                            memory[o + j] = 1.0 if math.isinf(memory[a + j]) else 0.0
                    elif op == _ROUND:
                        for j in range(n):
                            memory[o + j] = np.rint(memory[a + j])
                    elif op == _FLOOR:
                        for j in range(n):
                            memory[o + j] = math.floor(memory[a + j])
                    elif op == _CEIL:
                        for j in range(n):
                            memory[o + j] = math.ceil(memory[a + j])
                    elif op == _TRUNC:
                        for j in range(n):
                            memory[o + j] = np.trunc(memory[a + j])
                    elif op == _ERFCX:
                        for j in range(n):
                            memory[o + j] = _erfcx(memory[a + j])
                start += size
        elif kind == SUM:
            memory[code[first, 1]] = _sum(memory, code[first, 2], length)
        elif kind == SCATTER:
            _scatter(code, first, index, memory, length)
        else:
            _product(code, first, index, memory, length)


@jit  # type: ignore[untyped-decorator]  # numba ships no types
def run_each(
    blocks: NDArray[np.uint64],
    code: NDArray[np.uint64],
    index: NDArray[np.uint64],
    memory: NDArray[np.float64],
    begin: np.uint64,
    inputs: NDArray[np.float64],
    places: NDArray[np.uint64],
    outputs: NDArray[np.float64],
) -> None:
    """Run a tape for each row of ``inputs``, which goes to the places from ``begin`` on.

    What is then found at ``places`` becomes the row of ``outputs``.
    """
    for row in range(len(inputs)):
        for j in range(np.uint64(inputs.shape[1])):
            memory[begin + j] = inputs[row, j]
        run(blocks, code, index, memory)
        for j in range(np.uint64(len(places))):
            outputs[row, j] = memory[places[j]]


def is_compiled() -> bool:
    """Whether numba's cache has the machine, so that nothing is left to compile."""
    folder = Path(run.stats.cache_path)
    return any(folder.glob("machine.run-*.nbi"))


# For nutpie --------------------------------------------------------------------------------------
# In this file, since numba's cache takes a function anew when its own file has changed, and not
# when that of a function it calls has.

# What a packed tape begins with: numbers of blocks, instructions, places of the index and of the
# memory; where in memory the position, the log density and the gradient lie; draws made so far.
HEADER: Final = 8
DRAWN: Final = 7


class Callbacks(NamedTuple):
    """C functions of a packed tape, as nutpie takes them."""

    log_density: Any
    expand: Any


def packed(
    blocks: NDArray[np.uint64],
    code: NDArray[np.uint64],
    index: NDArray[np.uint64],
    memory: NDArray[np.float64],
    places: tuple[int, int, int],
) -> NDArray[np.uint64]:
    """A tape in one array: ``places`` are those of the position, the density and its gradient."""
    sizes = [len(blocks), len(code), len(index), len(memory)]
    header = np.array([*sizes, *places, 0], dtype=np.uint64)
    return np.concatenate([header, blocks.ravel(), code.ravel(), index, memory.view(np.uint64)])


@functools.cache
def callbacks() -> Callbacks:
    """The C functions, compiled when they are first asked for or taken from numba's cache."""
    pointer: Any = types.CPointer
    floats, tape = pointer(types.float64), pointer(types.uint64)

    @numba.cfunc(
        types.int64(types.uint64, floats, floats, floats, tape), cache=True, error_model="numpy"
    )
    def log_density(size, x, gradient, value, data):  # type: ignore[no-untyped-def]
        """Density and gradient at a position; not zero where they are not finite."""
        head = carray(data, HEADER).view(np.int64)
        rows, steps = HEADER + 4 * head[0], HEADER + 4 * head[0] + 6 * head[1]
        whole = carray(data, steps + head[2] + head[3])
        blocks = whole[HEADER:rows].reshape((head[0], 4))
        code = whole[rows:steps].reshape((head[1], 6))
        index, memory = whole[steps : steps + head[2]], whole[steps + head[2] :].view(np.float64)
        at = carray(x, size)
        out = carray(gradient, size)
        memory[head[4] : head[4] + size] = at
        run(blocks, code, index, memory)
        finite = math.isfinite(memory[head[5]])
        for j in range(size):
            out[j] = memory[head[6] + j]
            finite &= math.isfinite(out[j])
        carray(value, 1)[0] = memory[head[5]]
        return 0 if finite else 1

    @numba.cfunc(
        types.int64(types.uint64, types.uint64, floats, floats, tape),
        cache=True,
        error_model="numpy",
    )
    def expand(size, kept, x, values, data):  # type: ignore[no-untyped-def]
        """Keep the position itself, and count."""
        carray(data, HEADER)[DRAWN] += 1
        at, out = carray(x, size), carray(values, kept)
        for j in range(size):
            out[j] = at[j]
        return 0

    return Callbacks(log_density, expand)
