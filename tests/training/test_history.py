"""Losses of a training, from its logs."""

from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from rvae.errors import FieldError
from rvae.training.history import read_history
from rvae.training.trainer import LOGS

VALUES = {"train/loss": 4.0, "validation/reconstruction": 2.0, "validation/kl": 1.0}


def log(folder: Path, epochs: list[int], offset: float = 0.0, suffix: str = "") -> None:
    """Logs of epochs of ten steps, the validation's a step before the training's."""
    earlier = set((folder / LOGS).glob("*")) if (folder / LOGS).exists() else set()
    writer = SummaryWriter(str(folder / LOGS))
    for epoch in epochs:
        step = 10 * epoch + 9
        for name, value in (VALUES | {"validation/loss": 3.0 + epoch + offset}).items():
            tag = name + suffix if name == "train/loss" else name
            writer.add_scalar(tag, value, step)
            writer.add_scalar("epoch", epoch, step)
    writer.close()
    # Files are read in the order of their names, which is that of time but for those of one second.
    (written,) = set((folder / LOGS).iterdir()) - earlier
    written.rename(written.with_name(f"events.out.tfevents.{len(earlier)}"))


@pytest.mark.parametrize("suffix", ["", "_epoch"])
def test_epochs_are_read_in_order(tmp_path: Path, suffix: str) -> None:
    log(tmp_path, [0, 1, 2], suffix=suffix)
    history = read_history(tmp_path)
    assert [losses.epoch for losses in history] == [1, 2, 3]
    assert [losses.validation for losses in history] == [3, 4, 5]
    first = history[0]
    assert (first.training, first.reconstruction, first.kl) == (4, 2, 1)


def test_an_epoch_that_a_resumed_training_repeats_counts_once(tmp_path: Path) -> None:
    log(tmp_path, [0, 1])
    log(tmp_path, [1, 2], offset=0.5)
    assert [losses.validation for losses in read_history(tmp_path)] == [3, 4.5, 5.5]


def test_a_folder_without_logs_is_said(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"run: .* is not the output folder of a training"):
        read_history(tmp_path)
    (tmp_path / LOGS).mkdir()
    with pytest.raises(FieldError, match=r"run: .* has no completed epoch yet"):
        read_history(tmp_path)
