import numpy as np
import pytest

from rvae.client.bulk import Bulk, Wanted
from rvae.client.located_events import locate_events
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from tests.support.faulty_server import FaultyServer


@pytest.mark.parametrize(("stride", "gap"), [(1, 1), (1, 40), (6, 6), (40, 0)])
def test_events_reach_over_the_ends_of_requests(
    bulk: Bulk, engine: Engine, bumpy: np.ndarray, stride: int, gap: int
) -> None:
    one = Series(bumpy[:, None], "a")
    (result,) = bulk.results([one], stride, [Wanted(("score",))])
    (analysis,) = engine.analyse([one], stride)
    calibration = engine.card.calibration
    expected = analysis.events(calibration.threshold(), calibration, gap)
    assert locate_events(bulk, result, stride, gap) == expected
    assert len(expected) > 2


def test_an_event_may_be_longer_than_any_request(
    bulk: Bulk, engine: Engine, faulty: FaultyServer
) -> None:
    random = np.random.default_rng(1)
    values = 20 + 3 * np.sin(np.arange(900) * 2 * np.pi / 32) + random.normal(0, 0.1, 900)
    values[200:800] = random.uniform(14, 26, 600)  # over 8000 values of windows
    one = Series(values[:, None], "a")
    (result,) = bulk.results([one], 1, [Wanted(("score",))])
    (analysis,) = engine.analyse([one], 1)
    calibration = engine.card.calibration
    (event,) = locate_events(bulk, result, 1, 1)
    assert [event] == analysis.events(calibration.threshold(), calibration, 1)
    assert event.persistent and event.end - event.start > 500


def test_a_gap_is_not_negative(bulk: Bulk, bumpy: np.ndarray) -> None:
    (result,) = bulk.results([Series(bumpy[:, None], "a")], 9, [Wanted(("score",))])
    with pytest.raises(FieldError, match="gap"):
        locate_events(bulk, result, 9, -1)
