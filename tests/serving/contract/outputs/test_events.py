from dataclasses import replace

import numpy as np

from rvae.data.series import Series
from rvae.inference.engine import Engine
from rvae.scoring.events import Event
from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.events import EVENTS, event_json

EVENT = Event(2, 5, 3, 1.5, 2.0, (("heat", 1.0), ("speed", 0.5)), 0.25, True)


def test_events_are_those_of_each_series_at_the_threshold_and_gap(
    engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    series = [fresh[0], np.concatenate([fresh[1], anomalous[0], fresh[2], anomalous[1]])]
    analyses = engine.analyse(series, 8)
    request = Computation(analyses, engine.card, 8)
    calibration, threshold = engine.card.calibration, engine.card.calibration.threshold()
    found = [one["events"] for one in EVENTS.compute(request)]
    assert found == [one.events(threshold, calibration, 8) for one in analyses]
    assert len(found[1]) > 0
    lowest = [one["events"] for one in EVENTS.compute(replace(request, threshold=-1e9, gap=0))]
    for (event,), values in zip(lowest, series, strict=True):  # ends with hardly any error are cut
        assert 0 <= event.start <= 32 and len(values) - 32 <= event.end <= len(values)


def test_an_event_of_a_series_with_times_has_its_times() -> None:
    content = {
        "start": 2,
        "end": 5,
        "peak": 3,
        "score": 1.5,
        "severity": 2.0,
        "tail_probability": 0.25,
        "persistent": True,
        "channels": [{"name": "heat", "score": 1.0}, {"name": "speed", "score": 0.5}],
    }
    values = np.zeros((6, 2))
    assert event_json(EVENT, Series(values)) == content
    times = np.datetime64("2026-01-31T12:00", "us") + np.arange(6) * np.timedelta64(1, "h")
    timed = event_json(EVENT, Series(values, times=times))
    hours = [str(timed.pop(name))[11:13] for name in ("start_time", "peak_time", "last_time")]
    assert hours == ["14", "15", "16"]
    assert timed == content
