"""Vocabularies: `StringLookup`, `IntegerLookup`, `TextVectorization`.

Answers come from Keras' documentation where they are not plain from the definition.
"""

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError, DataError, PolykerasError, ShapeError
from polykeras.registry import deserialize_keras_object, serialize_keras_object

WORDS = [["a", "c", "d"], ["d", "z", "b"]]
VOCABULARY = ["a", "b", "c", "d"]


def rows(x):
    return ops.convert_to_numpy(x).tolist()


def again(layer):
    data = json.loads(json.dumps(serialize_keras_object(layer)))
    return deserialize_keras_object(data)


# -- StringLookup ------------------------------------------------------------------


def test_adapting_sorts_by_frequency(backend):
    layer = layers.StringLookup()
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    assert layer.get_vocabulary(include_special_tokens=False)[0] == "d"
    assert layer.vocabulary_size() == 6
    assert rows(layer(np.array(WORDS))) == [[5, 3, 1], [1, 2, 4]]
    assert rows(again(layer)(WORDS)) == [[5, 3, 1], [1, 2, 4]]
    layer.adapt(iter([np.array(["x", "y"]), (np.array(["y"]), np.array([1]))]))
    assert layer.get_vocabulary() == ["[UNK]", "y", "x"]


def test_max_tokens_counts_special_ones():
    layer = layers.StringLookup(max_tokens=3, mask_token="")
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["", "[UNK]", "d"]
    assert rows(layer(["d", "", "z"])) == [2, 0, 1]


def test_unknown_strings_told_apart_by_hash(backend):
    layer = layers.StringLookup(vocabulary=VOCABULARY, num_oov_indices=2)
    assert rows(layer([["a", "c", "d"], ["m", "z", "b"]])) == [[2, 4, 5], [0, 1, 3]]


def test_no_unknown_strings():
    layer = layers.StringLookup(vocabulary=VOCABULARY, num_oov_indices=0)
    assert rows(layer(["a", "d"])) == [0, 3]
    with pytest.raises(ArgumentError, match=r"does not hold: \['z'\]"):
        layer(["a", "z"])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("one_hot", np.eye(5)[[1, 2, 3, 4, 0]]),
        ("multi_hot", [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]]),
        ("count", [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]]),
    ],
)
def test_tables(backend, mode, expected):
    layer = layers.StringLookup(vocabulary=VOCABULARY, output_mode=mode)
    data = ["a", "b", "c", "d", "z"]
    if mode != "one_hot":
        data = [["a", "c", "d", "d"], ["d", "z", "b", "z"]]
    outputs = layer(data)
    assert ops.dtype(outputs) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(outputs), expected)
    shape = np.shape(data)
    assert layer.compute_output_shape(shape) == np.shape(expected)
    symbolic = layer(keras.Input(batch_shape=shape, dtype="string"))
    assert (symbolic.shape, symbolic.dtype) == (np.shape(expected), "float32")


def test_tf_idf_with_given_weights(backend):
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.set_vocabulary(VOCABULARY, idf_weights=[0.25, 0.75, 0.6, 0.4])
    found = layer([["a", "c", "d", "d"], ["d", "z", "b", "z"]])
    expected = [[0.0, 0.25, 0.0, 0.6, 0.8], [1.0, 0.0, 0.75, 0.0, 0.4]]
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)
    np.testing.assert_allclose(
        ops.convert_to_numpy(again(layer)([["a", "z"]])), [[0.5, 0.25, 0, 0, 0]]
    )


def test_tf_idf_by_adapting():
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt([["a", "a", "b"], ["b", "c", "b"]])
    assert layer.get_vocabulary() == ["[UNK]", "b", "a", "c"]
    weights = np.log1p(2 / (1 + np.array([2, 1, 1])))
    expected = [[0, weights[0], 2 * weights[1], 0], [weights.mean(), 0, 0, weights[2]]]
    found = layer([["a", "b", "a"], ["c", "x", "c"]])
    expected[1][3] *= 2
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)


def test_inverse():
    layer = layers.StringLookup(vocabulary=VOCABULARY, invert=True)
    found = layer(np.array([[1, 3, 4], [4, 0, 9]]))
    assert found.tolist() == [["a", "c", "d"], ["d", "[UNK]", "[UNK]"]]
    symbolic = layer(keras.Input((3,), dtype="int32"))
    assert (symbolic.shape, symbolic.dtype) == ((None, 3), "string")


def test_vocabulary_in_files(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nb\nc\nd", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", *VOCABULARY]
    layer.save_assets(tmp_path)
    other = layers.StringLookup()
    other.load_assets(tmp_path)
    assert other.get_vocabulary() == layer.get_vocabulary()
    with pytest.raises(DataError, match="does not exist"):
        layers.StringLookup(vocabulary=str(tmp_path / "none.txt"))


