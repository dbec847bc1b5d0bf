"""The benchmark of the client."""

import numpy as np
import pytest

from benchmarks import client as benchmark
from rvae.client import Client
from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.support.faulty_server import faulty_server


def test_every_way_scores_windows(engine: Engine) -> None:
    windows = benchmark.wave_windows(40, 32, 1)
    with (
        faulty_server(Service(engine, "waves", "1.0", Limits())) as running,
        Client(running.url, "waves") as client,
    ):
        every = benchmark.ways(running.url, client, windows)
        counts = {name: way() for name, way in every.items()}
        assert counts == {"a loop": 2, "a loop of batches": 40, "score_windows": 40, "score": 40}
        found = benchmark.compare(every, 2)
    assert found["a loop"][1] == 1.0
    assert all(rate > 0 and times > 0 for rate, times in found.values())


def test_ratios_are_those_of_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(np.cumsum([0, 1, 0, 2, 0, 10, 0, 20]))
    monkeypatch.setattr("benchmarks.client.time.perf_counter", lambda: float(next(moments)))
    found = benchmark.compare({"slow": lambda: 10, "fast": lambda: 100}, 2)
    assert found["fast"][1] == pytest.approx(5.0)
