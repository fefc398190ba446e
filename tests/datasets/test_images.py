"""mnist, fashion_mnist, cifar10 and cifar100 on small files of their layouts."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from polykeras import config
from polykeras.datasets import cifar10, cifar100, fashion_mnist, mnist
from polykeras.errors import ArgumentError, DataError

RNG = np.random.default_rng(0)


def arrays(train, test, shape, label_shape=()):
    return {
        "x_train": RNG.integers(0, 256, (train, *shape)).astype("uint8"),
        "y_train": RNG.integers(0, 10, (train, *label_shape)).astype("uint8"),
        "x_test": RNG.integers(0, 256, (test, *shape)).astype("uint8"),
        "y_test": RNG.integers(0, 10, (test, *label_shape)).astype("uint8"),
    }


def assert_splits(result, expected):
    (x_train, y_train), (x_test, y_test) = result
    for name, value in zip(
        ("x_train", "y_train", "x_test", "y_test"),
        (x_train, y_train, x_test, y_test),
        strict=True,
    ):
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
        assert value.dtype == np.uint8


def write_idx(path, values):
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    with gzip.open(path, "wb") as stream:
        stream.write(bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes())


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def batch(count, **labels):
    """Return a batch as published, and its images as (N, 32, 32, 3)."""
    data = RNG.integers(0, 256, (count, 3072)).astype("uint8")
    content = {b"data": data, b"batch_label": b"a batch"}
    content |= {name.encode(): values for name, values in labels.items()}
    return pickle.dumps(content, protocol=3), data.reshape(count, 3, 32, 32).transpose(
        0, 2, 3, 1
    )


@pytest.fixture
def channels_first():
    before = config.image_data_format()
    config.set_image_data_format("channels_first")
    yield
    config.set_image_data_format(before)


def test_mnist_by_folder_and_by_path(folders, offline, tmp_path):
    own, _ = folders
    expected = arrays(6, 4, (28, 28))
    np.savez_compressed(own / "mnist.npz", **expected)
    assert_splits(mnist.load_data(), expected)
    np.savez(tmp_path / "other.npz", **expected)
    assert_splits(mnist.load_data(path=str(tmp_path / "other.npz")), expected)


def test_mnist_with_missing_labels_is_refused(folders, offline):
    own, _ = folders
    expected = arrays(6, 4, (28, 28))
    expected["y_test"] = expected["y_test"][:3]
    np.savez(own / "mnist.npz", **expected)
    with pytest.raises(DataError, match=r"x_test of shape \(4, 28, 28\).*\(3,\)"):
        mnist.load_data()


def test_fashion_mnist_npz(folders, offline):
    own, _ = folders
    expected = arrays(6, 4, (28, 28))
    np.savez_compressed(own / "fashion_mnist.npz", **expected)
    assert_splits(fashion_mnist.load_data(), expected)


@pytest.mark.parametrize("folder", ["", "fashion-mnist"])
def test_fashion_mnist_idx(folders, offline, folder):
    own, _ = folders
    expected = arrays(6, 4, (28, 28))
    (own / folder).mkdir(exist_ok=True)
    for part, prefix in (("train", "train"), ("test", "t10k")):
        base = own / folder
        write_idx(base / f"{prefix}-images-idx3-ubyte.gz", expected[f"x_{part}"])
        write_idx(base / f"{prefix}-labels-idx1-ubyte.gz", expected[f"y_{part}"])
    assert_splits(fashion_mnist.load_data(), expected)


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"\0\0\x08\x01")],
    ids=["empty", "text", "short"],
)
def test_fashion_mnist_damaged_idx_is_refused(folders, offline, content):
    own, _ = folders
    (own / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz"):
        fashion_mnist.load_data()


def test_cifar10_archive(folders, offline):
    own, _ = folders
    batches = [batch(2, labels=[i, 9 - i]) for i in range(6)]
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    write_tar(
        own / "cifar-10-python.tar.gz",
        {
            f"cifar-10-batches-py/{name}": data
            for name, (data, _) in zip(names, batches, strict=True)
        },
    )
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    np.testing.assert_array_equal(x_train, np.concatenate([b[1] for b in batches[:5]]))
    np.testing.assert_array_equal(x_test, batches[5][1])
    assert y_train.tolist() == [[n] for i in range(5) for n in (i, 9 - i)]
    assert y_test.tolist() == [[5], [4]]
    assert x_train.dtype == y_train.dtype == np.uint8


def test_cifar10_subset_is_announced(folders, offline):
    own, _ = folders
    expected = arrays(6, 4, (32, 32, 3), (1,))
    np.savez(own / "cifar10_subset.npz", **expected)
    with pytest.warns(UserWarning, match="6 of 50000 training images"):
        result = cifar10.load_data()
    assert_splits(result, expected)


def test_cifar10_channels_first(folders, offline, channels_first):
    own, _ = folders
    expected = arrays(6, 4, (32, 32, 3), (1,))
    np.savez(own / "cifar10.npz", **expected)
    with pytest.warns(UserWarning, match="part of CIFAR-10"):
        (x_train, _), (x_test, _) = cifar10.load_data()
    assert x_test.shape == (4, 3, 32, 32)
    np.testing.assert_array_equal(x_train, np.moveaxis(expected["x_train"], -1, 1))


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100_archive(folders, offline, mode):
    own, _ = folders
    parts = {
        name: batch(2, fine_labels=[97, 3], coarse_labels=[19, 4])
        for name in ("train", "test")
    }
    write_tar(
        own / "cifar-100-python.tar.gz",
        {f"cifar-100-python/{name}": data for name, (data, _) in parts.items()},
    )
    (x_train, y_train), (x_test, y_test) = cifar100.load_data(label_mode=mode)
    np.testing.assert_array_equal(x_train, parts["train"][1])
    np.testing.assert_array_equal(x_test, parts["test"][1])
    labels = {"fine": [[97], [3]], "coarse": [[19], [4]]}[mode]
    assert y_train.tolist() == y_test.tolist() == labels


def test_cifar100_unknown_mode():
    with pytest.raises(ArgumentError, match="'coarse', 'fine'"):
        cifar100.load_data("course")


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_cifar_batch_that_calls_is_refused(folders, offline, tmp_path):
    own, _ = folders
    evil = pickle.dumps({b"data": Attack(str(tmp_path / "touched"))})
    write_tar(
        own / "cifar-10-python.tar.gz", {"cifar-10-batches-py/data_batch_1": evil}
    )
    with pytest.raises(DataError, match="not admitted"):
        cifar10.load_data()
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("content", [b"no archive", None], ids=["text", "other"])
def test_cifar_damaged_archive_is_refused(folders, offline, content):
    own, _ = folders
    path = own / "cifar-10-python.tar.gz"
    if content is None:
        write_tar(path, {"another/file": b"1"})
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="not the complete archive"):
        cifar10.load_data()


def test_cifar_batch_without_labels_is_refused(folders, offline):
    own, _ = folders
    data, _ = batch(2)
    write_tar(
        own / "cifar-10-python.tar.gz", {"cifar-10-batches-py/data_batch_1": data}
    )
    with pytest.raises(DataError, match="a list 'labels'"):
        cifar10.load_data()


def test_label_names():
    assert len(set(cifar10.get_label_names())) == 10
    assert len(set(fashion_mnist.get_label_names())) == 10


@pytest.mark.real_data
def test_real_mnist(real_data):
    real_data("mnist.npz")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert y_train[:3].tolist() == [5, 0, 4]
    assert y_train[-3:].tolist() == [5, 6, 8]
    assert y_test[:3].tolist() == [7, 2, 1]
    assert y_test[-3:].tolist() == [4, 5, 6]


@pytest.mark.real_data
def test_real_fashion_mnist(real_data):
    real_data("fashion_mnist.npz")
    (x_train, y_train), (_, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10


@pytest.mark.real_data
def test_real_cifar10_part(real_data):
    real_data("cifar10_subset.npz")
    with pytest.warns(UserWarning, match="part of CIFAR-10"):
        (x_train, y_train), _ = cifar10.load_data()
    assert x_train.shape[1:] == (32, 32, 3)
    assert y_train[:5].ravel().tolist() == [6, 9, 9, 4, 1]
