from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from rvae.config import ObjectiveConfig
from rvae.networks.context import Context
from rvae.networks.tensor_batch import TensorBatch
from rvae.training.fit import FitResult
from rvae.training.module import TrainingModule
from rvae.training.trainer import MAX_STEPS_PER_LOG
from tests.support.short_training import QUICK, train


def test_tensorboard_gets_both_terms_of_both_stages(outcome: FitResult) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(outcome.checkpoint.parent / "logs")).Reload()
    terms = ("loss", "reconstruction", "kl")
    assert (
        {f"validation/{name}" for name in terms}
        | {f"train/{name}_{span}" for name in (*terms, "beta") for span in ("step", "epoch")}
        | {"validation/active_units", "kl/dimension_000", "kl/dimension_003"}
    ) <= set(events.Tags()["scalars"])
    reconstruction, kl, loss = (
        np.array([e.value for e in events.Scalars(f"validation/{name}")])
        for name in ("reconstruction", "kl", "loss")
    )
    np.testing.assert_allclose(loss, reconstruction + kl, rtol=1e-4, atol=1e-3)


def test_the_log_of_an_epoch_is_the_mean_over_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen: list[tuple[int, float]] = []
    original = TrainingModule.training_step

    def noted(self: TrainingModule, batch: TensorBatch, batch_index: int) -> torch.Tensor:
        loss = original(self, batch, batch_index)
        seen.append((len(batch.x), float(loss.detach())))
        return loss

    monkeypatch.setattr(TrainingModule, "training_step", noted)
    outcome = train(tmp_path)
    events = EventAccumulator(str(outcome.checkpoint.parent / "logs")).Reload()
    per_epoch = len(seen) // 2
    assert len({windows for windows, _ in seen}) > 1  # the last batch is smaller
    means = [
        sum(windows * loss for windows, loss in epoch) / sum(windows for windows, _ in epoch)
        for epoch in (seen[:per_epoch], seen[per_epoch:])
    ]
    logged = [event.value for event in events.Scalars("train/loss_epoch")]
    np.testing.assert_allclose(logged, means, rtol=1e-5)
    every = min(MAX_STEPS_PER_LOG, per_epoch)
    steps = range(every - 1, len(seen), every)
    one_by_one = events.Scalars("train/loss_step")
    assert [event.step for event in one_by_one] == list(steps)
    np.testing.assert_allclose(
        [event.value for event in one_by_one], [seen[step][1] for step in steps], rtol=1e-5
    )


def test_validation_is_over_every_window_and_repeats(outcome: FitResult) -> None:
    """The same number whatever the batches, which the mean of batch means would not be."""
    content = torch.load(outcome.checkpoint, weights_only=True)
    windows = torch.randn(100, 32, 1)
    logged: dict[str, Any] = {}

    def validate(size: Any) -> dict[str, Any]:
        module = TrainingModule(outcome.card, ObjectiveConfig(), replace(QUICK, batch_size=size))
        module.load_state_dict(content["state_dict"])
        module.trainer = cast(Any, SimpleNamespace)(
            strategy=SimpleNamespace(reduce=lambda sums, reduce_op: sums),
            world_size=1,
            global_rank=0,
        )
        module.log = lambda name, value, **_: logged.__setitem__(name, float(value))
        module.log_dict = lambda values, **_: logged.update(values)
        module.on_validation_epoch_start()
        for index, batch in enumerate(torch.split(windows, size)):
            with torch.no_grad():
                module.validation_step(TensorBatch(batch, Context.empty(len(batch), 32)), index)
        module.on_validation_epoch_end()
        return {name: float(value) for name, value in logged.items()}

    assert validate(70) == validate(70)
    assert validate(70) == pytest.approx(validate(9), rel=1e-5)
