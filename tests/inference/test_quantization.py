import logging

import numpy as np
import onnx
import pytest

from rvae.data.window_dataset import Batch
from rvae.errors import FieldError
from rvae.inference.quantization import quantize
from rvae.inference.runtimes.graph_runtime import GraphRuntime
from rvae.inference.runtimes.graphs import DECODER_GRAPH, ENCODER_GRAPH, WINDOW_GRAPH
from rvae.inference.runtimes.onnx_session import OnnxSession
from rvae.inference.runtimes.tuning import Tuning
from tests.support.networks import network_card, random_windows, scored, with_graphs

# Its encoder has a layer that reads values, and one that reads states.
CARD = network_card("batch normalization")
QUANTIZED = "DynamicQuantizeLSTM"


@pytest.fixture(scope="module")
def exact() -> dict[str, bytes]:
    return dict(with_graphs(scored(CARD, "likelihood")).graphs)


@pytest.fixture(scope="module")
def rounded(exact: dict[str, bytes]) -> dict[str, bytes]:
    return quantize(exact)


def operations(graph: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(graph).graph.node]


def runtime_of(graphs: dict[str, bytes]) -> GraphRuntime:
    return GraphRuntime("onnx-int8", OnnxSession, graphs, Tuning(1, 64, 1))


def test_all_layers_but_the_one_that_reads_values_are_quantized(rounded: dict[str, bytes]) -> None:
    for file, layers in ((WINDOW_GRAPH, 3), (ENCODER_GRAPH, 1), (DECODER_GRAPH, 2)):
        found = operations(rounded[file])
        assert found.count(QUANTIZED) == layers
        assert found.count("LSTM") == (file != DECODER_GRAPH)


def test_what_they_compute_stays_close(exact: dict[str, bytes], rounded: dict[str, bytes]) -> None:
    batch = random_windows(CARD, 20)
    found, expected = (runtime_of(graphs).run(batch) for graphs in (rounded, exact))
    assert 0 < np.abs(found.latent - expected.latent).max() < 0.01
    assert 0 < np.abs(found.mean - expected.mean).max() < 0.01


@pytest.mark.parametrize("size", [1e2, 1e5, 1e9])
def test_a_window_is_not_rounded_by_the_values_of_others(
    rounded: dict[str, bytes], size: float
) -> None:
    """The request of somebody else, in the same run, has a value out of all proportion."""
    runtime = runtime_of(rounded)
    batch = random_windows(CARD, 20)
    alone = runtime.run(batch)
    batch.x[0, 2] = size
    beside = runtime.run(batch)
    assert np.abs(beside.latent[1:] - alone.latent[1:]).max() < 0.01
    assert np.abs(beside.mean[1:] - alone.mean[1:]).max() < 0.01
    few = Batch(batch.x[5:6], batch.time[5:6], batch.label[5:6])
    assert np.abs(runtime.run(few).mean - beside.mean[5:6]).max() < 0.01


def test_a_graph_in_which_no_layer_is_quantized_stays_as_it_is() -> None:
    graphs = dict(with_graphs(scored(network_card("lstm"), "likelihood")).graphs)
    found = quantize(graphs)
    assert found[ENCODER_GRAPH] == graphs[ENCODER_GRAPH]
    assert operations(found[WINDOW_GRAPH]).count(QUANTIZED) == 1


@pytest.mark.parametrize("kind", ["gru", "dense", "conditioned at every step", "feedback"])
def test_a_network_without_such_a_layer_is_refused(kind: str) -> None:
    """A GRU, no layer at all, a decoder that reads latents, and one that is unrolled."""
    with pytest.raises(FieldError, match="LSTM layers that read states") as caught:
        quantize(with_graphs(scored(network_card(kind), "likelihood")).graphs)
    assert caught.value.field == "runtime"


def test_its_advice_is_not_printed_and_the_log_is_left_as_it_was(
    exact: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    quantize(exact)
    assert not caplog.records
    logging.getLogger("other").warning("heard")
    assert [record.message for record in caplog.records] == ["heard"]
