"""Choices by name, and by the dotted name of something outside the package."""

import sys
from pathlib import Path

import pytest

from rvae.config.registry import Registry
from rvae.errors import FieldError


class Shape:
    """What the entries are."""


class Square(Shape):
    """An entry that is a class."""


ROUND = Shape()
INSTANCES = Registry("model.shape", Shape, {"round": ROUND, "other": Shape()})
CLASSES = Registry("model.shape", Shape, {"square": Square})


def test_an_entry_is_found_by_its_name() -> None:
    assert INSTANCES.lookup("round") is ROUND
    assert CLASSES.lookup("square") is Square
    assert INSTANCES.names == ("round", "other")


def test_an_object_outside_the_package_is_found_by_its_dotted_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "users_shapes.py").write_text(
        "from decimal import Decimal\nHALF = Decimal('0.5')\nclass Home:\n    INNER = Decimal(2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "users_shapes", raising=False)
    from decimal import Decimal

    numbers: Registry[Decimal] = Registry("model.number", Decimal, {})
    assert numbers.lookup("users_shapes:HALF") == Decimal("0.5")
    assert numbers.lookup("users_shapes:Home.INNER") == 2
    assert Registry("model.number", object, {}).lookup("decimal:Decimal") is Decimal


@pytest.mark.parametrize("name", ["oval", "", ":", "a:", ":b", ".a:b", "a.b"])
def test_an_unknown_name_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(FieldError, match=r"^model\.shape: must be one of round, other, or a dott"):
        INSTANCES.lookup(name)


def test_a_module_that_cannot_be_imported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_shapes.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, reason in (
        ("no_such_package.shapes:A", "ModuleNotFoundError"),
        ("broken_shapes:A", "ZeroDivisionError: division by zero"),
    ):
        with pytest.raises(FieldError, match=rf"^model\.shape: cannot import module .*{reason}"):
            INSTANCES.lookup(name)


def test_an_object_that_is_missing_or_of_another_kind_is_refused() -> None:
    with pytest.raises(FieldError, match=r"module 'math' has no 'oval'"):
        INSTANCES.lookup("math:oval")
    for name in ("math:pi", "decimal:Decimal"):
        with pytest.raises(FieldError, match="is not of kind Shape"):
            INSTANCES.lookup(name)
