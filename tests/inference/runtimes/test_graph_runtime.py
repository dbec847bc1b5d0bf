"""Graphs that are loaded and run; what they compute is compared in `test_onnx_export`."""

import weakref

import onnxruntime
import pytest

from rvae.inference.runtimes.graph_runtime import GraphRuntime, Session, measured_tuning
from rvae.inference.runtimes.graphs import DECODER_GRAPH, WINDOW_GRAPH
from rvae.inference.runtimes.loading import load_runtime
from rvae.inference.runtimes.onnx_session import OnnxSession
from rvae.inference.runtimes.tuning import MAX_BATCH
from tests.support.networks import network_card, random_windows, scored, with_graphs

ARTIFACT = with_graphs(scored(network_card("dense"), "likelihood"))


def test_the_decoder_is_loaded_when_it_is_needed_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []
    original = onnxruntime.InferenceSession

    def counted(graph: bytes, *args: object, **options: object) -> object:
        loaded.append(graph)
        return original(graph, *args, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    runtime, _ = load_runtime(ARTIFACT, "cpu")
    batch = random_windows(ARTIFACT.card, 3)
    latent = runtime.run(batch).latent
    assert ARTIFACT.graphs[WINDOW_GRAPH] in loaded
    assert ARTIFACT.graphs[DECODER_GRAPH] not in loaded
    for _ in range(2):
        runtime.decode(latent, batch.time, batch.label)
    assert loaded.count(ARTIFACT.graphs[DECODER_GRAPH]) == 1


def test_settings_are_those_it_runs_by() -> None:
    runtime, _ = load_runtime(ARTIFACT, "cpu")
    assert runtime.name == "onnx"
    settings = runtime.settings()
    assert settings["windows_per_run"] == runtime.windows_per_run


def test_sessions_of_the_tuning_end_before_others_are_loaded() -> None:
    """They have taken memory for the largest runs."""
    loaded: list[weakref.ref[Session]] = []

    def load(graph: bytes, threads: int) -> Session:
        if len(loaded) >= 2:  # the tuning's, by one thread and by two
            assert [one() for one in loaded[:2]] == [None, None]
        session = OnnxSession(graph, threads)
        loaded.append(weakref.ref(session))
        return session

    batch = random_windows(ARTIFACT.card, MAX_BATCH)
    tuning = measured_tuning(load, ARTIFACT.graphs, 2, lambda windows: batch)
    runtime = GraphRuntime("onnx", load, ARTIFACT.graphs, tuning)
    assert len(loaded) > 2 and loaded[-1]() is not None
    assert len(runtime.run(batch).latent) == MAX_BATCH
