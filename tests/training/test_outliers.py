import numpy as np

from rvae.config import ModelConfig
from rvae.data.scaler import Scaler
from rvae.data.series import Series
from rvae.data.window_dataset import WindowDataset
from rvae.networks.vae import VAE
from rvae.training.outliers import drop_outliers
from tests.support.waves import waves


def test_the_farthest_windows_are_dropped_twice_as_many_as_may_be_anomalous() -> None:
    values = (waves(200, 16) - 20) / 3
    values[::20] += np.random.default_rng(0).normal(0, 5, (10, 16, 1))
    scaler = Scaler((0.0,), (1.0,), (0,))
    windows = WindowDataset([Series(one) for one in values], scaler, 16, 1, ())
    kept = drop_outliers(windows, VAE(ModelConfig("dense", latent=2), 16, [0]), 0.05)
    assert len(kept) == 180
    left = kept.__getitems__(range(180)).x
    assert not any((left == odd.astype(np.float32)).all((1, 2)).any() for odd in values[::20])
