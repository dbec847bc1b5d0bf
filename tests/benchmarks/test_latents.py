"""The benchmark of what latents are worth."""

import numpy as np
import pytest

from benchmarks.latents import Labelled, halves, measured
from tests.support.waves import waves


@pytest.fixture(scope="module")
def levels() -> Labelled:
    """Two windows each of twenty persons, who differ in level."""
    classes = np.repeat(np.arange(20) % 2, 2)
    values = waves(40, steps=8, seed=3) + 12 * classes[:, None, None]
    return Labelled(values, classes.astype(str), np.repeat(np.arange(20), 2))


def test_nobody_is_in_both_halves_and_each_half_has_its_share(levels: Labelled) -> None:
    parts = halves(levels, 0)
    names = [{int(one.name) // 2 for one in part.series} for part in parts]
    assert not names[0] & names[1] and len(names[0] | names[1]) == 20
    for part in parts:
        codes = [one.class_codes[0] for one in part.series]
        assert 2 * sum(codes) == len(codes) == 20
        for one in part.series:
            np.testing.assert_array_equal(one.values, levels.values[int(one.name)])
    other, _ = halves(levels, 1)
    assert {one.name for one in other.series} != {one.name for one in parts[0].series}


def test_each_representation_is_measured(levels: Labelled) -> None:
    rows = measured(*halves(levels, 0), steps=2, seed=0)
    assert set(rows) == {"latents", "principal components", "raw windows"}
    for accuracy, ari, nmi in rows.values():
        assert 0 <= accuracy <= 1 and -0.5 <= ari <= 1 and 0 <= nmi <= 1
    # What differs in level alone is told apart by the values themselves.
    assert rows["raw windows"][0] == rows["principal components"][0] == 1
