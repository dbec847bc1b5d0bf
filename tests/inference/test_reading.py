"""Files that are read for a trained model."""

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.config import ModelConfig, ReaderConfig, RecurrentConfig
from rvae.data.readers import read
from rvae.data.series import Dataset
from rvae.data.text_files import _standard_input
from rvae.errors import FieldError
from rvae.inference.card import Card
from rvae.inference.reading import read_classes_for, read_for
from tests.support.command_line import rvae
from tests.support.untrained import MODE, untrained_card


def test_data_that_does_not_fit_the_model_is_said(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.zeros((100, 2)))
    np.save(tmp_path / "short.npy", np.zeros(20))
    for name, field in (("two.npy", "columns"), ("short.npy", "data")):
        done = rvae("evaluate", checkpoint, name, cwd=tmp_path)
        assert done.returncode != 0
        assert done.stderr.startswith(f"rvae: {field}: ") and done.stderr.count("\n") == 1


def test_a_file_may_be_written_in_another_way_than_the_training_file(
    checkpoint: Path, tmp_path: Path
) -> None:
    wave = 20 + 3 * np.sin(np.arange(100) * np.pi / 16)
    (tmp_path / "point.csv").write_text("height\n" + "".join(f"{v:.3f}\n" for v in wave))
    comma = "".join(f"{v:.3f};on\n".replace(".", ",") for v in wave)
    (tmp_path / "comma.csv").write_text("height;mode\n" + comma)
    done = rvae("score", checkpoint, "comma.csv", "s.csv", cwd=tmp_path)
    assert done.stderr.startswith("rvae: format.decimal: '20,000' may be")
    scores = []
    for name, options in (("point.csv", []), ("comma.csv", ["--format.decimal", ","])):
        done = rvae("score", checkpoint, name, "s.parquet", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        scores.append(parquet.read_table(tmp_path / "s.parquet")["score"].to_numpy())
    np.testing.assert_array_equal(*scores)


def test_standard_input_is_a_file(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = 20 + 3 * np.sin(np.arange(100) * np.pi / 16)
    rows = "height\n" + "".join(f"{v:.4f}\n" for v in wave)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rows.encode())))
    _standard_input.cache_clear()
    done = rvae("score", checkpoint, "-", "s.csv", cwd=tmp_path)
    _standard_input.cache_clear()
    assert (done.returncode, done.stdout) == (0, "Wrote 69 rows to s.csv\n"), done.stderr


def test_a_test_file_of_the_archive_may_hold_shorter_cases(tmp_path: Path) -> None:
    """Than the training file, where they are all padded to the longest."""
    random = np.random.default_rng(0)

    def archive(name: str, length: int) -> None:
        cases = np.round(np.sin(np.arange(length) / 3 + random.uniform(0, 6, (60, 1))), 3)
        rows = ("\t".join(["1", *map(str, case)]) for case in cases.tolist())
        (tmp_path / name).write_text("\n".join(rows))

    archive("A_TRAIN.tsv", 20)
    archive("A_TEST.tsv", 17)
    options = ["--training.epochs=1", "--training.quantile=0.8", "--training.accelerator=cpu"]
    done = rvae("fit", "--data.path=A_TRAIN.tsv", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = rvae("score", "runs/latest/model.ckpt", "A_TEST.tsv", "s.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote 60 rows to s.csv\n"), done.stderr


START, MINUTE = np.datetime64("2026-01-01", "us"), np.timedelta64(1, "m")
READER = ReaderConfig(
    columns=("heat", "speed"), time="when", label="fault", classes="state", ignore=("note",)
)


def card(**reader: Any) -> Card:
    """A model of windows of eight steps."""
    return untrained_card(
        ModelConfig("dense"), ("heat", "speed"), window=8, reader=replace(READER, **reader)
    )


def write(folder: Path, minutes: Any = range(30), **columns: Any) -> Path:
    steps = np.asarray(minutes)
    table = {
        "speed": steps + 100.0,
        "when": START + steps * MINUTE,
        "heat": steps * 1.0,
        **columns,
    }
    parquet.write_table(pa.table(table), folder / "new.parquet")
    return folder / "new.parquet"


def read_new(path: Path, labels: bool = False, ignore: tuple[str, ...] = (), **reader: Any) -> Any:
    return read_for(card(**reader), path, None, None, None, labels=labels, ignore=ignore)


def test_columns_may_be_swapped_and_roles_besides_channels_be_there_or_not(tmp_path: Path) -> None:
    for columns in ({}, {"fault": [0] * 30}, {"state": ["a"] * 30, "note": ["b"] * 30}):
        (series,) = read_new(write(tmp_path, **columns)).series
        np.testing.assert_array_equal(series.values[:2], [[0, 100], [1, 101]])
        assert series.labels is None
    (series,) = read_new(write(tmp_path, fault=[1] * 30), labels=True).series
    assert series.labels.all()


def test_a_column_that_the_training_file_had_not_must_be_ignored(tmp_path: Path) -> None:
    path = write(tmp_path, fault=[0] * 30, extra=[1.0] * 30)
    with pytest.raises(FieldError, match=r"'extra'.* with --ignore '\[\"extra\"\]'") as caught:
        read_new(path)
    assert caught.value.field == "ignore"
    assert len(read_new(path, ignore=("extra", "note")).series) == 1
    # A model from before this was recorded cannot know.
    old = replace(card(), reader=replace(READER, ignore=None))
    assert len(read_for(old, path, None, None, None, labels=False).series) == 1


def test_a_label_that_training_left_out_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, note=[1.0] * 30)
    dataset = read_for(card(), path, "note", None, None, labels=True)
    assert dataset.series[0].labels.all()


