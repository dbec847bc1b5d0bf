"""The options of a command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonargparse import ArgumentParser

from rvae.cli.options import did_you_mean, element_of, expected, option_types
from rvae.config import ReaderConfig

NAMES = [
    "--data",
    "--data.path",
    "--data.window",
    "--model.flow.hidden",
    "--model.recurrent.hidden",
    "--model.recurrent.depth",
    "--training.epochs",
    "--resume",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--window", "--data.window"),
        ("window", "--data.window"),
        ("--data.w", "--data.window"),
        ("--resum", "--resume"),
        ("--model.recurrent.hiden", "--model.recurrent.hidden"),
        ("--hidden", "--model.flow.hidden or --model.recurrent.hidden"),
        ("--trianing.epochs", "--training.epochs"),
    ],
)
def test_a_mistyped_name_has_near_ones(word: str, meant: str) -> None:
    assert did_you_mean(word, NAMES) == f": did you mean {meant}?"


def test_a_word_like_none_has_no_suggestion() -> None:
    assert did_you_mean("--xyzzy", NAMES) == ""


def test_types_of_options_are_known_by_the_names_that_are_typed() -> None:
    def command(source: Path, reader: ReaderConfig, count: int | None = None) -> None: ...

    parser = ArgumentParser()
    parser.add_function_arguments(command, as_positional=True)
    types = option_types(parser)
    assert types["source"] is Path and types["--count"] is int
    assert element_of(types["--reader.columns"]) is str
    assert types["--reader.label"] is str and types["--help"] is None


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (int, "a whole number"),
        (bool, "true or false"),
        (tuple[str, ...], "a list such as [a, b]"),
        (tuple[int, ...], "a list such as [1, 2]"),
        (Literal["time", "order"], "one of time, order"),
        (tuple[Literal["hour", "day"], ...], "a list of hour, day"),
        (Mapping[str, str], "a mapping such as {name: text}"),
        (Mapping[str, Any], "a mapping such as {name: value}"),
        (Path, ""),
        (None, ""),
    ],
)
def test_what_is_expected_is_said_by_type(kind: Any, form: str) -> None:
    assert expected(kind) == form
