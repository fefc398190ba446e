"""imdb and reuters on small files of their layouts."""

import json

import numpy as np
import pytest

from polykeras.datasets import imdb, reuters
from polykeras.errors import ArgumentError, DataError


def ragged(rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


# Equal lengths on purpose: a plain np.array would make a matrix of them.
TRAIN = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 1, 1]]
TEST = [[9, 8], [10, 11, 12, 13], [2], [3, 3]]


@pytest.fixture
def imdb_file(folders, offline):
    own, _ = folders
    np.savez_compressed(
        own / "imdb.npz",
        x_train=ragged(TRAIN),
        y_train=np.array([0, 1, 2, 3]),
        x_test=ragged(TEST),
        y_test=np.array([4, 5, 6, 7]),
    )
    return own


@pytest.fixture
def reuters_file(folders, offline):
    own, _ = folders
    np.savez(own / "reuters.npz", x=ragged(TRAIN + TEST), y=np.arange(8))
    return own


def orders(seed):
    rng = np.random.RandomState(seed)
    train, test = np.arange(4), np.arange(4)
    rng.shuffle(train)
    rng.shuffle(test)
    return train, test


@pytest.mark.parametrize("seed", [113, 7])
def test_imdb_order_and_numbers(imdb_file, seed):
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=100, seed=seed)
    train, test = orders(seed)
    assert y_train.tolist() == train.tolist()
    assert y_test.tolist() == (test + 4).tolist()
    assert x_train.shape == x_test.shape == (4,)
    assert x_train.tolist() == [[1] + [w + 3 for w in TRAIN[i]] for i in train]
    assert x_test.tolist() == [[1] + [w + 3 for w in TEST[i]] for i in test]


def by_label(x, y):
    return dict(zip(y.tolist(), x, strict=True))


def test_imdb_words_left_out_become_oov(imdb_file):
    (x, y), (x_test, y_test) = imdb.load_data(num_words=10, skip_top=5)
    assert by_label(x, y)[0] == [2, 2, 5, 6]
    assert by_label(x, y)[2] == [2, 2, 2, 2]
    assert by_label(x_test, y_test)[7] == [2, 6, 6]


def test_imdb_words_left_out_vanish_without_oov(imdb_file):
    (x, y), _ = imdb.load_data(num_words=10, oov_char=None)
    assert by_label(x, y)[1] == [1, 7, 8, 9]
    assert by_label(x, y)[2] == [1]


def test_imdb_largest_number_is_left_out_by_default(imdb_file):
    _, (x, y) = imdb.load_data()
    assert by_label(x, y)[5] == [1, 13, 14, 15, 2]


def test_imdb_raw_ranks(imdb_file):
    (x, y), _ = imdb.load_data(start_char=None, index_from=0, num_words=100)
    assert by_label(x, y)[1] == [4, 5, 6]


def test_imdb_maxlen_drops_texts(imdb_file):
    (x, y), (x_test, y_test) = imdb.load_data(maxlen=5, num_words=100)
    assert sorted(y.tolist()) == [0, 1, 2, 3]
    assert sorted(y_test.tolist()) == [4, 6, 7]
    assert all(len(text) < 5 for text in [*x, *x_test])


def test_imdb_maxlen_that_drops_everything(imdb_file):
    with pytest.raises(ArgumentError, match=r"maxlen=3; the shortest has 4 words"):
        imdb.load_data(maxlen=3)


def test_word_indices(imdb_file):
    words = {"the": 1, "naïve": 2}
    for name, module in (("imdb", imdb), ("reuters", reuters)):
        path = imdb_file / f"{name}_word_index.json"
        path.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        assert module.get_word_index() == words
        assert module.get_word_index(path=str(path)) == words


def test_reuters_split_and_order(reuters_file):
    (x_train, y_train), (x_test, y_test) = reuters.load_data(
        num_words=100, test_split=0.25, seed=5
    )
    order = np.arange(8)
    np.random.RandomState(5).shuffle(order)
    assert y_train.tolist() + y_test.tolist() == order.tolist()
    assert len(x_train) == 6
    texts = TRAIN + TEST
    assert [*x_train, *x_test] == [[1] + [w + 3 for w in texts[i]] for i in order]


def test_reuters_maxlen_comes_before_the_split(reuters_file):
    (x_train, _), (x_test, y_test) = reuters.load_data(maxlen=4, test_split=0.5)
    assert len(x_train) == 1
    assert len(x_test) == len(y_test) == 2


@pytest.mark.parametrize("test_split", [-0.1, 1.0])
def test_reuters_test_split_is_checked(test_split):
    with pytest.raises(ArgumentError, match="test_split"):
        reuters.load_data(test_split=test_split)


def test_reuters_labels():
    names = reuters.get_label_names()
    assert len(set(names)) == 46
    assert names[0] == "cocoa"
    assert names[45] == "lead"


def test_offline(folders, offline):
    for module, name in ((imdb, "imdb"), (reuters, "reuters")):
        with pytest.raises(DataError, match=rf"'{name}\.npz' is not in the folders"):
            module.load_data()
        with pytest.raises(DataError, match=rf"'{name}_word_index\.json' is not in"):
            module.get_word_index()


@pytest.mark.real_data
def test_real_imdb(real_data):
    real_data("imdb.npz")
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)
    assert x_train.shape == x_test.shape == (25000,)
    assert sum(y_train) == sum(y_test) == 12500
    assert np.mean([len(text) for text in x_train]) == pytest.approx(238.71364)
    assert np.mean([len(text) for text in x_test]) == pytest.approx(230.8042)
    assert max(map(max, x_train)) == 9999
    assert {text[0] for text in x_train} == {1}


@pytest.mark.real_data
def test_real_reuters(real_data):
    real_data("reuters.npz")
    (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10000)
    assert x_train.shape == (8982,)
    assert x_test.shape == (2246,)
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert len(counts) == len(reuters.get_label_names())
    assert counts[3] == 3972
