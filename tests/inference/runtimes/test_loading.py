import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.runtimes import loading
from rvae.inference.runtimes.graphs import GRAPHS
from rvae.inference.runtimes.loading import load_runtime
from rvae.inference.runtimes.torch_runtime import TorchRuntime
from rvae.scoring.scorer import Scorer
from tests.support.networks import network_card, scored, with_graphs

PLAIN = scored(network_card("dense"), "excess")


@pytest.fixture(scope="module")
def graphs() -> Artifact:
    return with_graphs(PLAIN)


def test_a_model_runs_by_the_graphs_it_has(graphs: Artifact) -> None:
    runtime, scorer = load_runtime(graphs, "cpu")
    assert runtime.name == "onnx" and not isinstance(scorer, Scorer)


def test_without_graphs_torch_runs_it() -> None:
    runtime, scorer = load_runtime(PLAIN, "cpu")
    assert isinstance(runtime, TorchRuntime) and isinstance(scorer, Scorer)


def test_on_another_device_torch_runs_it(graphs: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        loading, "torch_runtime", lambda artifact, device, *_: asked.append((artifact, device))
    )
    load_runtime(graphs, "cuda:1")
    assert asked == [(graphs, "cuda:1")]


def test_a_runtime_that_is_not_installed_is_named(
    graphs: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "rvae.inference.runtimes.onnx_session", raising=False)
    with pytest.raises(FieldError, match="onnxruntime") as caught:
        load_runtime(graphs, "cpu")
    assert caught.value.field == "runtime"


def test_a_folder_with_graphs_says_what_the_network_says(graphs: Artifact, tmp_path: Path) -> None:
    graphs.save(tmp_path)
    loaded = Artifact.load(tmp_path)
    assert loaded.graphs == graphs.graphs and loaded.card.runtime == graphs.card.runtime
    values = np.random.default_rng(0).normal(20, 2, (90, 2))
    (found,), (expected,) = (Engine(one).analyse([values], 7) for one in (loaded, PLAIN))
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.contributions, expected.contributions, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.reconstruction, expected.reconstruction, rtol=1e-5)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_damaged_graph_is_noticed(graphs: Artifact, tmp_path: Path, name: str) -> None:
    graphs.save(tmp_path)
    (tmp_path / name).write_bytes(graphs.graphs[name] + b"?")
    with pytest.raises(FieldError, match=f"{name} in .* is damaged") as caught:
        Artifact.load(tmp_path)
    assert caught.value.field == "checksum"


def test_a_graph_that_is_missing_is_no_model(graphs: Artifact, tmp_path: Path) -> None:
    replace(graphs, graphs=dict(list(graphs.graphs.items())[1:])).save(tmp_path)
    with pytest.raises(FieldError) as caught:
        Artifact.load(tmp_path)
    assert caught.value.field == "checkpoint"
