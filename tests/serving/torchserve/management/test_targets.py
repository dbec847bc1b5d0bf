"""Paths and queries are read as TorchServe reads them."""

import pytest

from rvae.errors import FieldError
from rvae.serving.torchserve.management.targets import (
    Target,
    decimal,
    model_path,
    number,
    target_of,
    with_query,
)


@pytest.mark.parametrize(
    ("target", "parts", "query"),
    [
        ("/models", ("models",), {}),
        ("/models/", ("models",), {}),
        ("/models/a%20b/1.0%2b1//", ("models", "a b", "1.0+1"), {}),
        ("/models%2Fm/1.0", ("models", "m", "1.0"), {}),
        ("/models?url=m.mar&url=other&x=%20+&y", ("models",), {"url": "m.mar", "x": "  ", "y": ""}),
        ("//models", ("", "models"), {}),
        ("*", (), {}),
    ],
)
def test_targets(target: str, parts: tuple[str, ...], query: dict[str, str]) -> None:
    assert target_of(target) == Target(parts, query)


def test_paths_are_written_so_that_they_are_read_the_same() -> None:
    for name, version in (("m", "1.0"), ("a b", "1.0+1"), ("ü", None)):
        path = with_query(model_path(name, version, "x"), {"url": "a&b=%"})
        parts = ("models", name, *([version] if version else []), "x")
        assert target_of(path) == Target(parts, {"url": "a&b=%"})
    assert with_query("/models", {}) == "/models"


@pytest.mark.parametrize("text", ["", "-1", "1.0", "x", "٣", "nan", "1" * 5000])
def test_numbers(text: str) -> None:
    found = [number(query, "a", 3) for query in ({}, {"a": "0"}, {"a": "9" * 18})]
    assert found == [3, 0, 10**18 - 1]
    with pytest.raises(FieldError) as caught:
        number({"a": text}, "a", 3)
    assert caught.value.field == "a"


@pytest.mark.parametrize("text", ["", "-0.1", "1.1", "x", "nan", "inf"])
def test_decimals(text: str) -> None:
    found = [decimal({"a": given}, "a", None, 1.0) for given in ("0", "0.25", "1")]
    assert found == [0, 0.25, 1]
    assert decimal({}, "a", 30.0, 1.0) == 30.0
    for query, usual in (({"a": text}, 0.5), ({}, None)):
        with pytest.raises(FieldError) as caught:
            decimal(query, "a", usual, 1.0)
        assert caught.value.field == "a"
