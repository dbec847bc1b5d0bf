from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from rvae.training.callbacks import HalveOnPlateau


class Training:
    """As much of Lightning's trainer as the schedule gets to see."""

    def __init__(self, improvement: float = 0.0, state: Any = None) -> None:
        self.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        self.trainer: Any = SimpleNamespace(optimizers=[self.optimizer], callback_metrics={})
        self.schedule = HalveOnPlateau(improvement)
        if state is not None:
            self.schedule.load_state_dict(state)
        self.schedule.on_fit_start(cast(Any, self.trainer), cast(Any, None))

    def rates(self, losses: Any) -> Any:
        """The learning rate after each epoch."""
        rates = []
        for loss in losses:
            self.trainer.callback_metrics["validation/loss"] = torch.tensor(loss)
            self.schedule.on_validation_end(self.trainer, cast(Any, None))
            rates.append(self.optimizer.param_groups[0]["lr"])
        return rates


def test_the_rate_is_halved_after_every_five_epochs_without_a_better_loss() -> None:
    assert Training().rates([3.0] + [3.0] * 11) == [1.0] * 5 + [0.5] * 5 + [0.25] * 2


def test_a_better_loss_begins_the_count_anew() -> None:
    losses = [3.0, 3.0, 3.0, 3.0, 3.0, 2.9, 3.0, 3.0, 3.0, 3.0, 3.0]
    assert Training().rates(losses) == [1.0] * 10 + [0.5]


@pytest.mark.parametrize("start", [100.0, -100.0])
def test_a_better_loss_is_one_that_is_lower_by_the_improvement(start: float) -> None:
    slow = [start - 0.05 * i for i in range(6)]
    assert Training(improvement=0.0).rates(slow)[-1] == 1.0
    assert Training(improvement=1.0).rates(slow)[-1] == 0.5
    fast = [start - 1.5 * i for i in range(20)]
    assert Training(improvement=1.0).rates(fast)[-1] == 1.0


def test_it_goes_on_where_it_was_saved() -> None:
    whole = Training()
    losses = [3.0, 2.0] + [2.0] * 12
    expected = whole.rates(losses)
    first = Training()
    before = first.rates(losses[:4])
    second = Training(state=first.schedule.state_dict())
    assert before + second.rates(losses[4:]) == expected
