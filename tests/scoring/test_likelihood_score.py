from pathlib import Path
from typing import Any

import numpy as np
import torch

from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.likelihood_score import LikelihoodScorer

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


def test_there_is_no_state_and_nothing_else_is_measured(checkpoint: Path, engine: Engine) -> None:
    assert Artifact.load(checkpoint).scorer == {}
    assert type(engine.runner.scorer) is LikelihoodScorer
    assert engine.runner.scorer.state() == {}
    (analysis,) = engine.analyse([np.full((32, 1), 20.0)])
    assert set(analysis.evidence) == {"nll"}
