"""Bounds that a user may set."""

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.bounds import Bounds


@pytest.mark.parametrize(
    ("bounds", "field"),
    [({"shift": 1.1}, "shift"), ({"alerts": -0.1}, "alerts"), ({"latency": 0}, "latency")],
)
def test_bounds_are_checked(bounds: dict[str, float], field: str) -> None:
    with pytest.raises(FieldError, match=f"bounds.{field}: must be"):
        Bounds(**bounds)
