"""A server of graphs does without torch, whose import takes seconds and hundreds of megabytes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rvae.inference.engine import Engine
from tests.support.networks import network_card, scored, with_graphs

MODULES = (
    "rvae.inference.engine",
    "rvae.inference.runtimes.graph_runtime",
    "rvae.inference.runtimes.onnx_session",
    "rvae.scoring.evidence_scorers",
    "rvae.serving.service",
)
ANALYSE = """
import sys
import numpy as np
import rvae.serving.service
from rvae.inference.engine import Engine
engine = Engine.load(sys.argv[1])
(analysis,) = engine.analyse([np.load(sys.argv[2])])
print(analysis.score.tolist(), analysis.reconstruction.tolist())
print(engine.sample(2).shape, "torch" in sys.modules)
"""


def printed(code: str, *arguments: object) -> list[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("module", MODULES)
def test_torch_is_not_imported_with_it(module: str) -> None:
    assert printed(f"import sys, {module}\nprint('torch' in sys.modules)") == ["False"]


@pytest.mark.parametrize("score", ["likelihood", "excess", "distance"])
def test_a_window_is_analysed_without_torch(score: str, tmp_path: Path) -> None:
    artifact = scored(network_card("lstm"), score)
    with_graphs(artifact).save(tmp_path / "model")
    values = np.random.default_rng(0).normal(20, 2, (artifact.card.window + 3, 2))
    values[3, 1] = np.nan
    np.save(tmp_path / "values.npy", values)
    results, end = printed(ANALYSE, tmp_path / "model", tmp_path / "values.npy")
    (analysis,) = Engine(artifact).analyse([values])
    said = np.array(results.replace("[", " ").replace("]", " ").replace(",", " ").split(), float)
    expected = np.concatenate([analysis.score, analysis.reconstruction.ravel()])
    np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-5)
    assert end == f"(2, {artifact.card.window}, 2) False"
