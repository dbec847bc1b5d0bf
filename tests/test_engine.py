import numpy as np
import pytest
import torch

from rvae import Engine, FieldError
from rvae.artifact import Artifact

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def test_a_score_is_the_likelihood_at_the_posterior_mean(checkpoint, engine, fresh):
    """By hand from the network, without the engine's batching, masking and aggregation."""
    card = engine.card
    vae = Artifact.load(checkpoint).build()
    x = torch.tensor((fresh[0] - card.scaler.mean) / card.scaler.scale, dtype=torch.float32)[None]
    q = vae.encode(x, torch.ones_like(x, dtype=torch.bool))
    p = vae.decode(q.mean)
    (analysis,) = engine.analyse(fresh[:1])
    np.testing.assert_allclose(analysis.latent, q.mean, **CLOSE)
    np.testing.assert_allclose(analysis.score, -p.log_prob(x).mean().item(), **CLOSE)
    expected = p.mean[0].numpy() * card.scaler.scale + card.scaler.mean
    np.testing.assert_allclose(analysis.reconstruction, expected, **CLOSE)


def test_neighbours_in_a_batch_do_not_matter(engine, fresh, anomalous):
    mixed = [values for pair in zip(fresh, anomalous, strict=True) for values in pair]
    together = engine.analyse(mixed)
    for index in (0, 1, 57, 118):
        (alone,) = engine.analyse([mixed[index]])
        np.testing.assert_allclose(together[index].score, alone.score, **CLOSE)
        np.testing.assert_allclose(together[index].latent, alone.latent, **CLOSE)
    backwards = engine.analyse(mixed[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        np.testing.assert_allclose(one.nll, other.nll, **CLOSE)


def test_more_windows_than_a_run_holds(engine):
    random = np.random.default_rng(0)
    series = 20 + random.normal(size=(700, 1))
    (analysis,) = engine.analyse([series])
    assert len(analysis.starts) == 669
    for start in (0, 255, 256, 668):
        (alone,) = engine.analyse([series[start : start + 32]])
        np.testing.assert_allclose(analysis.score[start], alone.score[0], **CLOSE)


def test_series_of_different_lengths_and_strides_together(engine, fresh):
    long = np.concatenate(fresh[:4])
    short, whole = engine.analyse([fresh[0], long], [1, 50])
    assert short.starts.tolist() == [0]
    assert whole.starts.tolist() == [0, 50, 96]
    assert whole.point_scores.shape == (128,)
    assert whole.reconstruction.shape == (128, 1)
    np.testing.assert_allclose(whole.score[0], short.score[0], **CLOSE)


def test_missing_values_enter_no_score(engine, fresh):
    gaps = fresh[0].copy()
    gaps[[3, 4, 20]] = np.nan
    (analysis,) = engine.analyse([gaps])
    assert np.isnan(analysis.point_scores).sum() == 3
    assert np.isnan(analysis.nll).sum() == 3
    assert np.isfinite(analysis.reconstruction).all()
    np.testing.assert_allclose(analysis.score, np.nanmean(analysis.nll), rtol=1e-5)
    assert analysis.score[0] < engine.card.require_calibration().threshold()


def test_a_window_without_any_value_has_no_score(engine, fresh):
    series = np.concatenate([fresh[0], np.full((64, 1), np.nan)])
    (analysis,) = engine.analyse([series], 32)
    assert np.isfinite(analysis.score).tolist() == [True, False, False]


def test_checkpoint_and_folder_are_the_same_model(checkpoint, engine, fresh, tmp_path):
    Artifact.load(checkpoint).save(tmp_path / "artifact")
    other = Engine.load(tmp_path / "artifact")
    for one, two in zip(engine.analyse(fresh), other.analyse(fresh), strict=True):
        np.testing.assert_array_equal(one.nll, two.nll)
    assert other.card.to_dict() == engine.card.to_dict()


def test_the_centre_of_the_prior_is_typical(engine):
    (analysis,) = engine.analyse(list(engine.decode(torch.zeros(1, 4))))
    assert analysis.score[0] < engine.card.require_calibration().threshold(0.98)


def test_no_series_no_analysis(engine):
    assert engine.analyse([]) == []


@pytest.mark.parametrize("stride", [0, -1])
def test_a_stride_that_goes_nowhere_is_said(engine, fresh, stride):
    with pytest.raises(FieldError, match="stride"):
        engine.analyse(fresh[:1], stride)


@pytest.mark.parametrize("shape", [(31, 1), (32,), (32, 2), (0, 1)])
def test_a_wrong_shape_is_said(engine, shape):
    with pytest.raises(FieldError, match="series"):
        engine.analyse([np.zeros(shape)])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_gpu_equals_cpu(checkpoint, engine, fresh):
    for one, two in zip(
        engine.analyse(fresh), Engine.load(checkpoint, "cuda").analyse(fresh), strict=True
    ):
        np.testing.assert_allclose(one.score, two.score, rtol=1e-3, atol=1e-4)
