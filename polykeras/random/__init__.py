"""Random numbers from explicit keys: the same bits on every backend.

Uniforms, integers, masks and permutations are bit-identical on all backends;
normals and what is built on them agree to a few units in the last place.
"""

from polykeras.ops.random_bits import random_fold_in as fold_in
from polykeras.ops.random_bits import random_split as split
from polykeras.random._counts import binomial
from polykeras.random._distributions import (
    categorical,
    dropout,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from polykeras.random._gamma import beta, gamma
from polykeras.random._seed import (
    SeedGenerator,
    draw_seed,
    global_state,
    make_default_seed,
    seed_scope,
    set_global_state,
    set_random_seed,
)

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "draw_seed",
    "dropout",
    "fold_in",
    "gamma",
    "global_state",
    "make_default_seed",
    "normal",
    "randint",
    "seed_scope",
    "set_global_state",
    "set_random_seed",
    "shuffle",
    "split",
    "truncated_normal",
    "uniform",
]
