"""Numbers and choices that a method takes."""

from inspect import signature
from typing import Any, Literal

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.estimators.arguments import checked


@checked
def method(
    data: Any,
    by: Literal["point", "window"] = "point",
    stride: int | None = None,
    quantile: float | None = None,
    start: str | int | None = None,
) -> tuple[Any, ...]:
    return data, by, stride, quantile, start


def test_valid_arguments_arrive_as_they_are() -> None:
    moment = np.datetime64("2026-01-01")
    given: Any = moment  # a union with text is left to the method
    assert method("x", "window", stride=np.int64(2), quantile=1, start=given) == (  # type: ignore[arg-type]
        *("x", "window", 2, 1.0),
        moment,
    )
    assert method(None) == (None, "point", None, None, None)
    assert list(signature(method).parameters) == ["data", "by", "stride", "quantile", "start"]


@pytest.mark.parametrize(
    "arguments", [{"by": "row"}, {"stride": 1.5}, {"stride": "x"}, {"quantile": "high"}]
)
def test_others_are_refused_by_name(arguments: dict[str, Any]) -> None:
    ((name, value),) = arguments.items()
    with pytest.raises(FieldError, match=f"^{name}: .* got {value!r}$"):
        method([], **arguments)
