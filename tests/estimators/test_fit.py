"""Training in one call."""

import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import rvae
from rvae import FieldError

QUICK: dict[str, Any] = {
    "model": {"architecture": "dense", "dense": {"layers": []}, "latent": 2},
    "training": {"epochs": 1, "quantile": 0.8, "accelerator": "cpu"},
}


def test_a_model_knows_the_columns_by_their_roles(model: rvae.Model) -> None:
    card = model.card
    assert card.channels == ("heat", "speed")
    assert (card.reader.time, card.reader.label) == ("time", "anomaly")
    assert (card.window, card.interval, card.units) == (16, 60.0, {"heat": "°C"})
    assert (card.model.latent, card.training["options"]["epochs"]) == (3, 2)


def test_nothing_is_printed_or_kept_unless_asked(
    machine: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    level = logging.getLogger("pytorch_lightning").level
    rvae.fit(machine, window=16, label="anomaly", **QUICK)
    assert capfd.readouterr() == ("", "")
    assert list(temporary.iterdir()) == [] and list(tmp_path.iterdir()) == [temporary]
    assert logging.getLogger("pytorch_lightning").level == level
    rvae.fit(machine, window=16, label="anomaly", output="out", progress=True, **QUICK)
    assert "Epoch" in capfd.readouterr().out
    assert (tmp_path / "out" / "model.ckpt").exists()


def test_the_same_data_in_any_form_gives_the_same_model(
    machine: pd.DataFrame, tmp_path: Path
) -> None:
    table = pl.from_pandas(machine.reset_index(names="time"))
    table.write_parquet(tmp_path / "machine.parquet")
    named: dict[str, Any] = {"window": 16, "label": "anomaly", **QUICK}
    models = [
        rvae.fit(machine, **named),
        rvae.fit(table, time="time", **named),
        rvae.fit(table.lazy(), time="time", **named),
        rvae.fit(table.to_arrow(), time="time", **named),
        rvae.fit(tmp_path / "machine.parquet", time="time", **named),
    ]
    assert len({one.artifact.checksum for one in models}) == 1
    values = np.ascontiguousarray(machine[["heat", "speed"]])  # sums depend on the order in memory
    array = rvae.fit(values, window=16, **QUICK)
    assert array.artifact.checksum == models[0].artifact.checksum
    assert array.card.channels == ("channel_0", "channel_1")
    column = rvae.fit(machine["heat"], window=16, **QUICK)
    assert column.card.channels == ("heat",)


def test_a_configuration_file_is_overridden_by_what_is_given(
    machine: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "plan.yaml").write_text(
        "data: {path: nowhere.csv, window: 20, stride: 2}\n"
        "reader: {label: anomaly}\n"
        "model: {architecture: dense, dense: {layers: [], activation: tanh}, latent: 5}\n"
        "training: {epochs: 1, quantile: 0.8, accelerator: cpu}\n"
        f"output: {tmp_path / 'out'}\n"
    )
    made = rvae.fit(
        machine, window=16, config=tmp_path / "plan.yaml", model={"dense": {"layers": [4]}}
    )
    assert (made.card.window, made.card.stride, made.card.model.latent) == (16, 2, 5)
    assert made.card.model.dense.layers == (4,)
    assert made.card.model.dense.activation == "tanh"
    assert (tmp_path / "out" / "model.ckpt").exists()


def test_rows_that_are_left_out_are_said(machine: pd.DataFrame) -> None:
    holes = machine.drop(machine.index[[*range(300, 310), *range(320, 330)]])
    with pytest.warns(UserWarning, match="Left out: 10 points in 1 pieces between holes"):
        rvae.fit(holes, window=16, label="anomaly", **QUICK)


def test_the_folder_and_what_a_file_sets_can_be_overridden(
    machine: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "plan.yaml").write_text(
        "data: {path: nowhere.csv, window: 16, units: {heat: K}}\n"
        "reader: {label: anomaly, columns: [heat]}\n"
        f"output: {tmp_path / 'configured'}\n"
    )
    made = rvae.fit(
        machine,
        config=tmp_path / "plan.yaml",
        output=tmp_path / "given",
        reader={"columns": None},
        **QUICK,
    )
    assert made.card.channels == ("heat", "speed")
    assert (tmp_path / "given" / "model.ckpt").exists()
    assert not (tmp_path / "configured").exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"window": 1}, "data.window"),
        ({"window": 10_000}, "data.window"),
        ({"label": "nope"}, "reader.label"),
        ({"columns": ["heat", "nope"]}, "reader.columns"),
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"units": {"nope": "m"}}, "data.units"),
        ({"config": "nowhere.yaml"}, "config"),
    ],
)
def test_errors_name_the_option(machine: pd.DataFrame, options: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        rvae.fit(machine, **{"label": "anomaly"} | options)
    assert caught.value.field == field


@pytest.mark.parametrize("source", [None, 3, [1.0, 2.0], {"heat": [1.0]}, "nowhere.csv"])
def test_errors_name_data_of_another_kind(source: Any) -> None:
    with pytest.raises(FieldError, match=r"^data: "):
        rvae.fit(source)


def test_random_numbers_of_the_caller_stay_as_they_were(machine: pd.DataFrame) -> None:
    def state() -> tuple[Any, ...]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    undisturbed = state()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    rvae.fit(machine, window=16, label="anomaly", **QUICK)
    assert state() == undisturbed
