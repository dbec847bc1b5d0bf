"""The command line as a user types it."""

import csv
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from pyarrow import parquet

from rvae.cli import evaluate, expand_paths, score
from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.training.fit import fit
from tests.support.command_line import rvae, rvae_process
from tests.support.machines import machines
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.waves import anomalous_waves, waves


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of normal and anomalous windows with labels."""
    path = tmp_path_factory.mktemp("data") / "labelled.npz"
    series = np.concatenate([waves(50, seed=3), anomalous_waves(50, seed=4)])
    np.savez(path, signals=series, labels=np.repeat([0, 1], 50))
    return path


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
        "severity",
        "threshold",
        "is_anomaly",
    ]
    assert table["end"].to_pylist()[-1] == 900
    done = rvae_process("archive", "runs/m/model.ckpt", "--name", "machine", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote model_store/machine-1.0.mar\n")
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


def test_evaluate_prints_detection_where_there_are_labels(
    checkpoint: Path, labelled: Path, tmp_path: Path
) -> None:
    done = rvae(
        "evaluate", checkpoint, labelled, "--label", "labels", "--array", "signals", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "AUROC" in line]
    assert float(line.split("│")[2]) > 0.98
    done = rvae("evaluate", checkpoint, labelled, "--array", "signals", cwd=tmp_path)
    assert "quantile 0.99" in done.stdout and "AUROC" not in done.stdout


@pytest.mark.parametrize("name", ["points.csv", "points.parquet"])
def test_score_writes_points(
    checkpoint: Path, engine: Engine, labelled: Path, tmp_path: Path, name: str
) -> None:
    done = rvae(
        "score", checkpoint, labelled, name, "--points", "true", "--array", "signals", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    reader = parquet.read_table if name.endswith("parquet") else pyarrow.csv.read_csv
    table = reader(tmp_path / name)
    assert table.num_rows == 100 * 32
    (analysis,) = engine.analyse([np.load(labelled)["signals"][99]])
    np.testing.assert_allclose(
        table["score"].to_numpy()[-32:], analysis.point_scores, rtol=1e-4, atol=1e-5
    )


def test_score_writes_events(checkpoint: Path, tmp_path: Path) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    for first in (100, 300):
        values[first : first + 6] = 40 - values[first : first + 6]
    np.save(tmp_path / "bumpy.npy", values)
    options = ["--events", "true", "--adapt", "0"]
    for gap, count in (("0", 2), ("300", 1)):
        done = rvae(
            *("score", checkpoint, "bumpy.npy", "e.csv", *options, "--gap", gap), cwd=tmp_path
        )
        assert (done.returncode, done.stdout) == (0, f"Wrote {count} rows to e.csv\n"), done.stderr
    (row,) = pyarrow.csv.read_csv(tmp_path / "e.csv").to_pylist()
    assert row["start"] <= 100 and row["end"] >= 306 and row["channel"] == "height"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"points": True, "events": True}, "events"),
        ({"points": True, "adapt": 0.1}, "adapt"),
        ({"adapt": 0.2}, "adapt"),
        ({"events": True, "adapt": -0.1}, "adapt"),
        ({"gap": 3}, "gap"),
        ({"events": True, "gap": -1}, "gap"),
    ],
)
def test_options_of_score_that_make_no_sense_are_refused(
    checkpoint: Path, labelled: Path, tmp_path: Path, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        score(checkpoint, labelled, tmp_path / "s.csv", array="signals", **options)
    assert caught.value.field == field
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_labels_can_be_trained_on_evaluated_and_scored(tmp_path: Path) -> None:
    labels = np.repeat([0, 1], [150, 30])
    values = np.concatenate([waves(150), anomalous_waves(30)])
    np.savez(tmp_path / "both.npz", x=values, y=labels)
    np.save(tmp_path / "plain.npy", values)
    values[0] = np.nan
    np.savez(tmp_path / "gap.npz", x=values, y=labels)
    fit = ["fit", "--data.path=both.npz", "--data.window=32", "--reader.array=x"]
    fit += ["--reader.label=y", "--training.epochs=1", "--training.quantile=0.9"]
    assert rvae(*fit, cwd=tmp_path).returncode == 0
    for name, expected in (
        ("both.npz", "AUROC"),
        ("plain.npy", "quantile"),
        ("gap.npz", "left out"),
    ):
        done = rvae("evaluate", "runs/latest/model.ckpt", name, cwd=tmp_path)
        assert done.returncode == 0 and expected in done.stdout, done.stderr
        done = rvae("score", "runs/latest/model.ckpt", name, "s.csv", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "Wrote 180 rows to s.csv\n"), done.stderr


def test_fit_says_where_calibration_cannot_keep_its_promise(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.sin(np.arange(1500) / 5))
    fit = ["fit", "--data.path=s.npy", "--data.window=32", "--training.epochs=1"]
    done = rvae(*fit, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Warning: only 6 windows" in done.stdout
    assert "expect more false alarms" in rvae(*fit, cwd=tmp_path).stdout


@pytest.mark.parametrize("name", ["drawn.csv", "drawn.parquet", "drawn.npy"])
def test_sample_writes_windows(checkpoint: Path, engine: Engine, tmp_path: Path, name: str) -> None:
    done = rvae("sample", checkpoint, name, "--count", 3, "--seed", 5, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"Wrote 3 windows to {name}\n"), done.stderr
    if name.endswith("npy"):
        drawn = np.load(tmp_path / name)
    else:
        read = pyarrow.csv.read_csv if name.endswith("csv") else parquet.read_table
        table = read(tmp_path / name)
        assert table.column_names == ["series", "step", "height"]
        assert table["step"].to_pylist() == [*range(32)] * 3
        drawn = table["height"].to_numpy().reshape(3, 32, 1)
    np.testing.assert_allclose(drawn, engine.sample(3, seed=5))


def test_generate_writes_patterns(tmp_path: Path) -> None:
    for seed in (1, 2):
        order = ["--patterns.repeats=20", f"--patterns.order_seed={seed}"]
        done = rvae("generate", f"{seed}.npz", *order, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"Wrote 20 series to {seed}.npz\n")
    one, two = (np.load(tmp_path / f"{seed}.npz") for seed in (1, 2))
    assert one["values"].shape == (20, 128, 7) and one["pattern"].shape == (20, 128)
    assert not np.array_equal(one["pattern"], two["pattern"])


def test_archive_sh(checkpoint: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "archive.sh", checkpoint, "--version", "3", "--store", "s"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )
    assert (done.returncode, done.stdout) == (0, "Wrote s/rvae-3.mar\n"), done.stderr


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--data.path", "none.npy"], "data: no such file: none.npy"),
        (["fit", "--data.path", "short.npy", "--data.window", "50"], "data.window: 50 steps"),
        (["fit", "--data.path", "short.npy"], "training.quantile: 0.99 needs at least 99"),
        (["fit", "--data.path", "flat.npy", "--data.window", "4"], "channel_0: is constant"),
        (
            ["fit", "--data.path", "short.npy", "--model.recurrent.hidden", "0"],
            "model.recurrent.hidden",
        ),
        (["fit", "--data.path", "short.npy", "--model.recurrent.hiden", "3"], "hiden"),
        (["fit"], "data"),
        # Refused before the data, which is not there, is read.
        (
            ["fit", "--data.path", "none.npy", "--model.architecture", "transformer"],
            "rvae: model.architecture: must be one of recurrent, convolutional, dense, or a dotted",
        ),
        (
            ["fit", "--data.path", "none.npy", "--model.likelihood", "no_such_package:NOISE"],
            "rvae: model.likelihood: cannot import module 'no_such_package'",
        ),
        (["fit", "--data.path", "none.npy", "--model.posterior", "x"], "rvae: model.posterior: mu"),
        (["fit", "--data.path", "short.npy", "--training.seed", "-1"], "training.seed"),
        (["evaluate", "none.ckpt", "short.npy"], "checkpoint: no such file: none.ckpt"),
        (["evaluate", "short.npy", "short.npy"], "checkpoint: short.npy is not a checkpoint"),
        (["archive", "none.ckpt"], "checkpoint: no such file: none.ckpt"),
        (["sample", "none.ckpt", "x.csv"], "checkpoint: no such file: none.ckpt"),
        (["generate", "x.csv"], "output: must end in .npz"),
        (["generate", "x.npz", "--patterns.sines", "0"], "patterns.sines"),
        (["serve"], "store: no such folder: model_store"),
        (["serve", "--store", "."], "store: no archive"),
    ],
)
def test_errors_are_one_line_that_names_the_field(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    np.save(tmp_path / "short.npy", np.sin(np.arange(40.0)))
    np.save(tmp_path / "flat.npy", np.ones(400))
    done = rvae(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tilde_is_the_home_of_the_user_in_paths_of_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    np.save(home / "waves.npy", waves(60, 8))
    monkeypatch.setenv("HOME", str(home))
    small = ["--model.architecture=dense", "--model.latent=2", "--training.epochs=1"]
    small += ["--training.accelerator=cpu", "--training.quantile=0.8", "--data.window=8"]
    done = rvae("fit", "--data.path=~/waves.npy", "--output=~/out", *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Saved {home}/out/model.ckpt" in done.stdout
    assert (home / "out" / "model.ckpt").exists()
    done = rvae("score", "~/out/model.ckpt", "~/waves.npy", "~/scores/all.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (home / "scores" / "all.csv").exists()
    done = rvae("generate", "~/patterns.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (home / "patterns.npz").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_paths_of_a_command_are_expanded_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    given = {}

    def command(**options: Any) -> None:
        given.update(options)

    expand_paths(command)(store=Path("~/store"), logs=Path("logs/~"), name="~", port=1)
    assert given == {
        "store": Path("/home/someone/store"),
        "logs": Path("logs/~"),
        "name": "~",
        "port": 1,
    }
    with pytest.raises(FieldError, match=r"^store: ~no_such_user/a: "):
        expand_paths(command)(store=Path("~no_such_user/a"))


def test_an_error_ends_a_process_with_one_line(tmp_path: Path) -> None:
    done = rvae_process("evaluate", "none.ckpt", "none.npy", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rvae: checkpoint: no such file: none.ckpt\n"


@pytest.mark.parametrize("output", ["scores.txt", "folder.csv"])
def test_an_output_that_cannot_be_written_is_said(
    checkpoint: Path, labelled: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    done = rvae("score", checkpoint, labelled, output, "--array", "signals", cwd=tmp_path)
    assert done.returncode != 0
    assert output in done.stderr and "Traceback" not in done.stderr


def test_data_that_does_not_fit_the_model_is_said(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.zeros((100, 2)))
    np.save(tmp_path / "short.npy", np.zeros(20))
    for name, field in (("two.npy", "columns"), ("short.npy", "data")):
        done = rvae("evaluate", checkpoint, name, cwd=tmp_path)
        assert done.returncode != 0
        assert done.stderr.startswith(f"rvae: {field}: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("slab", [1, 2, 5, 100])
def test_windows_are_numbered_alike_however_they_are_worked_through(
    checkpoint: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slab: int
) -> None:
    """Also where the last piece of a series holds but the window at its end."""
    values = np.random.default_rng(0).normal(20, 2, (2, 77, 1))
    np.save(tmp_path / "long.npy", values)
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", slab * 32)
    score(checkpoint, tmp_path / "long.npy", tmp_path / "scores.parquet", stride=10)
    table = parquet.read_table(tmp_path / "scores.parquet")
    assert table["start"].to_pylist() == [0, 10, 20, 30, 40, 45] * 2
    assert table["series"].to_pylist() == ["0"] * 6 + ["1"] * 6
    expected = np.concatenate([a.score for a in engine.analyse(list(values), 10)])
    np.testing.assert_allclose(table["score"].to_numpy(), expected, rtol=1e-4, atol=1e-5)


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


@pytest.fixture(scope="module")
def told_by_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt what is normal from classes, which it is not told when it works."""
    folder = tmp_path_factory.mktemp("classes")
    table = machines(80, steps=8)
    parquet.write_table(table, folder / "all.parquet")
    parquet.write_table(table.drop_columns(["size"]), folder / "bare.parquet")
    parquet.write_table(table.filter(pc.equal(table["size"], "large")), folder / "odd.parquet")
    flags = pa.array(np.arange(len(table)) // 8 % 4 == 0)
    parquet.write_table(table.append_column("fault", flags), folder / "flags.parquet")
    reader = ReaderConfig(columns=("load",), series="machine", classes="size", normal=("small",))
    fit(
        read(folder / "all.parquet", reader),
        TrainingPlan(
            DataConfig(str(folder / "all.parquet"), window=8),
            ModelConfig("dense", dense=DenseConfig(()), latent=2),
            training=TrainingConfig(epochs=2, quantile=0.8, accelerator="cpu"),
        ),
        folder,
        progress=False,
    )
    return folder


def test_classes_that_a_model_is_not_told_are_owed_by_no_file(
    told_by_classes: Path, tmp_path: Path
) -> None:
    for name in ("all", "bare", "odd"):
        data = told_by_classes / f"{name}.parquet"
        score(told_by_classes / "model.ckpt", data, tmp_path / f"{name}.parquet")
    rows = [parquet.read_table(tmp_path / f"{name}.parquet") for name in ("all", "bare")]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("name", "label", "anomalous"),
    [("all", None, "large"), ("bare", None, None), ("odd", None, None), ("flags", "fault", 20)],
)
def test_evaluation_takes_what_labels_there_are(
    told_by_classes: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    label: str | None,
    anomalous: int | str | None,
) -> None:
    """Those of the classes, unless others are named; none at all if there are none."""
    evaluate(told_by_classes / "model.ckpt", told_by_classes / f"{name}.parquet", label)
    lines = capsys.readouterr().out.splitlines()
    found = [float(line.split("│")[2]) for line in lines if "anomalous windows" in line]
    if anomalous == "large":
        size = parquet.read_table(told_by_classes / "all.parquet")["size"].to_numpy()[::8]
        anomalous = (size == "large").sum()
    assert found == ([] if anomalous is None else [anomalous])
