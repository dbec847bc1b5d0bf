"""Several processes that train together, as a user starts them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import psutil
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    ScoringConfig,
    TrainingConfig,
)
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.training.fit import fit
from rvae.training.module import TrainingModule
from tests.support.waiting import wait_for
from tests.support.waves import waves

STEPS, EPOCHS = 16, 20
FIT = ["fit", "--data.path=waves.npy", f"--data.window={STEPS}", "--model.latent=2"]
FIT += ["--model.architecture=dense", "--model.dense.layers=[8]", "--training.accelerator=cpu"]
FIT += ["--training.quantile=0.8", "--training.devices=2"]

# 41 windows are left to validate by: two batches for one process, and one for the other.
WINDOWS, TRAINING, VALIDATION = 273, 191, 41
TOGETHER = [*FIT, "--model.dense.batch_norm=true", "--training.batch_size=20"]
TOGETHER += [f"--training.epochs={EPOCHS}", "--training.pictures=15"]


def start(folder: Path, arguments: list[str], script: bool = False, **options: Any) -> Popen[str]:
    """`rvae` in a group of its own, as a console script or as a module."""
    command = [shutil.which("rvae", path=Path(sys.executable).parent)]
    return subprocess.Popen(
        [*(command if script else [sys.executable, "-m", "rvae.cli"]), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def others(process: Popen[str]) -> list[psutil.Process]:
    """The processes that it started."""
    return psutil.Process(process.pid).children()


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A folder in which two processes have trained together, and what they said."""
    folder = tmp_path_factory.mktemp("whole")
    np.save(folder / "waves.npy", waves(WINDOWS, STEPS))
    process = start(folder, TOGETHER, script=True)
    wait_for(lambda: process.poll() is not None or bool(others(process)))
    helpers = others(process) if process.poll() is None else []
    said, complaint = process.communicate()
    assert process.returncode == 0, complaint
    assert len(helpers) == 1
    assert not any(helper.is_running() for helper in helpers)
    return SimpleNamespace(run=folder / "runs" / "latest", said=said, complaint=complaint)


def test_they_leave_one_set_of_results_and_one_summary(whole: SimpleNamespace) -> None:
    assert whole.said.count("Saved runs/latest/model.ckpt") == 1
    assert whole.said.count("explains") == 1
    assert f"{TRAINING} for training, {VALIDATION} for validation" in whole.said
    assert whole.complaint == ""
    files = sorted(str(p.relative_to(whole.run)) for p in whole.run.rglob("*") if p.is_file())
    assert [name for name in files if "tfevents" not in name] == [
        "logs/hparams.yaml",
        "model.ckpt",
        "pictures/epoch-0015.png",
        f"pictures/epoch-00{EPOCHS}.png",
        "pictures/learning.gif",
        "state/best.ckpt",
        "state/last.ckpt",
    ]
    assert len(files) == 8


def test_whichever_process_validates_a_window_the_loss_is_the_same(whole: SimpleNamespace) -> None:
    """As one process finds it with the weights after the last epoch."""
    last = whole.run / "state" / "last.ckpt"
    artifact = Artifact.load(last)
    card = artifact.card
    dataset = read(whole.run.parents[1] / "waves.npy", ReaderConfig())
    order = np.random.default_rng(0).permutation(WINDOWS)
    validation = [dataset.series[i] for i in order[TRAINING : TRAINING + VALIDATION]]
    windows = Engine(artifact).windows(validation, card.stride)
    module = TrainingModule(card, ObjectiveConfig(), TrainingConfig(batch_size=100))
    module.load_state_dict(weights(last))
    module.eval()
    module.trainer = cast(Any, SimpleNamespace)(
        strategy=SimpleNamespace(reduce=lambda sums, reduce_op: sums), world_size=1, global_rank=0
    )
    alone: dict[str, Any] = {}
    module.log = lambda name, value, **_: alone.__setitem__(name, float(value))
    module.log_dict = lambda values, **_: alone.update(values)
    module.on_validation_epoch_start()
    with torch.no_grad():
        module.validation_step(windows.__getitems__(range(len(windows))), 0)
    module.on_validation_epoch_end()
    events = EventAccumulator(str(whole.run / "logs")).Reload()
    for name in ("validation/loss", "validation/kl", "validation/reconstruction"):
        assert events.Scalars(name)[-1].value == pytest.approx(float(alone[name]), rel=1e-5)


def test_interrupted_together_and_resumed_they_end_with_the_same_weights(
    whole: SimpleNamespace, tmp_path: Path
) -> None:
    """To the bit, which says besides that a seed repeats."""
    shutil.copy(whole.run.parents[1] / "waves.npy", tmp_path)
    process = start(tmp_path, TOGETHER)
    wait_for((tmp_path / "runs" / "latest" / "state" / "last.ckpt").exists)
    (helper,) = others(process)
    os.killpg(process.pid, signal.SIGINT)
    said, complaint = process.communicate()
    assert process.returncode == 130, complaint
    assert said.count("Interrupted") == said.count("Saved") == 1
    assert not helper.is_running()
    process = start(tmp_path, [*TOGETHER, "--resume=true"])
    assert process.wait() == 0
    for name in ("model.ckpt", "state/last.ckpt"):
        once, again = weights(whole.run / name), weights(tmp_path / "runs" / "latest" / name)
        assert all(torch.equal(once[key], again[key]) for key in once)


def test_two_processes_take_the_step_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    step = ["--training.optimizer=sgd", "--training.schedule=constant", "--training.epochs=1"]
    step += ["--training.gradient_clip=1e9", "--training.hide=0", "--objective.sampling_noise=0"]
    step += ["--training.learning_rate=1e-3"]
    process = start(tmp_path, [*FIT, *step, "--training.batch_size=16"])
    complaint = process.communicate()[1]
    assert process.returncode == 0, complaint
    together = weights(tmp_path / "runs" / "latest" / "state" / "last.ckpt")
    training = TrainingConfig(
        epochs=1,
        batch_size=32,
        optimizer="sgd",
        learning_rate=1e-3,
        schedule="constant",
        gradient_clip=1e9,
        hide=0,
        quantile=0.8,
        accelerator="cpu",
    )
    model = ModelConfig(architecture="dense", latent=2, dense=DenseConfig(layers=(8,)))
    fit(
        read(tmp_path / "waves.npy", ReaderConfig()),
        DataConfig("waves.npy", window=STEPS),
        model,
        ObjectiveConfig(sampling_noise=0),
        ScoringConfig(),
        training,
        tmp_path / "alone",
        progress=False,
    )
    alone = weights(tmp_path / "alone" / "state" / "last.ckpt")
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name], tensor, rtol=1e-5, atol=1e-6)


def test_where_one_fails_the_others_end_with_a_line(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    process = start(tmp_path, FIT)
    wait_for(lambda: bool(others(process)))
    (helper,) = others(process)
    helper.kill()
    complaint = process.communicate()[1]
    assert process.returncode == 1
    assert complaint == "rvae: training.devices: process 1 of 2 failed with status -9\n"


def test_processes_without_windows_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    with pytest.raises(FieldError, match="too few windows for 8 processes: 7"):
        fit(
            read(tmp_path / "waves.npy", ReaderConfig()),
            DataConfig("waves.npy", window=STEPS),
            ModelConfig(),
            ObjectiveConfig(),
            ScoringConfig(),
            TrainingConfig(accelerator="cpu", devices=8),
            tmp_path / "run",
        )
