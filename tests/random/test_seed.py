"""Where keys come from, and what one seed fixes."""

import random as python_random
import subprocess
import sys
import threading

import numpy as np
import pytest

from polykeras import ops, random
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError
from polykeras.random._seed import key_words
from polykeras.state import functional


def host(x):
    return ops.convert_to_numpy(x)


def test_integer_seed_is_the_key_with_counter_zero(backend):
    np.testing.assert_array_equal(host(random.draw_seed(7)), [7, 0])
    np.testing.assert_array_equal(host(random.draw_seed(np.int64(7))), [7, 0])


def test_large_and_negative_seeds_differ():
    seeds = [0, 1, -1, -2, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**64 + 1, -(2**40)]
    assert len({key_words(s) for s in seeds}) == len(seeds)


def test_generator_counts(backend):
    generator = random.SeedGenerator(3)
    keys = [host(generator.next()).tolist() for _ in range(3)]
    assert keys == [[3, 0], [3, 1], [3, 2]]
    assert not generator.state.trainable
    assert generator.state.dtype == "uint32"


def test_generator_and_integer_begin_alike(backend):
    a = random.uniform((5,), seed=random.SeedGenerator(3))
    np.testing.assert_array_equal(host(a), host(random.uniform((5,), seed=3)))


def test_generator_round_trip(backend):
    generator = random.SeedGenerator(3, name="noise")
    generator.next()
    again = random.SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(host(again.next()), [3, 0])
    assert again.get_config() == {"seed": 3, "name": "noise"}


def test_a_key_is_its_own_seed(backend):
    key = random.draw_seed(5)
    np.testing.assert_array_equal(host(random.draw_seed(key)), [5, 0])
    signed = ops.cast(key, "int32")
    assert ops.dtype(random.draw_seed(signed)) == "uint32"


def test_generator_is_pure_in_a_functional_scope(backend):
    generator = random.SeedGenerator(3)
    step = functional(lambda: random.uniform((4,), seed=generator), [generator.state])
    before = host(generator.state.value).tolist()
    first, state = step([generator.state.value])
    second, _ = step(state)
    assert host(generator.state.value).tolist() == before == [3, 0]
    np.testing.assert_array_equal(host(state[0]), [3, 1])
    assert not np.array_equal(host(first), host(second))


@pytest.mark.parametrize("seed", ["a", 1.5, True, [1, 2, 3]])
def test_other_seeds_are_refused(backend, seed):
    with pytest.raises(ArgumentError, match="integer"):
        random.draw_seed(seed)


@pytest.mark.parametrize("seed", ["a", 1.5, True])
def test_generator_refuses_other_seeds(seed):
    with pytest.raises(ArgumentError, match="integer seed"):
        random.SeedGenerator(seed)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", None, True])
def test_set_random_seed_refuses_others(seed):
    with pytest.raises(ArgumentError, match="from 0 to 4294967295"):
        random.set_random_seed(seed)


def draws():
    return [
        host(random.uniform((3,))).tolist(),
        random.SeedGenerator().seed,
        random.make_default_seed(),
        python_random.random(),
        np.random.rand(),
    ]


def test_one_seed_fixes_everything(backend):
    random.set_random_seed(11)
    first = draws()
    random.set_random_seed(11)
    assert draws() == first
    random.set_random_seed(12)
    assert draws() != first


def test_backends_share_the_global_generator():
    results = {}
    for name in ("numpy", "torch", "jax"):
        try:
            scope = use_backend(name)
        except ImportError:
            continue
        with scope:
            random.set_random_seed(4)
            results[name] = [host(random.uniform((3,))).tolist() for _ in range(2)]
    assert len({str(r) for r in results.values()}) == 1


CODE = (
    "from polykeras import random; random.set_random_seed(5);"
    "print(random.make_default_seed(), random.uniform((2,)).tolist())"
)


def test_one_seed_gives_the_same_in_any_process():
    random.set_random_seed(5)
    with use_backend("numpy"):
        expected = f"{random.make_default_seed()} {random.uniform((2,)).tolist()}"
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected


def test_threads_never_share_a_key():
    random.set_random_seed(6)
    found = []

    def work():
        found.extend(random.make_default_seed() for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    random.set_random_seed(6)
    assert sorted(found) == sorted(random.make_default_seed() for _ in range(200))


def test_seed_scope_makes_unseeded_draws_functions_of_its_key(backend):
    def draw(key):
        with random.seed_scope(random.draw_seed(key)):
            return [host(random.uniform((3,))).tolist() for _ in range(2)]

    first = draw(1)
    assert draw(1) == first
    assert first[0] != first[1]
    assert draw(2) != first
