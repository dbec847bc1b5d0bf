from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rvae import Engine, FieldError
from rvae.config import ModelConfig, RecurrentConfig, TimeConfig
from rvae.data.series import Series
from rvae.data.stored import Spool
from rvae.data.window_dataset import WindowDataset
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.runtimes.runtime import Run
from tests.support.chance import highest_share
from tests.support.untrained import KINDS, untrained_card, untrained_engine
from tests.support.waves import waves

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def test_neighbours_in_a_batch_do_not_matter(
    engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    mixed = [values for pair in zip(fresh, anomalous, strict=True) for values in pair]
    together = engine.analyse(mixed)
    for index in (0, 1, 57, 118):
        (alone,) = engine.analyse([mixed[index]])
        np.testing.assert_allclose(together[index].score, alone.score, **CLOSE)
        np.testing.assert_allclose(together[index].latent, alone.latent, **CLOSE)
    backwards = engine.analyse(mixed[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        np.testing.assert_allclose(one.evidence["nll"], other.evidence["nll"], **CLOSE)


def test_more_windows_than_a_run_holds(engine: Engine) -> None:
    random = np.random.default_rng(0)
    series = 20 + random.normal(size=(700, 1))
    (analysis,) = engine.analyse([series])
    assert len(analysis.starts) == 669
    size = engine.runtime.windows_per_run
    for start in (0, size - 1, size, 668):
        (alone,) = engine.analyse([series[start : start + 32]])
        np.testing.assert_allclose(analysis.score[start], alone.score[0], **CLOSE)


@pytest.mark.parametrize("numbers", [1, 32 * 300, 1 << 23])
def test_a_scan_has_every_window_however_it_is_cut(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", numbers)
    series = [Series(np.concatenate(waves(n, seed=n)), str(n)) for n in (20, 1)]
    scanned = list(engine.scan(series, 2))
    for one, whole in zip(series, engine.analyse(series, 2), strict=True):
        scores = [a.score for _, stretch, a in scanned if stretch.name == one.name]
        np.testing.assert_allclose(np.concatenate(scores), whole.score, **CLOSE)


def test_a_scan_runs_short_series_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fresh: list[np.ndarray]
) -> None:
    runs: list[int] = []
    run = engine.runner.run

    def counted(windows: WindowDataset) -> Run:
        runs.append(len(windows))
        return run(windows)

    monkeypatch.setattr(engine.runner, "run", counted)
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 32 * 25)
    series = [Series(values, str(i)) for i, values in enumerate(fresh)]
    assert [stretch.name for _, stretch, _ in engine.scan(series)] == [one.name for one in series]
    assert runs == [25, 25, 10]


def test_series_of_different_lengths_and_strides_together(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    long = np.concatenate(fresh[:4])
    short, whole = engine.analyse([fresh[0], long], [1, 50])
    assert short.starts.tolist() == [0]
    assert whole.starts.tolist() == [0, 50, 96]
    assert whole.point_scores.shape == (128,)
    assert whole.reconstruction.shape == (128, 1)
    np.testing.assert_allclose(whole.score[0], short.score[0], **CLOSE)


def test_missing_values_enter_no_score(engine: Engine, fresh: list[np.ndarray]) -> None:
    gaps = fresh[0].copy()
    gaps[[3, 4, 20]] = np.nan
    (analysis,) = engine.analyse([gaps])
    assert np.isnan(analysis.point_scores).sum() == 3
    assert np.isnan(analysis.evidence["nll"]).sum() == 3
    assert np.isfinite(analysis.reconstruction).all()
    np.testing.assert_allclose(analysis.score, np.nanmean(analysis.evidence["nll"]), rtol=1e-5)
    assert analysis.score[0] < engine.card.calibration.threshold()


def test_a_window_without_any_value_has_no_score(engine: Engine, fresh: list[np.ndarray]) -> None:
    series = np.concatenate([fresh[0], np.full((64, 1), np.nan)])
    (analysis,) = engine.analyse([series], 32)
    assert np.isfinite(analysis.score).tolist() == [True, False, False]


def test_checkpoint_and_folder_are_the_same_model(
    checkpoint: Path, engine: Engine, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    Artifact.load(checkpoint).save(tmp_path / "artifact")
    other = Engine.load(tmp_path / "artifact")
    for one, two in zip(engine.analyse(fresh), other.analyse(fresh), strict=True):
        np.testing.assert_array_equal(one.evidence["nll"], two.evidence["nll"])
    assert other.card.to_dict() == engine.card.to_dict()


def test_the_centre_of_the_prior_is_typical(engine: Engine) -> None:
    (analysis,) = engine.analyse(list(engine.decode(np.zeros((1, 4)))))
    assert analysis.score[0] < engine.card.calibration.threshold(0.98)


def test_no_series_no_analysis(engine: Engine) -> None:
    assert engine.analyse([]) == []


@pytest.mark.parametrize("stride", [0, -1])
def test_a_stride_that_goes_nowhere_is_said(
    engine: Engine, fresh: list[np.ndarray], stride: int
) -> None:
    with pytest.raises(FieldError, match="stride"):
        engine.analyse(fresh[:1], stride)
    with pytest.raises(FieldError, match="stride"):
        engine.windows([Series(fresh[0])], stride)


def test_a_stride_may_be_a_number_of_numpy(engine: Engine, fresh: list[np.ndarray]) -> None:
    series = np.concatenate(fresh[:2])
    (one,), (same,) = engine.analyse([series], np.int64(8)), engine.analyse([series], 8)  # type: ignore[arg-type]
    np.testing.assert_array_equal(one.score, same.score)


@pytest.mark.parametrize("count", [0, -1])
def test_no_windows_are_not_drawn(engine: Engine, count: int) -> None:
    with pytest.raises(FieldError, match=f"^count: must be at least 1, got {count}$"):
        engine.sample(count)


@pytest.mark.parametrize("shape", [(31, 1), (32,), (32, 2), (0, 1)])
def test_a_wrong_shape_is_said(engine: Engine, shape: tuple[int, ...]) -> None:
    with pytest.raises(FieldError, match="series"):
        engine.analyse([np.zeros(shape)])


def told(
    values: NDArray[Any], first: str = "2026-01-05", classes: NDArray[np.int64] | None = None
) -> Series:
    """A series whose steps are an hour apart."""
    times = np.datetime64(first, "us") + np.arange(len(values)) * np.timedelta64(1, "h")
    return Series(np.asarray(values, dtype=float), "s", None, times, classes)


@pytest.fixture(scope="module")
def of_machines() -> Engine:
    """An engine that has to be told time and class, of a number and a category."""
    model = ModelConfig(
        recurrent=RecurrentConfig(hidden=6),
        latent=3,
        time=TimeConfig(calendar=("day",), bypass=True),
        conditional=True,
    )
    channels = ("heat", "mode")
    return untrained_engine(
        untrained_card(model, channels, {"mode": ("off", "on")}, ("new", "old"))
    )


def random_machine(steps: int, seed: int = 0) -> Series:
    random = np.random.default_rng(seed)
    values = np.stack([random.normal(20, 2, steps), random.integers(0, 3, steps)], axis=1)
    values[::7, 0] = values[3::11, 1] = np.nan
    return told(values, classes=np.repeat([0, 1], [steps // 2, steps - steps // 2]))


@pytest.mark.parametrize("slab", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("stride", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("stored", [False, True])
def test_a_scan_gives_exactly_the_windows_and_scores_of_an_analysis(
    of_machines: Engine,
    monkeypatch: pytest.MonkeyPatch,
    slab: int,
    stride: int,
    stored: bool,
) -> None:
    series = [replace(random_machine(n, n), name=str(i)) for i, n in enumerate((8, 21, 40))]
    if stored:
        series = [on_disk(one) for one in series]
    expected = of_machines.analyse(series, stride)
    monkeypatch.setattr(
        "rvae.inference.engine.NUMBERS_PER_CHUNK", slab * 8 * of_machines.card.scaler.outputs
    )
    found = list(of_machines.scan(series, stride))
    assert max(len(analysis.starts) for _, _, analysis in found) <= slab
    for i, whole in enumerate(expected):
        of_it = [piece for piece in found if piece[1].name == str(i)]
        parts = [analysis for _, _, analysis in of_it]
        np.testing.assert_allclose(np.concatenate([p.score for p in parts]), whole.score, **CLOSE)
        np.testing.assert_allclose(np.concatenate([p.latent for p in parts]), whole.latent, **CLOSE)
        starts = [first + analysis.starts for first, _, analysis in of_it]
        np.testing.assert_array_equal(np.concatenate(starts), whole.starts)
        times = [stretch.clock()[analysis.starts] for _, stretch, analysis in of_it]
        np.testing.assert_array_equal(np.concatenate(times), series[i].clock()[whole.starts])


def on_disk(series: Series) -> Series:
    values, times = Spool(series.values.shape[1]), Spool(1, np.int64)
    values.append(np.asarray(series.values))
    times.append(series.times.astype(np.int64)[:, None])
    return Series(values.stored(), series.name, None, times.stored(), series.classes)


def test_time_and_class_change_the_score(of_machines: Engine) -> None:
    values = np.asarray(random_machine(8).values)
    new, old = np.zeros(8, dtype=int), np.ones(8, dtype=int)
    given = [
        told(values, classes=new),
        told(values, "2026-01-05T12:00", new),
        told(values, classes=old),
        told(values, "2026-01-12", new),  # the same hour of another day
    ]
    score = [analysis.score[0] for analysis in of_machines.analyse(given)]
    assert abs(score[1] - score[0]) > 1e-4
    assert abs(score[2] - score[0]) > 1e-4
    assert score[3] == pytest.approx(score[0], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"times": None}, "timestamps"),
        ({"classes": None}, "label"),
        ({"classes": np.array([0] * 7 + [-1])}, "label"),
        ({"values": np.full((8, 2), 3.0)}, "mode"),
        ({"values": np.full((8, 2), -1.0)}, "mode"),
        ({"values": np.full((8, 2), [1e30, 1.0])}, "heat"),
        ({"values": np.full((7, 2), 1.0)}, "series"),
        ({"values": np.full((8, 3), 1.0)}, "series"),
    ],
)
def test_what_does_not_fit_the_model_is_said(
    of_machines: Engine, change: dict[str, Any], field: str
) -> None:
    series = told(np.full((8, 2), 1.0), classes=np.zeros(8, dtype=int))
    with pytest.raises(FieldError) as caught:
        of_machines.analyse([replace(series, **change)])
    assert caught.value.field == field


def test_an_unknown_category_counts_and_a_missing_one_does_not(
    of_machines: Engine,
) -> None:
    values = np.full((8, 2), 1.0)
    values[2, 1], values[3, 1] = 0, np.nan
    (analysis,) = of_machines.analyse([told(values, classes=np.zeros(8, dtype=int))])
    assert analysis.mean.shape == (1, 8, 3)
    assert analysis.evidence["nll"][0, 2, 1] > 9
    assert np.isnan(analysis.evidence["nll"][0, 3, 1])
    assert set(analysis.reconstruction[:, 1]) <= {1.0, 2.0}


def test_a_value_outside_the_unit_interval_is_said_with_its_place() -> None:
    model = ModelConfig(recurrent=RecurrentConfig(hidden=6), likelihood="bernoulli")
    engine = untrained_engine(untrained_card(model, ("duty",)))
    values = np.linspace(0, 1, 20)[:, None]
    assert np.isfinite(engine.analyse([values])[0].score).all()
    values[13] = 1.5
    with pytest.raises(FieldError, match=r"1\.5 at step 13 of series s.* from 0 to 1") as caught:
        engine.analyse([Series(values, "s")])
    assert caught.value.field == "duty"


def test_samples_are_seeded_windows_in_the_datas_units(engine: Engine) -> None:
    one, same, other = (engine.sample(40, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (40, 32, 1)
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert 15 < one.mean() < 25
    # Windows are told apart from one another.
    assert one.std(axis=0).min() > 0.3
    analyses = engine.analyse(list(engine.sample(1000, seed=1)))
    threshold = engine.card.calibration.threshold()
    # The promise is one of data, of which two in a hundred are flagged, and not of samples.
    assert np.mean([a.score[0] > threshold for a in analyses]) <= highest_share(0.1, 1000)


def test_samples_have_the_class_that_was_asked_for(of_machines: Engine) -> None:
    old, new = (of_machines.sample(5, label, seed=3) for label in ("old", "new"))
    assert old.shape == (5, 8, 2)
    assert set(old[..., 1].ravel()) <= {1.0, 2.0}
    assert not np.allclose(old[..., 0], new[..., 0])
    for label in (None, "older", ""):
        with pytest.raises(FieldError, match="new, old") as caught:
            of_machines.sample(1, label)
        assert caught.value.field == "label"


def test_a_model_without_classes_is_asked_for_none(engine: Engine) -> None:
    with pytest.raises(FieldError) as caught:
        engine.sample(1, "new")
    assert caught.value.field == "label"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_gpu_equals_cpu(checkpoint: Path, engine: Engine, fresh: list[np.ndarray]) -> None:
    for one, two in zip(
        engine.analyse(fresh), Engine.load(checkpoint, "cuda").analyse(fresh), strict=True
    ):
        np.testing.assert_allclose(one.score, two.score, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_gpu_equals_cpu_with_everything_known(of_machines: Engine) -> None:
    series = [random_machine(100)]
    (one,) = of_machines.analyse(series)
    (two,) = untrained_engine(of_machines.card, "cuda").analyse(series)
    np.testing.assert_allclose(one.score, two.score, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(one.reconstruction, two.reconstruction, rtol=1e-3, atol=1e-3)


def test_latents_of_windows_by_their_number(engine: Engine, fresh: list[np.ndarray]) -> None:
    series = [Series(fresh[0], "a"), Series(np.concatenate(fresh[1:4]), "b")]
    every = np.concatenate([analysis.latent for analysis in engine.analyse(series, 20)])
    assert len(every) == 1 + 5
    found = engine.latents(series, [5, 0, 0, 3], 20)
    np.testing.assert_allclose(found, every[[5, 0, 0, 3]], **CLOSE)
    for number in (-1, 6):
        with pytest.raises(FieldError, match=rf"^windows: {number} is none of the 6 windows"):
            engine.latents(series, [0, number], 20)
    with pytest.raises(FieldError, match="series"):
        engine.latents([Series(np.zeros((32, 2)))], [0])


def test_interpolation_decodes_the_path(engine: Engine) -> None:
    a, b = engine.prior(2, 3).astype(np.float64)
    windows = engine.interpolate(a, b, 5)
    expected = engine.decode(np.stack([a + share * (b - a) for share in np.linspace(0, 1, 5)]))
    np.testing.assert_allclose(windows, expected, **CLOSE)
    round_it = engine.interpolate(a, b, 5, "sphere")
    np.testing.assert_allclose(round_it[[0, -1]], expected[[0, -1]], **CLOSE)
    assert np.abs(round_it[2] - expected[2]).max() > 0.01


@pytest.mark.parametrize("latent", [np.zeros((2, 3)), np.zeros(4), np.full((1, 4), np.nan)])
def test_latents_that_do_not_fit_are_not_decoded(engine: Engine, latent: Any) -> None:
    with pytest.raises(FieldError, match="latent"):
        engine.decode(latent)
    with pytest.raises(FieldError, match="latent"):
        engine.interpolate(latent[0], latent[0], 3)


def test_all_classes_are_drawn_from_the_same_latents() -> None:
    engine = untrained_engine(KINDS["conditional"])
    drawn = engine.sample_classes(3, seed=4)
    assert drawn.shape == (2, 3, 8, 1)
    for windows, name in zip(drawn, ("0", "old"), strict=True):
        np.testing.assert_allclose(windows, engine.sample(3, name, seed=4), **CLOSE)
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3


def test_a_model_without_classes_draws_none(engine: Engine) -> None:
    with pytest.raises(FieldError, match="not conditional"):
        engine.sample_classes(2)


@pytest.mark.parametrize("kind", ["several", "calendar", "conditional"])
def test_latents_alone_are_those_of_an_analysis_and_nothing_is_decoded(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = untrained_engine(KINDS[kind])
    series = [_of_kind(engine.card, length) for length in (8, 300, 9)]
    expected = engine.analyse(series, [1, 2, 3])
    monkeypatch.setattr(type(engine.runtime), "run", None)
    found = engine.encode(series, [1, 2, 3])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.starts, other.starts)
        np.testing.assert_allclose(one.latent, other.latent, **CLOSE)
    assert engine.encode([]) == []
    with pytest.raises(FieldError, match="points, the model needs 8"):
        engine.encode([series[0], series[1].part(0, 7)])
    with pytest.raises(FieldError, match="must be at least 1"):
        engine.encode(series, 0)


def _of_kind(card: Card, length: int) -> Series:
    """A series with the times and the class that a model wants."""
    values = np.random.default_rng(length).normal(20, 2, (length, len(card.channels)))
    hours = np.datetime64("2026-01-01T00", "us") + np.arange(length) * np.timedelta64(1, "h")
    classes = card.vocabulary.classes
    return Series(
        values,
        times=hours if card.model.time.calendar else None,
        classes=np.full(length, 1) if classes else None,
    )
