"""The command `rvae inspect`, and the command that it proposes."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.inference.artifact import Artifact
from rvae.scoring.promise import limit_text
from tests.support.command_line import rvae

COUNT = 700
STEPS = np.arange(COUNT)
HEAT = np.sin(STEPS / 5).round(4) + np.random.default_rng(0).normal(0, 0.1, COUNT).round(4)
START, MINUTE = np.datetime64("2026-01-01T00:00"), np.timedelta64(1, "m")
FAULTS = (STEPS % 250 == 249).astype(int)
LONG = "temperature_of_the_second_bearing_of_the_main_drive_in_hall_seven"

FILES: dict[str, dict[str, Any]] = {
    "labels of pandas": {"": STEPS, "heat": HEAT, "Is Anomaly": FAULTS},
    "an index of times": {"": START + STEPS * MINUTE, "heat": HEAT, "on": np.ones(COUNT)},
    "a hole": {"when": START + (STEPS + 400 * (STEPS > 500)) * MINUTE, "heat": HEAT},
    "many holes": {"when": START + (STEPS + STEPS // 15 * 4) * MINUTE, "heat": HEAT},
    "uneven": {"when": START + np.cumsum(STEPS * 7919 % 5 + 1) * MINUTE, "heat": HEAT},
    "times twice": {"when": START + np.maximum(STEPS - 1, 0) * MINUTE, "heat": HEAT},
    "three machines": {
        "time": START + STEPS // 2 * MINUTE,
        "machine id": np.where(STEPS % 2, "a", "b"),
        LONG: HEAT,
        "mode": np.where(HEAT > 0, "up", "down"),
        "note": [f"it's {i}" for i in STEPS],
        "outlier": np.where(FAULTS, -1, 1),
    },
    "short": {"heat": HEAT[:50]},
}


def write(folder: Path, name: str) -> str:
    columns = FILES[name]
    with (folder / f"{name}.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return f"{name}.csv"


@pytest.mark.parametrize("name", FILES)
def test_the_command_to_type_next_runs(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    done = rvae("inspect", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown, command = done.stdout.split("\nNext:\n")
    assert max(map(len, shown.splitlines())) <= 80
    program, *arguments = shlex.split(command)
    assert program == "rvae" and command.count("\n") == 1
    brief = ["--training.epochs=1", "--training.accelerator=cpu", "--model.architecture=dense"]
    done = rvae(*arguments, *brief, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    card = Artifact.load(tmp_path / "runs" / name / "model.ckpt").card
    told = json.loads(rvae("inspect", path, "--json", cwd=tmp_path).stdout)
    assert told["command"] == command.strip()
    roles = {column["name"]: column["role"] for column in told["columns"]}
    assert list(card.channels) == [
        *(column for column, role in roles.items() if role == "channel"),
        *(column for column, role in roles.items() if role == "categorical"),
    ]
    assert told["training"]["windows"] == card.training["windows"]
    assert told["training"]["window"] == card.window
    # What the file can promise at the most; scores that depend on each other for long allow less.
    held, limit = told["training"]["independent_windows"], told["training"]["limit"]
    assert limit == limit_text(held, card.calibration.blocks.steps, card.interval)
    assert f"overlap: {held}. They can promise no less than {limit};" in " ".join(shown.split())
    assert 1 <= card.calibration.blocks.count <= held
    # The model reads the file that it was trained on, with all its columns.
    done = rvae("score", tmp_path / "runs" / name / "model.ckpt", path, "s.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_column_is_shown_whole(tmp_path: Path) -> None:
    shown = rvae("inspect", write(tmp_path, "three machines"), cwd=tmp_path).stdout
    rows = [line.split("│") for line in shown.splitlines() if "│" in line]
    names = "".join(row[0].strip() for row in rows)
    for name in ("time", LONG, "mode", "note", "outlier"):
        assert name in names


def test_options_of_reading_are_those_of_fit(tmp_path: Path) -> None:
    path = write(tmp_path, "a hole")
    options = ["--reader.time", "when", "--reader.every", "2min"]
    told = json.loads(rvae("inspect", path, *options, "--json", cwd=tmp_path).stdout)
    assert "--reader.every 2min" in told["command"]
    assert told["times"]["holes"] == 1


def test_a_file_that_no_training_begins_with_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("a\n1\n5\n2\n")
    done = rvae("inspect", "m.csv", cwd=tmp_path)
    assert done.returncode == 0 and "Training would end with: " in done.stdout
    assert rvae("inspect", "none.csv", cwd=tmp_path).stderr.startswith("rvae: data: no such file")
