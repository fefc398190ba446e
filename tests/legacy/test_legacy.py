"""Helpers of the books' first editions."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.errors import ArgumentError, PolykerasError
from polykeras.legacy.image import ImageDataGenerator
from polykeras.legacy.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
)

TEXTS = ["The cat sat on the mat.", "The dog ate my homework."]


# -- text --------------------------------------------------------------------------


def test_tokenizer():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index["the"] == 1
    assert tokenizer.document_count == 2
    assert tokenizer.word_docs["the"] == 2
    assert tokenizer.word_counts["the"] == 3
    assert tokenizer.texts_to_sequences(["the cat", "a dog"]) == [[1, 2], [6]]
    assert tokenizer.sequences_to_texts([[1, 2]]) == ["the cat"]
    matrix = tokenizer.texts_to_matrix(TEXTS, mode="binary")
    assert matrix.shape == (2, 10)
    assert matrix.sum(axis=1).tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("count", [0.0, 2.0, 1.0]),
        ("freq", [0.0, 2 / 3, 1 / 3]),
        ("tfidf", [0.0, (1 + np.log(2)) * np.log(1 + 2 / 3), np.log(1 + 2 / 2)]),
    ],
)
def test_matrices(mode, expected):
    tokenizer = Tokenizer(num_words=3)
    tokenizer.fit_on_texts(["the cat", "the the dog"])
    np.testing.assert_allclose(
        tokenizer.sequences_to_matrix([[1, 1, 2]], mode)[0], expected
    )
    with pytest.raises(ArgumentError, match="Did you mean 'count'"):
        tokenizer.sequences_to_matrix([[1]], "counts")


def test_unknown_words_and_characters():
    tokenizer = Tokenizer(num_words=3, oov_token="?")
    tokenizer.fit_on_texts(["a a b"])
    assert tokenizer.texts_to_sequences(["a b c"]) == [[2, 1, 1]]
    letters = Tokenizer(char_level=True)
    letters.fit_on_texts(["aab"])
    assert letters.texts_to_sequences(["ba"]) == [[2, 1]]
    with pytest.raises(PolykerasError, match="call fit_on_texts"):
        Tokenizer().texts_to_matrix(["a"])


def test_words_and_hashes():
    assert text_to_word_sequence("A-b, C!", lower=False) == ["A", "b", "C"]
    assert one_hot("the cat the", 50) == hashing_trick("the cat the", 50, "md5")
    first, second, third = one_hot("the cat the", 50)
    assert first == third
    assert 1 <= second < 50


# -- images ------------------------------------------------------------------------

IMAGES = np.random.default_rng(0).uniform(0, 255, (10, 6, 6, 3)).astype("float32")


def test_batches_without_changes():
    flow = ImageDataGenerator(rescale=1 / 255).flow(
        IMAGES, np.arange(10), batch_size=4, shuffle=False
    )
    batches = [next(flow) for _ in range(4)]
    assert [len(x) for x, _ in batches] == [4, 4, 2, 4]
    np.testing.assert_allclose(batches[0][0], IMAGES[:4] / 255, rtol=1e-6)
    np.testing.assert_array_equal(batches[3][1], [0, 1, 2, 3])


def test_changes():
    plain = ImageDataGenerator()
    np.testing.assert_array_equal(plain.random_transform(IMAGES[0]), IMAGES[0])
    flipped = ImageDataGenerator(horizontal_flip=True)
    found = flipped.flow(np.repeat(IMAGES[:1], 20, 0), batch_size=20, seed=0)[0]
    kinds = {x.tobytes() for x in found}
    assert kinds == {IMAGES[0].tobytes(), IMAGES[0, :, ::-1].tobytes()}
    moved = ImageDataGenerator(width_shift_range=[2.0][0], fill_mode="constant", cval=7)
    assert not np.array_equal(moved.random_transform(IMAGES[0], seed=1), IMAGES[0])
    many = ImageDataGenerator(
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
        channel_shift_range=10.0,
        brightness_range=(0.5, 1.5),
        fill_mode="nearest",
    )
    first, second = (many.random_transform(IMAGES[0], seed=s) for s in (1, 2))
    assert first.shape == (6, 6, 3)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, many.random_transform(IMAGES[0], seed=1))


def test_a_quarter_turn():
    generator = ImageDataGenerator(rotation_range=90)

    class Most:
        def uniform(self, low, high, size):
            return np.full(size, high, "float64")

    matrix = generator._transforms(IMAGES[:1], Most())
    from polykeras.legacy.image import _moved

    found = _moved(IMAGES[:1], matrix, "nearest", 0.0)
    np.testing.assert_allclose(found[0], np.rot90(IMAGES[0]), atol=0.1)


def test_statistics():
    generator = ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True
    )
    generator.fit(IMAGES)
    found = generator.flow(IMAGES, batch_size=10)[0]
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), 1, atol=1e-4)


def test_images_from_folders_train(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for name, value in (("cats", 0), ("dogs", 255)):
        (tmp_path / name).mkdir()
        for i in range(4):
            pillow.new("RGB", (5, 5), (value, i, 0)).save(tmp_path / name / f"{i}.png")
    generator = ImageDataGenerator(rescale=1 / 255, validation_split=0.25)
    flow = generator.flow_from_directory(
        tmp_path, target_size=(4, 4), batch_size=2, class_mode="binary", seed=0
    )
    assert flow.class_indices == {"cats": 0, "dogs": 1}
    x, y = next(flow)
    assert (x.shape, y.shape) == ((2, 4, 4, 3), (2,))
    part = generator.flow_from_directory(tmp_path, (4, 4), subset="validation")
    assert part.n == 2
    model = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile("rmsprop", "binary_crossentropy")
    history = model.fit(flow, steps_per_epoch=4, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_wrong_image_arguments():
    with pytest.raises(ArgumentError, match="Did you mean 'nearest'"):
        ImageDataGenerator(fill_mode="nearst")
    with pytest.raises(ArgumentError, match="between 0 and 1, got 2"):
        ImageDataGenerator(validation_split=2)


# -- functions ---------------------------------------------------------------------


def test_backend_functions(backend):
    from polykeras import backend as K  # noqa: N812

    x = ops.convert_to_tensor(np.array([[1.0, -2.0], [3.0, 4.0]], "float32"))
    assert K.get_value(K.square(x)).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert K.int_shape(x) == (2, 2)
    assert K.ndim(x) == 2
    assert K.dtype(x) == "float32"
    assert float(K.eval(K.mean(x))) == 1.5
    v = K.variable(np.zeros(2, "float32"))
    K.set_value(v, [1.0, 2.0])
    K.update_add(v, np.ones(2, "float32"))
    assert K.batch_get_value([v])[0].tolist() == [2.0, 3.0]
    assert K.int_shape(K.batch_flatten(ops.ones((2, 3, 4)))) == (2, 12)
    assert K.get_value(K.permute_dimensions(x, (1, 0)))[0].tolist() == [1.0, 3.0]
    assert K.random_normal((2, 3), seed=1).shape == (2, 3)
    assert K.count_params(x) == 4
    chosen = K.switch(ops.greater(x, 0), x, K.zeros_like(x))
    assert float(K.get_value(K.sum(chosen))) == 8.0
    K.clear_session()


def test_old_paths():
    from polykeras.preprocessing.image import ImageDataGenerator as Images
    from polykeras.preprocessing.text import Tokenizer as Words

    assert Images is ImageDataGenerator
    assert Words is Tokenizer
    with pytest.raises(AttributeError, match="no attribute 'sqaure'"):
        _ = keras.backend.sqaure
