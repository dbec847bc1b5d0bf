"""Models with graphs, which are only made if they compute what torch does."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ModelConfig, ScoringConfig
from rvae.data.series import Series
from rvae.data.window_dataset import Batch
from rvae.errors import FieldError
from rvae.inference import conversion
from rvae.inference.artifact import Artifact
from rvae.inference.conversion import RUNTIMES, convert, draw_windows, with_runtime
from rvae.inference.engine import Engine
from rvae.inference.runtimes.graph_runtime import GraphRuntime
from rvae.inference.runtimes.graphs import GRAPHS
from rvae.inference.runtimes.loading import torch_runtime
from rvae.inference.runtimes.runtime import Run
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from tests.support.networks import network_card, scored
from tests.support.untrained import untrained_artifact, untrained_card

PLAIN = scored(network_card("lstm"), "likelihood")
WINDOW = PLAIN.card.window


def noise(steps: int, seed: int = 0, channels: int = 2) -> Series:
    return Series(np.random.default_rng(seed).normal(20, 2, (steps, channels)), f"noise {seed}")


def empty(steps: int) -> Series:
    return Series(np.full((steps, 2), np.nan), "empty")


DATA = [noise(WINDOW + 60, 1), empty(WINDOW + 3), noise(WINDOW, 2)]


@pytest.fixture(scope="module")
def exact() -> Artifact:
    return convert(PLAIN, "onnx")


@pytest.fixture(scope="module")
def rounded() -> Artifact:
    return convert(PLAIN, "onnx-int8", DATA, "waves.npy")


def refused(name: str, field: str, match: str, *arguments: Any, artifact: Artifact = PLAIN) -> None:
    with pytest.raises(FieldError, match=match) as caught:
        convert(artifact, name, *arguments)
    assert caught.value.field == field


def test_graphs_in_single_precision_keep_the_calibration(exact: Artifact) -> None:
    parity = exact.card.runtime.parity
    assert exact.card.runtime.name == "onnx" and set(exact.graphs) == set(GRAPHS)
    assert exact.card.calibration is PLAIN.card.calibration
    assert max(parity.latent, parity.reconstruction, parity.score) < parity.tolerance == 1e-4
    assert (parity.windows, parity.flags, parity.recalibrated, parity.data) == (257, 0, False, None)
    assert "in 257 windows that the model drew (bound 0.0001)" in exact.card.runtime.sentence
    assert exact.weights is PLAIN.weights and exact.checksum == PLAIN.checksum


def test_with_data_its_windows_are_compared_beside_those_that_the_model_draws() -> None:
    found = convert(PLAIN, "onnx", DATA, "waves.npy").card.runtime
    assert (found.parity.windows, found.parity.data) == (257 + 61 + 4 + 1, "waves.npy")
    assert "windows of waves.npy and that the model drew (bound" in found.sentence
    assert convert(PLAIN, "onnx", DATA).card.runtime.parity.data == "the data"


def test_reduced_precision_has_the_calibration_of_its_own_scores(rounded: Artifact) -> None:
    parity, moved = rounded.card.runtime.parity, rounded.card.calibration
    assert (parity.windows, parity.recalibrated, parity.tolerance) == (66, True, 0.1)
    assert 0 < parity.score <= 0.1 and 0 < parity.reconstruction <= 0.1
    assert "of waves.npy (bound 0.1); the thresholds are those" in rounded.card.runtime.sentence
    before = PLAIN.card.calibration
    expected, found = (
        np.concatenate([one.score for one in Engine(artifact).analyse(DATA)])
        for artifact in (PLAIN, rounded)
    )
    assert not np.array_equal(expected, found)
    np.testing.assert_allclose(
        moved.scores, before.moved(expected, found).scores, rtol=1e-3, atol=1e-4
    )
    assert moved.quantile == before.quantile and moved.blocks.count == before.blocks.count


def test_reduced_precision_needs_data() -> None:
    refused("onnx-int8", "data", "is needed for onnx-int8: normal data")
    refused("onnx-int8", "data", "is needed", [])


def test_data_must_show_the_quantile_of_the_threshold() -> None:
    for data in ([noise(WINDOW)], [empty(WINDOW + 40)], [empty(WINDOW + 9), noise(WINDOW + 17)]):
        refused("onnx-int8", "data", "at quantile 0.95 is only moved by 19 or more", data)
    convert(PLAIN, "onnx-int8", [empty(WINDOW + 9), noise(WINDOW + 18)])


@pytest.mark.parametrize("name", ["onnx", "onnx-int8"])
def test_data_that_does_not_fit_the_model_is_refused(name: str) -> None:
    refused(name, "series", f"has {WINDOW - 1} points", [noise(99), noise(WINDOW - 1)])
    refused(name, "series", r"expected \(N, 2\)", [noise(99, channels=3)])
    far = noise(99)
    far.values[50, 1] = 1e30
    refused(name, "cold", "is 1e\\+30 at step 50", [far])
    of_classes = scored(network_card("classes"), "likelihood")
    refused(name, "label", "is missing", [noise(99)], artifact=of_classes)


def test_a_converted_model_is_converted_again_unless_its_calibration_was_moved(
    exact: Artifact, rounded: Artifact
) -> None:
    assert convert(exact, "onnx").graphs == exact.graphs
    for name in RUNTIMES:
        refused(name, "runtime", "use its checkpoint instead", DATA, artifact=rounded)
    with pytest.raises(FieldError, match="use its checkpoint instead"):
        with_runtime(rounded, "torch")


def test_a_score_from_outside_the_package_is_left_to_torch() -> None:
    card = replace(PLAIN.card, scoring=ScoringConfig("tests.scoring.test_score_recipe:Scorer"))
    own = replace(PLAIN, card=card)
    refused("onnx", "runtime", "is computed by torch", artifact=own)
    found, note = with_runtime(own, "auto")
    assert found is own and note.startswith("The network is run by torch: the score ")


def test_a_network_that_onnx_cannot_express_is_left_to_torch() -> None:
    recipe = "tests.networks.test_encoder_recipe:SPECTRAL"
    card = untrained_card(ModelConfig(recipe, options={"frequencies": 3}, latent=3))
    found, note = with_runtime(untrained_artifact(card), "auto")
    assert not found.graphs and "no graph in ONNX" in note


@pytest.mark.parametrize("score", ["likelihood", "excess"])
def test_a_calibration_of_one_score_can_be_moved_and_compared(score: str) -> None:
    artifact = scored(network_card("lstm"), score)
    one = Calibration.fit(Blocks.without_order(np.array([0.5]), 1, WINDOW), 0.95)
    artifact = replace(artifact, card=replace(artifact.card, calibration=one))
    for name in ("onnx", "onnx-int8"):
        found = convert(artifact, name, [noise(WINDOW)]).card
        assert found.runtime.parity.score < found.runtime.parity.tolerance
        assert found.calibration.threshold() == pytest.approx(0.5, abs=0.1)


Spoil = Callable[[Run], Run]


def _of_score(values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {"nll": values}


SPOILT: dict[str, Spoil] = {
    "latent": lambda run: replace(run, latent=run.latent + 0.2),
    "reconstruction": lambda run: replace(run, mean=run.mean + 0.2),
    "score": lambda run: replace(run, evidence=_of_score(run.evidence["nll"] + 0.2)),
}


@pytest.mark.parametrize("name", ["onnx", "onnx-int8"])
@pytest.mark.parametrize("wrong", SPOILT)
@pytest.mark.parametrize("number", [1, np.nan, np.inf])
def test_graphs_that_differ_in_one_number_are_refused(
    exact: Artifact, monkeypatch: pytest.MonkeyPatch, name: str, wrong: str, number: float
) -> None:
    """By more than the bound, or in what is no number, in the last of all windows."""
    original = GraphRuntime.run

    def spoilt(self: GraphRuntime, batch: Batch) -> Run:
        run = original(self, batch)
        if len(batch.x) == len(DATA[0]) - WINDOW + 1:  # the data's first batch
            one = SPOILT[wrong](run)
            for kept, bad in zip(
                (run.latent, run.mean, run.evidence["nll"]),
                (one.latent, one.mean, one.evidence["nll"]),
                strict=True,
            ):
                if not np.array_equal(kept, bad, equal_nan=True):
                    kept[-1] = bad[-1] * number
        return run

    monkeypatch.setattr(GraphRuntime, "run", spoilt)
    monkeypatch.setattr(conversion, "_graphs", lambda *_: exact.graphs)
    refused(name, "runtime", f"{name} differs from torch by .* in the {wrong}", DATA[:1])


def test_a_graph_that_cannot_be_run_leaves_the_model_to_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(self: GraphRuntime, batch: Batch) -> Run:
        raise RuntimeError("no such\nkernel")

    monkeypatch.setattr(GraphRuntime, "run", fails)
    refused("onnx", "runtime", "onnx cannot run the model: kernel")
    found, note = with_runtime(PLAIN, "auto")
    assert found is PLAIN and note == (
        "The network is run by torch: onnx cannot run the model: kernel."
    )


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for module in ("inference.quantization", "inference.runtimes.onnx_session"):
        monkeypatch.delitem(sys.modules, f"rvae.{module}", raising=False)
    refused("onnx", "runtime", f"package {package}|{package}")
    found, note = with_runtime(PLAIN, "auto")
    assert found is PLAIN and package in note


def test_auto_makes_graphs_and_keeps_those_there_are(exact: Artifact, rounded: Artifact) -> None:
    made, note = with_runtime(PLAIN, "auto")
    assert made.graphs == exact.graphs
    assert note == f"The network is run by {made.card.runtime.sentence}."
    assert with_runtime(rounded, "auto")[0] is rounded
    with pytest.raises(FieldError, match="keeps the graphs") as caught:
        with_runtime(rounded, "auto", DATA)
    assert caught.value.field == "data"


def test_auto_refuses_data_that_does_not_fit_instead_of_leaving_it_out() -> None:
    with pytest.raises(FieldError, match="points, the model needs"):
        with_runtime(PLAIN, "auto", [noise(WINDOW - 1)])


def test_torch_has_no_graphs_and_needs_no_data(exact: Artifact) -> None:
    found, note = with_runtime(exact, "torch")
    assert not found.graphs and found.card.runtime is None
    assert note == "The network is run by torch."
    with pytest.raises(FieldError, match="another runtime than torch"):
        with_runtime(PLAIN, "torch", DATA)


def test_another_runtime_is_refused_with_those_there_are() -> None:
    with pytest.raises(FieldError, match="one of auto, torch, onnx, openvino, onnx-int8, got 'q'"):
        with_runtime(PLAIN, "q")


@pytest.mark.parametrize("kind", ["lstm", "times", "classes", "categories", "bernoulli"])
def test_drawn_windows_are_inputs_of_the_model_with_all_kinds_of_holes(kind: str) -> None:
    artifact = scored(network_card(kind), "likelihood")
    card = artifact.card
    x, time, label = draw_windows(card, torch_runtime(artifact)[0])
    assert x.shape == (256, WINDOW, 2) and x.dtype == time.dtype == np.float32
    assert time.shape == (256, WINDOW, 2 * len(card.model.time.calendar))
    np.testing.assert_allclose(np.hypot(time[..., :1], time[..., 1:]), 1, rtol=1e-5)
    assert set(label) == set(range(max(1, len(card.vocabulary.classes))))
    holes = np.isnan(x)
    assert holes[0].all() and holes[1, WINDOW // 2 :].all() and holes[2, :, 0].all()
    assert 0.05 < holes[3:].mean() < 0.15
    if kind == "categories":
        assert set(x[..., 1][~holes[..., 1]]) <= {0, 1, 2, 3}
    if kind == "bernoulli":
        assert np.nanmin(x) >= 0 and np.nanmax(x) <= 1