def test_labels_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    for columns, reason in ({}, "no column 'fault'"), ({"fault": [-1, 1] * 15}, "no zero"):
        dataset = read_new(write(tmp_path, **columns), labels=True)
        assert dataset.series[0].labels is None
        (note,) = dataset.notes
        assert note.startswith("Labels are not read: label: ") and reason in note
        assert read_new(tmp_path / "new.parquet").notes == ()


def test_a_missing_channel_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path)
    table = parquet.read_table(path).rename_columns(["Speed", "when", "heat"])
    parquet.write_table(table, path)
    with pytest.raises(FieldError, match=r"no column 'speed' .*did you mean 'Speed'") as caught:
        read_new(path)
    assert caught.value.field == "columns"


HOLES = np.r_[0:20, 40:45, 60:90]


def test_holes_are_found_as_in_training(tmp_path: Path) -> None:
    path = write(tmp_path, HOLES)
    dataset = read_new(path)
    assert [(s.name, len(s)) for s in dataset.series] == [("new/1", 20), ("new/3", 30)]
    assert any("5 points in 1 pieces" in note and "new/2" in note for note in dataset.notes)
    np.testing.assert_array_equal(dataset.series[1].times[:1], START + 60 * MINUTE)
    assert [len(s) for s in read_new(path, holes="keep").series] == [55]
    assert [len(s) for s in read_new(path, every="1min").series] == [90]


def test_nothing_but_short_pieces_names_the_longest(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="longest piece between holes is new/2 with 7") as caught:
        read_new(write(tmp_path, np.r_[0:6, 10:17]), holes="split")
    assert caught.value.field == "data"


def words(dataset: Dataset) -> list[str]:
    """The class of each series' first step."""
    names = (*dataset.vocabulary.classes, "unknown")
    return [names[one.class_codes[0]] for one in dataset.series]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Four series of eight steps, with a category and classes."""
    names = np.repeat(["a", "b", "c", "d"], 8)
    columns = {
        "heat": np.arange(32.0),
        "mode": np.resize(["on", "3", "off"], 32),
        "place": names,
        "size": np.repeat(["small", "large", "huge", "small"], 8),
        "grade": np.repeat([10, 9, 9, 10], 8),
    }
    path = tmp_path / "machines.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


CLASSES = ReaderConfig(columns=("heat",), series="place", classes="size", normal=("small",))


def test_classes_may_be_new_to_the_model_and_categories_keep_their_numbers(table: Path) -> None:
    reader = ReaderConfig(columns=("heat",), categorical=("mode",), series="place", classes="size")
    card = untrained_card(
        channels=("heat", "mode"), categories=MODE, classes=("small",), reader=reader
    )
    dataset = read_classes_for(card, table, None, None, None)
    assert words(dataset) == ["small", "large", "huge", "small"]
    # The model's order is off, on, 3, which is not that of the file's words.
    assert np.asarray(dataset.series[0].values)[:3, 1].tolist() == [2, 3, 1]
    assert words(read_classes_for(card, table, "grade", None, None)) == ["10", "9", "9", "10"]


def test_a_file_is_read_again_only_for_categories_of_other_numbers(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = []

    def counted(*arguments: Any) -> Dataset:
        times.append(arguments)
        return read(*arguments)

    monkeypatch.setattr("rvae.inference.reading.read", counted)
    plain = untrained_card(classes=("small",), reader=CLASSES)
    assert words(read_classes_for(plain, table, None, None, None))[2] == "huge"
    assert len(times) == 1
    reader = ReaderConfig(columns=("heat",), categorical=("mode",), series="place", classes="size")
    coded = untrained_card(
        channels=("heat", "mode"), categories=MODE, classes=("small",), reader=reader
    )
    read_classes_for(coded, table, None, None, None)
    assert len(times) == 3


def test_classes_of_the_training_file_may_be_missing_but_not_those_that_are_named(
    table: Path,
) -> None:
    parquet.write_table(parquet.read_table(table).drop_columns(["size"]), table)
    card = untrained_card(classes=("small", "large"), reader=CLASSES)
    assert words(read_classes_for(card, table, None, None, None)) == ["unknown"] * 4
    with pytest.raises(FieldError, match="no column 'size'") as caught:
        read_classes_for(card, table, "size", None, None)
    assert caught.value.field == "classes"


def test_a_conditional_model_knows_its_own_classes_alone(table: Path) -> None:
    model = ModelConfig(recurrent=RecurrentConfig(hidden=4), latent=2, conditional=True)
    card = untrained_card(model, classes=("large", "small"), reader=CLASSES)
    dataset = read_classes_for(card, table, None, None, None)
    assert words(dataset) == ["small", "large", "unknown", "small"]
