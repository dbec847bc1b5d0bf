import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.data.sketch import ChannelSketch
from rvae.inference.analysis import Encoded
from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Request
from rvae.serving.metrics.counts_file import HALF_LIFE, Contents, Head, create
from rvae.serving.metrics.measures import HISTOGRAMS, PLACES, Phases
from rvae.serving.metrics.meter import MOST_BINNED, Meter, start_meter
from rvae.serving.metrics.report import UNREPORTED
from rvae.serving.metrics.totals import Totals
from rvae.serving.service import Limits, Service
from tests.support.waiting import wait_for

PHASES = Phases(0.5, 0.25, 0.02, 0.001)


@pytest.fixture
def counts(tmp_path: Path) -> Contents:
    return create(tmp_path, Head("waves", "1", ("height",), ((0.5, 0.5),), 0.01, time.monotonic()))


@pytest.fixture
def meter(counts: Contents, engine: Engine) -> Meter:
    sketch = (ChannelSketch((0.0,), (0.5, 0.5)),)
    return Meter(counts, replace(engine.card, sketch=sketch))


def count(counts: Contents, name: str) -> list[float]:
    return counts.common[PLACES[name]].tolist()


def test_what_a_model_finds_is_counted_by_its_own_threshold(
    meter: Meter,
    counts: Contents,
    engine: Engine,
    fresh: list[NDArray[Any]],
    anomalous: list[NDArray[Any]],
) -> None:
    values = [*fresh[:5], *anomalous[:3], np.full_like(fresh[0], np.nan)]
    series = [Series(one) for one in values]
    found = engine.analyse(series)
    for one, analysis in zip(series, found, strict=True):
        meter.answered(PHASES, [one], [analysis])
    meter.count()
    scores = np.array([one.score[0] for one in found[:-1]])
    calibration = engine.card.calibration
    flagged = int((scores > calibration.threshold()).sum())
    assert count(counts, "windows") == [9] and count(counts, "judged") == [8]
    assert count(counts, "flagged") == [flagged] and flagged >= 3
    *severities, total = count(counts, "severity")
    assert sum(severities) == 8 and severities[5:] and sum(severities[5:]) == flagged
    assert total == pytest.approx(calibration.severity(scores).clip(min=0).sum())
    expected = HISTOGRAMS["tail_probability"].of(calibration.tail_probability(scores))
    assert count(counts, "tail_probability") == expected.tolist()


def test_the_phases_of_each_request_are_counted(meter: Meter, counts: Contents) -> None:
    for _ in range(3):
        meter.answered(PHASES, [], [])
    meter.batch(1)
    meter.batch(32)
    meter.count()
    meter.count()  # what was counted is not counted again
    for name, seconds in PHASES._asdict().items():
        *buckets, total = count(counts, name)
        assert total == pytest.approx(3 * seconds) and sum(buckets) == max(buckets) == 3
    assert count(counts, "batch") == [1, 0, 0, 0, 0, 1, 0, 0, 33]


def test_latents_alone_have_no_score(meter: Meter, counts: Contents) -> None:
    found = Encoded(np.arange(4), np.zeros((4, 2), np.float32))
    meter.answered(PHASES, [Series(np.zeros((9, 1)))], [found])
    meter.count()
    assert count(counts, "windows") == [4] and count(counts, "judged") == [0]
    assert count(counts, "steps") == [9]


def test_missing_values_are_counted_and_the_others_put_into_bins(
    meter: Meter, counts: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.array([[-1.0], [np.nan], [1], [2], [np.nan], [3]])
    found = Encoded(np.arange(1), np.zeros((1, 2), np.float32))
    meter.answered(PHASES, [Series(values)], [found])
    meter.count()
    assert count(counts, "steps") == [6] and counts.missing.tolist() == [2]
    np.testing.assert_allclose(counts.bins, [1, 3], rtol=1e-3)
    later = time.monotonic() + HALF_LIFE
    monkeypatch.setattr("rvae.serving.metrics.meter.time.monotonic", lambda: later)
    meter.answered(PHASES, [Series(values)], [found])
    meter.count()
    np.testing.assert_allclose(counts.bins, [1 + 2, 3 + 6], rtol=1e-3)


def test_of_many_values_some_are_put_into_bins_for_all(meter: Meter, counts: Contents) -> None:
    steps = 20 * MOST_BINNED
    values = np.where(np.arange(steps) % 4, 1.0, -1.0)[:, None]
    found = Encoded(np.arange(1), np.zeros((1, 2), np.float32))
    meter.answered(PHASES, [Series(values)], [found])
    meter.count()
    assert counts.bins.sum() == pytest.approx(steps, rel=1e-3)
    np.testing.assert_allclose(counts.bins / steps, [0.25, 0.75], atol=0.03)


def test_a_service_reports_what_is_measured_and_nothing_else(
    tmp_path: Path, engine: Engine, fresh: list[NDArray[Any]]
) -> None:
    report = start_meter(tmp_path, "name", "7", engine.card)
    service = Service(engine, "waves", "1.0", Limits(), report=report)
    service.warm_up()
    body = json.dumps({"data": fresh[0].tolist()}).encode()
    latent = json.dumps({"data": fresh[0].tolist(), "output": ["latent"]}).encode()
    sample = json.dumps({"task": "sample", "count": 2}).encode()
    asked = [Request(one, arrived=time.monotonic() - 0.2) for one in (body, latent, sample, b"{")]
    totals = Totals(tmp_path)
    assert [reply.status for reply in service.answer(asked[:1])] == [200]
    assert [reply.status for reply in service.answer(asked[1:])] == [200, 200, 400]
    batch = PLACES["batch"]
    wait_for(lambda: bool(totals.read()["name", "7"].common[batch][-1] == 4))
    assert totals.read()["name", "7"].flagged_share == 1 - engine.card.calibration.quantile
    found = totals.read()["name", "7"].common
    assert found[PLACES["windows"]] == 2 and found[PLACES["judged"]] == 1
    *buckets, waited = found[PLACES["queue"]]
    assert sum(buckets) == 3 and 0.6 <= waited < 10
    assert found[PLACES["run"]][-1] > found[PLACES["encode"]][-1] > 0


def test_a_folder_that_is_missing_does_no_harm(
    tmp_path: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    assert start_meter(tmp_path / "missing", "m", "1", engine.card) is UNREPORTED
    assert "No metrics" in caplog.text


def test_a_failure_is_told_and_the_next_things_are_counted(
    meter: Meter,
    counts: Contents,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rvae.serving.metrics.meter.COUNT_SECONDS", 0.01)
    meter.answered(
        PHASES, [Series(np.zeros((3, 5)))], [Encoded(np.arange(1), np.zeros((1, 2), np.float32))]
    )
    meter.start()
    wait_for(lambda: "could not be counted" in caplog.text)
    meter.batch(2)
    wait_for(lambda: count(counts, "batch")[-1] == 2)
