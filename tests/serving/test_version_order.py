"""Versions in the order of people, and a total order of whatever else there is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvae.serving.version_order import version_key


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("2.0", "10.0"),
        ("1.9", "1.10"),
        ("v2", "v10"),
        ("v2", "10.0"),
        ("2.0rc1", "2.0"),
        ("2.0-beta", "2.0"),
        ("2.0", "2.0.1"),
        ("2026-9-30", "2026-10-01"),
        ("2026.9.30", "2026-10-01"),
        ("2026_09_30", "2026-10-1"),
        ("build-9", "build-10"),
        ("Exp-2b", "exp-10a"),
        ("nightly", "0.1"),
        ("", "nightly"),
        ("9" * 5000, "0"),
    ],
)
def test_pairs(less: str, more: str) -> None:
    assert version_key(less) < version_key(more)


NUMBERED = st.from_regex(r"v?[0-9]{1,4}([.-][0-9a-z]{1,4}){0,3}")


@given(st.lists(st.one_of(st.text(max_size=8), NUMBERED)))
def test_any_mixture_has_one_order(versions: list[str]) -> None:
    ordered = sorted(versions, key=version_key)
    random.Random(0).shuffle(versions)
    assert sorted(versions, key=version_key) == ordered


def test_versions_that_are_equal_as_numbers_have_an_order_too() -> None:
    assert len({version_key(one) for one in ("1.0", "1", "v1", "1.0.0")}) == 4
