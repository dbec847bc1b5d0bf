import os

import numpy as np

from rvae.inference.runtimes.graphs import DECODER_GRAPH, LATENT, MEAN
from rvae.inference.runtimes.loading import torch_runtime
from rvae.inference.runtimes.onnx_session import OnnxSession
from tests.support.networks import network_card, random_windows, scored, with_graphs


def test_a_session_runs_a_graph_by_the_names_of_its_inputs() -> None:
    artifact = with_graphs(scored(network_card("dense"), "likelihood"))
    session = OnnxSession(artifact.graphs[DECODER_GRAPH], threads=1)
    assert (session.inputs, session.outputs) == ([LATENT], [MEAN])
    latent = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    (found,) = session.run({LATENT: latent})
    batch = random_windows(artifact.card, 5)
    expected = torch_runtime(artifact)[0].decode(latent, batch.time, batch.label)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_runtime_does_not_report_its_use() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
