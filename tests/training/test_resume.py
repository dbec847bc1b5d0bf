from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from rvae.errors import FieldError
from rvae.training.fit import FitResult
from tests.support.short_training import QUICK, interrupt_at, train


def weights(outcome: FitResult) -> dict[str, torch.Tensor]:
    return torch.load(outcome.checkpoint, weights_only=True)["state_dict"]


@pytest.mark.parametrize("schedule", ["one_cycle", "constant", "warm_restarts", "plateau"])
@pytest.mark.parametrize("step", [9, 11])
def test_resumed_training_ends_like_one_that_was_not_interrupted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schedule: Literal["one_cycle", "constant", "warm_restarts", "plateau"],
    step: int,
) -> None:
    """To the bit, though it was stopped in the middle of the third or just before its end."""
    training = replace(QUICK, epochs=6, schedule=schedule, optimizer="adamw", weight_decay=0.01)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = train(tmp_path / "whole", training)
    with monkeypatch.context() as patched:
        interrupt_at(patched, step)
        assert train(tmp_path / "parts", training).interrupted
    parts = train(tmp_path / "parts", training, resume=True)
    assert not parts.interrupted
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(parts)[name]), name
    assert whole.card.training["epoch"] == parts.card.training["epoch"]
    assert whole.card.to_dict()["calibration"] == parts.card.to_dict()["calibration"]


def test_only_the_same_training_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="there is no"):
        train(tmp_path, resume=True)
    train(tmp_path)
    for changed, message in (
        (replace(QUICK, learning_rate=0.5), "another learning_rate"),
        (replace(QUICK, optimizer="sgd"), "another optimizer"),
        (replace(QUICK, epochs=1), "training.epochs"),
    ):
        with pytest.raises(FieldError, match=message):
            train(tmp_path, changed, resume=True)
    with pytest.raises(FieldError, match="another scaler"):
        train(tmp_path, windows=100, resume=True)


def test_units_stay_when_training_is_resumed(tmp_path: Path) -> None:
    (name,) = train(tmp_path).card.channels
    first = train(tmp_path, units={name: "mV"})
    longer = replace(QUICK, epochs=3)
    with pytest.raises(FieldError, match="another units"):
        train(tmp_path, longer, units={name: "V"}, resume=True)
    again = train(tmp_path, longer, units={name: "mV"}, resume=True)
    assert first.card.units == again.card.units == {name: "mV"}


def test_a_new_training_forgets_the_old_one_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path)
    interrupt_at(monkeypatch, 2)  # before an epoch is whole
    assert train(tmp_path, replace(QUICK, epochs=9)).interrupted
    with pytest.raises(FieldError, match="there is no"):
        train(tmp_path, replace(QUICK, epochs=9), resume=True)


def test_a_moved_training_can_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = replace(QUICK, epochs=4)
    (tmp_path / "here").mkdir()
    with monkeypatch.context() as patched:
        interrupt_at(patched, 12)
        train(tmp_path / "here", training)
    (tmp_path / "here").rename(tmp_path / "there")
    train(tmp_path / "there", training, resume=True)
    assert not (tmp_path / "here").exists()


def test_more_epochs_can_be_added(tmp_path: Path) -> None:
    training = replace(QUICK, schedule="constant")
    train(tmp_path, training)
    longer = train(tmp_path, replace(training, epochs=5), resume=True)
    last = torch.load(longer.checkpoint.parent / "state" / "last.ckpt", weights_only=True)
    assert last["epoch"] == 4
