"""Training that computes in half precision where it is safe to."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.inference.engine import Engine
from rvae.networks.objective import negative_elbo
from rvae.networks.posteriors import make_posterior
from rvae.networks.vae import VAE
from rvae.serving.packaging import build_archive
from rvae.training.fit import fit
from tests.support.waves import waves


@pytest.mark.parametrize("architecture", ["recurrent", "convolutional", "dense"])
@pytest.mark.parametrize("kind", ["normal", "iaf"])
def test_what_counts_in_nats_stays_in_full_precision(
    architecture: Literal["recurrent", "convolutional", "dense"], kind: Literal["normal", "iaf"]
) -> None:
    torch.manual_seed(0)
    vae = VAE(ModelConfig(architecture, latent=3, posterior=kind), 12, (0, 4))
    x = torch.stack([torch.randn(8, 12), torch.randint(0, 5, (8, 12)).float()], dim=2)
    x[0, 3, 0] = torch.nan
    noise = torch.randn(8, 3)
    whole = negative_elbo(vae, x, ~x.isnan(), None, noise)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = negative_elbo(vae, x, ~x.isnan(), None, noise)
        drawn, _ = vae.encode(x, ~x.isnan()).posterior.rsample_with_kl(1.0)
    for name in ("kl", "reconstruction", "latent"):
        assert getattr(mixed, name).dtype == torch.float32
        torch.testing.assert_close(getattr(mixed, name), getattr(whole, name), rtol=0.01, atol=0.01)
    assert drawn.dtype == torch.float32


@pytest.mark.parametrize("kind", ["normal", "iaf"])
def test_samples_and_their_kl_are_not_rounded_at_all(kind: Literal["normal", "iaf"]) -> None:
    torch.manual_seed(0)
    q = make_posterior(ModelConfig(latent=3, posterior=kind), 5)(torch.randn(8, 5))
    noise = torch.randn(8, 3)
    whole = q.rsample_with_kl(noise)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = q.rsample_with_kl(noise)
    assert all(torch.equal(a, b) for a, b in zip(whole, mixed, strict=True))


def test_mixed_precision_learns_what_full_precision_does(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(300, 16))
    training = TrainingConfig(epochs=25, quantile=0.9, accelerator="cpu")
    explained = {}
    for precision in ("32-true", "bf16-mixed"):
        outcome = fit(
            read(tmp_path / "waves.npy", ReaderConfig()),
            TrainingPlan(
                DataConfig("waves.npy", window=16),
                ModelConfig(recurrent=RecurrentConfig(hidden=16), latent=3),
                training=replace(training, precision=precision),
            ),
            tmp_path / precision,
            progress=False,
        )
        explained[precision] = outcome.card.training["explained_variance"]
    assert explained["32-true"] > 0.8
    assert explained["bf16-mixed"] == pytest.approx(explained["32-true"], abs=0.05)
    # It serves as any other.
    content = torch.load(outcome.checkpoint, weights_only=True)["state_dict"]
    assert {tensor.dtype for tensor in content.values()} == {torch.float32}
    (analysis,) = Engine.load(outcome.checkpoint).analyse([waves(1, 16, seed=5)[0]])
    assert analysis.evidence["nll"].dtype == np.float32
    assert (
        analysis.evidence["nll"]
        != torch.from_numpy(analysis.evidence["nll"]).bfloat16().float().numpy()
    ).any()
    assert build_archive(outcome.checkpoint, "waves", "1.0", tmp_path).exists()
