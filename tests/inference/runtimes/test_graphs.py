"""Names in graphs, which saved models hold: they stay as they are."""

import onnxruntime
import pytest

from rvae.inference.artifact import Artifact
from rvae.inference.runtimes.graphs import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    EVIDENCE_PREFIX,
    GRAPHS,
    LABEL,
    LATENT,
    MEAN,
    TIME,
    WINDOW_GRAPH,
    X,
)
from tests.support.networks import network_card, scored, with_graphs


def names(artifact: Artifact, graph: str) -> tuple[list[str], list[str]]:
    session = onnxruntime.InferenceSession(artifact.graphs[graph])
    return [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]


@pytest.mark.parametrize(
    ("kind", "score", "conditions", "evidence"),
    [
        ("dense", "excess", [], ["parts", "errors"]),
        ("times", "likelihood", [TIME], ["nll"]),
        ("classes", "likelihood", [LABEL], ["nll"]),
    ],
)
def test_graphs_have_the_inputs_and_outputs_that_are_described(
    kind: str, score: str, conditions: list[str], evidence: list[str]
) -> None:
    artifact = with_graphs(scored(network_card(kind), score))
    assert set(artifact.graphs) == set(GRAPHS)
    measured = [EVIDENCE_PREFIX + name for name in evidence]
    assert names(artifact, WINDOW_GRAPH) == ([X, *conditions], [LATENT, MEAN, *measured])
    assert names(artifact, ENCODER_GRAPH) == ([X, *conditions], [LATENT])
    inputs, outputs = names(artifact, DECODER_GRAPH)
    assert (sorted(inputs), outputs) == (sorted([LATENT, *conditions]), [MEAN])
