import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rvae.config import DataConfig, ReaderConfig, TrainingPlan
from rvae.data.series import Dataset, Series
from rvae.errors import FieldError
from rvae.estimators.train import train
from tests.support.short_training import QUICK, SMALL, interrupt_at
from tests.support.waves import waves

DATA = Dataset([Series(waves(1, 400)[0], "0")], ("value",), ReaderConfig())
PLAN = TrainingPlan(DataConfig("", window=8), SMALL, training=QUICK)


def test_it_leaves_nothing_but_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    trained = train(DATA, PLAN)
    assert trained.artifact.card.window == 8
    assert not trained.interrupted
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_training_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    interrupt_at(monkeypatch, 1)
    assert train(DATA, PLAN, tmp_path / "run").interrupted
    assert (tmp_path / "run" / "model.ckpt").exists()


@pytest.mark.parametrize("name", ["devices", "nodes"])
def test_several_processes_need_a_folder_that_they_share(name: str) -> None:
    option: dict[str, Any] = {name: 2}
    with pytest.raises(FieldError, match=r"^training\.devices: .* give an output"):
        train(DATA, replace(PLAN, training=replace(QUICK, **option)))
