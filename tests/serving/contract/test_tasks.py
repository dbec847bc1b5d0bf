"""What a model is asked to do besides scoring, and bands around what it expects."""

from typing import Any

import numpy as np
import pytest

from rvae.config import ModelConfig
from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to
from tests.support.untrained import untrained_card, untrained_engine

MODE: dict[str, tuple[str, ...]] = {"mode": ("off", "on")}


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


@pytest.fixture(scope="module")
def conditional() -> Service:
    model = ModelConfig("dense", conditional=True)
    card = untrained_card(model, ("heat", "mode"), MODE, ("1", "old"))
    return Service(untrained_engine(card), "any", "1.0", Limits())


@pytest.mark.parametrize(
    ("task", "output"), [("encode", "latent"), ("reconstruct", "reconstruction")]
)
def test_one_thing_and_nothing_else(
    service: Service, engine: Engine, fresh: list[np.ndarray], task: str, output: str
) -> None:
    series = np.concatenate(fresh[:2])
    status, answer = answer_to(service, {"task": task, "data": series.tolist(), "stride": 16})
    (analysis,) = engine.analyse([series], 16)
    assert status == 200
    assert answer.keys() == {"model", "version", "window", output}
    np.testing.assert_allclose(answer[output], getattr(analysis, output), rtol=1e-5)


def test_score_may_be_said(service: Service, fresh: list[np.ndarray]) -> None:
    body = {"data": fresh[0].tolist()}
    assert answer_to(service, body | {"task": "score"}) == answer_to(service, body)


def test_decoding_undoes_encoding(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    _, encoded = answer_to(
        service, {"task": "encode", "instances": [w.tolist() for w in fresh[:3]]}
    )
    latent = [one["latent"][0] for one in encoded["predictions"]]
    status, answer = answer_to(service, {"task": "decode", "latent": latent})
    assert status == 200
    assert answer.keys() == {"model", "version", "instances", "latent"}
    assert answer["latent"] == latent
    expected = [analysis.reconstruction[:, 0] for analysis in engine.analyse(fresh[:3])]
    np.testing.assert_allclose(answer["instances"], expected, rtol=1e-5)


def test_more_latents_than_are_run_at_once(service: Service, engine: Engine) -> None:
    latent = np.random.default_rng(0).normal(size=(600, 4))
    _, answer = answer_to(service, {"task": "decode", "latent": latent.tolist()})
    some = engine.decode(latent[[0, 255, 256, 599]])
    said = np.array(answer["instances"])[[0, 255, 256, 599]]
    np.testing.assert_allclose(said, some[..., 0], rtol=1e-5)


def test_a_seed_draws_the_same_again(service: Service, engine: Engine) -> None:
    _, answer = answer_to(service, {"task": "sample", "count": 3})
    _, again = answer_to(service, {"task": "sample", "count": 3, "seed": answer["seed"]})
    _, other = answer_to(service, {"task": "sample", "count": 3})
    assert answer == again
    assert answer["seed"] != other["seed"] and answer["instances"] != other["instances"]
    np.testing.assert_allclose(
        np.array(answer["instances"])[..., None], engine.sample(3, seed=answer["seed"]), rtol=1e-5
    )
    assert len(answer_to(service, {"task": "sample"})[1]["instances"]) == 1


def test_what_is_drawn_can_be_posted(conditional: Service) -> None:
    _, drawn = answer_to(conditional, {"task": "sample", "count": 4, "label": "old", "seed": 1})
    assert np.shape(drawn["instances"]) == (4, 8, 2)
    assert {word for window in drawn["instances"] for _, word in window} <= set(MODE["mode"])
    body = {"instances": drawn["instances"], "label": ["old"] * 4}
    assert answer_to(conditional, body)[0] == 200
    _, other = answer_to(conditional, {"task": "sample", "count": 4, "label": 1, "seed": 1})
    assert other["latent"] == drawn["latent"] and other["instances"] != drawn["instances"]
    for fields in ({}, {"label": "new"}, {"label": ["old"]}):
        status, error = answer_to(conditional, {"task": "sample", **fields})
        assert (status, error["field"]) == (422, "label")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"task": "guess"}, "task"),
        ({"task": "encode"}, "data"),
        ({"task": "encode", "data": [20.0] * 32, "output": ["score"]}, "output"),
        ({"task": "reconstruct", "data": [20.0] * 32, "quantile": 0.5}, "quantile"),
        ({"task": "decode"}, "latent"),
        ({"task": "decode", "latent": []}, "latent"),
        ({"task": "decode", "latent": [0, 0, 0, 0]}, "latent[0]"),
        ({"task": "decode", "latent": [[0, 0, 0, 0], [0, 0, 0]]}, "latent[1]"),
        ({"task": "decode", "latent": [[0, 0, 0, "0"]]}, "latent[0][3]"),
        ({"task": "decode", "latent": [[0, 0, 0, True]]}, "latent[0][3]"),
        ({"task": "decode", "latent": [[0, 0, 0, None]]}, "latent[0][3]"),
        ({"task": "decode", "latent": [[0, 0, 1e300, 0]]}, "latent[0][2]"),
        ({"task": "decode", "latent": [[0] * 4], "data": [20.0] * 32}, "data"),
        ({"task": "decode", "latent": [[0] * 4], "label": "a"}, "label"),
        ({"task": "sample", "count": 0}, "count"),
        ({"task": "sample", "count": 1.5}, "count"),
        ({"task": "sample", "count": 10**6}, "count"),
        ({"task": "sample", "seed": -1}, "seed"),
        ({"task": "sample", "seed": 2**53}, "seed"),
        ({"task": "sample", "latent": [[0] * 4]}, "latent"),
        ({"data": [20.0] * 32, "count": 3}, "count"),
        ({"data": [20.0] * 32, "output": ["score", "score"]}, "output"),
    ],
)
def test_what_does_not_fit_names_its_field(
    service: Service, body: dict[str, Any], field: str
) -> None:
    status, error = answer_to(service, body)
    assert (status, error["field"]) == (422, field)


