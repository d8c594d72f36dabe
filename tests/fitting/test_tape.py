"""Tapes compute what PyTensor computes, and move numbers without instructions."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from pytensor.gradient import grad
from scipy import special

from densing_bayes.errors import FitError
from densing_bayes.fitting.engine import machine
from densing_bayes.fitting.engine.tape import record

INTERPRETED = Mode("py", None)
LONG = machine.CHUNK + 88  # more than one chunk, and not a whole number of them


def ran(tape, **inputs):
    """Outputs of a tape."""
    memory = tape.memory.copy()
    for name, value in inputs.items():
        memory[tape.inputs[name]] = np.ravel(value)
    machine.run(tape.blocks, tape.code, tape.listed, memory)
    return [memory[where].reshape(shape) for where, shape in tape.outputs]


def agrees(outputs, inputs, values, rtol=1e-12):
    """Hold a tape of some graphs against PyTensor's interpreter; return the tape."""
    zeros = {x: np.zeros_like(v) for x, v in zip(inputs, values, strict=True)}
    tape = record(zeros, outputs)
    found = ran(tape, **{x.name: v for x, v in zip(inputs, values, strict=True)})
    function = pytensor.function(inputs, outputs, mode=INTERPRETED, on_unused_input="ignore")
    for ours, theirs in zip(found, function(*values), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)
    return tape


SHARP = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "sqr": np.square,
    "reciprocal": np.reciprocal,
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "gammaln": special.gammaln,
    "psi": special.psi,
    "erf": special.erf,
    "erfc": special.erfc,
    "erfcx": special.erfcx,
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "isnan": np.isnan,
    "isinf": np.isinf,
}


@pytest.mark.parametrize("name", SHARP)
def test_an_operation_of_one_number_is_exact_to_the_last_digits(name):
    x = pt.vector("x", shape=(LONG,))
    values = np.random.default_rng(1).normal(0.0, 3.0, LONG)
    values[:6] = [0.0, 1e-9, -1e-9, 0.0999, -0.1001, 20.0]
    if name in ("log", "log1p", "sqrt", "reciprocal", "gammaln", "psi"):
        values = np.abs(values) + 1e-3
    memory = np.concatenate([values, np.zeros(LONG + machine.SCRATCH)])
    blocks = np.array([[machine.ELEMENTWISE, LONG, 0, 1]], np.uint64)
    code = np.array([[machine.CODE[name], LONG, 0, 0, 0, 0]], np.uint64)
    machine.run(blocks, code, np.zeros(1, np.uint64), memory)
    np.testing.assert_allclose(memory[LONG : 2 * LONG], SHARP[name](values), rtol=1e-13, atol=1e-14)
    assert x.name == "x"


def test_exponentials_end_in_zero_and_infinity_and_keep_what_is_not_a_number():
    x = pt.vector("x", shape=(4,))
    tape = record({x: np.zeros(4)}, [pt.exp(x), pt.sigmoid(x), pt.tanh(x)])
    exp, sigmoid, tanh = ran(tape, x=[-1e3, 1e3, np.nan, 0.0])
    np.testing.assert_array_equal(exp, [0.0, np.inf, np.nan, 1.0])
    np.testing.assert_allclose(sigmoid, [0.0, 1.0, np.nan, 0.5], atol=1e-300)
    np.testing.assert_array_equal(tanh, [-1.0, 1.0, np.nan, 0.0])


def test_indexing_joining_and_broadcasting_leave_no_instruction():
    x, m = pt.vector("x", shape=(6,)), pt.matrix("m", shape=(2, 3))
    rows = np.array([5, 0, 0, 3])
    outputs = [
        pt.concatenate([x[1:3], m[:, 1], x[rows]]),
        m.T[::-1].reshape((2, 3)),
        pt.set_subtensor(x[2:4], m[0, :2]),
        pt.broadcast_to(m[:, :1], (2, 5)),
        pt.stack([x[0], m[1, 2]]),
    ]
    values = [np.arange(6.0), np.arange(10.0, 16.0).reshape(2, 3)]
    tape = agrees(outputs, [x, m], values)
    assert set(tape.code[:, 0]) == {machine.CODE["gather"]}
    assert len(tape.code) <= len(outputs)  # each puts its numbers in a row, and no more


def test_sums_groups_and_products():
    x, m = pt.vector("x", shape=(LONG,)), pt.matrix("m", shape=(3, 4))
    groups = np.random.default_rng(2).integers(0, 5, LONG)
    random = np.random.default_rng(3)
    outputs = [
        x.sum(),
        pt.inc_subtensor(pt.zeros(5)[groups], x**2),
        pt.inc_subtensor(x[2:5], x[:3]),
        m.sum(axis=0),
        m.sum(axis=1),
        pt.dot(m, x[:4]),
        pt.dot(m.T, x[:3]),
        pt.dot(m, m.T),
        pt.dot(x, x),
    ]
    agrees(outputs, [x, m], [random.normal(size=LONG), random.normal(size=(3, 4))])


