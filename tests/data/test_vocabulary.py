"""Words of files and the numbers that stand for them."""

from typing import Any

import numpy as np
import pytest

from rvae.data.vocabulary import (
    MAX_WORDS,
    Vocabulary,
    normalize_word,
    sorted_vocabulary,
    word_codes,
)
from rvae.errors import FieldError

NAN = np.nan
WORDS = Vocabulary({"mode": ("a", "b", "c", "d")}, ("x", "y"))


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
    assert normalize_word(word) == expected
    assert normalize_word(normalize_word(word)) == normalize_word(word)


def test_a_long_word_takes_no_longer_than_reading_it() -> None:
    """Whoever tried every way to share out the zeros would not be done in a lifetime."""
    word = "0" * 1_000_000 + "x"
    assert normalize_word(word) == word


def test_words_are_numbered_from_one() -> None:
    codes = word_codes(["b", None, "z", "a", "b"], ("a", "b"))
    np.testing.assert_array_equal(codes, [2, NAN, 0, 1, 2])
    np.testing.assert_array_equal(word_codes(["1.0", "True", "02"], ("1", "2", "true")), [1, 3, 2])
    assert word_codes([], ("a",)).shape == (0,)


def test_more_words_than_can_be_told_apart_are_refused() -> None:
    words = [f"w{i}" for i in range(MAX_WORDS + 1)]
    assert len(sorted_vocabulary(words[:-1], "mode")) == MAX_WORDS
    with pytest.raises(FieldError, match="1001 different entries") as caught:
        sorted_vocabulary(words, "mode")
    assert caught.value.field == "mode"


def test_sizes_are_those_of_the_channels_in_their_order() -> None:
    assert WORDS.sizes(["height", "mode", "speed"]) == (0, 4, 0)
