"""Data sets from folders and arrays."""

import numpy as np
import pytest

import polykeras as keras
from polykeras.errors import ArgumentError, DataError, ShapeError
from polykeras.utils import (
    image_dataset_from_directory,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)


@pytest.fixture
def images(tmp_path):
    """Two folders: three grey cats, 4 x 6, and five white dogs, 6 x 4."""
    pillow = pytest.importorskip("PIL.Image")
    for name, count, value, size in (("cat", 3, 100, (6, 4)), ("dog", 5, 255, (4, 6))):
        (tmp_path / name).mkdir()
        for i in range(count):
            pillow.new("RGB", size, (value, i, 0)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    return tmp_path


@pytest.fixture
def texts(tmp_path):
    for name, words in (("neg", ["bad", "awful"]), ("pos", ["good", "great", "fine"])):
        (tmp_path / name).mkdir()
        for word in words:
            (tmp_path / name / f"{word}.txt").write_text(f"a {word} film")
    return tmp_path


def labels_of(dataset):
    return np.concatenate([y for _, y in dataset])


# -- images ------------------------------------------------------------------------


def test_images_and_labels(images, capsys):
    data = image_dataset_from_directory(
        images, batch_size=3, image_size=(4, 6), shuffle=False
    )
    assert "Found 8 files belonging to 2 classes." in capsys.readouterr().out
    assert data.class_names == ["cat", "dog"]
    assert len(data.file_paths) == 8
    assert len(data) == 3
    x, y = data[0]
    assert (x.shape, x.dtype, y.dtype) == ((3, 4, 6, 3), "float32", "int32")
    np.testing.assert_array_equal(x[..., 0], 100.0)
    np.testing.assert_array_equal(x[:, 0, 0, 1], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(labels_of(data), [0] * 3 + [1] * 5)
    np.testing.assert_array_equal(data[2][0][..., 0], 255.0)


@pytest.mark.parametrize(
    ("mode", "shape", "first"),
    [("int", (8,), 0), ("binary", (8, 1), [0.0]), ("categorical", (8, 2), [1.0, 0.0])],
)
def test_label_modes(images, mode, shape, first):
    data = image_dataset_from_directory(
        images, label_mode=mode, image_size=(2, 2), shuffle=False, verbose=False
    )
    labels = labels_of(data)
    assert labels.shape == shape
    np.testing.assert_array_equal(labels[0], first)


def test_without_labels_and_with_given_ones(images):
    more = {"image_size": (2, 2), "shuffle": False, "verbose": False}
    alone = image_dataset_from_directory(images, labels=None, label_mode=None, **more)
    assert alone[0].shape == (8, 2, 2, 3)
    given = image_dataset_from_directory(
        images, labels=[0, 1, 2, 0, 1, 2, 0, 1], **more
    )
    np.testing.assert_array_equal(labels_of(given), [0, 1, 2, 0, 1, 2, 0, 1])
    swapped = image_dataset_from_directory(images, class_names=["dog", "cat"], **more)
    np.testing.assert_array_equal(labels_of(swapped), [0] * 5 + [1] * 3)


def test_forms_of_images(images):
    more = {"image_size": (4, 4), "shuffle": False, "verbose": False}
    grey = image_dataset_from_directory(images, color_mode="grayscale", **more)
    assert grey[0][0].shape == (8, 4, 4, 1)
    first = image_dataset_from_directory(images, data_format="channels_first", **more)
    assert first[0][0].shape == (8, 3, 4, 4)
    padded = image_dataset_from_directory(images, pad_to_aspect_ratio=True, **more)
    assert padded[0][0][0, 0, 0, 0] < 50.0 < padded[0][0][0, 1, 1, 0]
    single = image_dataset_from_directory(images, batch_size=None, **more)
    x, y = single[7]
    assert (x.shape, int(y), len(single)) == ((4, 4, 3), 1, 8)


def test_orders_and_splits(images):
    more = {"image_size": (2, 2), "verbose": False, "seed": 5, "batch_size": 2}
    data = image_dataset_from_directory(images, **more)
    first, second = (np.concatenate([x[:, 0, 0, 1] for x, _ in data]) for _ in range(2))
    assert sorted(first) == sorted(second)
    assert not np.array_equal(first, second)
    again = image_dataset_from_directory(images, **more)
    np.testing.assert_array_equal(
        np.concatenate([x[:, 0, 0, 1] for x, _ in again]), first
    )
    split = {**more, "validation_split": 0.25}
    train, validation = image_dataset_from_directory(images, subset="both", **split)
    assert (len(train.file_paths), len(validation.file_paths)) == (6, 2)
    assert not set(train.file_paths) & set(validation.file_paths)
    alone = image_dataset_from_directory(images, subset="validation", **split)
    assert alone.file_paths == validation.file_paths


def test_chains(images):
    data = image_dataset_from_directory(
        images, batch_size=3, image_size=(2, 2), shuffle=False, verbose=False
    )
    scaled = data.map(lambda x, y: (x / 255.0, y), num_parallel_calls=2)
    chain = scaled.cache().prefetch(2).take(2)
    assert chain.class_names == ["cat", "dog"]
    batches = list(chain)
    assert len(batches) == len(chain) == 2
    assert batches[0][0].max() == np.float32(100 / 255)
    again = list(chain)
    assert again[0][0] is batches[0][0]
    assert len(data.skip(2)) == 1
    np.testing.assert_array_equal(data.skip(2)[0][1], [1, 1])
    assert len(data.take(-1)) == 3
    alone = data.map(lambda x, y: x)
    np.testing.assert_array_equal(alone[0], data[0][0])


def test_training_on_images(backend, images):
    train, validation = image_dataset_from_directory(
        images,
        label_mode="binary",
        image_size=(2, 2),
        batch_size=2,
        seed=0,
        validation_split=0.25,
        subset="both",
        verbose=False,
    )
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    history = model.fit(train, validation_data=validation, epochs=2, verbose=0)
    assert set(history.history) == {"loss", "val_loss"}


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"label_mode": "ints"}, ArgumentError, "Did you mean 'int'"),
        ({"color_mode": "grey"}, ArgumentError, "Unknown color_mode"),
        ({"interpolation": "linear"}, ArgumentError, "Did you mean 'bilinear'"),
        ({"class_names": ["cats"]}, ArgumentError, "Did you mean 'cat'"),
        ({"labels": [0, 1]}, DataError, "2 entries, but .* holds 8"),
        ({"labels": None}, ArgumentError, "needs label_mode=None"),
        ({"validation_split": 0.2}, ArgumentError, "belong together"),
        ({"validation_split": 0.2, "subset": "train"}, ArgumentError, "'training'"),
        ({"validation_split": 0.2, "subset": "both"}, ArgumentError, "needs a seed"),
        ({"batch_size": 0}, ArgumentError, "positive integer or None, got 0"),
        ({"format": "tf"}, ArgumentError, "PyDataset"),
    ],
)
def test_wrong_arguments(images, arguments, error, said):
    with pytest.raises(error, match=said):
        image_dataset_from_directory(images, verbose=False, **arguments)


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        image_dataset_from_directory(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"No files ending in \.txt were found"):
        text_dataset_from_directory(tmp_path)


