"""A trained model for frames, files and arrays."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rvae
from rvae import FieldError
from rvae.inference.engine import Engine
from rvae.scoring.promise import promise_text


@pytest.fixture(scope="module")
def new(machine: pd.DataFrame) -> pd.DataFrame:
    """New data with an anomaly, and its columns in another order."""
    frame = machine.iloc[:200][["speed", "heat"]].copy()
    frame.iloc[100:104, 1] += 60
    return frame


def test_scores_of_rows_keep_the_index_and_are_those_of_the_engine(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    scores = model.score(new)
    assert isinstance(scores, pd.DataFrame)
    assert scores.index.equals(new.index)
    (analysis,) = model.engine.analyse([new[["heat", "speed"]].to_numpy()])
    np.testing.assert_allclose(scores["score"], analysis.point_scores)


def test_frames_of_polars_come_back_as_such_with_their_times(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    table = pl.from_pandas(new.reset_index(names="time"))
    scores = model.score(table)
    assert isinstance(scores, pl.DataFrame)
    assert scores["time"].equals(table["time"])
    np.testing.assert_allclose(scores["score"], model.score(new)["score"])
    assert isinstance(model.events(table), pl.DataFrame)
    assert isinstance(model.encode(table), pl.DataFrame)
    assert isinstance(model.score(table.to_arrow(), by="window"), pa.Table)


def test_rows_of_several_series_keep_their_order(model: rvae.Model, new: pd.DataFrame) -> None:
    left, right = new.reset_index(names="time"), new.iloc[::-1].reset_index(names="time")
    right["time"] = left["time"]
    mixed = pd.concat([left.assign(unit="a"), right.assign(unit="b")]).sort_values(
        ["time", "unit"], ignore_index=True
    )
    several = _with_series(model, "unit")
    scores = several.score(mixed)
    assert scores["unit"].tolist() == mixed["unit"].tolist()
    for unit, frame in (("a", left), ("b", right)):
        mine = scores[scores["unit"] == unit]["score"]
        np.testing.assert_allclose(mine, model.score(frame)["score"])
    assert set(several.events(mixed)["unit"]) == {"a", "b"}


def test_windows_and_latents_have_a_row_each(model: rvae.Model, new: pd.DataFrame) -> None:
    windows = model.score(new, by="window", stride=8)
    assert windows["start"].tolist() == [*range(0, 184, 8), 184]
    assert {"score", "tail_probability", "threshold", "is_anomaly"} <= set(windows)
    assert (windows["time"] == new.index[windows["start"]]).all()
    latents = model.encode(new, stride=8)
    (analysis,) = model.engine.analyse([new[["heat", "speed"]].to_numpy()], 8)
    np.testing.assert_allclose(
        latents[["latent_0", "latent_1", "latent_2"]], analysis.latent, rtol=1e-6
    )


def test_a_lower_quantile_flags_more(model: rvae.Model, new: pd.DataFrame) -> None:
    calibration = model.card.calibration
    for by in ("point", "window"):
        strict, loose = (model.score(new, by=by, quantile=q) for q in (0.8, 0.4))
        np.testing.assert_allclose(loose["threshold"], calibration.threshold(0.4))
        assert strict["is_anomaly"].sum() < loose["is_anomaly"].sum()
    assert len(model.events(new, gap=200)) == 1 < len(model.events(new, gap=0))
    with pytest.raises(FieldError, match=r"^quantile: "):
        model.score(new, quantile=0.99999)


def test_events_are_rows(model: rvae.Model, new: pd.DataFrame) -> None:
    events = model.events(new)
    assert (events["channel"] == "heat").any()
    (row,) = events[(events["start"] <= 100) & (events["end"] >= 104)].to_dict("records")
    assert 90 <= row["peak"] < 110
    quiet = model.events(new.iloc[:64].assign(heat=60.0, speed=0.0), gap=0)
    assert list(quiet.columns) == list(events.columns)


def test_reconstructions_have_the_columns_of_the_channels(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    rebuilt = model.reconstruct(new)
    assert list(rebuilt.columns) == ["heat", "speed"] and rebuilt.index.equals(new.index)
    (analysis,) = model.engine.analyse([new[["heat", "speed"]].to_numpy()])
    np.testing.assert_allclose(rebuilt, analysis.reconstruction)


def test_decoding_and_sampling(model: rvae.Model) -> None:
    assert model.decode([[0.0, 0.0, 0.0]]).shape == (1, 16, 2)
    np.testing.assert_array_equal(model.sample(3, seed=4), model.engine.sample(3, seed=4))


def test_evaluation_counts_labelled_windows(model: rvae.Model, machine: pd.DataFrame) -> None:
    labelled = machine.copy()
    labelled.iloc[300:310, 0] += 80
    labelled.iloc[300:310, 2] = 1
    report = model.evaluate(labelled)
    assert report.anomalous == 25 and report.detection.auroc > 0.9
    renamed = model.evaluate(labelled.rename(columns={"anomaly": "fault"}), label="fault")
    assert renamed == report


def test_a_saved_model_is_the_same_everywhere(
    model: rvae.Model, new: pd.DataFrame, tmp_path: Path
) -> None:
    path = model.save(tmp_path / "models" / "machine.ckpt")
    expected = model.score(new)
    for same in (rvae.load(path), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert same.artifact.checksum == model.artifact.checksum
        pd.testing.assert_frame_equal(same.score(new), expected)
    assert Engine.load(path).card.to_dict() == model.card.to_dict()
    archived = model.archive(tmp_path / "store", name="machine", version="2")
    assert archived == tmp_path / "store" / "machine-2.mar" and archived.exists()


def test_its_description_is_short(model: rvae.Model) -> None:
    assert len(repr(model)) < 250 and "heat [°C], speed" in repr(model)
    assert model._repr_html_().count("<tr>") == 7
    assert promise_text(model.card.calibration, 60.0) in repr(model)


def test_its_description_says_that_its_quantile_had_too_few_windows(model: rvae.Model) -> None:
    assert "(quantile 0.8)" in repr(model)
    few = replace(model.card, calibration=replace(model.card.calibration, lowered=True))
    shown = repr(rvae.Model(replace(model.artifact, card=few)))
    assert "(quantile 0.8, lowered: too few windows)" in shown


def test_a_rate_of_alarms_takes_the_place_of_a_quantile(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    """Steps are a minute, and a window has 16 of them."""
    quantile = model.card.quantile_of(None, "2 per hour")
    assert quantile is not None and quantile < model.card.calibration.quantile
    for by in ("point", "window"):
        told, same = (
            model.score(new, by=by, **options)
            for options in ({"alarms": "2 per hour"}, {"quantile": quantile})
        )
        pd.testing.assert_frame_equal(told, same)
    pd.testing.assert_frame_equal(
        model.events(new, alarms="1 per 30 steps"), model.events(new, quantile=quantile)
    )
    for call in (model.score, model.events, model.plot):
        for options in (
            {"alarms": "2 per hour", "quantile": 0.8},
            {"alarms": "1 per week"},
            {"alarms": "1 per minute"},
            {"alarms": "sometimes"},
            {"alarms": 5},
        ):
            with pytest.raises(FieldError) as caught:
                call(new, **options)
            assert caught.value.field == "alarms"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda f: f[["heat"]], "columns", "'speed'"),
        (lambda f: f.rename(columns={"heat": "Heat"}), "columns", "'heat'"),
        (lambda f: f.astype({"heat": str}), "columns", "'heat'"),
        (lambda f: f.reset_index(drop=True), "time", "'time'"),
        (lambda f: f.rename_axis("when"), "time", "'time'"),
        (lambda f: f.iloc[::-1], "time", "rise"),
        (lambda f: f.iloc[:10], "data", "10 points"),
        (lambda f: f.iloc[:0], "data", "no rows"),
        (lambda f: f.assign(heat=np.inf), "heat", "infinite"),
        (lambda f: f.astype(object).assign(heat=[1, "x"] * 100), "heat", "cannot be read"),
        (lambda f: pd.concat([f, f], axis=1), "data", "'heat'"),
        (lambda f: f.to_numpy()[:, :1], "columns", "1 channels"),
        (lambda f: f.to_numpy().astype(str), "data", "numbers"),
        (lambda f: f.to_dict(), "data", "dict"),
    ],
)
def test_data_that_does_not_fit_is_refused_by_name(
    model: rvae.Model, new: pd.DataFrame, change: Any, field: str, message: str
) -> None:
    with pytest.raises(FieldError) as caught:
        model.score(change(new))
    assert caught.value.field == field and message in caught.value.message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"by": "row"}, "by"),
        ({"adapt": 3}, "adapt"),
        ({"stride": 0}, "stride"),
        ({"stride": 1.5}, "stride"),
        ({"quantile": "high"}, "quantile"),
        ({"by": "window", "adapt": 3}, "adapt"),
    ],
)
def test_options_that_are_not_valid_are_refused(
    model: rvae.Model, new: pd.DataFrame, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        model.score(new, **options)
    assert caught.value.field == field


def test_pictures_and_samples_refuse_what_is_not_valid(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    with pytest.raises(FieldError, match=r"^colour: .*'blue'"):
        model.plot_latent(new, colour="blue")  # type: ignore[arg-type]
    with pytest.raises(FieldError, match=r"^method: .*'lda'"):
        model.plot_latent(new, method="lda")  # type: ignore[arg-type]
    with pytest.raises(FieldError, match=r"^count: .* got -1"):
        model.sample(-1)


def _with_series(model: rvae.Model, column: str) -> rvae.Model:
    """The same model, as if it had been trained on a table of several series."""
    card = replace(model.card, reader=replace(model.card.reader, series=column))
    return rvae.Model(replace(model.artifact, card=card))


def test_judged_events_move_the_threshold_of_a_new_model(
    model: rvae.Model, machine: pd.DataFrame, tmp_path: Path
) -> None:
    new = machine.copy()
    for at in (150, 450):
        new.iloc[at : at + 4, 0] += 60
    before = model.card.calibration.threshold()
    events = model.events(new, gap=0)
    events["verdict"] = "false alarm"
    events.loc[(events["start"] < 454) & (events["end"] > 450), "verdict"] = "confirmed"
    changed = model.recalibrate(new, events, alarms="1 per 400 steps", replace=True)
    assert isinstance(changed, rvae.Model) and model.card.calibration.threshold() == before
    assert changed.card.calibration.threshold() > before and model.card.history == ()
    (change,) = changed.card.history
    assert change.data is None and change.kind == "replaced" and change.confirmed >= 1
    assert change.asked_alarms == "1 per 400 steps"
    path = tmp_path / "judged.csv"
    events.to_csv(path)
    again = changed.recalibrate(new, path, quantile=0.7)
    assert again.card.history[0] == change and len(again.card.history) == 2
    reloaded = rvae.load(again.save(tmp_path / "new.ckpt"))
    assert reloaded.card.history == again.card.history
    with pytest.raises(FieldError, match=r"^quantile: "):
        model.recalibrate(new, quantile=0.99999)
    with pytest.raises(FieldError, match=r"^label: .*fault"):
        model.recalibrate(new, label="fault")


def test_events_of_several_series_are_found_by_their_column(
    model: rvae.Model, new: pd.DataFrame
) -> None:
    several = _with_series(model, "unit")
    units = [new.reset_index(names="time").assign(unit=unit) for unit in ("a", "b")]
    mixed = pd.concat(units, ignore_index=True)
    events = several.events(mixed)
    assert {"unit", "start", "end"} <= set(events)
    changed = several.recalibrate(mixed, events.assign(verdict="confirmed"))
    assert changed.card.history[0].confirmed == len(events) >= 2
    with pytest.raises(FieldError, match="there is no series 'c' in the data, which has 'a', 'b'"):
        several.recalibrate(mixed, events.assign(verdict="confirmed", unit="c"))
