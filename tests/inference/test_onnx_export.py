"""Graphs of networks of every kind, compared with the networks themselves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from rvae.config import ModelConfig
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.onnx_export import export
from rvae.inference.runtimes.graphs import GRAPHS, WINDOW_GRAPH
from rvae.inference.runtimes.loading import load_runtime, torch_runtime
from rvae.inference.runtimes.torch_runtime import TorchRuntime
from tests.support.networks import (
    NETWORKS,
    SCORES,
    network_card,
    random_windows,
    scored,
    with_graphs,
)
from tests.support.untrained import untrained_artifact, untrained_card

# One score each in turn; the decoder of a memory may have no other input than the latent.
CASES = {
    kind: "likelihood"
    if model.conditional or model.time.bypass
    else list(SCORES)[number % len(SCORES)]
    for number, (kind, model) in enumerate(NETWORKS.items())
}


def exported(artifact: Artifact) -> Mapping[str, bytes]:
    runtime, _ = torch_runtime(artifact)
    assert isinstance(runtime, TorchRuntime)
    return export(artifact.card, runtime.network, runtime.scorer)


def require_close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    """Of the same type and shape, missing at the same places."""
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), strict=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_every_score_is_compared() -> None:
    assert set(CASES.values()) == set(SCORES)


@pytest.mark.parametrize(("kind", "score"), CASES.items())
def test_graphs_compute_what_the_network_and_its_scorer_do(
    kind: str, score: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """For one window, and for more than the examples that graphs are traced with."""
    card = network_card(kind)
    artifact = with_graphs(scored(card, score))
    assert capfd.readouterr() == ("", "")
    graphs, scorer = load_runtime(artifact, "cpu")
    network, of_torch = torch_runtime(artifact)
    for count in (1, 7, 40):
        batch = random_windows(card, count)
        found, expected = graphs.run(batch), network.run(batch)
        require_close(found.latent, expected.latent)
        require_close(found.mean, expected.mean)
        assert found.evidence.keys() == expected.evidence.keys()
        for name, values in expected.evidence.items():
            require_close(found.evidence[name], values)
        scores = scorer.score(found.evidence)
        require_close(scores, of_torch.score(expected.evidence))
        assert np.isnan(scores).tolist() == [count >= 3 and row == 1 for row in range(count)]
        require_close(graphs.encode(batch), expected.latent)
        decoded = network.decode(expected.latent, batch.time, batch.label)
        require_close(graphs.decode(expected.latent, batch.time, batch.label), decoded)


def test_the_same_model_gives_the_same_graphs() -> None:
    artifact = scored(network_card("lstm"), "excess")
    once, again = exported(artifact), exported(artifact)
    assert once == again and set(once) == set(GRAPHS)


def test_an_operation_that_onnx_lacks_is_named_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The recipe's encoder transforms windows to frequencies."""
    recipe = "tests.networks.test_encoder_recipe:SPECTRAL"
    card = untrained_card(ModelConfig(recipe, options={"frequencies": 3}, latent=3))
    artifact = untrained_artifact(card)
    with pytest.raises(FieldError, match=r"no graph in ONNX: .*fft_rfft") as caught:
        exported(artifact)
    assert caught.value.field == "runtime"
    assert capfd.readouterr() == ("", "")


def test_a_graph_computes_no_steps_and_no_spread_of_latents() -> None:
    """Constants, and what nothing asks for, cost a lone window as much as an operation does."""
    graph = exported(scored(network_card("lstm"), "likelihood"))[WINDOW_GRAPH]
    kinds = {node.op_type for node in onnx.load_from_string(graph).graph.node}
    assert "LSTM" in kinds
    assert {"Range", "Clip"}.isdisjoint(kinds)
