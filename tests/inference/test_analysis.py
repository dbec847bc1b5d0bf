from typing import Any

import numpy as np
import pytest

from tests.support.untrained import KINDS, untrained_engine


def test_what_is_derived_is_computed_once_and_only_if_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = untrained_engine(KINDS["several"])
    calls = []
    scorer = type(engine.runner.scorer)
    for name in ("contributions", "point_scores", "channel_scores"):
        original = getattr(scorer, name)

        def counted(*args: Any, name: str = name, original: Any = original) -> Any:
            calls.append(name)
            return original(*args)

        monkeypatch.setattr(scorer, name, counted)
    (analysis,) = engine.analyse([np.full((20, 2), 20.0)], 3)
    assert calls == []
    for _ in range(2):
        assert analysis.contributions.shape == (5, 8, 2)
        assert analysis.point_scores.shape == (20,)
        assert analysis.channel_scores.shape == (20, 2)
    assert calls == ["contributions", "point_scores", "channel_scores"]


def test_reconstructions_are_means_over_windows_in_the_datas_units() -> None:
    engine = untrained_engine(KINDS["several"])
    values = np.random.default_rng(0).normal(20, 2, (20, 2))
    (analysis,) = engine.analyse([values], 4)
    scaled = (analysis.mean[0, 4:] + analysis.mean[1, :4]) / 2
    np.testing.assert_allclose(analysis.reconstruction[4:8], 20 + 2 * scaled, rtol=1e-6)


@pytest.mark.parametrize("stride", [1, 3, 13])
@pytest.mark.parametrize("at_once", [1, 5, 1024])
def test_details_of_steps_are_those_of_the_whole_series(
    monkeypatch: pytest.MonkeyPatch, stride: int, at_once: int
) -> None:
    monkeypatch.setattr("rvae.inference.analysis.STEPS_AT_ONCE", at_once)
    engine = untrained_engine(KINDS["several"])
    values = np.random.default_rng(0).normal(20, 2, (60, 2))
    values[30:40, 1] = np.nan
    (analysis,) = engine.analyse([values], stride)
    last = len(analysis.starts) - 1
    whole = analysis.scorer.step_evidence(analysis.evidence, analysis.placement)
    np.testing.assert_allclose(analysis.step_evidence(0, last), whole)
    assert np.isnan(whole).any() == (stride == 13)  # between windows of 8 steps
    for step in (0, 17, 33, 59):
        np.testing.assert_allclose(analysis.channels_at(step), analysis.channel_scores[step])
    begin, end = analysis.starts[1], analysis.starts[2] + 8
    some = analysis.step_evidence(1, 2)
    assert some.shape == (end - begin,)
    # The windows before and after do not count.
    assert not np.allclose(some, whole[begin:end], equal_nan=True) or stride > 8
