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
