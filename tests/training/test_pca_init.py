from typing import Any, Literal

import numpy as np
import pytest
import torch

from rvae.config import ModelConfig, RecurrentConfig
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.window_dataset import WindowDataset
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE
from rvae.training.pca_init import initialize_from_pca

T = 12


def model(**more: Any) -> ModelConfig:
    return ModelConfig(recurrent=RecurrentConfig(hidden=5), latent=3, linear=True, **more)


def windows(categories: tuple[int, ...] = (0,), seed: int = 0) -> WindowDataset:
    """Waves with two phases and a little noise, besides random categories."""
    random = np.random.default_rng(seed)
    time = np.arange(2500)
    columns = [
        random.integers(1, count + 1, len(time)).astype(float)
        if count
        else np.sin(time / 5 + i) + 0.4 * np.cos(time / 9) + 0.05 * random.normal(size=len(time))
        for i, count in enumerate(categories)
    ]
    n = len(categories)
    scaler = Scaler((0.0,) * n, (1.0,) * n, tuple(categories))
    return WindowDataset([Series(np.stack(columns, axis=1), "waves")], scaler, T, 1, ())


def every(data: WindowDataset) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.from_numpy(data.__getitems__(range(len(data))).x)
    return x, ~x.isnan()


def test_it_starts_at_the_exact_likelihood_of_probabilistic_principal_components() -> None:
    """Tipping and Bishop 1999, eqs. 4, 6 and 7: there the bound is the log-likelihood itself."""
    torch.manual_seed(0)
    data = windows()
    vae = VAE(model(), T, [0]).eval()
    initialize_from_pca(vae, data)
    chosen = np.linspace(0, len(data) - 1, 2000, dtype=int).tolist()
    x = torch.from_numpy(data.__getitems__(chosen).x)
    rows = x.flatten(1).double().numpy()
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    noise = values[:-3].mean()
    axes, along = vectors[:, -3:], values[-3:]
    covariance = (axes * (along - noise)) @ axes.T + noise * np.eye(T)
    apart = rows - rows.mean(0)
    exact = 0.5 * (
        T * np.log(2 * np.pi)
        + np.linalg.slogdet(covariance)[1]
        + (apart @ np.linalg.inv(covariance) * apart).sum(1).mean()
    )
    assert vae.likelihood.scale.item() == pytest.approx(noise**0.5, rel=1e-4)
    generator = torch.Generator().manual_seed(1)
    noises = [torch.randn(len(x), 3, generator=generator) for _ in range(20)]
    mask = torch.ones_like(x, dtype=torch.bool)
    with torch.no_grad():
        bounds = [negative_elbo(vae, x, mask, None, n).loss(1.0).item() for n in noises]
    assert np.mean(bounds) == pytest.approx(exact, abs=0.02 * abs(exact))


def test_the_loadings_hold_what_the_noise_leaves_of_the_variances() -> None:
    """Tipping and Bishop 1999, eq. 7: seen where the noise is as large as an axis."""
    random = np.random.default_rng(0)
    values = np.sin(np.arange(2000 + T - 1) / 5) + random.normal(size=2000 + T - 1)
    scaler = Scaler((0.0,), (1.0,), (0,))
    data = WindowDataset([Series(values[:, None])], scaler, T, 1, ())
    vae = VAE(model(), T, [0])
    initialize_from_pca(vae, data)
    rows = every(data)[0].flatten(1).double().numpy()
    variances = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
    noise = variances[:-3].mean()
    assert vae.linear is not None
    held = vae.linear.loadings.weight.detach().square().sum(0)
    np.testing.assert_allclose(held, variances[:-4:-1] - noise, rtol=1e-3)


@pytest.mark.parametrize("normalization", ["none", "instance"])
@pytest.mark.parametrize("posterior", ["normal", "iaf"])
@pytest.mark.parametrize("categories", [(0,), (0, 0), (3, 0, 2, 0)])
def test_it_reconstructs_before_any_training(
    categories: tuple[int, ...],
    posterior: Literal["normal", "iaf"],
    normalization: Literal["none", "instance"],
) -> None:
    torch.manual_seed(0)
    data = windows(categories)
    vae = VAE(model(posterior=posterior, normalization=normalization), T, categories).eval()
    initialize_from_pca(vae, data)
    x, mask = every(data)
    context = vae.encode(x, mask).context
    said = vae.decode(vae.encode(x, mask, context).posterior.centre, context).mean
    places = np.cumsum([0, *(count or 1 for count in categories)])
    for i, count in enumerate(categories):
        if count == 0:
            channel = said[..., places[i]]
            left = (channel - x[..., i]).var() / x[..., i].var()
            assert left < (0.2 if posterior == "normal" else 0.3), i


@pytest.mark.parametrize("normalization", ["none", "instance"])
@pytest.mark.parametrize("categories", [(0,), (0, 0), (3, 0, 2, 0)])
def test_the_noise_starts_at_its_maximum_likelihood(
    categories: tuple[int, ...], normalization: Literal["none", "instance"]
) -> None:
    """Where the bound is the highest, by channel: no other scale of the same model is better."""
    torch.manual_seed(0)
    data = windows(categories)
    vae = VAE(model(normalization=normalization), T, categories).eval()
    initialize_from_pca(vae, data)
    chosen = np.linspace(0, len(data) - 1, 2000, dtype=int).tolist()
    x = torch.from_numpy(data.__getitems__(chosen).x)
    mask = ~x.isnan()
    vae.likelihood.requires_grad_(True)
    slopes = []
    for _ in range(40):
        vae.zero_grad()
        negative_elbo(vae, x, mask).loss(1.0).backward()
        slopes.append(vae.likelihood.log_scale.grad.numpy().copy())
    # Of -log p by the log of the scale: T minus the squared errors in units of the variance, so
    # that half a percent of the slope at a scale without errors is a quarter of a percent of it.
    assert np.abs(np.mean(slopes, axis=0)).max() < 0.005 * T


def test_missing_values_and_few_windows_do_not_break_it() -> None:
    series = np.sin(np.arange(T + 1) / 2.0)[:, None]
    series[3] = np.nan
    scaler = Scaler((0.0,), (1.0,), (0,))
    vae = VAE(model(), T, [0])
    initialize_from_pca(vae, WindowDataset([Series(series, "two windows")], scaler, T, 1, ()))
    for name, parameter in vae.named_parameters():
        assert parameter.isfinite().all(), name


def test_a_model_without_the_path_is_left_as_it_was_made() -> None:
    torch.manual_seed(0)
    vae = VAE(ModelConfig(recurrent=RecurrentConfig(hidden=5)), T, [0])
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    initialize_from_pca(vae, windows())
    assert all(torch.equal(before[name], value) for name, value in vae.state_dict().items())
