import itertools

import ml_dtypes
import numpy as np
import pytest

from polykeras import dtypes
from polykeras.errors import DTypeError

# Formats of 8 bits meet no others in JAX, and here only wider floats.
PAIRS = [
    pair
    for pair in itertools.product(dtypes.ALL, repeat=2)
    if not any(name.startswith("float8") for name in pair)
]
WEAK = ("int*", "float*", "complex*")
SCALARS = {"int*": int, "float*": float, "complex*": complex}


def test_lattice_equals_that_of_jax():
    jnp = pytest.importorskip("jax.numpy")
    import jax

    wrong = []
    with jax.enable_x64(True):
        for a, b in PAIRS:
            native = [dtypes.as_numpy_dtype(name) for name in (a, b)]
            expected = jnp.promote_types(*native).name
            if {a, b} <= {*dtypes.INTEGERS} and expected == "float64":
                # uint64 meets signed in a weak float; integers make no float64 here.
                expected = "float32"
            if dtypes.result_type(a, b) != expected:
                wrong.append((a, b, expected))
    assert not wrong


@pytest.mark.parametrize("weak", WEAK)
def test_python_scalars_are_weak_as_in_jax(weak):
    jax = pytest.importorskip("jax")
    wrong = []
    for name, _ in PAIRS:
        wide = name in ("int64", "uint64", "float64", "complex128")
        # Without 64 bits, JAX widens as we do: ints and floats to 32 bits.
        with jax.enable_x64(wide):
            array = jax.numpy.zeros((), dtypes.as_numpy_dtype(name))
            expected = jax.numpy.result_type(array, SCALARS[weak]).name
        found = dtypes.result_type(name, weak)
        if found != expected and not (wide and expected.endswith(("64", "128"))):
            wrong.append((name, found, expected))
    assert not wrong


def test_float64_never_comes_from_narrower_floats_and_integers():
    narrow = ["bfloat16", "float16", "float32"]
    for a, b in itertools.product(narrow, ["bool", *dtypes.INTEGERS, *narrow, *WEAK]):
        assert dtypes.result_type(a, b) not in ("float64", "complex128")
    for a, b in itertools.product(["bool", *dtypes.INTEGERS, "int*"], repeat=2):
        assert dtypes.result_type(a, b) not in ("float64", "complex128")


def test_promotion_is_commutative_and_idempotent():
    for a, b in PAIRS:
        assert dtypes.result_type(a, b) == dtypes.result_type(b, a)
    assert all(dtypes.result_type(a, a) == a for a in dtypes.ALL)


@pytest.mark.parametrize("floatx", ["float16", "bfloat16", "float32", "float64"])
def test_lone_scalars_take_floatx(floatx):
    assert dtypes.result_type("float*", floatx=floatx) == floatx
    assert dtypes.result_type("int*", floatx=floatx) == "int32"
    assert dtypes.result_type("int32", "float*", floatx=floatx) == floatx
    wide = "complex128" if floatx == "float64" else "complex64"
    assert dtypes.result_type("complex*", floatx=floatx) == wide
    assert dtypes.to_inexact("int8", floatx) == floatx
    assert dtypes.to_inexact("float16", floatx) == "float16"


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("float32", "float32"),
        (np.float16, "float16"),
        (np.dtype("<i8"), "int64"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (np.dtype(ml_dtypes.float8_e5m2), "float8_e5m2"),
        (bool, "bool"),
        (np.bool_, "bool"),
        (int, "int32"),
        (float, "float32"),
        (complex, "complex64"),
        ("half", "float16"),
        ("double", "float64"),
        ("int", "int32"),
        (str, "string"),
    ],
)
def test_every_spelling_has_one_name(spelled, name):
    assert dtypes.standardize_dtype(spelled) == name


def test_dtype_objects_of_every_backend_have_one_name(backend):
    for name in ("bool", "uint8", "int32", "bfloat16", "float16", "float32"):
        x = backend.from_numpy(np.zeros(2, dtypes.as_numpy_dtype(name)), name)
        assert dtypes.standardize_dtype(x.dtype) == name
        assert backend.dtype_name(x) == name


@pytest.mark.parametrize("bad", ["floatt32", "int128", object(), 7, None])
def test_unknown_dtype(bad):
    with pytest.raises(DTypeError, match="Unknown dtype"):
        dtypes.standardize_dtype(bad)


def test_unknown_dtype_names_the_nearest():
    with pytest.raises(DTypeError, match="Did you mean 'float32'"):
        dtypes.standardize_dtype("floatt32")


def test_kinds():
    for name in dtypes.ALL:
        kinds = [
            name == "bool",
            dtypes.is_integer(name),
            dtypes.is_float(name),
            dtypes.is_complex(name),
        ]
        assert sum(kinds) == 1
        assert dtypes.kind_rank(name) == kinds.index(True)
        assert dtypes.is_inexact(name) == (kinds[2] or kinds[3])


def test_sums_of_small_integers_have_32_bits():
    for name in dtypes.ALL:
        jax_rule = {"bool": "int32", "int8": "int32", "int16": "int32"}
        jax_rule |= {"uint8": "uint32", "uint16": "uint32"}
        assert dtypes.sum_dtype(name) == jax_rule.get(name, name)
    assert dtypes.accumulation_dtype("float16") == "float32"
    assert dtypes.accumulation_dtype("float64") == "float64"


def test_formats_of_8_bits():
    assert dtypes.result_type("float8_e5m2", "bfloat16") == "bfloat16"
    assert dtypes.result_type("float8_e5m2", "int*") == "float8_e5m2"
    with pytest.raises(DTypeError, match="no common dtype"):
        dtypes.result_type("float8_e5m2", "float8_e4m3fn")
