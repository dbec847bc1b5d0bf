from typing import Literal

import pytest
import torch

from rvae.config import TrainingConfig
from rvae.training.optimization import WARM_UP, learning_rate_factor, optimizer, schedule


def test_the_rate_rises_and_falls_once() -> None:
    assert learning_rate_factor(0.0) == 0
    assert learning_rate_factor(WARM_UP) == pytest.approx(1)
    assert learning_rate_factor((1 + WARM_UP) / 2) == pytest.approx(0.5)
    assert learning_rate_factor(1.0) == pytest.approx(0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("rmsprop", torch.optim.RMSprop),
        ("sgd", torch.optim.SGD),
    ],
)
def test_the_configuration_names_the_optimizer(
    name: Literal["adam", "adamw", "rmsprop", "sgd"], kind: type[torch.optim.Optimizer]
) -> None:
    config = TrainingConfig(optimizer=name, learning_rate=0.25)
    made = optimizer(config, [torch.nn.Parameter(torch.zeros(1))])
    assert type(made) is kind
    assert made.param_groups[0]["lr"] == 0.25
    assert schedule(TrainingConfig(schedule="constant"), made, 10) is None
    assert schedule(TrainingConfig(schedule="warm_restarts"), made, 10)["interval"] == "epoch"
