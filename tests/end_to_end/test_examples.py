"""What the examples write, and that it is as they say."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyarrow import csv
from sklearn.datasets import load_digits

from rvae.config import ReaderConfig
from rvae.data.readers import read
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    example("digits").main(folder)
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    example("machine").main(folder)
    return folder


def columns(path: Path) -> dict[str, NDArray[Any]]:
    """Columns (N,) by name; an empty cell is NaN or an empty text."""
    table = csv.read_csv(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def calendar(time: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Weekday (0 is Monday) and hour of the day of each row (N,)."""
    minutes = time.astype("datetime64[m]").astype(int)
    return (minutes // 1440 + 3) % 7, minutes % 1440 / 60  # 1970 began on a Thursday


@pytest.fixture(scope="module")
def normal(machine: Path) -> dict[str, NDArray[Any]]:
    return columns(machine / "machine-train.csv")


@pytest.fixture(scope="module")
def test_data(machine: Path) -> dict[str, NDArray[Any]]:
    return columns(machine / "machine-test.csv")


@pytest.mark.parametrize("name", ["digits", "machine"])
def test_an_example_writes_the_same_every_time_and_says_so_in_a_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path / "a", tmp_path / "b" / "c"):
        example(name).main(folder)
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        assert str(folder) in said
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / "c" / file).read_bytes()


