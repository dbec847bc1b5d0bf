from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from rvae.config import ObjectiveConfig
from rvae.data.window_dataset import Batch
from rvae.networks.context import Context
from rvae.training.fit import FitResult
from rvae.training.module import TrainingModule
from tests.support.short_training import QUICK


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
                module.validation_step(Batch(batch, Context.empty(len(batch), 32)), index)
        module.on_validation_epoch_end()
        return {name: float(value) for name, value in logged.items()}

    assert validate(70) == validate(70)
    assert validate(70) == pytest.approx(validate(9), rel=1e-5)
