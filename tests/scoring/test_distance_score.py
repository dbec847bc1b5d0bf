from pathlib import Path

import numpy as np
import pytest

from rvae.config import ModelConfig, ScoringConfig, TimeConfig
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.scoring.distance_score import DistanceScorer
from tests.support.trained import STEPS, train_on_waves
from tests.support.waves import waves


def test_the_distance_alone_may_decide(tmp_path: Path) -> None:
    values = waves(200, STEPS, channels=2)
    path = train_on_waves(tmp_path, values, ScoringConfig("distance", memory=100))
    engine = Engine.load(path)
    given = waves(1, STEPS, channels=2, seed=6)[0]
    given[8:12, 1] += 4
    (one,) = engine.analyse([given])
    assert one.evidence["parts"].shape == (1, 1)
    assert one.score[0] > engine.card.calibration.threshold()
    np.testing.assert_allclose(np.nansum(one.contributions, axis=(1, 2)), one.score, rtol=1e-5)
    np.testing.assert_allclose(one.channel_scores.sum(axis=1), one.score[0], rtol=1e-5)
    assert one.channel_scores[0, 1] > one.channel_scores[0, 0]
    state = Artifact.load(path).scorer
    assert set(state) == {"memory", "levels"} and state["memory"].shape == (100, 4)
    assert state["levels"].shape == (1,)


def test_a_memory_is_refused_where_the_decoder_is_given_more() -> None:
    scoring, model = (
        ScoringConfig("distance"),
        ModelConfig(time=TimeConfig(encoding=2, bypass=True)),
    )
    with pytest.raises(FieldError, match="must be 0") as refused:
        DistanceScorer.check(scoring, model)
    assert refused.value.field == "scoring.memory"
