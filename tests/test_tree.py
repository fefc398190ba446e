from collections import OrderedDict, namedtuple

import pytest

from polykeras import tree

Point = namedtuple("Point", "x y")
NESTED = {"b": [1, None], "a": (2, Point(3, {"c": 4}))}


def test_flatten_goes_by_sorted_keys_and_keeps_none():
    assert tree.flatten(NESTED) == [2, 3, 4, 1, None]
    assert tree.flatten(7) == [7]
    assert tree.flatten([]) == []


def test_pack_is_the_inverse_of_flatten():
    packed = tree.pack_sequence_as(NESTED, tree.flatten(NESTED))
    assert packed == NESTED
    assert isinstance(packed["a"][1], Point)
    with pytest.raises(ValueError, match="has 5 leaves, but 2"):
        tree.pack_sequence_as(NESTED, [1, 2])


def test_map_structure():
    assert tree.map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)]) == [11, (22,)]
    assert tree.map_structure(str, [1, None]) == ["1", "None"]
    assert tree.map_structure(str, [1, None], none_is_leaf=False) == ["1", None]
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(str)
    with pytest.raises(ValueError, match=r"\w"):
        tree.map_structure(lambda a, b: a, [1, 2], [1])


def test_paths_lead_to_leaves():
    for path, leaf in tree.flatten_with_path(NESTED):
        found = NESTED
        for key in path:
            found = (
                getattr(found, key)
                if isinstance(key, str) and hasattr(found, key)
                else found[key]
            )
        assert found is leaf


def test_is_nested():
    assert all(tree.is_nested(x) for x in ([], (), {}, Point(1, 2), OrderedDict()))
    assert not any(tree.is_nested(x) for x in (None, 1, "text", {1, 2}))


def test_assert_same_structure():
    tree.assert_same_structure([1, {"a": 2}], [3, {"a": 4}])
    for other in ([1], [1, {"b": 2}], (1, {"a": 2})):
        with pytest.raises(ValueError, match="differ"):
            tree.assert_same_structure([1, {"a": 2}], other)


def test_assert_same_paths():
    tree.assert_same_paths([1, (2, 3)], (1, [2, 3]))
    with pytest.raises(ValueError, match="differ"):
        tree.assert_same_paths([1, (2, 3)], [1, 2, 3])


def test_lists_to_tuples():
    assert tree.lists_to_tuples([1, {"a": [2, [3]]}]) == (1, {"a": (2, (3,))})


def test_map_shape_structure():
    shapes = {"a": (2, None), "b": [(3,), (4, 5)]}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [1, 2]}
    assert tree.map_shape_structure(len, (2, 3)) == 2


def test_traverse():
    def double(x):
        return x * 2 if isinstance(x, int) else None

    assert tree.traverse(double, [1, {"a": 2}], top_down=False) == [2, {"a": 4}]
    stop = tree.traverse(
        lambda x: "cut" if isinstance(x, dict) else None, [1, {"a": 2}]
    )
    assert stop == [1, "cut"]
    gone = tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, 2])
    assert gone == [None, 2]


def test_map_structure_up_to():
    mapped = tree.map_structure_up_to([0, 0], len, [[1, 2], [3]])
    assert mapped == [2, 1]
