from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.categories import restrict_to_training
from rvae.data.series import Series
from rvae.data.stored import Spool, StoredArray
from rvae.data.vocabulary import MOST_WORDS, Vocabulary, plain, sorted_vocabulary, word_codes
from rvae.errors import FieldError

NAN = np.nan
WORDS = Vocabulary({"mode": ("a", "b", "c", "d")}, ("x", "y"))


def on_disk(values: NDArray[Any]) -> StoredArray:
    spool = Spool(values.shape[1])
    spool.append(values)
    return spool.stored()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "9", "-1", "9"], ("-1", "9", "10")),
        (["0.5", "2", "0.25"], ("0.25", "0.5", "2")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1", "1.0", "01", "+1"], ("1",)),
        (["True", "false", "TRUE"], ("false", "true")),
        ([], ()),
    ],
)
def test_words_have_an_order(words: list[Any], expected: tuple[Any, ...]) -> None:
    assert sorted_vocabulary(words, "field") == expected


@pytest.mark.parametrize("odd", ["nan", "inf", "NaN", "-Infinity"])
def test_words_that_only_python_takes_for_numbers_have_an_order_too(odd: str) -> None:
    """A NaN among the keys of a sort would leave the order to chance."""
    words = [odd, *map(str, range(40))]
    for turn in range(40):
        assert sorted_vocabulary(words[turn:] + words[:turn], "field") == tuple(sorted(words))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("007", "7"),
        ("-3.00", "-3"),
        ("+4", "4"),
        ("-0", "0"),
        ("000", "0"),
        ("0" + "9" * 5000, "9" * 5000),
        ("+-3", "+-3"),
        ("1.", "1"),
        (".0", ".0"),
        ("12345678901234567890", "12345678901234567890"),
        ("True", "true"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("Truest", "Truest"),
        ("١", "١"),
        ("", ""),
        ("A.0", "A.0"),
    ],
)
def test_a_word_has_one_spelling(word: str, expected: str) -> None:
    assert plain(word) == expected
    assert plain(plain(word)) == plain(word)


def test_a_long_word_takes_no_longer_than_reading_it() -> None:
    """Whoever tried every way to share out the zeros would not be done in a lifetime."""
    word = "0" * 1_000_000 + "x"
    assert plain(word) == word


def test_words_are_numbered_from_one() -> None:
    codes = word_codes(["b", None, "z", "a", "b"], ("a", "b"))
    np.testing.assert_array_equal(codes, [2, NAN, 0, 1, 2])
    np.testing.assert_array_equal(word_codes(["1.0", "True", "02"], ("1", "2", "true")), [1, 3, 2])
    assert word_codes([], ("a",)).shape == (0,)


def test_more_words_than_can_be_told_apart_are_refused() -> None:
    words = [f"w{i}" for i in range(MOST_WORDS + 1)]
    assert len(sorted_vocabulary(words[:-1], "mode")) == MOST_WORDS
    with pytest.raises(FieldError, match="1001 different entries") as caught:
        sorted_vocabulary(words, "mode")
    assert caught.value.field == "mode"


def test_sizes_are_those_of_the_channels_in_their_order() -> None:
    assert WORDS.sizes(["height", "mode", "speed"]) == (0, 4, 0)


@pytest.mark.parametrize("stored", [False, True])
def test_what_only_held_out_parts_have_becomes_unknown(stored: bool) -> None:
    training = [
        np.array([[5.0, 2], [6, NAN], [7, 4]]),
        np.array([[5.0, 4], [6, 4]]),
    ]
    held_out = np.array([[1.0, 1], [2, 2], [3, 3], [NAN, 4], [4, NAN], [5, 0]])
    series = [Series(on_disk(v) if stored else v) for v in (*training, held_out)]
    left, renumber = restrict_to_training(series[:2], ("height", "mode"), WORDS)
    assert left == Vocabulary({"mode": ("b", "d")}, ("x", "y"))
    first, _, last = renumber(series)
    assert isinstance(last.values, StoredArray) is stored
    np.testing.assert_array_equal(np.asarray(first.values), [[5, 1], [6, NAN], [7, 2]])
    expected = [[1, 0], [2, 1], [3, 0], [NAN, 2], [4, NAN], [5, 0]]
    np.testing.assert_array_equal(np.asarray(last.values), expected)
    # What was given stays as it was.
    np.testing.assert_array_equal(np.asarray(series[2].values), held_out)


@pytest.mark.parametrize("stored", [False, True])
def test_a_training_part_that_has_them_all_changes_nothing(stored: bool) -> None:
    values = np.array([[1.0, 1], [2, 2], [3, 3], [3, 4]])
    series = Series(on_disk(values) if stored else values)
    left, renumber = restrict_to_training([series], ("height", "mode"), WORDS)
    assert left == WORDS
    assert renumber([series])[0] is series


def test_what_stands_beside_the_values_is_kept() -> None:
    clock = np.array(["2026-01-01", "2026-01-02"], "datetime64[us]")
    given = Series(np.array([[1.0], [3.0]]), "s", np.array([True, False]), clock, np.array([1, 0]))
    _, renumber = restrict_to_training([given.part(1, 2)], ("mode",), WORDS)
    found = renumber([given])[0]
    np.testing.assert_array_equal(found.values, [[0], [1]])
    assert found.name == "s"
    assert found.labels is given.labels
    assert found.times is given.times
    assert found.classes is given.classes


def test_several_channels_have_numbers_of_their_own() -> None:
    words = Vocabulary({"one": ("a", "b"), "two": ("a", "b", "c")})
    series = Series(np.array([[2.0, 0.5, 3], [2, 0.5, 1]]))
    left, renumber = restrict_to_training([series], ("one", "height", "two"), words)
    assert left.categories == {"one": ("b",), "two": ("a", "c")}
    other = renumber([Series(np.array([[1.0, 7, 2], [2, 7, 3]]))])[0]
    np.testing.assert_array_equal(other.values, [[0, 7, 0], [1, 7, 2]])


def test_a_channel_without_any_category_in_training_has_none() -> None:
    series = [Series(np.array([[1.0, NAN]])), Series(np.array([[1.0, 3]]))]
    left, renumber = restrict_to_training(series[:1], ("height", "mode"), WORDS)
    assert left.categories == {"mode": ()}
    np.testing.assert_array_equal(renumber([series[1]])[0].values, [[1, 0]])
