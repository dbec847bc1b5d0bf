"""Errors of jsonargparse in other words; `test_parser.py` has those of real command lines."""

from argparse import ArgumentError

import pytest

from rvae.cli.usage import explain

TYPES = {"--data.path": str, "--points": bool, "checkpoint": str}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Something new:\n  in two lines", "Something new: in two lines"),
        ("the following arguments are required: score.checkpoint", "checkpoint: is missing"),
        ('Parser key "checkpoint":\n  Odd. Got value: 3', "checkpoint: must be text, got '3'"),
        ('Parser key "other": Odd. Got value: 3', "other: cannot be '3'"),
        ("Problems parsing config: odd\n text", "--config: is not YAML: odd text"),
    ],
)
def test_every_message_is_one_line(message: str, said: str) -> None:
    assert explain(None, message, TYPES, "score.") == said


def test_an_option_of_argparse_is_named() -> None:
    error = ArgumentError(None, "expected one argument")
    error.argument_name = "--data.path"
    assert explain(error, str(error), TYPES) == "--data.path: needs a value"
