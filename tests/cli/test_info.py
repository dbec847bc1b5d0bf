"""The command `rvae info`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvae._version import __version__
from rvae.cli.info import info
from rvae.config import DenseConfig, ModelConfig
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from rvae.scoring.promise import promise_text
from tests.support.archives import edited
from tests.support.changes import CHANGE
from tests.support.untrained import KINDS, untrained_artifact, untrained_card


def lines(text: str) -> dict[str, str]:
    """Names and texts of the lines."""
    return {line[:14].strip(): line[14:] for line in text.splitlines()}


def test_a_checkpoint_is_described(
    checkpoint: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    info(checkpoint)
    told = lines(capsys.readouterr().out)
    card = engine.card
    size = checkpoint.stat().st_size / 1e6
    assert told["model"] == f"{checkpoint} (checkpoint, {size:.3g} MB)"
    assert told["channels"] == "height" and told["window"] == "32 steps, stride 1"
    assert told["network"].startswith("recurrent (cell lstm, hidden 24, depth 1")
    assert told["threshold"] == f"{card.calibration.threshold():.4g} at quantile 0.98"
    assert told["promise"] == promise_text(card.calibration, None)
    assert told["calibration"] == "90 windows in 90 independent blocks of 32 steps"
    assert "explained variance 99.5%; 4 of 4 latent units active" in told["training"]
    assert told["trained with"].startswith(f"rvae {card.versions['rvae']}, torch ")
    assert told["read with"].startswith(f"rvae {__version__}, torch ")
    assert told["checksum"] == engine.checksum
    weights = Artifact.load(checkpoint).weights.values()
    count = sum(array.size for array in weights)
    assert told["size"] == f"4 latent units, {count:,} parameters"


def test_every_archive_of_a_store_is_described(
    store: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    info(store, json=True)
    found = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["version"]) for one in found] == [("waves", "1.10"), ("waves", "1.0")]
    assert {one["checksum"] for one in found} == {engine.checksum}
    info(store / "waves-1.0.mar", json=True)
    assert json.loads(capsys.readouterr().out) == found[1]
    info(store / "waves-1.0.mar")
    told = lines(capsys.readouterr().out)
    assert told["served as"] == "waves 1.0"
    assert told["integrity"] == "every file has its checksum, not signed"


def test_a_changed_archive_is_told(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "waves-1.0.mar"
    edited(store / "waves-1.0.mar", changed, lambda folder: (folder / "new.py").touch())
    info(changed)
    told = lines(capsys.readouterr().out)
    assert told["integrity"] == "damaged: waves-1.0.mar: new.py is not in its checksums"


def test_units_categories_and_classes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = untrained_card(
        ModelConfig("dense", dense=DenseConfig((4,)), latent=2, conditional=True),
        channels=("heat", "mode"),
        categories={"mode": ("off", "on")},
        classes=("calm", "storm"),
    )
    few = Calibration.fit(Blocks.without_order(np.linspace(0, 2, 99), 9, card.window), 0.95)
    card = replace(card, units={"heat": "°C"}, calibration=few)
    untrained_artifact(card).save(tmp_path)
    info(tmp_path)
    told = lines(capsys.readouterr().out)
    assert told["channels"] == "heat [°C], mode (off, on)"
    assert told["classes"] == "calm, storm, which requests must name"
    assert told["calibration"] == (
        "99 windows in 9 independent blocks of 8 steps, too few for what was asked for: the "
        "threshold is the highest score"
    )
    assert "training" not in told and "folder of an artifact" in told["model"]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="it is empty"):
        info(tmp_path)


def test_changes_of_the_calibration_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untrained_artifact(replace(KINDS["numbers"], history=(CHANGE,))).save(tmp_path)
    info(tmp_path)
    assert lines(capsys.readouterr().out)["recalibrated"] == (
        "2026-01-02T03:04:05+00:00: 240 windows in 12 blocks of new.csv added; events judged: 3 "
        "false alarms, 1 confirmed; threshold 1.5 at quantile 0.95 became 2.5 at quantile 0.98; by "
        "rvae 0.1.0"
    )
