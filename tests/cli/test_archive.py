"""The command `rvae archive`, also through `archive.sh`."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvae.cli.archive import archive
from rvae.cli.info import info
from rvae.cli.recalibrate import recalibrate
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.runtimes.graphs import GRAPHS
from tests.support.networks import NETWORKS
from tests.support.paths import ROOT
from tests.support.untrained import untrained_artifact, untrained_card
from tests.support.waves import waves


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "normal.npy"
    np.save(path, waves(120, seed=3))
    return path


@pytest.fixture(scope="module")
def small(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An LSTM with random weights, whose scores eight bits do not change by much."""
    path = tmp_path_factory.mktemp("small") / "model.ckpt"
    training = Artifact.load(checkpoint).card.training
    card = replace(untrained_card(NETWORKS["lstm"], window=32), training=training)
    untrained_artifact(card).save_checkpoint(path)
    return path


@pytest.fixture(scope="module")
def rounded(small: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("rounded")
    archive(small, "m", "1", store, "onnx-int8", data)
    return store / "m-1.mar"


def test_archive_sh(checkpoint: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "archive.sh", checkpoint, "--version", "3", "--store", "s"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )
    assert done.returncode == 0, done.stderr
    runtime, wrote = done.stdout.splitlines()
    assert runtime.startswith("The network is run by onnx, which differs from torch by at most ")
    assert wrote == "Wrote s/rvae-3.mar"


def test_an_archive_that_exists_is_replaced_with_force_only(
    checkpoint: Path, tmp_path: Path
) -> None:
    archive(checkpoint, "m", "1", tmp_path)
    before = (tmp_path / "m-1.mar").stat().st_mtime_ns
    with pytest.raises(FieldError, match="exists: give another version, or --force"):
        archive(checkpoint, "m", "1", tmp_path)
    assert (tmp_path / "m-1.mar").stat().st_mtime_ns == before
    archive(checkpoint, "m", "1", tmp_path, force=True)
    assert (tmp_path / "m-1.mar").stat().st_mtime_ns > before


@pytest.mark.parametrize("runtime", ["torch", "onnx", "onnx-int8"])
def test_an_archive_for_each_runtime_is_described(
    runtime: str, small: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = data if runtime == "onnx-int8" else None
    archive(small, "m", "1", tmp_path, runtime, given)  # type: ignore[arg-type]
    told, wrote = capsys.readouterr().out.splitlines()
    assert told.startswith(f"The network is run by {runtime}") and wrote.endswith("m-1.mar")
    info(tmp_path / "m-1.mar", json=True)
    described = json.loads(capsys.readouterr().out)
    assert described["checksum"] == Artifact.load(small).checksum
    info(tmp_path / "m-1.mar")
    lines = [one for one in capsys.readouterr().out.splitlines() if one.startswith("runtime ")]
    if runtime == "torch":
        assert "graphs" not in described and not lines
        return
    assert lines == [f"{'runtime':14}{told.removeprefix('The network is run by ')[:-1]}"]
    assert set(described["graphs"]["checksums"]) == set(GRAPHS)
    assert described["graphs"]["parity"].get("data") == (given and "normal.npy")


@pytest.mark.parametrize(
    ("kind", "runtime", "with_data", "field", "match"),
    [
        ("lstm", "onnx-int8", False, "data", "is needed for onnx-int8"),
        ("lstm", "torch", True, "data", "another runtime than torch"),
        ("gru", "onnx-int8", True, "runtime", "is for LSTM layers"),
    ],
)
def test_what_is_not_possible_is_refused_and_nothing_is_written(
    kind: str,
    runtime: str,
    with_data: bool,
    field: str,
    match: str,
    data: Path,
    tmp_path: Path,
) -> None:
    untrained_artifact(untrained_card(NETWORKS[kind], window=32)).save(tmp_path / "model")
    with pytest.raises(FieldError, match=match) as caught:
        archive(tmp_path / "model", "m", "1", tmp_path / "s", runtime, data if with_data else None)  # type: ignore[arg-type]
    assert caught.value.field == field and not (tmp_path / "s").exists()


def test_data_shorter_than_a_window_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "short.npy", waves(3)[:, :31])
    with pytest.raises(FieldError) as caught:
        archive(checkpoint, store=tmp_path / "s", data=tmp_path / "short.npy")
    assert caught.value.field == "data" and not (tmp_path / "s").exists()


def test_an_archive_in_reduced_precision_stays_one(
    rounded: Path, data: Path, tmp_path: Path
) -> None:
    for runtime, given in (("onnx-int8", data), ("onnx", None), ("torch", None)):
        with pytest.raises(FieldError, match="use its checkpoint instead"):
            archive(rounded, "m", "2", tmp_path, runtime, given)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="use its checkpoint instead"):
        recalibrate(rounded, data, output=tmp_path / "m.ckpt")
    assert not list(tmp_path.iterdir())
    archive(rounded, "m", "2", tmp_path)
    assert Artifact.load(tmp_path / "m-2.mar").graphs == Artifact.load(rounded).graphs


def test_another_calibration_keeps_the_graphs(rounded: Path, data: Path, tmp_path: Path) -> None:
    recalibrate(rounded, data, output=tmp_path / "m-2.mar", version="2", replace=True)
    old, new = Artifact.load(rounded), Artifact.load(tmp_path / "m-2.mar")
    assert (new.graphs, new.checksum, new.card.runtime) == (
        old.graphs,
        old.checksum,
        old.card.runtime,
    )
    assert new.card.calibration.threshold() != old.card.calibration.threshold()
    assert new.card.history[-1].threshold == new.card.calibration.threshold()


def test_an_archive_of_a_card_without_a_runtime_is_run_by_torch(tmp_path: Path) -> None:
    """As the versions before wrote it."""
    untrained_artifact(untrained_card()).save(tmp_path)
    content = json.loads((tmp_path / "card.json").read_text())
    assert content.pop("runtime") is None
    (tmp_path / "card.json").write_text(json.dumps(content))
    found = Artifact.load(tmp_path)
    assert found.card.runtime is None and not found.graphs
