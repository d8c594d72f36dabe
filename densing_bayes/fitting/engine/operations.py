"""Operations of PyTensor graphs, and the instructions that they become."""

from __future__ import annotations

from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    ExtractDiag,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedSubtensor,
    Subtensor,
)

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
