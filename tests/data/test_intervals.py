from typing import Any

import numpy as np
import pytest

from rvae.data.intervals import intervals


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1], [(0, 2)]),
        ([1, 0, 1, 1, 0, 1], [(0, 1), (2, 4), (5, 6)]),
    ],
)
def test_intervals_are_stretches_of_flags(flags: list[Any], expected: list[Any]) -> None:
    starts, ends = intervals(np.array(flags, dtype=bool))
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == expected
