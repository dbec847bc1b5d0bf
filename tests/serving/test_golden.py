import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.golden import GOLDEN_FILE, Golden, check_golden, compare_golden, make_golden
from rvae.serving.packaging import build_archive
from rvae.serving.service import Limits, Service
from tests.support.networks import with_graphs
from tests.support.service_client import answer_to
from tests.support.untrained import KINDS, untrained_engine


def service_of(artifact: Artifact) -> Service:
    return Service(Engine(artifact), "any", "1.0", Limits())


def spoiled(artifact: Artifact, weight: str, value: float) -> Artifact:
    """A model of whose weights one is something else."""
    changed = artifact.weights[weight].copy()
    changed.flat[0] = value
    return replace(artifact, weights={**artifact.weights, weight: changed})


@pytest.fixture(scope="module")
def artifact(checkpoint: Path) -> Artifact:
    return Artifact.load(checkpoint)


@pytest.fixture(scope="module")
def golden(artifact: Artifact) -> Golden:
    return make_golden(service_of(artifact), None)


@pytest.mark.parametrize("card", KINDS.values(), ids=KINDS)
def test_every_kind_of_model_repeats_what_it_answered(card: Card) -> None:
    service = Service(untrained_engine(card), "any", "1.0", Limits())
    check_golden(service, make_golden(service, None))


def test_another_runtime_repeats_it(artifact: Artifact, golden: Golden) -> None:
    check_golden(service_of(with_graphs(artifact)), golden)


def test_the_tolerance_is_that_of_the_runtime(artifact: Artifact) -> None:
    report = with_graphs(artifact).card.runtime
    assert report is not None
    rough = replace(report, parity=replace(report.parity, tolerance=0.25))
    service = service_of(artifact)
    assert make_golden(service, rough).tolerance == 0.25
    assert make_golden(service, report).tolerance == make_golden(service, None).tolerance


@pytest.mark.parametrize(
    ("weight", "value"),
    [
        ("likelihood.log_scale", np.nan),
        ("decoder.output.bias", np.nan),
        ("decoder.output.bias", np.inf),
        ("encoder.layers.weight_ih_l0", np.nan),
    ],
)
def test_weights_that_are_not_finite_are_noticed(
    artifact: Artifact, golden: Golden, weight: str, value: float
) -> None:
    service = service_of(spoiled(artifact, weight, value))
    calls: list[Callable[[], object]] = [
        lambda: make_golden(service, None),
        lambda: check_golden(service, golden),
    ]
    for call in calls:
        with pytest.raises(FieldError, match="weights may not be finite") as caught:
            call()
        assert caught.value.field == "model"


def test_another_model_is_noticed(artifact: Artifact, golden: Golden) -> None:
    service = service_of(spoiled(artifact, "decoder.output.bias", 0.5))
    with pytest.raises(FieldError, match="the severity of its example is off by"):
        check_golden(service, golden)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"latent": None}, "the latent of its example cannot be told"),
        ({"latent": [[None] * 4], "severity": [None]}, "the latent and the severity of its"),
        ({"severity": "text"}, "the severity of its example cannot be told"),
        ({"severity": [0.1, 0.2]}, "the severity of its example has another shape"),
        ({"severity": [-0.44]}, "the severity of its example is off by 0.02"),
    ],
)
def test_answers_of_a_server_are_compared(
    artifact: Artifact, golden: Golden, answer: dict[str, Any], message: str
) -> None:
    status, sound = answer_to(service_of(artifact), dict(golden.request))
    assert status == 200
    compare_golden(golden, sound)
    with pytest.raises(FieldError) as caught:
        compare_golden(golden, {**sound, **answer})
    assert message in caught.value.message


def test_an_archive_holds_it(artifact: Artifact, golden: Golden, tmp_path: Path) -> None:
    archive = build_archive(artifact, "waves", "1.0", tmp_path)
    assert Golden.read(archive) == golden
    artifact.save(tmp_path / "earlier")
    assert Golden.read(tmp_path / "earlier") is None
    golden.write(tmp_path / "earlier")
    assert Golden.read(tmp_path / "earlier") == golden
    for content in ("{", json.dumps({"request": {}})):
        (tmp_path / "earlier" / GOLDEN_FILE).write_text(content)
        with pytest.raises(FieldError, match="cannot be read"):
            Golden.read(tmp_path / "earlier")
    replace(golden, answer={**golden.answer, "mood": [1.0]}).write(tmp_path / "earlier")
    with pytest.raises(FieldError, match="compares mood, which this version of rvae does not know"):
        Golden.read(tmp_path / "earlier")


def test_a_model_without_finite_answers_is_not_packaged(artifact: Artifact, tmp_path: Path) -> None:
    model = spoiled(artifact, "decoder.output.bias", np.nan)
    with pytest.raises(FieldError, match="weights may not be finite"):
        build_archive(model, "waves", "1.0", tmp_path / "store")
    assert not list(tmp_path.iterdir())
