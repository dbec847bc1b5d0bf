"""What the paths of the public port say."""

import pytest

from rvae.serving.gateway.paths import METHODS, Place, Question, infer_path, place_of


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/predictions/m", Place(Question.PREDICTION, "m")),
        ("/predictions/m/2.0?x=/1", Place(Question.PREDICTION, "m", "2.0")),
        ("/explanations/m/2.0", Place(Question.EXPLANATION, "m", "2.0")),
        ("/ping?x", Place(Question.PING)),
        ("/v2", Place(Question.SERVER)),
        ("/v2/", Place(Question.SERVER)),
        ("/v2/health/live", Place(Question.LIVE)),
        ("/v2/health/ready", Place(Question.READY)),
        ("/v2/models/m", Place(Question.MODEL, "m")),
        ("/v2/models/m/versions/2.0", Place(Question.MODEL, "m", "2.0")),
        ("/v2/models/m/ready", Place(Question.MODEL_READY, "m")),
        ("/v2/models/m/versions/2.0/ready", Place(Question.MODEL_READY, "m", "2.0")),
        ("/v2/models/m/infer", Place(Question.INFERENCE, "m")),
        ("/v2/models/m/versions/2.0/infer?x", Place(Question.INFERENCE, "m", "2.0")),
        # Names that are words of paths, too.
        (
            "/v2/models/versions/versions/ready/ready",
            Place(Question.MODEL_READY, "versions", "ready"),
        ),
        ("/v2/models/m/versions/infer", Place(Question.MODEL, "m", "infer")),
        ("/v2/models/ready/infer", Place(Question.INFERENCE, "ready")),
    ],
)
def test_what_a_path_asks_for(target: str, place: Place) -> None:
    assert place_of(target) == place


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "/",
        "/v2/health",
        "/v2/health/live/",
        "/v2/models",
        "/v2/models/",
        "/v2/models//infer",
        "/v2/models/m/",
        "/v2/models/m/infer/",
        "/v2/models/m/load",
        "/v2/models/m/versions",
        "/v2/models/m/versions/",
        "/v2/models/m/versions//infer",
        "/v2/models/m/2.0/infer",
        "/v2/models/../infer",
        "/v2/models/m/versions/../infer",
        "/v2/models/%2e%2e/infer",
        "/v2/models/m%2finfer",
        "/v2/models/" + "m" * 129,
        "/v2/repository/index",
        "/V2/models/m",
        "//v2/models/m",
        "/v1/models/m:predict",
        "/predictions/m/..",
        "/predictions/m\n",
    ],
)
def test_what_is_no_path(target: str) -> None:
    assert place_of(target) is None


def test_only_questions_for_answers_are_posted() -> None:
    posted = {one for one, methods in METHODS.items() if "POST" in methods}
    assert posted == {Question.PREDICTION, Question.EXPLANATION, Question.INFERENCE}
    assert set(METHODS) == set(Question)


@pytest.mark.parametrize("version", [None, "2.0"])
def test_the_path_of_an_inference_is_read_as_it_was_meant(version: str | None) -> None:
    assert place_of(infer_path("m", version)) == Place(Question.INFERENCE, "m", version)
