"""Latents in the plane."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.plots.projection import Method, default_method, project

RANDOM = np.random.default_rng(0)
# Two clouds, far from each other in four dimensions.
CLOUDS = RANDOM.normal(size=(60, 4)) + np.repeat([[0.0], [25.0]], 30, axis=0)


def test_few_dimensions_stay_as_they_are() -> None:
    for count in (1, 2):
        found = project(CLOUDS[:, :count].astype(np.float32), "direct")
        np.testing.assert_allclose(found.points, CLOUDS[:, :count], rtol=1e-6)
        assert len(found.names) == count and found.keeps_prior
        assert default_method(count) == "direct"
    with pytest.raises(FieldError, match=r"^method: direct is for .*this model has 4: choose pca"):
        project(CLOUDS, "direct")
    assert default_method(3) == "pca"


def test_principal_components_turn_the_latents_about_the_origin() -> None:
    found = project(CLOUDS, "pca")
    covariance = np.cov(CLOUDS.T)
    values = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(np.cov(found.points.T), np.diag(values[:2]), atol=1e-9)
    np.testing.assert_allclose(
        project(CLOUDS + 3, "pca").points[0] - found.points[0], [6, 0], atol=2
    )
    share = values[0] / values.sum()
    assert found.names[0] == f"first principal component, {share:.0%} of the variance"


def test_pca_of_a_single_dimension_has_one() -> None:
    assert project(CLOUDS[:, :1], "pca").points.shape == (60, 1)


def test_tsne_keeps_clouds_together_and_repeats() -> None:
    found, again = (project(CLOUDS, "tsne", seed=1) for _ in range(2))
    np.testing.assert_array_equal(found.points, again.points)
    assert not found.keeps_prior
    one, other = found.points[:30], found.points[30:]
    apart = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))
    assert apart > 2 * max(one.std(), other.std())


@pytest.mark.parametrize("shape", [(4, 3), (5, 1)])
def test_tsne_of_very_few_windows(shape: tuple[int, int]) -> None:
    assert project(RANDOM.normal(size=shape), "tsne").points.shape == (shape[0], 2)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(FieldError, match="method: must be one of direct, pca, tsne, umap, got 'x'"):
        project(CLOUDS, "x")  # type: ignore[arg-type]


def test_tsne_of_too_few_windows_is_refused() -> None:
    with pytest.raises(FieldError, match="at least 4 windows, got 3"):
        project(CLOUDS[:3], "tsne")


def test_umap_without_its_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(FieldError, match=r"umap needs the package umap-learn: pip install"):
        project(CLOUDS, "umap")


def test_umap_gets_latents_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, **options: Any) -> None:
            assert options["random_state"] == 7

        def fit_transform(self, latent: Any) -> Any:
            return latent[:, :2]

    package = ModuleType("umap")
    package.__dict__["UMAP"] = Fake
    monkeypatch.setitem(sys.modules, "umap", package)
    method: Method = "umap"
    np.testing.assert_array_equal(project(CLOUDS, method, 7).points, CLOUDS[:, :2])
