"""The command `rvae evaluate`."""

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from rvae.cli.evaluate import evaluate
from tests.support.command_line import rvae
from tests.support.waves import anomalous_waves, waves


def test_evaluate_prints_detection_where_there_are_labels(
    checkpoint: Path, labelled: Path, tmp_path: Path
) -> None:
    done = rvae(
        "evaluate", checkpoint, labelled, "--label", "labels", "--array", "signals", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "AUROC" in line]
    assert float(line.split("│")[2]) > 0.98
    rows = [line.split("│") for line in done.stdout.splitlines() if "│" in line]
    names = ("normal", "anomalous")
    by_class = {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in rows}
    by_class = {name: by_class[name] for name in names}
    for windows, *_, as_normal, as_anomalous in by_class.values():
        assert windows == "50" and int(as_normal) + int(as_anomalous) == 50
    assert int(by_class["anomalous"][-1]) > 45
    done = rvae("evaluate", checkpoint, labelled, "--array", "signals", cwd=tmp_path)
    assert "quantile 0.99" in done.stdout and "AUROC" not in done.stdout


def test_probes_say_how_large_a_change_must_be(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "fresh.npy", waves(20, seed=7))
    done = rvae("evaluate", checkpoint, "fresh.npy", "--probes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    probes = done.stdout[done.stdout.index("normal windows, changed") :]
    rows = [line.split("│") for line in probes.splitlines() if line.count("│") == 7]
    first = [row for row in rows if row[1].strip()]
    assert [row[1].strip() for row in first] == [
        "new pattern (share)",
        "outlier (std)",
        "time shift (steps)",
        "level shift (std)",
    ]
    assert first[2][6].strip() == "more than 16"
    assert 0 < float(first[1][6]) < 2
    assert "20 normal windows" in done.stdout


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
