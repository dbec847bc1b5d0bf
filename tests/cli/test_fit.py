"""The command `rvae fit`."""

import csv
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from rvae.config.alarms import alarm_text
from rvae.inference.artifact import Artifact
from rvae.scoring.promise import share_text
from tests.support.command_line import rvae, rvae_process
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.waves import waves


def test_fit_writes_a_checkpoint_that_the_other_commands_take(tmp_path: Path) -> None:
    rows = [["when", "heat", "speed"], *([f"t{i}", np.sin(i / 3), i % 7] for i in range(900))]
    with (tmp_path / "machine.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (tmp_path / "machine.yaml").write_text(
        "data: {path: machine.csv, window: 20, stride: 2, units: {heat: °C, speed: 1/min}}\n"
        "reader: {columns: [speed, heat]}\n"
        "model: {recurrent: {hidden: 8}, latent: 2}\n"
        "training: {epochs: 2, quantile: 0.9, accelerator: cpu}\n"
    )
    done = rvae_process("fit", "--config", "machine.yaml", "--output", "runs/m", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Saved runs/m/model.ckpt" in done.stdout
    done = rvae_process("score", "runs/m/model.ckpt", "machine.csv", "scores.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pyarrow.csv.read_csv(tmp_path / "scores.csv")
    assert table.column_names == [
        "series",
        "start",
        "end",
        "score",
        "tail_probability",
        "above_calibration",
        "severity",
        "threshold",
        "drift",
        "is_anomaly",
    ]
    assert table["end"].to_pylist()[-1] == 900
    done = rvae_process("archive", "runs/m/model.ckpt", "--name", "machine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nWrote model_store/machine-1.0.mar\n")
    with zipfile.ZipFile(tmp_path / "model_store" / "machine-1.0.mar") as packed:
        packed.extractall(tmp_path / "model")
    card = Artifact.load(tmp_path / "model").card
    assert card.units == {"heat": "°C", "speed": "1/min"}
    assert card.bands == Artifact.load(tmp_path / "runs/m/model.ckpt").card.bands is not None


def test_units_are_told_as_an_option(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "m.csv", np.arange(60)[:, None] % 7, header="heat", comments="")
    told = ("--data.units", "{heat: °C, speed: 1/min}")
    done = rvae("fit", "--data.path", "m.csv", "--data.window", "8", *told, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "rvae: data.units: names 'speed', but the channels are heat\n"


def test_fit_says_where_calibration_cannot_keep_its_promise(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.sin(np.arange(1500) / 5))
    fit = ["fit", "--data.path=s.npy", "--data.window=32", "--training.epochs=1"]
    done = rvae(*fit, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    blocks = Artifact.load(tmp_path / "runs/latest/model.ckpt").card.calibration.blocks
    most = 1 / (blocks.count + 1)
    steps = len(blocks.segments) * blocks.steps
    events = f"1 event per {(blocks.count + 1) * 32} steps"
    assert f"at most {share_text(most)} of normal windows flagged, and at most {events}" in (
        done.stdout
    )
    evidence = f"{blocks.count} independent blocks of {steps / blocks.count:.0f} steps"
    limit = f"{share_text(most)} of normal windows flagged, or {events}."
    assert f"These are {evidence}, which can promise no less than {limit}" in done.stdout
    assert "Warning: quantile 0.99 was asked for, which needs 99 blocks" in done.stdout
    asked = "--training.alarms=1 per 10000 steps"
    needed = 312  # 313 * 32 > 10,000
    assert (
        f"Warning: 1 per 10000 steps was asked for, which needs {needed} blocks, "
        f"{needed * steps / blocks.count:,.0f} steps of held-out normal data."
    ) in rvae(*fit, asked, cwd=tmp_path).stdout


def test_fit_warns_of_nothing_where_the_promise_is_what_was_asked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.random.default_rng(0).normal(size=1500))
    fit = ["fit", "--data.path=s.npy", "--data.window=16", "--training.epochs=1"]
    done = rvae(*fit, "--training.alarms=1 per 40 steps", cwd=tmp_path)
    assert done.returncode == 0 and "Warning: 1 per" not in done.stdout
    calibration = Artifact.load(tmp_path / "runs/latest/model.ckpt").card.calibration
    rate = calibration.events_per_step(calibration.threshold())
    assert 1 / 80 < rate <= 1 / 40
    assert f"and at most {alarm_text(rate, None)}, while new data is like" in done.stdout


@pytest.mark.slow
def test_interrupted_training_says_what_it_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(400))
    command = [sys.executable, "-u", "-m", "rvae.cli", "fit", "--data.path", "waves.npy"]
    command += ["--data.window=32", "--training.epochs=10000", "--training.quantile=0.9"]
    process = subprocess.Popen(
        [*command, "--training.accelerator=cpu"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for((tmp_path / "runs" / "latest" / "state" / "best.ckpt").exists)
    os.kill(process.pid, signal.SIGINT)
    said = process.communicate()[0]
    assert process.returncode == 130
    assert "Interrupted" in said and "Saved runs/latest/model.ckpt" in said
    done = rvae("evaluate", "runs/latest/model.ckpt", "waves.npy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_500_points_are_enough_with_folds(tmp_path: Path) -> None:
    """The recipe for detection, from the command line to the scores."""
    np.savetxt(tmp_path / "m.csv", waves(20, 25)[:, :, 0].ravel(), header="heat", comments="")
    recipe = ("--config", ROOT / "configs" / "detection.yaml", "--data.path", "m.csv")
    quick = ("--training.epochs=1", "--training.folds=3", "--training.accelerator=cpu")
    done = rvae("fit", *recipe, *quick, "--output", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    windows = Artifact.load(tmp_path / "run" / "model.ckpt").card
    assert windows.training["windows"]["calibration"] == 500 - windows.window + 1
    for fold in (1, 2, 3):
        lines = [line for line in done.stdout.split("\n") if f"fold {fold} of 3" in line]
        assert len(lines) == 1
    done = rvae("score", "run", "m.csv", "scores.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = rvae("fit", *recipe, "--training.devices=2", cwd=tmp_path)
    assert done.returncode != 0 and "training.folds" in done.stderr
