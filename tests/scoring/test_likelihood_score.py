from pathlib import Path
from typing import Any

import numpy as np
import torch

from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.likelihood_score import LikelihoodScorer
from tests.support.untrained import untrained_card, untrained_engine

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def test_a_score_is_the_likelihood_at_the_posterior_mean(
    checkpoint: Path, engine: Engine, fresh: list[np.ndarray]
) -> None:
    """By hand from the network, without the engine's batching, masking and aggregation."""
    card = engine.card
    vae = Artifact.load(checkpoint).build()
    x = torch.tensor((fresh[0] - card.scaler.mean) / card.scaler.scale, dtype=torch.float32)[None]
    q = vae.encode(x, torch.ones_like(x, dtype=torch.bool)).posterior
    p = vae.decode(q.mean)
    (analysis,) = engine.analyse(fresh[:1])
    np.testing.assert_allclose(analysis.latent, q.mean, **CLOSE)
    np.testing.assert_allclose(analysis.score, -p.log_prob(x).mean().item(), **CLOSE)
    expected = p.mean[0].numpy() * card.scaler.scale + card.scaler.mean
    np.testing.assert_allclose(analysis.reconstruction, expected, **CLOSE)


def test_points_have_a_score_of_each_channel() -> None:
    engine = untrained_engine(untrained_card(channels=("heat", "speed", "load")))
    values = np.random.default_rng(0).normal(20, 2, (20, 3))
    values[4, 1] = np.nan
    (analysis,) = engine.analyse([values], 4)
    assert analysis.channel_scores.shape == (20, 3)
    np.testing.assert_array_equal(np.isnan(analysis.channel_scores), np.isnan(values))
    # Steps 4 to 7 are the ends of the first window and the beginnings of the second.
    expected = (analysis.evidence["nll"][0, 4:] + analysis.evidence["nll"][1, :4]) / 2
    np.testing.assert_allclose(analysis.channel_scores[4:8], expected, rtol=1e-6)
    np.testing.assert_allclose(
        np.nansum(analysis.contributions, axis=(1, 2)), analysis.score, rtol=1e-5
    )


def test_there_is_no_state_and_nothing_else_is_measured(checkpoint: Path, engine: Engine) -> None:
    assert Artifact.load(checkpoint).scorer == {}
    assert type(engine.runner.scorer) is LikelihoodScorer
    assert engine.runner.scorer.state() == {}
    (analysis,) = engine.analyse([np.full((32, 1), 20.0)])
    assert set(analysis.evidence) == {"nll"}
