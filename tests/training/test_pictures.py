import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from rvae.training.callbacks import EpochCheckpoint
from rvae.training.pictures import LAST_FRAME, MAX_FRAME, LearningSnapshot, Pictures

BATCHES = 3


class Learner(pl.LightningModule):
    """One weight that learns to be 1, and logs what a VAE would."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.stop_at: int | None = None
        self.fail_at: int | None = None

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        if self.global_step == self.stop_at:
            self.trainer.should_stop = True
        if self.global_step == self.fail_at:
            raise RuntimeError("diverged")
        loss = (self.weight - 1) ** 2
        self.log("train/loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: torch.Tensor, index: int) -> None:
        loss = (self.weight - 1) ** 2
        self.log("validation/loss", loss)
        self.log("validation/reconstruction", loss - 0.25)
        self.log("validation/kl", 0.25)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)

    def look(self) -> LearningSnapshot:
        size = self.weight.item()
        windows = np.sin(np.arange(40.0)).reshape(2, 20, 1)
        latent = size * np.random.default_rng(0).normal(size=(30, 2))
        return LearningSnapshot(latent, None, (), windows, size * windows, ("height",))


def train(
    folder: Path,
    epochs: int = 3,
    every: int = 1,
    resume: bool = False,
    pictures: str = "pictures",
    stop_at: int | None = None,
    fail_at: int | None = None,
) -> Pictures:
    """Three batches an epoch; the checkpoint's callback is listed first, but saves last."""
    torch.manual_seed(0)
    module = Learner()
    module.stop_at, module.fail_at = stop_at, fail_at
    callback = Pictures(folder / pictures, every, module.look)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=TensorBoardLogger(folder, name="", version="logs"),
        callbacks=[EpochCheckpoint(folder, "last"), callback],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
    batches: DataLoader[Any] = DataLoader(cast(Any, torch.zeros(BATCHES, 1)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* is not empty.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.* is deprecated.*")
        trainer.fit(
            module,
            batches,
            batches,
            ckpt_path=folder / "last.ckpt" if resume else None,
            weights_only=True,
        )
    return callback


def frames(animation: Image.Image) -> int:
    count: int = getattr(animation, "n_frames")  # noqa: B009, its type does not have it
    return count


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pictures]:
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(folder)


def test_each_epoch_has_a_picture_of_one_size(trained: tuple[Path, Pictures]) -> None:
    folder, _ = trained
    assert names(folder / "pictures") == [
        "epoch-0001.png",
        "epoch-0002.png",
        "epoch-0003.png",
        "learning.gif",
    ]
    sizes = {size_of(path) for path in (folder / "pictures").iterdir()}
    assert len(sizes) == 1


def test_the_animation_shows_each_epoch_and_stays_at_the_last(
    trained: tuple[Path, Pictures],
) -> None:
    folder, _ = trained
    with Image.open(folder / "pictures" / "learning.gif") as animation:
        assert frames(animation) == 3
        durations = []
        for frame in range(3):
            animation.seek(frame)
            durations.append(animation.info["duration"])
    assert durations == [MAX_FRAME, MAX_FRAME, LAST_FRAME]


def test_the_animation_is_in_the_colours_of_its_pictures(trained: tuple[Path, Pictures]) -> None:
    folder, _ = trained
    with Image.open(folder / "pictures" / "learning.gif") as animation:
        animation.seek(2)
        frame = np.asarray(animation.convert("RGB"), int)
    with Image.open(folder / "pictures" / "epoch-0003.png") as picture:
        difference = np.abs(frame - np.asarray(picture.convert("RGB"), int))
    assert difference.mean() < 2


def test_tensorboard_gets_each_picture(trained: tuple[Path, Pictures]) -> None:
    folder, _ = trained
    events = EventAccumulator(str(folder / "logs")).Reload()
    pictures = events.Images("learning")
    assert [picture.step for picture in pictures] == [BATCHES, 2 * BATCHES, 3 * BATCHES]
    expected = size_of(folder / "pictures" / "epoch-0001.png")
    assert (pictures[0].width, pictures[0].height) == expected


def test_the_history_is_what_was_logged(trained: tuple[Path, Pictures]) -> None:
    folder, callback = trained
    history = callback.state_dict()["history"]
    events = EventAccumulator(str(folder / "logs")).Reload()
    for name, tag in (
        ("training", "train/loss_epoch"),
        ("validation", "validation/loss"),
        ("reconstruction", "validation/reconstruction"),
        ("kl", "validation/kl"),
    ):
        assert [losses[name] for losses in history] == pytest.approx(
            [event.value for event in events.Scalars(tag)]
        )
    assert [losses["epoch"] for losses in history] == [1, 2, 3]


def test_a_checkpoint_of_plain_data_holds_the_history_with_its_own_epoch(
    trained: tuple[Path, Pictures],
) -> None:
    folder, callback = trained
    content = torch.load(folder / "last.ckpt", weights_only=True)
    assert content["callbacks"][callback.state_key] == callback.state_dict()


@pytest.mark.parametrize("stop_at", [None, 2 * BATCHES + 1])
def test_resumed_training_goes_on_with_its_curves(
    tmp_path: Path, trained: tuple[Path, Pictures], stop_at: Any
) -> None:
    """After two whole epochs, or in the middle of the third."""
    whole_folder, whole = trained
    train(tmp_path, epochs=2 if stop_at is None else 3, stop_at=stop_at)
    assert "epoch-0003.png" not in names(tmp_path / "pictures")
    parts = train(tmp_path, resume=True)
    assert parts.state_dict() == whole.state_dict()
    for name in names(whole_folder / "pictures"):
        assert (tmp_path / "pictures" / name).read_bytes() == (
            whole_folder / "pictures" / name
        ).read_bytes()


def test_of_many_pictures_some_are_animated_with_the_first_and_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.training.pictures.MAX_FRAMES", 2)
    train(tmp_path, epochs=4)
    with Image.open(tmp_path / "pictures" / "learning.gif") as animation:
        assert frames(animation) == 2
        for frame, epoch in enumerate((1, 4)):
            animation.seek(frame)
            shown = np.asarray(animation.convert("RGB"), int)
            with Image.open(tmp_path / "pictures" / f"epoch-000{epoch}.png") as picture:
                assert np.abs(shown - np.asarray(picture.convert("RGB"), int)).mean() < 2


def test_an_animation_is_of_one_training(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "epoch-0009.png").write_bytes(b"of a training that got further")
    train(tmp_path, epochs=2)
    with Image.open(tmp_path / "pictures" / "learning.gif") as animation:
        assert frames(animation) == 2


def test_every_second_epoch_and_the_last(tmp_path: Path) -> None:
    callback = train(tmp_path, epochs=5, every=2)
    assert names(tmp_path / "pictures") == [
        "epoch-0002.png",
        "epoch-0004.png",
        "epoch-0005.png",
        "learning.gif",
    ]
    assert len(callback.state_dict()["history"]) == 5


def test_interrupted_training_is_animated_as_far_as_it_came(tmp_path: Path) -> None:
    train(tmp_path, epochs=9, stop_at=2 * BATCHES + 1)
    with Image.open(tmp_path / "pictures" / "learning.gif") as animation:
        assert frames(animation) == 2


def test_failed_training_is_animated_as_far_as_it_came(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="diverged"):
        train(tmp_path, epochs=9, fail_at=2 * BATCHES + 1)
    with Image.open(tmp_path / "pictures" / "learning.gif") as animation:
        assert frames(animation) == 2


def test_a_folder_that_cannot_be_written_is_said_once_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callback = train(tmp_path, epochs=2, pictures="file/pictures")
    said = [str(w.message) for w in caught if "without pictures" in str(w.message)]
    assert len(said) == 1 and "file" in said[0]
    assert len(callback.state_dict()["history"]) == 2
    events = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert len(events.Images("learning")) == 2


def test_a_picture_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: Any) -> None:
        path.touch()
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.warns(UserWarning, match="without pictures: No space left"):
        train(tmp_path, epochs=1)
    assert not list((tmp_path / "pictures").glob("*.png"))
