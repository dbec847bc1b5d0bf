"""Words of a command as people write them."""

from collections.abc import Mapping
from typing import Any

import pytest

from rvae.cli.words import spell_out
from rvae.errors import FieldError

TYPES: dict[str, Any] = {
    "--config": None,
    "--data": None,
    "--data.path": str,
    "--data.units": Mapping[str, str],
    "--reader.columns": tuple[str, ...],
    "--reader.columns+": tuple[str, ...],
    "--layers": tuple[int, ...],
    "--points": bool,
    "--model.linear": bool,
    "checkpoint": str,
}


@pytest.mark.parametrize(
    ("words", "spelled"),
    [
        ("--points", "--points=true"),
        ("--points a.ckpt b.csv", "--points=true a.ckpt b.csv"),
        ("--points true b.csv", "--points true b.csv"),
        ("--points False", "--points False"),
        ("--points=false", "--points=false"),
        ("--model.linear --points", "--model.linear=true --points=true"),
        ("--layers 8,4", "--layers [8,4]"),
        ("--reader.columns [heat,speed]", "--reader.columns [heat,speed]"),
        ("--reader.columns null", "--reader.columns null"),
        ("--reader.columns+ heat", '--reader.columns+ ["heat"]'),
        ("--data.path a,b", "--data.path a,b"),
        ("--data.units.heat=C", "--data.units.heat=C"),
        ("--config a.yaml --config b.yaml", "--config a.yaml --config b.yaml"),
        ("a -- --points", "a -- --points"),
    ],
)
def test_flags_and_lists_are_spelled_out(words: str, spelled: str) -> None:
    assert " ".join(spell_out(words.split(), TYPES)).replace(", ", ",") == spelled


@pytest.mark.parametrize("words", [["--reader.columns", "heat,1"], ["--reader.columns=heat, 1"]])
def test_names_are_quoted(words: list[str]) -> None:
    assert "=".join(spell_out(words, TYPES)) == '--reader.columns=["heat", "1"]'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--path a", "--path: no such option: did you mean --data.path?"),
        ("--config.x=1", "--config.x: no such option"),
        ("--point", "--point: no such option: did you mean --points?"),
        ("--data.path a --data.path=b", "--data.path: is given twice, as 'a' and as 'b'"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: str, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        spell_out(words.split(), TYPES)
    assert str(caught.value) == message
