"""What clients are answered through TLS, proxy and container is what the model says."""

import json

import numpy as np
import pytest

from rvae.inference.engine import Engine
from tests.support.fault_models import NAME, WINDOW
from tests.support.proxied import Proxied

pytestmark = pytest.mark.docker


def test_scores_are_those_of_the_checkpoint_in_this_process(
    service: Proxied, engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    windows = [*fresh[:30], *anomalous[:30]]
    with service.client() as client:
        served = client.score_windows(np.stack(windows))
    expected = [one.score[0] for one in engine.analyse(windows)]
    np.testing.assert_allclose(served, expected, rtol=1e-4, atol=1e-5)


def test_an_explanation_says_what_a_score_is_made_of(service: Proxied) -> None:
    answer = service.ask(f"/explanations/{NAME}", WINDOW)
    assert answer.status == 200, answer
    content = json.loads(answer.body)
    for contributions, score in zip(content["contributions"], content["score"], strict=True):
        assert np.isclose(np.sum(contributions), score, rtol=1e-4, atol=1e-4)


def test_the_document_of_the_service_is_there_for_clients(service: Proxied) -> None:
    document = service.ask("/openapi.yaml", method="GET")
    assert document.status == 200 and b"/predictions/" in document.body
    page = service.ask("/docs/", method="GET")
    assert page.status == 200 and b"<html" in page.body
    assert b"https://" not in page.body, "the page needs other hosts"
