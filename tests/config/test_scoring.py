"""Nonsense in a section is refused by the name of its field."""

from collections.abc import Callable
from typing import Any

import pytest

from rvae.config import ScoringConfig
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("scoring.memory", lambda: ScoringConfig(memory=-1)),
        ("scoring.memory", lambda: ScoringConfig("distance", memory=0)),
        ("scoring.level", lambda: ScoringConfig("excess", level=0.5)),
        ("scoring.level", lambda: ScoringConfig("likelihood", level=3)),
        ("scoring.contamination", lambda: ScoringConfig(contamination=0.3)),
        ("scoring.contamination", lambda: ScoringConfig(contamination=-0.1)),
    ],
)
def test_nonsense_names_its_field(field: str, make: Callable[..., Any]) -> None:
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field
