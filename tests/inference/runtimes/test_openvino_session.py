import threading

import numpy as np
import pytest

pytest.importorskip("openvino", reason="OpenVINO is not installed: it is optional")

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.conversion import convert
from rvae.inference.engine import Engine
from rvae.inference.runtimes.loading import load_runtime, torch_runtime
from tests.support.networks import network_card, random_windows, scored
from tests.support.waves import waves


@pytest.mark.parametrize(
    ("kind", "score"),
    [("lstm", "likelihood"), ("gru", "excess"), ("dense", "distance")],
)
def test_it_computes_what_torch_does(kind: str, score: str) -> None:
    artifact = convert(scored(network_card(kind), score), "openvino")
    assert artifact.card.runtime.parity.score < 1e-4
    runtime, scorer = load_runtime(artifact, "cpu")
    network, of_torch = torch_runtime(artifact)
    for count in (1, 7):
        batch = random_windows(artifact.card, count)
        found, expected = runtime.run(batch), network.run(batch)
        np.testing.assert_allclose(found.latent, expected.latent, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            scorer.score(found.evidence),
            of_torch.score(expected.evidence),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", ["patches", "both directions"])
def test_where_it_is_wrong_for_windows_that_end_early_it_is_refused(kind: str) -> None:
    with pytest.raises(FieldError, match="openvino differs from torch"):
        convert(scored(network_card(kind), "likelihood"), "openvino")


def test_threads_share_a_session_and_keep_their_results(checkpoint: str) -> None:
    """Results are copies: the next run does not change them."""
    artifact = convert(Artifact.load(checkpoint), "openvino")
    engine = Engine(artifact)
    assert engine.runtime.name == "openvino"
    series = [Series(one, str(n)) for n, one in enumerate(waves(24, seed=5))]
    expected = [engine.analyse([one])[0].score for one in series]
    found: dict[int, list[np.ndarray]] = {}

    def work(worker: int) -> None:
        found[worker] = [engine.analyse([one])[0].score for one in series]

    workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    for scores in found.values():
        np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len(found) == 3
