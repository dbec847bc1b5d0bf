import numpy as np
import pytest
import torch

from rvae.config import DenseConfig, ModelConfig, TimeConfig
from rvae.data.series import Series
from rvae.data.window_dataset import Batch, WindowDataset
from rvae.evaluation.metrics import ExplainedVariance
from rvae.inference.building import network_of
from rvae.inference.card import Card
from rvae.networks.posterior import LatentDistribution
from rvae.networks.vae import VAE
from rvae.training.validation import assess, take_snapshot
from tests.support.untrained import untrained_card

T = 8

Trained = tuple[VAE, Card, WindowDataset]


def machine(steps: int, seed: int = 0) -> Series:
    random = np.random.default_rng(seed)
    values = np.stack([random.normal(20, 2, steps), random.integers(0, 4, steps)], axis=1)
    values[::5, 0] = values[::9, 1] = np.nan
    times = np.datetime64("2026-01-05", "us") + np.arange(steps) * np.timedelta64(1, "h")
    return Series(values, str(seed), None, times, np.arange(steps) // 30 % 2)


@pytest.fixture(params=["normal", "iaf"])
def given(request: pytest.FixtureRequest) -> Trained:
    """A network with its card, and windows that it was not trained on."""
    torch.manual_seed(0)
    model = ModelConfig(
        "dense",
        dense=DenseConfig((16,), dropout=0.5),
        latent=3,
        posterior=request.param,
        time=TimeConfig(calendar=("day",), bypass=True),
        conditional=True,
    )
    card = untrained_card(model, ("heat", "mode"), {"mode": ("a", "b", "c")}, ("new", "old"), T)
    series = [machine(600, seed) for seed in range(3)]
    return network_of(card), card, WindowDataset(series, card.scaler, T, 1, ("day",))


def everything(vae: VAE, windows: WindowDataset) -> tuple[Batch, LatentDistribution]:
    batch = windows.__getitems__(range(len(windows)))
    q = vae.encode(batch.x, ~batch.x.isnan(), batch.context).posterior
    return batch, q


def test_an_assessment_is_over_all_windows(given: Trained) -> None:
    """The same as in one batch, though it takes them in several."""
    vae, card, windows = given
    vae.eval()
    assert len(windows) > 1024
    found = assess(vae, card, windows)
    with torch.no_grad():
        batch, q = everything(vae, windows)
        said = vae.decode(q.centre, batch.context).mean
        kl = torch.stack([q.rsample_with_kl(1.0)[1].mean(0) for _ in range(50)])
    explained = ExplainedVariance()
    explained.add(card.scaler.one_hot(batch.x.numpy()), said.numpy())
    assert found["explained_variance"] == pytest.approx(explained.value, rel=1e-6)
    assert found["active_units"] == int((q.centre.var(0) > 0.01).sum())
    np.testing.assert_allclose(found["kl"], kl.mean(0), atol=5 * kl.std(0).max().item() + 1e-6)
    assert len(found["kl"]) == 3


def test_a_categorical_channel_is_explained_as_far_as_its_categories_are(given: Trained) -> None:
    """One that says the right category of every step, and the mean of the number: half."""
    _, card, windows = given
    batch = windows.__getitems__(range(len(windows)))
    spread = card.scaler.one_hot(batch.x.numpy())
    said = np.where(np.isnan(spread), 0, spread)
    said[..., 0] = np.nanmean(spread[..., 0], axis=0)
    explained = ExplainedVariance()
    explained.add(spread, said)
    variance = np.nanvar(spread, axis=0) * (~np.isnan(spread)).mean(axis=0)
    share = variance[:, 1:].sum() / variance.sum()
    assert explained.value == pytest.approx(share, rel=1e-5)


def test_a_look_shows_some_windows_in_the_datas_units(given: Trained) -> None:
    vae, card, windows = given
    vae.train()
    seen = take_snapshot(vae, card, windows)
    assert vae.training  # as it was found, though it was looked at without dropout
    assert seen.latent.shape == (500, 3)
    assert seen.classes.shape == (500,)
    assert set(np.asarray(seen.classes)) == {0, 1}
    assert seen.class_names == ("new", "old")
    assert seen.channels == ("heat", "mode")
    assert seen.windows.shape == seen.reconstructions.shape == (4, T, 2)
    first = windows.__getitems__([0])
    heat = seen.windows[0, :, 0]
    np.testing.assert_allclose(heat, first.x[0, :, 0].numpy() * 2 + 20, rtol=1e-6)
    # The numbers of the categories, also that of the unknown one, missing ones missing.
    np.testing.assert_array_equal(seen.windows[0, :, 1], first.x[0, :, 1])
    assert set(seen.windows[..., 1].ravel()[~np.isnan(seen.windows[..., 1].ravel())]) == {
        0,
        1,
        2,
        3,
    }
    assert set(seen.reconstructions[..., 1].ravel()) <= {1, 2, 3}
    again = take_snapshot(vae, card, windows)
    np.testing.assert_array_equal(seen.reconstructions, again.reconstructions)
    np.testing.assert_array_equal(seen.latent, again.latent)


def test_few_windows_can_be_looked_at(given: Trained) -> None:
    vae, card, _ = given
    two = WindowDataset([machine(T + 1)], card.scaler, T, 1, ("day",))
    seen = take_snapshot(vae.eval(), card, two)
    assert not vae.training
    assert seen.latent.shape == (2, 3)
    assert len(seen.windows) == 2
