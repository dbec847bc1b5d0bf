"""What columns seem to be."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rvae.config import ReaderConfig
from rvae.data.column_guess import guess_roles

COUNT = 60
STEPS = np.arange(COUNT)
RANDOM = np.random.default_rng(0)
TIMES = np.datetime64("2026-01-01", "us") + STEPS * np.timedelta64(1, "m")
HEAT = RANDOM.normal(size=COUNT)
WORDS = np.where(HEAT > 0, "on", "off")


def roles(config: ReaderConfig = ReaderConfig(), **columns: Any) -> dict[str, str]:
    return {guess.name: guess.role for guess in guess_roles(pa.table(columns), config)[1]}


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("heat", HEAT, "channel"),
        ("switch", STEPS % 2, "channel"),
        ("constant", np.ones(COUNT), "left out"),
        ("index", STEPS + 5, "left out"),
        ("empty", pa.nulls(COUNT), "left out"),
        ("endless", np.where(STEPS == 3, np.inf, HEAT), "left out"),
        ("mode", WORDS, "categorical"),
        ("note", [f"n{i}" for i in STEPS], "left out"),
        ("word", ["x"] * COUNT, "left out"),
        ("lists", [[1]] * COUNT, "left out"),
        ("when", TIMES, "time"),
        ("when", np.datetime_as_string(TIMES), "time"),
        ("when", TIMES[::-1], "left out"),
        ("when", np.repeat(TIMES[::2], 2), "left out"),
        ("Label", STEPS % 20 == 0, "label"),
        ("fault", (STEPS % 20 == 0).astype(float), "label"),
        ("anomaly", np.where(STEPS % 20 == 0, -1, 1), "classes"),
        ("anomaly", np.ones(COUNT, int), "left out"),
        ("anomaly", np.full(COUNT, -1.0), "left out"),
        ("anomaly", np.ones(COUNT, bool), "left out"),
        ("anomaly", np.zeros(COUNT, int), "label"),
        ("class", STEPS % 3, "classes"),
        ("label", [None, *[0] * (COUNT - 1)], "left out"),
        ("target", HEAT, "channel"),
        ("state", np.where(STEPS % 20 == 0, "Attack", "Normal"), "classes"),
    ],
)
def test_a_column_by_its_values_and_its_name(name: str, values: Any, role: str) -> None:
    assert roles(other=HEAT, **{name: values})[name] == role


def test_what_is_proposed_says_the_same() -> None:
    labels = np.where(STEPS % 20 == 0, "Fault", "Normal")
    columns = {"when": TIMES, "heat": HEAT, "mode": WORDS, "label": labels, "n": STEPS}
    config, guesses = guess_roles(pa.table(columns), ReaderConfig())
    assert config == ReaderConfig(
        time="when", categorical=("mode",), classes="label", normal=("Normal",), ignore=("n",)
    )
    assert [guess.missing for guess in guesses] == [0] * 5


@pytest.mark.parametrize("interleaved", [False, True])
def test_times_that_rise_in_each_group_find_the_series(interleaved: bool) -> None:
    order = np.argsort(np.tile(STEPS, 2), kind="stable") if interleaved else np.arange(2 * COUNT)
    table = pa.table(
        {
            "when": np.tile(TIMES, 2)[order],
            "mode": np.tile(WORDS, 2)[order],
            "machine": np.repeat(["a", "b"], COUNT)[order],
            "heat": np.tile(HEAT, 2),
        }
    )
    config, _ = guess_roles(table, ReaderConfig())
    assert config == ReaderConfig(time="when", series="machine", categorical=("mode",))


def test_a_column_with_missing_names_does_not_tell_series_apart() -> None:
    names: list[str | None] = [*"ab" * (COUNT // 2)]
    times = TIMES[STEPS // 2]
    assert roles(when=times, heat=HEAT, place=names)["place"] == "series"
    for missing in (None, ""):
        names[5] = missing
        assert roles(when=times, heat=HEAT, place=names)["place"] == "categorical"


def test_what_the_user_says_stays() -> None:
    columns = {"when": TIMES, "heat": HEAT, "mode": WORDS, "n": STEPS}
    chosen = ReaderConfig(columns=("n",), time="when", categorical=("none",))
    config, guesses = guess_roles(pa.table(columns), chosen)
    assert config == chosen
    assert [guess.role for guess in guesses] == ["time", "left out", "left out", "channel"]
    assert roles(ReaderConfig(ignore=("heat",)), **columns)["heat"] == "left out"
    assert roles(ReaderConfig(categorical=("n",)), **columns)["n"] == "categorical"


def test_missing_values_are_counted() -> None:
    table = pa.table({"heat": [1.0, None, float("nan"), 3.0], "mode": ["a", None, "b", "a"]})
    assert [guess.missing for guess in guess_roles(table, ReaderConfig())[1]] == [2, 1]


def test_only_the_first_labels_are_taken() -> None:
    found = roles(heat=HEAT, label=STEPS % 20 == 0, anomaly=STEPS % 20 == 0)
    assert found == {"heat": "channel", "label": "label", "anomaly": "left out"}


@pytest.mark.parametrize(
    ("name", "values", "remark"),
    [
        ("heat", ["n/a" if i == 7 else str(i / 7) for i in STEPS], "'n/a' in row 7 is no number"),
        ("time", [f"0{1 + i % 9}/0{1 + i // 9}/2026" for i in STEPS], "say format.time_format"),
        ("note", [f"n{i}" for i in STEPS], "60 different"),
        ("clock", pa.array((STEPS % 24 * 3600).tolist(), pa.time32("s")), "time of day"),
    ],
)
def test_a_column_that_is_left_out_says_why(name: str, values: Any, remark: str) -> None:
    _, (_, guess) = guess_roles(pa.table({"other": HEAT, name: values}), ReaderConfig())
    assert guess.role == "left out" and remark in guess.remark


def test_a_time_of_day_tells_no_series_apart() -> None:
    days = np.repeat(np.datetime64("2026-01-01", "us") + np.arange(5), COUNT // 5)
    clock = pa.array((STEPS % (COUNT // 5) * 3600).tolist(), pa.time32("s"))
    config, _ = guess_roles(pa.table({"date": days, "clock": clock, "heat": HEAT}), ReaderConfig())
    assert config.series is None


def test_every_normal_word_is_normal() -> None:
    words = np.array(["Good", "OK", "Fault"])[STEPS % 3]
    config, guesses = guess_roles(pa.table({"heat": HEAT, "state": words}), ReaderConfig())
    assert (config.classes, set(config.normal)) == ("state", {"Good", "OK"})
    assert guesses[1].remark == "3 classes; all but 'Good' and 'OK' are anomalies"


def test_classes_of_which_none_is_known_to_be_normal_say_so() -> None:
    config, guesses = guess_roles(pa.table({"heat": HEAT, "fault": 1 + STEPS % 2}), ReaderConfig())
    assert (config.classes, config.normal) == ("fault", ())
    assert "--reader.normal" in guesses[1].remark
