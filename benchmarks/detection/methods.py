"""The compared methods, by name."""

from benchmarks.detection.dense_vae import dense_vae, dense_vae_spread
from benchmarks.detection.isolation_forest import isolation_forest
from benchmarks.detection.nearest_neighbours import knn, knn_z
from benchmarks.detection.rvae_variants import VARIANTS, variant
from benchmarks.detection.window_pca import window_pca, window_pca_spread
from benchmarks.detection.windows import Fit

__all__ = ["METHODS"]

METHODS: dict[str, Fit] = {
    "window_pca": window_pca,
    "window_pca_spread": window_pca_spread,
    "dense_vae": dense_vae,
    "dense_vae_spread": dense_vae_spread,
    "knn": knn,
    "knn_z": knn_z,
    "isolation_forest": isolation_forest,
    **{name: variant(overrides) for name, overrides in VARIANTS.items()},
}
