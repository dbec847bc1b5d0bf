"""Latents in the plane."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference.latent_paths import principal_directions

__all__ = ["Method", "Projection", "default_method", "project"]

Method = Literal["direct", "pca", "tsne", "umap"]

NEIGHBOURS = 30  # that t-SNE looks at, its perplexity


class Projection(NamedTuple):
    """Latents in at most two dimensions.

    Attributes:
        points: (W, 2), or (W, 1).
        names: Names of the dimensions.
        keeps_prior: Whether the prior is a standard normal in the plane, too.
    """

    points: NDArray[np.float64]
    names: tuple[str, ...]
    keeps_prior: bool


def default_method(dimensions: int) -> Method:
    """Direct, if latents have at most two dimensions, else PCA."""
    return "direct" if dimensions <= 2 else "pca"


def project(latent: NDArray[np.floating], method: Method, seed: int = 0) -> Projection:
    """Show latents in the plane.

    Args:
        latent: (W, D), all finite.
        method: `direct` is for at most two dimensions. `pca` keeps the most variance, `tsne` (van
            der Maaten and Hinton 2008) and `umap` (McInnes et al. 2018) keep neighbours together.
        seed: Seed of t-SNE and UMAP.

    Raises:
        FieldError: If the method is unknown, the latents have too many dimensions or are too few,
            or a package is missing.
    """
    require(method in METHODS, "method", f"must be one of {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](latent.astype(np.float64), seed)


def _direct(latent: NDArray[np.float64], seed: int) -> Projection:
    dimensions = latent.shape[1]
    require(
        dimensions <= 2,
        "method",
        f"direct is for at most 2 latent dimensions, this model has {dimensions}: choose pca",
    )
    return Projection(latent, ("first dimension", "second dimension")[:dimensions], True)


def _pca(latent: NDArray[np.float64], seed: int) -> Projection:
    directions, variances = principal_directions(latent)
    shares = variances / max(variances.sum(), np.finfo(np.float64).tiny)
    names = (
        f"{name} principal component, {share:.0%} of the variance"
        for name, share in zip(("first", "second"), shares, strict=False)
    )
    # Projections are not centred, so that the prior's mean is the origin of every picture.
    return Projection(latent @ directions[:2].T, tuple(names), True)


def _tsne(latent: NDArray[np.float64], seed: int) -> Projection:
    from sklearn.manifold import TSNE

    require(len(latent) >= 4, "data", f"t-SNE needs at least 4 windows, got {len(latent)}")
    perplexity = min(NEIGHBOURS, (len(latent) - 1) / 3)
    # Its default start, the principal components, needs two dimensions.
    start = "pca" if latent.shape[1] > 1 else "random"
    found = TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(latent)
    return Projection(found.astype(np.float64), ("t-SNE 1", "t-SNE 2"), False)


def _umap(latent: NDArray[np.float64], seed: int) -> Projection:
    try:
        from umap import UMAP
    except ModuleNotFoundError:
        raise FieldError(
            "method", "umap needs the package umap-learn: pip install 'rvae[umap]', or choose tsne"
        ) from None
    found = UMAP(random_state=seed, n_jobs=1).fit_transform(latent)
    return Projection(np.asarray(found, np.float64), ("UMAP 1", "UMAP 2"), False)


METHODS: dict[Method, Callable[[NDArray[np.float64], int], Projection]] = {
    "direct": _direct,
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
}