def test_a_gradient_agrees_with_the_interpreter():
    x = pt.vector("x", shape=(40,))
    index = np.random.default_rng(4).integers(0, 40, LONG)
    z = pt.log1p(pt.exp(x[index])) * pt.tanh(x[index[::-1]]) / (1.0 + x[index] ** 2)
    masked = pt.switch(pt.gt(z, 0.1), pt.sqrt(pt.abs(z)), 0.1 * z)
    cost = pt.sum(masked) + pt.sum(pt.softplus(x[3:7]) ** -0.5) + pt.logsumexp(x[5:9])
    cost += (
        pt.sum(pt.logaddexp(x[:9], z[:9])) + pt.max(x[10:14]) + pt.sum(pt.log1mexp(-(x[:5] ** 2)))
    )
    agrees([cost, grad(cost, x)], [x], [np.random.default_rng(5).normal(size=40)])


def test_what_repeats_is_computed_once():
    few, x = pt.vector("few", shape=(3,)), pt.vector("x", shape=(LONG,))
    of = np.arange(LONG) % 3
    tape = record({few: np.zeros(3), x: np.zeros(LONG)}, [pt.exp(few[of]) * x])
    exponentials = tape.code[:, 0] == machine.CODE["exp"]
    number = int(np.flatnonzero(exponentials).item())
    lengths = [int(b[1]) for b in tape.blocks if b[2] <= number < b[3]]
    assert lengths == [3]


def test_data_are_inputs_that_can_be_exchanged():
    x, data = pt.vector("x", shape=(3,)), pytensor.shared(np.array([1.0, 2.0, 3.0]), name="data")
    tape = record({x: np.zeros(3)}, [x * data])
    np.testing.assert_array_equal(ran(tape, x=[1.0, 1.0, 2.0])[0], [1.0, 2.0, 6.0])
    np.testing.assert_array_equal(ran(tape, x=[1.0, 1.0, 2.0], data=[5.0, 0.0, 1.0])[0], [5, 0, 2])


def test_memory_is_used_again():
    x = pt.vector("x", shape=(LONG,))
    z = x
    for i in range(60):
        z = pt.tanh(z + 0.1 * i) * x
    tape = agrees([z], [x], [np.random.default_rng(6).normal(size=LONG)])
    assert len(tape.blocks) == 1
    assert len(tape.memory) - machine.SCRATCH < 8 * LONG


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "mul", "exp", "gather", "group", "sum", "slice", "matrix"]),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
        ),
        min_size=3,
        max_size=25,
    )
)
def test_random_graphs_agree_with_the_interpreter(steps):
    x = pt.vector("x", shape=(7,))
    known = [(x, 7), (x * 0.3, 7)]
    for what, i, j in steps:
        (a, size), (b, other) = known[i % len(known)], known[j % len(known)]
        random = np.random.default_rng(i + j)
        if what in ("add", "mul"):
            b = b[random.integers(0, other, size)]
            known.append((a + b if what == "add" else a * pt.tanh(b), size))
        elif what == "exp":
            known.append((pt.exp(-(pt.tanh(a) ** 2)), size))
        elif what == "gather":
            known.append((a[random.integers(0, size, 2 + i % 9)], 2 + i % 9))
        elif what == "group":
            groups = 1 + j % 4
            member = random.integers(0, groups, size)
            known.append((pt.inc_subtensor(pt.zeros(groups)[member], a), groups))
        elif what == "sum":
            known.append((pt.atleast_1d(a.sum()), 1))
        elif what == "slice":
            known.append((a[: 1 + i % size], 1 + i % size))
        else:
            known.append((pt.dot(random.normal(size=(3, size)), a), 3))
    cost = sum(pt.sum(pt.tanh(each)) for each, _ in known)
    agrees([cost, grad(cost, x)], [x], [np.linspace(-1.0, 1.2, 7)], rtol=1e-9)


def test_what_the_machine_lacks_is_named():
    x = pt.vector("x", shape=(3,))
    with pytest.raises(FitError, match="'Erfinv'"):
        record({x: np.zeros(3)}, [pt.erfinv(x)])


def test_logarithms_of_what_has_none():
    x = pt.vector("x", shape=(5,))
    tape = record({x: np.zeros(5)}, [pt.log(x)])
    (found,) = ran(tape, x=[0.0, 1e-310, np.inf, 1.0, np.nan])
    np.testing.assert_array_equal(found, [-np.inf, np.log(1e-310), np.inf, 0.0, np.nan])
