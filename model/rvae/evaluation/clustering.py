"""Clusters of latents, and how they agree with classes.

Latents are clustered as they are: the prior gives all dimensions one scale, and a dimension that a
model does not use hardly varies. Standardized, it would count as much as the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score

from rvae.errors import FieldError, require

__all__ = [
    "MAX_CLUSTERS",
    "NOISE",
    "Agreement",
    "Clustering",
    "Method",
    "agreement",
    "cluster",
]

Method = Literal["kmeans", "hdbscan"]

NOISE = -1  # number of the windows that HDBSCAN assigns to no cluster

# Without a number of clusters, the best silhouette of 2 to this many chooses it.
MAX_CLUSTERS = 10

# Starts of k-means, of which the best counts.
STARTS = 10

# Clusters of HDBSCAN have at least this share of the windows, and at least this number.
SMALLEST_SHARE, SMALLEST = 0.01, 5

# The silhouette compares every pair of windows: of more windows than these, a sample is taken.
SILHOUETTE_WINDOWS = 5000


@dataclass(frozen=True)
class Clustering:
    """Clusters of W windows.

    Attributes:
        assignments: Number of each window's cluster (W,), from 0 on; `NOISE` outside of all.
        membership: Name and values (W,) of what says how well a window fits into its cluster: the
            "distance" to the centre of k-means, or the "probability" of HDBSCAN, 0 for noise.
        silhouette: Mean silhouette of the windows in clusters, from -1 to 1 at best; None with
            fewer than two clusters, or with nothing but clusters of one window.
    """

    assignments: NDArray[np.int64]
    membership: tuple[str, NDArray[np.float64]]
    silhouette: float | None

    @property
    def clusters(self) -> int:
        """Number of clusters, without noise."""
        return int(self.assignments.max()) + 1

    @property
    def noise(self) -> float:
        """Share of the windows in no cluster."""
        return float((self.assignments == NOISE).mean())


@dataclass(frozen=True)
class Agreement:
    """Agreement of clusters with classes, 1 at best.

    Attributes:
        ari: Adjusted Rand index, 0 on average for random clusters (Hubert and Arabie 1985).
        nmi: Normalized mutual information, at least 0.
    """

    ari: float
    nmi: float


def cluster(
    latent: NDArray[np.float64], method: Method, clusters: int | None = None, seed: int = 0
) -> Clustering:
    """Cluster latents (W, D).

    Args:
        latent: One row per window.
        method: "kmeans" puts each window into one of K clusters. "hdbscan" finds dense regions and
            their number, and leaves the windows between them out as noise.
        clusters: The K of "kmeans"; if left out, the number from 2 to `MAX_CLUSTERS` with the best
            silhouette.
        seed: Seed of the starts of k-means, and of the samples of the silhouette.

    Raises:
        FieldError: If there are too few windows, or the number of clusters is impossible.
    """
    require(method in METHODS, "method", f"must be one of {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](latent, clusters, seed)


def agreement(assignments: NDArray[Any], classes: NDArray[Any]) -> Agreement:
    """Compare clusters (W,) with classes (W,); noise counts as one more cluster."""
    words = classes.astype(str)
    return Agreement(
        ari=float(adjusted_rand_score(words, assignments)),
        nmi=float(normalized_mutual_info_score(words, assignments)),
    )


def _by_k_means(latent: NDArray[np.float64], clusters: int | None, seed: int) -> Clustering:
    """Clusters of k-means, see `cluster`."""
    different = len(np.unique(latent, axis=0))
    if clusters is not None:
        require(
            1 <= clusters <= different,
            "clusters",
            f"must be from 1 to {different}, the number of different latents, got {clusters}",
        )
        return _k_means(latent, clusters, seed)
    require(
        different >= 3,
        "data",
        f"has {different} different latents: at least 3 are needed to choose a number of clusters",
    )
    found = (_k_means(latent, k, seed) for k in range(2, min(MAX_CLUSTERS, different - 1) + 1))
    return max(found, key=lambda one: -1.0 if one.silhouette is None else one.silhouette)


def _by_hdbscan(latent: NDArray[np.float64], clusters: int | None, seed: int) -> Clustering:
    """Clusters of HDBSCAN (Campello, Moulavi and Sander 2013), see `cluster`."""
    if clusters is not None:
        raise FieldError("clusters", "is only valid for kmeans: hdbscan finds their number")
    smallest = max(SMALLEST, round(SMALLEST_SHARE * len(latent)))
    require(
        len(latent) > smallest,
        "data",
        f"has {len(latent)} windows: hdbscan needs more than {smallest}",
    )
    model = HDBSCAN(min_cluster_size=smallest, copy=True).fit(latent)
    return _clustering(latent, model.labels_, ("probability", model.probabilities_), seed)


def _k_means(latent: NDArray[np.float64], clusters: int, seed: int) -> Clustering:
    model = KMeans(clusters, n_init=STARTS, random_state=seed).fit(latent)
    distance = np.linalg.norm(latent - model.cluster_centers_[model.labels_], axis=1)
    return _clustering(latent, model.labels_, ("distance", distance), seed)


def _clustering(
    latent: NDArray[np.float64],
    labels: NDArray[Any],
    membership: tuple[str, NDArray[np.float64]],
    seed: int,
) -> Clustering:
    random = np.random.default_rng(seed)
    chosen = random.permutation(np.flatnonzero(labels != NOISE))[:SILHOUETTE_WINDOWS]
    silhouette = None
    if 2 <= len(np.unique(labels[chosen])) < len(chosen):
        silhouette = float(silhouette_score(latent[chosen], labels[chosen]))
    return Clustering(labels.astype(np.int64), membership, silhouette)


METHODS: dict[str, Callable[[NDArray[np.float64], int | None, int], Clustering]] = {
    "kmeans": _by_k_means,
    "hdbscan": _by_hdbscan,
}
