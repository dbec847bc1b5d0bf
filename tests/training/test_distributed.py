"""Several processes that train together, as a user starts them."""

import os
import shutil
import signal
import socket
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
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.data.window_dataset import WindowDataset
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.checkpoints import read_spec
from rvae.training.distributed import with_launched_processes
from rvae.training.fit import fit
from rvae.training.module import TrainingModule
from tests.support.waiting import wait_for
from tests.support.waves import waves

# They start many processes, each of which imports Lightning.
pytestmark = pytest.mark.slow

STEPS, EPOCHS = 16, 20
FIT = ["fit", "--data.path=waves.npy", f"--data.window={STEPS}", "--model.latent=2"]
FIT += ["--model.architecture=dense", "--model.dense.layers=[8]", "--training.accelerator=cpu"]
FIT += ["--training.quantile=0.8", "--training.devices=2"]

# 41 windows are left to validate by: two batches for one process, and one for the other.
WINDOWS, TRAINING, VALIDATION = 273, 191, 41
TOGETHER = [*FIT, "--model.dense.normalization=batch", "--training.batch_size=20"]
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
    wait_for(lambda: not any(helper.is_running() for helper in helpers))
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
    card = read_spec(last)
    dataset = read(whole.run.parents[1] / "waves.npy", ReaderConfig())
    order = np.random.default_rng(0).permutation(WINDOWS)
    validation = [dataset.series[i] for i in order[TRAINING : TRAINING + VALIDATION]]
    windows = WindowDataset(validation, card.scaler, card.window, card.stride, ())
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
    wait_for((tmp_path / "runs" / "latest" / "state" / "last.ckpt").exists, 300)
    (helper,) = others(process)
    os.killpg(process.pid, signal.SIGINT)
    said, complaint = process.communicate()
    assert process.returncode == 130, complaint
    assert said.count("Interrupted") == said.count("Saved") == 1
    wait_for(lambda: not helper.is_running())
    process = start(tmp_path, [*TOGETHER, "--resume"])
    complaint = process.communicate()[1]
    assert process.returncode == 0, complaint
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
        TrainingPlan(
            DataConfig("waves.npy", window=STEPS),
            model,
            ObjectiveConfig(sampling_noise=0),
            ScoringConfig(),
            training,
        ),
        tmp_path / "alone",
        progress=False,
    )
    alone = weights(tmp_path / "alone" / "state" / "last.ckpt")
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name], tensor, rtol=1e-5, atol=1e-6)


def test_where_one_fails_at_the_start_lightning_ends_the_others_with_a_line(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    process = start(tmp_path, FIT)
    wait_for(lambda: bool(others(process)))
    (helper,) = others(process)
    helper.kill()
    complaint = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL
    (line,) = complaint.splitlines()
    assert f"Child process with PID {helper.pid} terminated with code -9" in line


@pytest.mark.parametrize("victim", ["helper", "leader"])
def test_where_one_fails_in_training_none_is_left(tmp_path: Path, victim: str) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    process = start(tmp_path, [*FIT, "--training.epochs=100000", "--training.patience=100000"])
    wait_for((tmp_path / "runs" / "latest" / "state" / "last.ckpt").exists, 300)
    (helper,) = others(process)
    (helper if victim == "helper" else process).kill()
    complaint = process.communicate()[1]
    wait_for(lambda: not helper.is_running())
    assert complaint.count("rvae: training.devices: a process failed") == 1
    if victim == "helper":
        assert process.returncode == 1
        assert "Traceback" not in complaint


def test_torchrun_starts_them_too(whole: SimpleNamespace, tmp_path: Path) -> None:
    """With the same weights, whether or not it is told how many there are."""
    shutil.copy(whole.run.parents[1] / "waves.npy", tmp_path)
    arguments = [one for one in TOGETHER if "devices" not in one]
    command = ["-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "rvae.cli", *arguments]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Saved runs/latest/model.ckpt") == 1
    once, again = (
        Artifact.load(run / "model.ckpt") for run in (whole.run, tmp_path / "runs" / "latest")
    )
    assert all(torch.equal(once.weights[key], again.weights[key]) for key in once.weights)
    assert once.card.training["options"] == again.card.training["options"]


def test_several_machines_train_as_several_processes_of_one_do(
    whole: SimpleNamespace, tmp_path: Path
) -> None:
    """Here they are two commands that share a folder, with one process each."""
    shutil.copy(whole.run.parents[1] / "waves.npy", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [
        *(one for one in TOGETHER if "devices" not in one),
        "--training.devices=1",
        "--training.nodes=2",
    ]
    machines = []
    for node in (0, 1):
        variables = {"NODE_RANK": str(node), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        machines.append(start(tmp_path, arguments, env=os.environ | variables))
    said = [machine.communicate() for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert ["Saved" in out for out, _ in said] == [True, False]
    again = weights(tmp_path / "runs" / "latest" / "model.ckpt")
    once = weights(whole.run / "model.ckpt")
    assert all(torch.equal(once[key], again[key]) for key in once)


def test_other_numbers_than_those_of_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TORCHELASTIC_RUN_ID": "none",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
    }.items():
        monkeypatch.setenv(name, value)
    found = with_launched_processes(TrainingConfig())
    assert (found.devices, found.nodes) == (4, 2)
    assert with_launched_processes(found) == found
    for field, asked in (
        ("training.devices", TrainingConfig(devices=3, nodes=2)),
        ("training.nodes", TrainingConfig(devices=4)),
    ):
        with pytest.raises(FieldError, match="torchrun started") as caught:
            with_launched_processes(asked)
        assert caught.value.field == field


def test_processes_without_windows_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(46, STEPS))
    with pytest.raises(FieldError, match="too few windows for 8 processes: 7"):
        fit(
            read(tmp_path / "waves.npy", ReaderConfig()),
            TrainingPlan(
                DataConfig("waves.npy", window=STEPS),
                ModelConfig(),
                training=TrainingConfig(accelerator="cpu", devices=8),
            ),
            tmp_path / "run",
        )
