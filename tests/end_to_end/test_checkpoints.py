"""The committed checkpoints are what training makes of the options that they are made with."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.training.fit import FitResult
from tests.support.make_checkpoints import CHECKPOINTS, OPTIONS


def test_they_are_small() -> None:
    paths = list(CHECKPOINTS.iterdir())
    assert {path.name for path in paths} == {f"{name}.ckpt" for name in OPTIONS}
    assert max(path.stat().st_size for path in paths) < 100_000


def test_training_again_gives_the_same_model(
    outcome: FitResult, engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    """But for what other processors round otherwise, on which every later step depends."""
    card, again = engine.card, Artifact.load(outcome.checkpoint).card
    for part in ("model", "channels", "units", "vocabulary", "window", "stride", "scaler"):
        assert getattr(card, part) == getattr(again, part), part
    explained = again.training["explained_variance"]
    assert card.training["explained_variance"] == pytest.approx(explained, abs=0.02)
    windows = [*fresh, *anomalous]
    one, other = (
        np.concatenate([analysis.score for analysis in each.analyse(windows)])
        for each in (engine, Engine.load(outcome.checkpoint))
    )
    assert spearmanr(one, other).statistic > 0.95
