"""Clusters of latents."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import silhouette_samples

from rvae.errors import FieldError
from rvae.evaluation import clustering
from rvae.evaluation.clustering import NOISE, agreement, cluster


def blobs(count: int = 4, windows: int = 50, seed: int = 0) -> NDArray[np.float64]:
    """Clouds of unit spread, twenty apart, one after the other."""
    random = np.random.default_rng(seed)
    centres = 20 * np.eye(count)
    return np.repeat(centres, windows, axis=0) + random.normal(size=(count * windows, count))


TRUTH = np.repeat(["a", "b", "c", "d"], 50)


@pytest.mark.parametrize("clusters", [None, 4])
def test_k_means_finds_blobs_and_their_number(clusters: int | None) -> None:
    latent = blobs()
    found = cluster(latent, "kmeans", clusters)
    assert found.clusters == 4 and found.noise == 0
    same = agreement(found.assignments, TRUTH)
    assert (same.ari, same.nmi) == pytest.approx((1, 1))
    name, distance = found.membership
    assert name == "distance"
    centres = np.stack([latent[found.assignments == i].mean(axis=0) for i in range(4)])
    expected = np.linalg.norm(latent - centres[found.assignments], axis=1)
    np.testing.assert_allclose(distance, expected)
    assert found.silhouette == pytest.approx(silhouette_samples(latent, found.assignments).mean())


def test_the_number_of_clusters_may_be_given_even_if_another_fits_better() -> None:
    found = cluster(blobs(), "kmeans", 2)
    assert found.clusters == 2
    assert found.silhouette < cluster(blobs(), "kmeans", 4).silhouette
    assert cluster(blobs(), "kmeans", 1).silhouette is None


def test_hdbscan_finds_blobs_and_leaves_out_what_lies_between() -> None:
    stray = np.random.default_rng(1).uniform(-60, 60, (12, 4))
    latent = np.concatenate([blobs(), stray])
    found = cluster(latent, "hdbscan")
    assert found.clusters == 4
    assert (found.assignments[-12:] == NOISE).all()
    assert found.noise == (found.assignments == NOISE).mean() < 0.2
    clustered = found.assignments[:200] != NOISE
    assert agreement(found.assignments[:200][clustered], TRUTH[clustered]).ari == 1
    name, probability = found.membership
    assert name == "probability"
    assert (probability[found.assignments == NOISE] == 0).all()
    assert (probability[found.assignments != NOISE] > 0).all()
    inside = found.assignments != NOISE
    expected = silhouette_samples(latent[inside], found.assignments[inside]).mean()
    assert found.silhouette == pytest.approx(expected)


def test_the_same_seed_gives_the_same_clusters() -> None:
    latent = np.random.default_rng(0).normal(size=(300, 3))
    first, again, other = (cluster(latent, "kmeans", 7, seed).assignments for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_the_silhouette_of_many_windows_is_that_of_a_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = cluster(blobs(), "kmeans", 3).silhouette
    monkeypatch.setattr(clustering, "SILHOUETTE_WINDOWS", 100)
    sampled = cluster(blobs(), "kmeans", 3).silhouette
    assert sampled != exact and sampled == pytest.approx(exact, abs=0.1)


def test_noise_counts_as_one_more_cluster() -> None:
    """By hand: 2 of 15 pairs are together in both, 2 and 7 in one, as the adjusted index wants."""
    found = agreement(np.array([0, 0, NOISE, NOISE, 1, 1]), np.array(list("aabbab"), dtype=object))
    together, clusters, classes, pairs = 2, 3, 6, 15
    expected = clusters * classes / pairs
    assert found.ari == pytest.approx((together - expected) / ((clusters + classes) / 2 - expected))


@pytest.mark.parametrize(
    ("windows", "method", "clusters", "field"),
    [
        (200, "kmeans", 0, "clusters"),
        (200, "kmeans", 201, "clusters"),
        (200, "hdbscan", 4, "clusters"),
        (200, "ward", None, "method"),
        (2, "kmeans", None, "data"),
        (5, "hdbscan", None, "data"),
    ],
)
def test_what_is_impossible_is_named(
    windows: int, method: clustering.Method, clusters: int | None, field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        cluster(blobs()[:windows], method, clusters)
    assert caught.value.field == field


def test_three_windows_are_enough_to_choose_a_number() -> None:
    assert cluster(blobs()[[0, 1, 60]], "kmeans").clusters == 2