def test_digits_are_dealt_out_once(digits: Path) -> None:
    train, test = (np.load(digits / f"digits-{part}.npz") for part in ("train", "test"))
    assert (len(train["images"]), len(test["images"])) == (1437, 360)

    def pairs(images: NDArray[Any], digit: NDArray[Any]) -> list[tuple[float, ...]]:
        rows = np.column_stack([images.reshape(len(images), -1), digit])
        return sorted(map(tuple, rows.tolist()))

    source = load_digits()
    assert pairs(source.images / 16, source.target) == pairs(
        *(np.concatenate([train[name], test[name]]) for name in ("images", "digit"))
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_digits_are_series_in_range_and_each_has_its_share(digits: Path, part: str) -> None:
    shares = np.bincount(load_digits().target) / 1797
    arrays = np.load(digits / f"digits-{part}.npz")
    images, digit = arrays["images"], arrays["digit"]
    assert set(arrays) == {"images", "digit"}
    assert images.shape == (len(digit), 8, 8)
    assert (images.dtype.kind, images.min(), images.max()) == ("f", 0, 1)
    assert digit.dtype.kind == "i"
    np.testing.assert_allclose(np.bincount(digit) / len(digit), shares, atol=2 / len(digit))
    dataset = read(digits / f"digits-{part}.npz", ReaderConfig(array="images"))
    assert (len(dataset.series), len(dataset.series[0]), len(dataset.channels)) == (
        len(digit),
        8,
        8,
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_machines_rows_are_ten_minutes_apart(machine: Path, part: str) -> None:
    table = columns(machine / f"machine-{part}.csv")
    names = ["time", "mode", "door", "temperature", "power", "vibration"]
    assert list(table) == (names if part == "train" else [*names, "fault"])
    assert len(table["time"]) == {"train": 4032, "test": 2016}[part]
    assert set(np.diff(table["time"].astype("datetime64[s]")).astype(int)) == {600}
    dataset = read(machine / f"machine-{part}.csv", ReaderConfig(columns=("temperature", "power")))
    assert len(dataset.series[0]) == len(table["time"])


def test_a_few_cells_are_missing(normal: dict[str, NDArray[Any]]) -> None:
    for name in ("temperature", "power", "vibration"):
        assert 0.001 < np.isnan(normal[name]).mean() < 0.01, name
    for name in ("mode", "door"):
        assert 0.001 < (normal[name] == "").mean() < 0.01, name


def test_the_test_data_goes_on_where_training_ends(
    normal: dict[str, NDArray[Any]], test_data: dict[str, NDArray[Any]]
) -> None:
    assert (test_data["time"][0] - normal["time"][-1]).astype("timedelta64[m]").astype(int) == 10


def test_nobody_works_at_night_or_on_sundays(normal: dict[str, NDArray[Any]]) -> None:
    weekday, hour = calendar(normal["time"])
    working = (hour >= 6) & (hour < np.where(weekday == 5, 14, 22)) & (weekday < 6)
    assert set(normal["mode"][~working]) == {"off", ""}
    assert set(normal["mode"][working]) == {"idle", "running", "cleaning", ""}
    assert (normal["mode"][working] == "running").mean() > 0.6


def test_the_door_is_open_only_while_cleaning_or_off(normal: dict[str, NDArray[Any]]) -> None:
    mode = normal["mode"]
    assert set(normal["door"]) == {"open", "closed", ""}
    assert set(mode[normal["door"] == "open"]) <= {"cleaning", "off", ""}
    assert set(normal["door"][mode == "cleaning"]) <= {"open", ""}
    assert set(mode[normal["door"] == "closed"]) <= {"off", "idle", "running", ""}


@pytest.mark.parametrize("name", ["power", "vibration"])
def test_power_and_vibration_tell_the_modes_apart(
    normal: dict[str, NDArray[Any]], name: str
) -> None:
    ranges = [
        (
            np.nanmin(normal[name][normal["mode"] == mode]),
            np.nanmax(normal[name][normal["mode"] == mode]),
        )
        for mode in ("off", "idle", "cleaning", "running")
    ]
    for (_, highest), (lowest, _) in pairwise(ranges):
        assert highest < lowest


def test_temperature_follows_power_with_inertia(normal: dict[str, NDArray[Any]]) -> None:
    temperature, power = normal["temperature"], normal["power"]
    known = ~np.isnan(temperature[1:] + temperature[:-1] + power[1:])
    step = np.stack([temperature[:-1], power[1:], np.ones(len(known))], axis=1)[known]
    weights, *_ = np.linalg.lstsq(step, temperature[1:][known])
    left = (step @ weights - temperature[1:][known]).std()
    assert left < 1
    assert 0.5 < weights[0] < 0.8
    assert 0.5 < weights[1] < 1.2
    at_once = np.polynomial.Polynomial.fit(step[:, 1], temperature[1:][known], 1)
    assert (at_once(step[:, 1]) - temperature[1:][known]).std() > 3 * left


def test_a_twentieth_of_the_test_rows_is_faulty_in_episodes_of_several_rows(
    test_data: dict[str, NDArray[Any]],
) -> None:
    fault = test_data["fault"]
    assert set(fault) == {0, 1}
    assert 0.04 < fault.mean() < 0.06
    edges = np.flatnonzero(np.diff(fault, prepend=0, append=0)).reshape(-1, 2)
    assert 15 <= len(edges) <= 20
    assert np.diff(edges).min() >= 4
    assert (edges[1:, 0] - edges[:-1, 1]).min() >= 12


def kinds_of_fault(table: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.bool_]]:
    """Which rows (N,) break a rule, by kind."""
    weekday, _ = calendar(table["time"])
    mode, faulty = table["mode"], table["fault"] == 1
    kinds = {
        "open": (mode == "running") & (table["door"] == "open"),
        "sunday": faulty & (weekday == 6),
        "service": mode == "service",
        "loose": faulty & (weekday < 6) & (mode == "running") & (table["temperature"] < 25),
    }
    return kinds | {"drift": faulty & ~np.any(list(kinds.values()), axis=0)}


def test_test_data_holds_five_kinds_of_faults_and_marks_them_all(
    test_data: dict[str, NDArray[Any]],
) -> None:
    kinds = kinds_of_fault(test_data)
    assert {kind: int(rows.sum()) for kind, rows in kinds.items()} == {
        "open": 16,
        "sunday": 36,
        "service": 16,
        "loose": 15,
        "drift": 32,
    }
    for kind, rows in kinds.items():
        assert (test_data["fault"][rows] == 1).all(), kind


def test_running_on_sunday_is_at_night_and_ends_cool(test_data: dict[str, NDArray[Any]]) -> None:
    rows = kinds_of_fault(test_data)["sunday"]
    weekday, hour = calendar(test_data["time"])
    assert set(test_data["mode"][rows]) == {"running", "off"}
    assert ((hour[rows] < 6) | (hour[rows] >= 20)).all()
    calm = (weekday == 6) & ~rows
    assert set(test_data["mode"][calm]) <= {"off", ""}
    assert np.nanmax(test_data["temperature"][calm]) < 25


def test_some_faults_show_in_no_numeric_column_alone(
    normal: dict[str, NDArray[Any]], test_data: dict[str, NDArray[Any]]
) -> None:
    kinds = kinds_of_fault(test_data)
    rows = kinds["open"] | kinds["sunday"] | kinds["service"]
    for name in ("temperature", "power", "vibration"):
        assert (test_data[name][rows] >= np.nanmin(normal[name])).all(), name
        assert (test_data[name][rows] <= np.nanmax(normal[name])).all(), name


def test_a_loose_sensor_shows_the_room_while_power_is_as_always(
    test_data: dict[str, NDArray[Any]],
) -> None:
    rows = kinds_of_fault(test_data)["loose"]
    assert (test_data["power"][rows] > 8).all()
    assert (test_data["temperature"][rows] > 15).all()


def test_drifting_vibration_leaves_its_power_slowly(
    normal: dict[str, NDArray[Any]], test_data: dict[str, NDArray[Any]]
) -> None:
    usual = np.nanmean((normal["vibration"] / normal["power"])[normal["mode"] == "running"])
    drift = kinds_of_fault(test_data)["drift"] & (test_data["mode"] == "running")
    episodes = np.split(
        np.flatnonzero(drift), np.flatnonzero(np.diff(np.flatnonzero(drift)) > 12) + 1
    )
    assert len(episodes) == 2
    for rows in episodes:
        excess = (test_data["vibration"] / test_data["power"])[rows] / usual
        assert excess[0] < 1.25 < 1.5 < excess[-1]
        assert np.corrcoef(rows, excess)[0, 1] > 0.9


def test_what_is_not_marked_in_the_test_data_is_normal(
    normal: dict[str, NDArray[Any]], test_data: dict[str, NDArray[Any]]
) -> None:
    calm = test_data["fault"] == 0
    assert set(test_data["mode"][calm]) == set(normal["mode"])
    for name in ("temperature", "power", "vibration"):
        margin = 0.05 * np.nanmax(normal[name])
        assert np.nanmax(test_data[name][calm]) < np.nanmax(normal[name]) + margin, name
        assert np.nanmin(test_data[name][calm]) > np.nanmin(normal[name]) - margin, name