def test_smart_resize():
    x = np.arange(32.0).reshape(4, 8, 1)
    resize = keras.preprocessing.image.smart_resize
    np.testing.assert_array_equal(resize(x, (4, 4)), x[:, 2:6])
    assert resize(x[None], (2, 2)).shape == (1, 2, 2, 1)
    with pytest.raises(ShapeError, match=r"got shape \(4, 8\)"):
        resize(x[..., 0], (2, 2))


# -- texts -------------------------------------------------------------------------


def test_texts(backend, texts):
    data = text_dataset_from_directory(
        texts, label_mode="binary", batch_size=2, shuffle=False, verbose=False
    )
    x, y = data[0]
    assert x.tolist() == ["a awful film", "a bad film"]
    assert y.tolist() == [[0.0], [0.0]]
    assert text_dataset_from_directory(
        texts, max_length=3, shuffle=False, verbose=False
    )[0][0].tolist() == ["a a", "a b", "a f", "a g", "a g"]
    vectorize = keras.layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(data.map(lambda x, y: x))
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile("rmsprop", "binary_crossentropy")
    model.fit(data.map(lambda x, y: (vectorize(x), y)), verbose=0)
    assert model.built


# -- series ------------------------------------------------------------------------


def batches_of(**arguments):
    data = np.arange(10)
    return [
        batch if isinstance(batch, np.ndarray) else tuple(p.tolist() for p in batch)
        for batch in timeseries_dataset_from_array(data, **arguments)
    ]


def test_windows():
    found = batches_of(targets=np.arange(10) * 10, sequence_length=3, batch_size=2)
    assert found[0] == ([[0, 1, 2], [1, 2, 3]], [0, 10])
    assert found[-1] == ([[6, 7, 8], [7, 8, 9]], [60, 70])
    found = batches_of(
        targets=None, sequence_length=3, sampling_rate=2, sequence_stride=3
    )
    assert [b.tolist() for b in found] == [[[0, 2, 4], [3, 5, 7]]]


def test_windows_of_a_part():
    found = batches_of(
        targets=np.arange(10), sequence_length=2, start_index=4, end_index=8
    )
    assert found == [([[4, 5], [5, 6], [6, 7]], [4, 5, 6])]
    single = batches_of(targets=np.arange(3), sequence_length=2, batch_size=None)
    assert len(single) == 3


def test_windows_in_random_order():
    make = {"targets": np.arange(10), "sequence_length": 2, "shuffle": True, "seed": 1}
    ((windows, targets),) = batches_of(**make)
    assert targets == [w[0] for w in windows] != sorted(targets)
    assert batches_of(**make) == [(windows, targets)]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"sequence_length": 0}, ArgumentError, "sequence_length must be an integer"),
        ({"sequence_length": 2, "sampling_rate": 11}, ArgumentError, "length of the"),
        ({"sequence_length": 2, "start_index": 8, "end_index": 4}, ArgumentError, "10"),
        ({"sequence_length": 5, "sampling_rate": 3}, DataError, "shorter than"),
        ({"sequence_length": 2, "format": "grain"}, ArgumentError, "PyDataset"),
    ],
)
def test_wrong_windows(arguments, error, said):
    with pytest.raises(error, match=said):
        batches_of(targets=None, **arguments)