def test_bytes_and_numbers_are_text():
    layer = layers.StringLookup(vocabulary=["é", "7"])
    assert rows(layer(np.array(["é".encode()]))) == [1]
    assert rows(layer(np.array([7, 8]))) == [2, 0]
    assert rows(layer(np.array(["é", b"7"], object))) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"output_mode": "tfidf"}, "Did you mean 'tf_idf'"),
        ({"vocabulary": ["a", "a"]}, r"more than once: \['a'\]"),
        ({"vocabulary": ["a", "[UNK]"]}, "holds '\\[UNK\\]' after its beginning"),
        ({"vocabulary": ["a", "b"], "max_tokens": 2}, "must be greater|has 3 tokens"),
        ({"invert": True, "output_mode": "count"}, "needs output_mode='int'"),
        ({"pad_to_max_tokens": True}, "needs max_tokens"),
        ({"num_oov_indices": -1}, "at least 0, got -1"),
        ({"idf_weights": [1.0]}, "need output_mode='tf_idf'"),
        ({"sparse": True}, "dense tensors"),
        ({"salt": [1, 2, 3]}, "is an integer or two"),
    ],
)
def test_wrong_arguments(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        layers.StringLookup(**arguments)


def test_wrong_use():
    with pytest.raises(PolykerasError, match="no vocabulary yet"):
        layers.StringLookup(num_oov_indices=0)(["a"])
    layer = layers.StringLookup(output_mode="tf_idf")
    with pytest.raises(ShapeError, match="2 tokens in its vocabulary, but 1 idf"):
        layer.set_vocabulary(["a", "b"], [1.0])
    with pytest.raises(ArgumentError, match="idf_weights with output_mode='tf_idf'"):
        layer.set_vocabulary(["a", "b"])
    with pytest.raises(DataError, match="got no data"):
        layer.adapt(iter([]))


# -- IntegerLookup -----------------------------------------------------------------


def test_integers(backend):
    layer = layers.IntegerLookup()
    layer.adapt(np.array([[12, 1138, 42], [42, 1000, 36]]))
    assert layer.get_vocabulary() == [-1, 42, 1138, 1000, 36, 12]
    assert rows(layer([[12, 1138, 42], [42, 1000, 7]])) == [[5, 2, 1], [1, 3, 0]]
    back = layers.IntegerLookup(vocabulary=[12, 36, 1138, 42], invert=True)
    assert rows(back([[1, 3, 4], [4, 0, 2]])) == [[12, 1138, 42], [42, -1, 36]]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"mask_token": 0},
        {"num_oov_indices": 3},
        {"output_mode": "count", "mask_token": 0},
        {"output_mode": "multi_hot"},
        {"invert": True},
    ],
)
def test_integers_in_a_compiled_function(backend, arguments):
    layer = layers.IntegerLookup(vocabulary=[12, 36, 1138, 42], **arguments)
    data = np.array([[12, 0, 5], [1138, -7, 42]], "int32")
    compiled = backend.compile(layer)
    found = compiled(ops.convert_to_tensor(data))
    assert rows(found) == rows(layer(data))
    symbolic = layer(keras.Input((3,), dtype="int32"))
    assert symbolic.shape[1:] == tuple(found.shape)[1:]
    assert symbolic.dtype == ops.dtype(found)


def test_wide_integers(backend):
    layer = layers.IntegerLookup(vocabulary=[1, 2**40])
    assert rows(layer(np.array([2**40, 1, 2**41]))) == [2, 1, 0]


# -- TextVectorization -------------------------------------------------------------


def test_words_are_standardised_split_and_numbered(backend):
    layer = layers.TextVectorization()
    layer.adapt(["The cat sat; the cat!", "A dog."])
    assert layer.get_vocabulary() == ["", "[UNK]", "the", "cat", "sat", "dog", "a"]
    assert rows(layer(["the DOG.", "who is the cat?"])) == [
        [2, 5, 0, 0],
        [1, 1, 2, 3],
    ]
    assert rows(layer("the dog")) == [2, 5]
    assert rows(layer([["a"], ["sat"]])) == [[6], [4]]
    assert rows(again(layer)(["a dog"])) == [[6, 5]]


@pytest.mark.parametrize("length", [2, 5])
def test_output_length(length):
    layer = layers.TextVectorization(
        vocabulary=["x", "y"], output_sequence_length=length
    )
    wanted = [[2, 3, 3][:length] + [0] * (length - 3)]
    assert rows(layer(["x y y"])) == wanted
    assert layer.compute_output_shape((None,)) == (None, length)
    assert layer(keras.Input((1,), dtype="string")).shape == (None, length)
    free = layers.TextVectorization(vocabulary=["x", "y"])
    assert free(keras.Input((), dtype="string")).shape == (None, None)


