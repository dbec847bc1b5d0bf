from typing import Any, Literal

import pytest
import torch

from rvae.config import ModelConfig, ScoringConfig
from rvae.errors import FieldError
from rvae.inference.building import network_of
from rvae.scoring.scorer import Scorer
from rvae.scoring.scorers import SCORERS, restore_scorer
from tests.support.untrained import KINDS

CARD = KINDS["several"]


def test_every_score_of_the_package_is_a_scorer() -> None:
    assert SCORERS.names == ("likelihood", "excess", "distance")
    for name in SCORERS.names:
        scorer = SCORERS.lookup(name)
        assert issubclass(scorer, Scorer)
        scorer.check(ScoringConfig(name), ModelConfig())


@torch.inference_mode()
@pytest.mark.parametrize(
    ("score", "state"),
    [
        ("likelihood", {}),
        ("excess", {"levels": torch.ones(2, dtype=torch.float64)}),
        ("excess", {"levels": torch.ones(3).double(), "memory": torch.randn(5, 3)}),
        ("distance", {"levels": torch.ones(1).double(), "memory": torch.randn(5, 3)}),
    ],
)
def test_a_scorer_is_restored_from_its_state(
    score: Literal["likelihood", "excess", "distance"], state: dict[str, Any]
) -> None:
    network = network_of(CARD).eval()
    restored = restore_scorer(network, CARD.scaler, ScoringConfig(score), state)
    again = restored.state()
    assert again.keys() == state.keys()
    for name, tensor in state.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=0)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("score", "state"),
    [
        ("excess", {}),
        ("distance", {"levels": torch.ones(1).double()}),
        ("distance", {"levels": torch.ones(1).double(), "memory": torch.randn(5, 4)}),
    ],
)
def test_a_state_of_another_score_is_refused(
    score: Literal["excess", "distance"], state: dict[str, Any]
) -> None:
    with pytest.raises(FieldError, match="does not fit") as caught:
        restore_scorer(network_of(CARD).eval(), CARD.scaler, ScoringConfig(score), state)
    assert caught.value.field == "checkpoint"


def test_an_unknown_score_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(FieldError, match="likelihood, excess, distance") as caught:
        restore_scorer(network_of(CARD), CARD.scaler, ScoringConfig("likelyhood"), {})
    assert caught.value.field == "scoring.score"
