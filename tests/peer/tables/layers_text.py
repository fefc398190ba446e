"""Layers of words and categories, which Keras computes with TensorFlow alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.peer._case import Case, Draw, Prepared, given

__all__ = ["CASES"]


def words(*values: Any) -> Draw:
    return given(list(values), "str")


def _prepared(keras: Any, case: Case) -> Prepared:
    """Give the outputs, and the vocabulary where there is one."""

    def call(*tensors: Any) -> Any:
        args, kwargs = case.arguments(keras, list(tensors))
        layer = getattr(keras.layers, case.name.partition(".")[2])(**kwargs["config"])
        if "adapt" in kwargs:
            layer.adapt(kwargs["adapt"])
        found = [_plain(keras, layer(*args))]
        if hasattr(layer, "get_vocabulary"):
            vocabulary = layer.get_vocabulary()
            found.append(json.dumps([_word(v) for v in vocabulary]))
        return found

    return Prepared(call)


def _word(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value.decode() if isinstance(value, bytes) else value


def _plain(keras: Any, y: Any) -> Any:
    """Return numbers without their dtype, which is another here; words as one text."""
    values = np.asarray(y)
    if values.dtype.kind not in "iuf":
        return json.dumps([_word(v) for v in values.ravel().tolist()])
    return values.astype("float64")


def text(cls: str, config: dict[str, Any], *inputs: Any, adapt: Any = None) -> Case:
    kwargs = {"config": config} | ({} if adapt is None else {"adapt": adapt})
    return Case(
        f"layers.{cls}", inputs, kwargs, _prepared, gradient=False, engine="tensorflow"
    )


ANIMALS = words(["dog", "cat", "bee"], ["cat", "eel", "zebra"])
ONE_EACH = words(["dog"], ["eel"], ["cat"])
VOCABULARY = ["cat", "dog", "bee"]
SEEN = words("dog", "cat", "dog", "ant", "bee", "dog", "cat", "Dog")
MODES = ("one_hot", "multi_hot", "count")
STRINGS = [
    text("StringLookup", {"vocabulary": VOCABULARY}, ANIMALS),
    text("StringLookup", {"vocabulary": VOCABULARY, "num_oov_indices": 3}, ANIMALS),
    text(
        "StringLookup", {"vocabulary": VOCABULARY, "mask_token": ""}, words("", "cat")
    ),
    text(
        "StringLookup",
        {"vocabulary": VOCABULARY, "mask_token": "-", "num_oov_indices": 2},
        words("-", "cat", "eel", "owl", "fox"),
    ),
    text(
        "StringLookup", {"vocabulary": VOCABULARY, "num_oov_indices": 0}, words("bee")
    ),
    text("StringLookup", {"vocabulary": ["?", "a", "b"], "oov_token": "?"}, words("b")),
    *(
        text(
            "StringLookup",
            {"vocabulary": VOCABULARY, "output_mode": mode},
            ONE_EACH if mode == "one_hot" else ANIMALS,
        )
        for mode in MODES
    ),
    text(
        "StringLookup",
        {"vocabulary": VOCABULARY, "idf_weights": [0.5, 1.0, 2.0]}
        | {"output_mode": "tf_idf"},
        ANIMALS,
    ),
    text(
        "StringLookup",
        {"vocabulary": VOCABULARY, "output_mode": "multi_hot", "max_tokens": 6}
        | {"pad_to_max_tokens": True},
        ANIMALS,
    ),
    text(
        "StringLookup",
        {"vocabulary": VOCABULARY, "invert": True},
        given([[0, 1, 3], [2, 9, 1]], "int64"),
    ),
    text("StringLookup", {}, ANIMALS, adapt=SEEN),
    text("StringLookup", {"max_tokens": 3}, ANIMALS, adapt=SEEN),
    text("StringLookup", {"output_mode": "tf_idf"}, ANIMALS, adapt=ANIMALS),
]
NUMBERS = given([[7, 3, 1], [5, 7, 99]], "int64")
COLUMN = given([[7], [1], [42]], "int64")
COUNTED = given([3, 3, 3, 7, 7, 1, 5, 5, 5, 5], "int64")
INTEGERS = [
    text("IntegerLookup", {"vocabulary": [3, 1, 7]}, NUMBERS),
    text("IntegerLookup", {"vocabulary": [3, 1, 7], "num_oov_indices": 3}, NUMBERS),
    text("IntegerLookup", {"vocabulary": [3, 1], "mask_token": 7}, NUMBERS),
    *(
        text(
            "IntegerLookup",
            {"vocabulary": [3, 1, 7], "output_mode": mode},
            COLUMN if mode == "one_hot" else NUMBERS,
        )
        for mode in MODES
    ),
    text(
        "IntegerLookup",
        {"vocabulary": [3, 1, 7], "invert": True},
        given([[0, 1], [2, 3]], "int64"),
    ),
    text("IntegerLookup", {}, NUMBERS, adapt=COUNTED),
    text(
        "IntegerLookup", {"max_tokens": 3, "num_oov_indices": 2}, NUMBERS, adapt=COUNTED
    ),
]
HASHES = [
    text("Hashing", {"num_bins": 7}, ANIMALS),
    text("Hashing", {"num_bins": 7}, NUMBERS),
    text("Hashing", {"num_bins": 7, "salt": 133}, ANIMALS),
    text("Hashing", {"num_bins": 7, "salt": [133, 137]}, ANIMALS),
    text("Hashing", {"num_bins": 7, "salt": 9}, NUMBERS),
    text("Hashing", {"num_bins": 5, "mask_value": "cat"}, ANIMALS),
    text("Hashing", {"num_bins": 5, "mask_value": 7}, NUMBERS),
    *(
        text(
            "Hashing",
            {"num_bins": 5, "output_mode": mode},
            ONE_EACH if mode == "one_hot" else ANIMALS,
        )
        for mode in MODES
    ),
    text("HashedCrossing", {"num_bins": 7}, [words("a", "b"), words("c", "c")]),
    text(
        "HashedCrossing",
        {"num_bins": 5, "output_mode": "one_hot"},
        [given([3, 9], "int64"), given([1, 2], "int64")],
    ),
]
SENTENCES = words("The cat sat, on the mat!", "a Dog; and THE cat", "")
CORPUS = words("the cat sat on the mat", "the dog sat", "a dog and a cat, the end")
TEXTS = [
    text("TextVectorization", config, SENTENCES, adapt=CORPUS)
    for config in (
        {},
        {"max_tokens": 6},
        {"output_sequence_length": 4},
        {"standardize": "lower", "output_sequence_length": 8},
        {"standardize": "strip_punctuation"},
        {"standardize": None},
        {"split": "character", "output_sequence_length": 10},
        {"ngrams": 2},
        {"ngrams": (1, 3)},
        {"output_mode": "multi_hot"},
        {"output_mode": "multi_hot", "max_tokens": 20, "pad_to_max_tokens": True},
        {"output_mode": "count", "ngrams": 2},
        {"output_mode": "tf_idf"},
    )
] + [
    text("TextVectorization", {"split": None}, words("a b", "c"), adapt=words("a b")),
    text(
        "TextVectorization",
        {"vocabulary": ["cat", "the", "mat"], "output_sequence_length": 5},
        SENTENCES,
    ),
    text(
        "TextVectorization",
        {"vocabulary": ["cat", "the"], "output_mode": "count"},
        SENTENCES,
    ),
    text(
        "TextVectorization",
        {"vocabulary": ["cat", "the"], "idf_weights": [0.5, 2.0]}
        | {"output_mode": "tf_idf"},
        SENTENCES,
    ),
]
CASES = [*STRINGS, *INTEGERS, *HASHES, *TEXTS]