def test_explanations_are_of_scores(service: Service) -> None:
    status, error = answer_to(service, {"task": "sample"}, explain=True)
    assert (status, error["field"]) == (422, "task")


def test_latents_far_from_the_prior_are_answered(service: Service) -> None:
    """Whatever they decode to, null where it is no number."""
    status, answer = answer_to(service, {"task": "decode", "latent": [[1e6, -1e6, 1e6, 1e6]]})
    assert status == 200 and len(answer["instances"][0]) == 32


def test_a_band_is_where_normal_values_are(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    series = np.concatenate(fresh[:4])
    body = {"data": series[:, 0].tolist(), "output": ["band"]}
    _, answer = answer_to(service, body | {"quantile": 0.9})
    assert answer.keys() == {"model", "version", "window", "expected", "lower", "upper"}
    (analysis,) = engine.analyse([series])
    lower, upper = engine.card.bands.around(analysis.reconstruction, engine.card.scaler, 0.9)
    np.testing.assert_allclose(answer["expected"], analysis.reconstruction[:, 0], rtol=1e-5)
    np.testing.assert_allclose(answer["lower"], lower[:, 0], rtol=1e-5)
    np.testing.assert_allclose(answer["upper"], upper[:, 0], rtol=1e-5)
    _, usual = answer_to(service, body)
    assert (np.array(usual["upper"]) > answer["upper"]).all()


def test_a_band_that_cannot_be_told(service: Service, engine: Engine) -> None:
    largest = engine.card.bands.largest_quantile
    assert largest < engine.card.calibration.largest_quantile
    body = {"data": [20.0] * 32, "output": ["band"]}
    status, error = answer_to(service, body | {"quantile": 0.99999})
    assert (status, error["field"]) == (422, "quantile")
    # What scores can tell is nothing to it: both of its sides need blocks.
    quantile = (engine.card.calibration.largest_quantile + largest) / 2
    status, error = answer_to(service, body | {"quantile": quantile})
    assert (status, error["field"]) == (422, "quantile")
    assert answer_to(service, body | {"quantile": quantile, "output": ["score"]})[0] == 200
    assert answer_to(service, body | {"quantile": largest})[0] == 200


def test_a_rate_of_alarms_leaves_the_band_as_it_is(service: Service) -> None:
    """It is about events, not about values."""
    body = {"data": [20.0] * 32, "output": ["band", "score"]}
    _, usual = answer_to(service, body)
    status, often = answer_to(service, body | {"alarms": "1 per 100 steps"})
    assert status == 200 and often["threshold"] < usual["threshold"]
    assert often["upper"] == usual["upper"]


def test_a_category_has_no_band(conditional: Service) -> None:
    data = [[20.0, "on"], [21.0, "off"]] * 4
    status, answer = answer_to(conditional, {"data": data, "label": "old", "output": ["band"]})
    assert status == 200
    assert answer["expected"][0][1] in MODE["mode"]
    assert [step[1] for step in answer["lower"]] == [None] * 8
    heat = [[step[0] for step in answer[name]] for name in ("lower", "upper")]
    assert (np.array(heat[0]) < heat[1]).all()
