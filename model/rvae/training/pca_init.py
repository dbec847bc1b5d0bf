"""Initialization of the linear path by the principal components of the training windows."""

import torch
from torch import Tensor, nn

from rvae.data.window_dataset import WindowDataset
from rvae.networks.missing_values import carry_forward
from rvae.networks.tensor_batch import TensorBatch
from rvae.networks.vae import VAE

__all__ = ["components", "evenly_spaced", "initialize_from_pca", "numeric_rows"]

# Number of evenly chosen windows; enough to estimate the components.
WINDOWS = 2000

# In units of the scaled data: on noiseless data no variance is left beyond the components.
MIN_VARIANCE = 1e-6


@torch.no_grad()
def initialize_from_pca(vae: VAE, windows: WindowDataset) -> None:
    """Initialize the linear path of a model, if it has one, at the linear model's optimum.

    Tipping and Bishop 1999, "Probabilistic principal component analysis": the loadings are the
    principal axes, scaled by the root of the variance along them minus that of the noise (eq. 7);
    the noise is the mean variance beyond the axes (eq. 8), and the posterior follows from both (eq.
    6). The networks add nothing to it at first. A learned noise scale of a numeric channel starts
    at its maximum-likelihood value: the root of the mean of E_q[(x - Wz - mu)²] over the channel,
    which is that of eq. 8 if there is only one channel.

    Args:
        vae: The untrained model.
        windows: Windows of the training part.
    """
    numeric = vae.features.numeric
    if vae.linear is None or not numeric:
        return
    batch = evenly_spaced(windows)
    mask = ~batch.x.isnan()
    context = vae.instances.with_statistics(batch.x, mask, batch.context)
    rows = numeric_rows(vae, batch)  # (B, T * numeric)
    level, axes, variances, noise = components(rows, vae.linear.latent)
    loadings = axes * (variances - noise).clamp(min=MIN_VARIANCE).sqrt()  # (T * numeric, D)
    scores = (loadings / variances).T
    bias = -scores @ level
    _write(vae, scores, bias, loadings, level)
    base = vae.posterior.normal_base()
    assert base is not None  # checked by `require_valid_model`
    for head in (base.mean, base.log_scale):
        nn.init.zeros_(head.weight)
    nn.init.eye_(base.mean.weight[:, -vae.linear.latent :])
    nn.init.zeros_(base.mean.bias)
    base.log_scale.bias.copy_(0.5 * (noise / variances).log())
    residual = rows - ((rows @ scores.T + bias) @ loadings.T + level)  # (B, T * numeric)
    # Error that sampling from the posterior adds to the error at its mean.
    sampled = loadings.square() @ (noise / variances)  # (T * numeric)
    error = (residual.square() + sampled).view(len(rows), -1, len(numeric))  # (B, T, numeric)
    spread = torch.ones(()) if context.spread is None else context.spread[..., numeric]
    vae.likelihood.start_at((error * spread.square()).mean((0, 1)).sqrt())


def evenly_spaced(windows: WindowDataset) -> TensorBatch:
    """Evenly spaced windows, enough to estimate principal components."""
    return TensorBatch.of(windows.__getitems__(windows.evenly_spaced(WINDOWS)))


def numeric_rows(vae: VAE, batch: TensorBatch) -> Tensor:
    """Numeric channels as inputs of encoders, one row per window: (B, T * numeric)."""
    mask = ~batch.x.isnan()
    x = vae.instances.normalize(
        batch.x, vae.instances.with_statistics(batch.x, mask, batch.context)
    )
    return carry_forward(x, mask)[..., vae.features.numeric].flatten(1)


def _write(vae: VAE, scores: Tensor, bias: Tensor, loadings: Tensor, level: Tensor) -> None:
    """Write a linear model of the numeric channels into a path that also has other inputs."""
    path, numeric = vae.linear, vae.features.numeric
    assert path is not None
    window, outputs = path.shape
    # Numeric channels come first among the inputs, but in the order of channels in the outputs.
    read = torch.zeros(path.latent, window, vae.features.width)
    read[..., : len(numeric)] = scores.view(path.latent, window, -1)
    widths = [count or 1 for count in vae.likelihood.categories]
    places = [sum(widths[:i]) for i in numeric]
    written = torch.zeros(window, outputs, path.latent)
    written[:, places] = loadings.view(window, -1, path.latent)
    levels = torch.zeros(window, outputs)
    levels[:, places] = level.view(window, -1)
    path.scores.weight.copy_(read.flatten(1))
    path.scores.bias.copy_(bias)
    path.loadings.weight.copy_(written.flatten(0, 1))
    path.loadings.bias.copy_(levels.flatten())


def components(rows: Tensor, latent: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Level (K,), axes (K, D), variances along them (D,) and beyond them () of rows (B, K)."""
    level = rows.mean(0)
    centered = (rows - level).double()
    # The smaller of the two products has the same eigenvalues, and takes a fraction of the time.
    wide = centered.shape[0] < centered.shape[1]
    product = centered @ centered.T if wide else centered.T @ centered
    values, vectors = torch.linalg.eigh(product / len(centered))
    found = min(latent, len(values))
    axes = torch.zeros(centered.shape[1], latent, dtype=centered.dtype)
    along = torch.zeros(latent, dtype=centered.dtype)
    along[:found] = values.flip(0)[:found].clamp(min=0)
    leading = vectors.flip(1)[:, :found]
    axes[:, :found] = nn.functional.normalize(centered.T @ leading if wide else leading, dim=0)
    beyond = (centered.square().sum() / len(centered) - along.sum()) / max(
        centered.shape[1] - latent, 1
    )
    noise = beyond.clamp(min=MIN_VARIANCE)
    along = along.maximum(noise)
    return level, axes.to(rows), along.to(rows), noise.to(rows)
