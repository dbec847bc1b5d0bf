"""A reader of another format is a function and a line of `READERS`."""

import json
from pathlib import Path

import numpy as np
import pytest

from rvae.config import ReaderConfig
from rvae.data import readers
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError


def read_json_lines(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read a .jsonl file, of which a line is a time step with the value of every channel."""
    steps = [json.loads(line) for line in path.read_text().splitlines()]
    channels = config.columns or tuple(steps[0])
    values = np.array([[step[name] for name in channels] for step in steps], dtype=np.float64)
    return Dataset([Series(values, path.stem)], channels, config)


@pytest.fixture
def with_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readers.READERS, ".jsonl", read_json_lines)


def test_without_the_line_the_suffix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text('{"heat": 1.5}\n')
    with pytest.raises(FieldError, match=r"cannot read steps\.jsonl: expected \.csv"):
        readers.read(path, ReaderConfig())


@pytest.mark.usefixtures("with_recipe")
def test_a_reader_makes_a_dataset_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text('{"heat": 1.5, "speed": 3}\n{"heat": 2.5, "speed": 4}\n')
    dataset = readers.read(path, ReaderConfig())
    assert dataset.channels == ("heat", "speed")
    np.testing.assert_array_equal(dataset.series[0].values, [[1.5, 3.0], [2.5, 4.0]])
    assert readers.read(path, ReaderConfig(columns=("speed",))).channels == ("speed",)


@pytest.mark.usefixtures("with_recipe")
@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot read steps.jsonl"), ('{"heat": Infinity}', "heat: infinite at step 0")],
)
def test_what_is_wrong_with_such_a_file_is_said_as_of_any(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text(content)
    with pytest.raises(FieldError, match=message):
        readers.read(path, ReaderConfig())
