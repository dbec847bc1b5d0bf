"""Folders, of which each file is one series on disk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.data.scaler import Scaler, summarize
from rvae.data.series import Dataset
from rvae.data.stored import StoredArray
from rvae.data.vocabulary import Vocabulary
from rvae.data.window_dataset import WindowDataset
from rvae.errors import FieldError
from rvae.training.fit import fit
from tests.support.machines import machines

HOUR = np.timedelta64(1, "h")


def write_tables(folder: Path, rows: tuple[int, ...] = (30, 20)) -> None:
    """Machines whose second one alone has the mode "stuck" and the class "worn"."""
    for i, count in enumerate(rows):
        steps = np.arange(count)
        table = {
            "when": np.datetime64(f"2026-01-0{i + 5}", "us") + steps * HOUR,
            "heat": steps + 100.0 * i,
            "mode": np.where(steps % 3 > 0, "on", "stuck" if i else "off"),
            "fault": steps == 7,
            "kind": np.where(steps < 10, "new", "worn" if i else "used"),
            "note": np.full(count, "x"),
        }
        parquet.write_table(pa.table(table), folder / f"m{i}.parquet", row_group_size=7)


OPTIONS = ReaderConfig(
    categorical=("mode",), time="when", label="fault", classes="kind", ignore=("note",)
)


def as_table(folder: Path, name: str, config: ReaderConfig) -> Dataset:
    return read(folder / name, config, read(folder, config).vocabulary)


def test_a_folder_of_tables_holds_what_its_files_hold(tmp_path: Path) -> None:
    write_tables(tmp_path)
    dataset = read(tmp_path, OPTIONS)
    assert dataset.channels == ("heat", "mode")
    assert dataset.source == read(tmp_path / "m0.parquet", OPTIONS).source
    assert dataset.vocabulary == Vocabulary(
        {"mode": ("off", "on", "stuck")}, ("new", "used", "worn")
    )
    assert [s.name for s in dataset.series] == ["m0", "m1"]
    for series in dataset.series:
        (alone,) = as_table(tmp_path, f"{series.name}.parquet", OPTIONS).series
        assert isinstance(series.values, StoredArray)
        np.testing.assert_array_equal(np.asarray(series.values), alone.values)
        np.testing.assert_array_equal(series.clock(), alone.times)
        np.testing.assert_array_equal(series.anomalous, alone.labels)
        np.testing.assert_array_equal(series.class_codes, alone.classes)


def test_windows_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    """With what is known of them besides: times on disk are numbers in a column."""
    write_tables(tmp_path)
    on_disk = read(tmp_path, OPTIONS)
    in_memory = [as_table(tmp_path, f"m{i}.parquet", OPTIONS).series[0] for i in range(2)]
    sizes = on_disk.vocabulary.sizes(on_disk.channels)
    scaler = Scaler.fit(summarize(on_disk.series), on_disk.channels, sizes)
    for series in (on_disk.series, in_memory):
        windows = WindowDataset(series, scaler, 8, 3, ("day", "week"))
        (batch,) = windows.batches()
        if series is on_disk.series:
            stored = batch
    assert stored.time.shape == (len(stored.x), 8, 4)
    np.testing.assert_array_equal(stored.x, batch.x)
    np.testing.assert_array_equal(stored.time, batch.time)
    np.testing.assert_array_equal(stored.label, batch.label)
    assert set(stored.label.tolist()) == {0, 1, 2}


def test_training_on_files_is_training_on_the_table_that_they_make_up(tmp_path: Path) -> None:
    """To the bit, with every category, time and class."""
    table = machines(40, steps=8)
    (tmp_path / "files").mkdir()
    for i in range(40):
        parquet.write_table(table.slice(8 * i, 8), tmp_path / "files" / f"m{i:02}.parquet")
    parquet.write_table(table, tmp_path / "t.parquet")
    told = ReaderConfig(columns=("load",), categorical=("mode",), time="when", classes="size")
    model = ModelConfig(
        "dense", latent=2, time=TimeConfig(calendar=("day",), bypass=True), conditional=True
    )
    found = []
    for path, reader in (
        (tmp_path / "files", told),
        (tmp_path / "t.parquet", replace(told, series="machine")),
    ):
        outcome = fit(
            read(path, reader),
            TrainingPlan(
                DataConfig(str(path), window=8),
                model,
                training=TrainingConfig(epochs=2, quantile=0.8, accelerator="cpu"),
            ),
            tmp_path / path.stem,
            progress=False,
        )
        found.append(outcome.card.to_dict())
    for name in ("calibration", "scaler", "categories", "classes", "interval"):
        assert found[0][name] == found[1][name], name
    assert found[0]["interval"] == 3600


def test_a_normal_class_need_not_be_in_every_file(tmp_path: Path) -> None:
    write_tables(tmp_path)
    config = ReaderConfig(columns=("heat",), classes="kind", normal=("new", "used"))
    labels = [s.anomalous for s in read(tmp_path, config).series]
    assert [flags.sum() for flags in labels] == [0, 10]


def test_categories_that_a_model_knows_are_kept(tmp_path: Path) -> None:
    write_tables(tmp_path)
    known = Vocabulary({"mode": ("on",)}, ("new",))
    first, _ = read(tmp_path, OPTIONS, known).series
    assert np.asarray(first.values)[:4, 1].tolist() == [0, 1, 1, 0]
    assert first.class_codes[[0, 29]].tolist() == [0, -1]


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
def test_a_folder_of_arrays_is_viewed(tmp_path: Path, shape: tuple[Any, ...]) -> None:
    for name in ("b", "a"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(ord(name)).normal(size=shape))
    np.save(tmp_path / "c.npy", np.zeros((7, *shape[1:])))
    (tmp_path / "readme.md").write_text("What stands beside does not matter.")
    dataset = read(tmp_path, ReaderConfig())
    assert [(s.name, len(s)) for s in dataset.series] == [("a", 20), ("b", 20), ("c", 7)]
    assert dataset.channels == tuple(f"channel_{i}" for i in range(np.prod(shape[1:], dtype=int)))
    values = np.asarray(dataset.series[0].values)
    np.testing.assert_array_equal(values, np.load(tmp_path / "a.npy").reshape(20, -1))


def no_files(folder: Path) -> None:
    (folder / "a.csv").write_text("a\n1\n")


def both_kinds(folder: Path) -> None:
    write_tables(folder)
    np.save(folder / "a.npy", np.zeros(3))


def other_width(folder: Path) -> None:
    np.save(folder / "a.npy", np.zeros((5, 2)))
    np.save(folder / "b.npy", np.zeros((5, 3)))


def no_width(folder: Path) -> None:
    np.save(folder / "a.npy", np.zeros((5, 0)))


def empty_array(folder: Path) -> None:
    np.save(folder / "a.npy", np.zeros((5, 2)))
    np.save(folder / "b.npy", np.zeros((0, 2)))


def infinite(folder: Path) -> None:
    np.save(folder / "a.npy", np.array([[0.0, 0.0], [0.0, np.inf]]))


def words(folder: Path) -> None:
    np.save(folder / "a.npy", np.array(["a", "b"]))


def other_columns(folder: Path) -> None:
    parquet.write_table(pa.table({"a": [1.0], "m": ["x"]}), folder / "a.parquet")
    parquet.write_table(pa.table({"b": [1.0], "m": ["x"]}), folder / "b.parquet")


def numbers_in_one(folder: Path) -> None:
    parquet.write_table(pa.table({"m": ["x"]}), folder / "a.parquet")
    parquet.write_table(pa.table({"b": [1.0], "m": ["x"]}), folder / "b.parquet")


def no_rows(folder: Path) -> None:
    write_tables(folder, rows=(5, 0))


def not_rising(folder: Path) -> None:
    when = np.array(["2026-01-01", "2026-01-01"], "datetime64[us]")
    parquet.write_table(pa.table({"a": [1.0, 2.0], "when": when}), folder / "a.parquet")


@pytest.mark.parametrize(
    ("make", "options", "field"),
    [
        (no_files, {}, "data"),
        (both_kinds, {}, "data"),
        (other_width, {}, "data"),
        (no_width, {}, "data"),
        (empty_array, {}, "data"),
        (infinite, {}, "channel_1"),
        (infinite, {"columns": ("a",)}, "reader.columns"),
        (infinite, {"categorical": ("a",)}, "reader.categorical"),
        (infinite, {"classes": "a"}, "reader.classes"),
        (infinite, {"time": "a"}, "reader.time"),
        (infinite, {"label": "a"}, "reader.label"),
        (infinite, {"layout": "rows"}, "reader.layout"),
        (words, {}, "data"),
        (write_tables, {"series": "kind"}, "reader.series"),
        (write_tables, {"layout": "rows"}, "reader.layout"),
        (write_tables, {"time": "fault", "columns": ("heat",)}, "fault"),
        (write_tables, {"normal": ("new",), "columns": ("heat",)}, "reader.normal"),
        (
            write_tables,
            {"classes": "kind", "normal": ("old",), "columns": ("heat",)},
            "reader.normal",
        ),
        (no_rows, {"columns": ("heat",)}, "data"),
        (other_columns, {"categorical": ("m",)}, "reader.columns"),
        (numbers_in_one, {"categorical": ("m",)}, "reader.ignore"),
        (not_rising, {"time": "when"}, "reader.time"),
    ],
)
def test_what_cannot_be_read_names_its_field(
    tmp_path: Path, make: Callable[..., Any], options: dict[str, Any], field: str
) -> None:
    make(tmp_path)
    with pytest.raises(FieldError) as caught:
        read(tmp_path, ReaderConfig(**options))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"neither \.npy nor \.parquet") as caught:
        read(tmp_path, ReaderConfig())
    assert caught.value.field == "data"
