"""What cannot be trained on is refused in one line that names the field, and writes nothing."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.training.fit import FitResult, fit
from tests.support.machines import machines

LINEAR = ModelConfig("dense", dense=DenseConfig(()), latent=2)
QUICK = TrainingConfig(epochs=1, batch_size=20, accelerator="cpu", quantile=0.8)
READER = ReaderConfig(columns=("load",), series="machine")


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return machines(60, steps=8)


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., FitResult]:
    def run(
        table: pa.Table,
        reader: ReaderConfig = READER,
        model: ModelConfig = LINEAR,
        training: TrainingConfig = QUICK,
        window: int = 8,
        **data: Any,
    ) -> FitResult:
        parquet.write_table(table, tmp_path / "t.parquet")
        config = DataConfig(str(tmp_path / "t.parquet"), window=window, **data)
        return fit(
            read(config.path, reader),
            TrainingPlan(config, model, training=training),
            tmp_path / "run",
            progress=False,
        )

    return run


@pytest.fixture
def refused(train: Callable[..., FitResult], tmp_path: Path) -> Callable[..., None]:
    def check(field: str, *arguments: Any, match: str | None = None, **options: Any) -> None:
        with pytest.raises(FieldError, match=match) as caught:
            train(*arguments, **options)
        assert caught.value.field == field
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "run").exists()

    return check


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    at = table.column_names.index(name) if name in table.column_names else None
    if at is None:
        return table.append_column(name, [values])
    return table.set_column(at, name, [values])


ROWS = 60 * 8


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (np.full(ROWS, 7.0), "constant"),
        (np.full(ROWS, np.nan), "no value"),
        (np.full(ROWS, 7.0) * np.where(np.arange(ROWS) % 2, 1, np.nan), "constant"),
        (np.where(np.arange(ROWS) == 17, np.inf, 1.0), "inf in row 17 is infinite"),
        (np.arange(ROWS) * 1e200, "unit"),
    ],
    ids=["constant", "missing", "constant with gaps", "infinite", "far out"],
)
def test_a_number_that_says_nothing(
    table: pa.Table, refused: Callable[..., None], column: Any, says: str
) -> None:
    reader = replace(READER, columns=("load", "odd"))
    refused("odd", with_column(table, "odd", column), reader, match=says)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (["same"] * ROWS, "constant"),
        ([None] * (ROWS - 1) + [""], "no value"),
        ([f"n{i % 480}" for i in range(ROWS)], None),
    ],
    ids=["constant", "missing", "many"],
)
def test_a_category_that_says_nothing(
    table: pa.Table,
    refused: Callable[..., None],
    train: Callable[..., FitResult],
    column: Any,
    says: str | None,
) -> None:
    reader = replace(READER, categorical=("odd",))
    given = with_column(table, "odd", column)
    if says is None:  # hundreds of categories are odd, but no mistake
        assert train(given, reader).card.scaler.categories[1] > 200
    else:
        refused("odd", given, reader, match=says)


def test_more_categories_than_can_be_told_apart(refused: Callable[..., None]) -> None:
    many = machines(126, steps=8)
    names = [f"n{i}" for i in range(126 * 8)]
    reader = replace(READER, categorical=("odd",))
    refused("odd", with_column(many, "odd", names), reader, match="1008 different")


def test_a_category_that_training_does_not_have_is_unknown(
    table: pa.Table, train: Callable[..., FitResult]
) -> None:
    """Dealt out in order, the last machines are held out."""
    late = ["seldom" if i >= ROWS - 40 else "often" if i % 3 else "too" for i in range(ROWS)]
    reader = replace(READER, categorical=("odd",))
    outcome = train(with_column(table, "odd", late), reader, split="order")
    assert outcome.card.vocabulary.categories == {"odd": ("often", "too")}
    assert outcome.card.scaler.categories == (0, 2)
    # To such a model the part that it is calibrated on looks strange, and that is so.
    assert max(outcome.card.calibration.scores) > 3


def test_a_bernoulli_model_looks_at_every_part_before_it_trains(
    table: pa.Table, refused: Callable[..., None]
) -> None:
    reader = replace(READER, columns=("duty",))
    model = replace(LINEAR, likelihood="bernoulli")
    for machine in (0, 46, 59):  # of training, validation, calibration
        duty = table["duty"].to_numpy().copy()
        duty[machine * 8 + 3] = 1.25
        given = with_column(table, "duty", duty)
        refused("duty", given, reader, model, match=r"\[0, 1\]|from 0 to 1", split="order")
    refused("load", table, model=model, match=r"\[0, 1\]")


def test_windows_that_are_not_there(table: pa.Table, refused: Callable[..., None]) -> None:
    refused("data.window", table, window=9, match="has only 8")
    one = table.slice(0, 8)
    refused("data", one, split="time", match="the validation part holds no")
    refused("data", table.slice(0, 24), split="order", validation=0.33, calibration=0.33)


def test_one_window_alone_is_too_few_but_less_than_a_batch_is_not(
    table: pa.Table, refused: Callable[..., None], train: Callable[..., FitResult]
) -> None:
    few = table.slice(0, 11 * 8)
    options = {"split": "order", "validation": 0.2, "calibration": 0.7}
    training = replace(QUICK, quantile=0.5)
    refused("data", few, match="too few windows: 1", training=training, **options)
    outcome = train(table.slice(0, 20 * 8), training=training, split="order", calibration=0.6)
    assert outcome.card.training["windows"] == {"training": 5, "validation": 3, "calibration": 12}
    assert np.isfinite(outcome.card.training["explained_variance"])


def test_what_the_model_is_told_must_be_in_the_data(
    table: pa.Table, refused: Callable[..., None]
) -> None:
    calendar = replace(LINEAR, time=TimeConfig(calendar=("day",)))
    refused("model.time.calendar", table, model=calendar, match=r"reader\.time")
    conditional = replace(LINEAR, conditional=True)
    refused("model.conditional", table, model=conditional, match=r"reader\.classes")
    one = with_column(table, "size", ["small"] * ROWS)
    reader = replace(READER, classes="size")
    refused("model.conditional", one, reader, conditional, match="two classes")
    gaps = [None if i == 13 else word for i, word in enumerate(table["size"].to_pylist())]
    given = with_column(table, "size", gaps)
    refused("reader.classes", given, reader, conditional, match="series m1")


def test_units_are_those_of_numbers_in_the_data(
    table: pa.Table, refused: Callable[..., None], train: Callable[..., FitResult]
) -> None:
    reader = replace(READER, categorical=("mode",))
    refused("data.units", table, reader, units={"load": "kN", "heat": "°C"}, match="'heat'")
    refused("data.units", table, reader, units={"mode": "m"}, match="categories")
    assert train(table, reader, units={"load": "kN"}).card.units == {"load": "kN"}


def test_a_class_that_training_lacks_cannot_be_asked_for(
    table: pa.Table, refused: Callable[..., None]
) -> None:
    age = np.where(np.arange(ROWS) // 8 % 2, "old", "mid")
    age[-8:] = "new"
    named = with_column(table, "age", age)
    refused(
        "reader.classes",
        named,
        split="order",
        model=replace(LINEAR, conditional=True),
        reader=replace(READER, classes="age"),
        match="new is nowhere in the training part",
    )


def test_nothing_but_anomalies(table: pa.Table, refused: Callable[..., None]) -> None:
    flags = with_column(table, "fault", np.ones(ROWS))
    refused("data", flags, replace(READER, label="fault"), match="no normal window")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"accelerator": "gpu"}, "training.accelerator"),
        ({"accelerator": "cpu", "precision": "16-mixed"}, "training.precision"),
        ({"accelerator": "auto", "precision": "16-mixed"}, "training.precision"),
        ({"accelerator": "gpu", "devices": 2}, "training.accelerator"),
    ],
)
def test_a_machine_without_a_gpu(
    table: pa.Table, refused: Callable[..., None], options: dict[str, Any], field: str
) -> None:
    refused(field, table, training=replace(QUICK, **options))


def test_more_gpus_than_there_are(
    table: pa.Table, refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    training = replace(QUICK, accelerator="gpu", devices=3)
    refused("training.devices", table, training=training, match="finds 2")


def test_a_table_of_words_without_a_channel(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["mode"], ["on"], ["off"]])
    with pytest.raises(FieldError, match=r"reader\.categorical") as caught:
        read(tmp_path / "t.csv", ReaderConfig())
    assert caught.value.field == "data"