def test_ngrams_and_characters():
    layer = layers.TextVectorization(ngrams=2)
    layer.adapt(["a b c", "a b"])
    assert layer.get_vocabulary()[2:] == ["b", "a b", "a", "c", "b c"]
    only = layers.TextVectorization(ngrams=(2,), vocabulary=["a b"])
    assert rows(only(["a b c"])) == [[2, 1]]
    letters = layers.TextVectorization(split="character", vocabulary=["a", "b"])
    assert rows(letters(["ab!a"])) == [[2, 3, 2]]


def test_tables_of_words(backend):
    layer = layers.TextVectorization(
        output_mode="multi_hot", max_tokens=5, pad_to_max_tokens=True
    )
    layer.adapt(["foo bar", "bar baz"])
    assert layer.get_vocabulary() == ["[UNK]", "bar", "foo", "baz"]
    assert rows(layer(["foo foo qux", "baz"])) == [[1, 0, 1, 0, 0], [0, 0, 0, 1, 0]]
    idf = layers.TextVectorization(output_mode="tf_idf")
    idf.adapt(["foo bar", "bar baz"])
    weights = np.log1p(2 / (1 + np.array([2, 1, 1])))
    np.testing.assert_allclose(
        ops.convert_to_numpy(idf(["foo foo bar"])),
        [[0, weights[0], 2 * weights[1], 0]],
        rtol=1e-6,
    )


def test_functions_of_ones_own():
    def shout(texts):
        return np.char.upper(texts)

    def commas(texts):
        return [t.split(",") for t in texts.tolist()]

    layer = layers.TextVectorization(standardize=shout, split=commas)
    layer.adapt(["a,b", "b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B", "A"]
    given = layers.TextVectorization(standardize=None, split=None, vocabulary=["a b"])
    assert rows(given([["a b", "c"]])) == [[2, 1]]
    assert rows(given(["a b", "c"])) == [2, 1]
    assert given.compute_output_shape((None,)) == (None,)


def test_the_smallest_vocabulary_is_one_token(backend):
    layer = layers.IntegerLookup(max_tokens=3, num_oov_indices=2)
    layer.adapt([3, 3, 7])
    assert layer.get_vocabulary() == [-1, -1, 3]
    with pytest.raises(ArgumentError, match="greater than 2, got 2"):
        layers.IntegerLookup(max_tokens=2, num_oov_indices=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"standardize": "lowr"}, "Did you mean 'lower'"),
        ({"split": "whitespaces"}, "Did you mean 'whitespace'"),
        ({"ngrams": 0}, "positive integer or a tuple"),
        ({"output_mode": "one_hot"}, "Unknown output_mode 'one_hot'"),
        ({"output_mode": "count", "output_sequence_length": 3}, "'int' only"),
        ({"ragged": True}, "ragged=True is not supported"),
    ],
)
def test_wrong_arguments_of_text(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        layers.TextVectorization(**arguments)
    with pytest.raises(ShapeError, match=r"\(B,\) or \(B, 1\), got \(1, 2\)"):
        layers.TextVectorization(vocabulary=["a"])([["a", "b"]])


# -- in models ---------------------------------------------------------------------

TEXTS = np.array(["good film", "bad film", "great good", "awful bad"] * 2)
LABELS = np.array([1, 0, 1, 0] * 2)


def test_models_train_on_text(backend):
    keras.utils.set_random_seed(0)
    vectorize = layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(TEXTS)
    model = keras.Sequential([vectorize, layers.Dense(1, activation="sigmoid")])
    model.compile(
        keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(TEXTS, LABELS, epochs=10, verbose=0).history
    assert history["accuracy"][-1] == 1.0
    assert model.predict(TEXTS[:3], verbose=0).shape == (3, 1)
    assert model.predict(np.array(["bad"]), verbose=0).item() < 0.5


def test_functional_models_of_text_and_numbers(backend):
    colour = keras.Input((1,), dtype="string", name="colour")
    size = keras.Input((1,), dtype="int32", name="size")
    joined = layers.concatenate(
        [
            layers.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")(
                colour
            ),
            layers.IntegerLookup(vocabulary=[3, 7], output_mode="one_hot")(size),
        ]
    )
    model = keras.Model([colour, size], layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    data = {"colour": np.array(["red", "blue", "green"]), "size": np.array([3, 7, 3])}
    model.fit(data, np.ones(3), verbose=0)
    back = keras.models.model_from_json(model.to_json())
    back.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        back.predict(data, verbose=0), model.predict(data, verbose=0)
    )


def test_text_that_nothing_reads():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(DataError, match="which no layer of the model reads"):
        model.fit(TEXTS, LABELS, verbose=0)
