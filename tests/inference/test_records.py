import numpy as np

from rvae.data.series import Series
from rvae.inference import records
from rvae.scoring.events import Event
from tests.support.untrained import KINDS

SERIES = Series(np.zeros((6, 1)), "s")
TIMES = np.datetime64("2026-03-01", "us") + np.arange(6) * np.timedelta64(60, "s")


def test_one_result_of_all_windows_is_repeated() -> None:
    columns = {"score": np.array([1.0, 2.0]), "threshold": np.asarray(3.0)}
    found = records.window_records(SERIES, np.array([0, 2]), 4, columns)
    assert list(found) == ["series", "start", "end", "score", "threshold"]
    assert found["end"].tolist() == [4, 6]
    assert found["threshold"].tolist() == [3, 3]
    assert found["series"].tolist() == ["s", "s"]


def test_steps_have_their_times_where_they_are_known() -> None:
    assert list(records.point_records(SERIES, {"score": np.zeros(6)})) == [
        "series",
        "step",
        "score",
    ]
    dated = records.point_records(Series(np.zeros((6, 1)), "s", None, TIMES), {})
    np.testing.assert_array_equal(dated["time"], TIMES)


def test_an_event_without_any_value_has_no_channel() -> None:
    events = [
        Event(1, 3, 2, 5.0, 2.0, (("heat", 4.0),), 0.1, False),
        Event(4, 5, 4, 6.0, 3.0, (), 0.05, True),
    ]
    found = records.event_records(SERIES, events)
    assert found["channel"].tolist() == ["heat", None]
    np.testing.assert_array_equal(found["channel_score"], [4.0, np.nan])
    assert found["start"].tolist() == [1, 4] and found["peak"].tolist() == [2, 4]
    assert "start_time" not in found


def test_an_event_has_the_times_of_its_first_its_last_and_its_least_likely_step() -> None:
    series = Series(np.zeros((6, 1)), "s", None, TIMES)
    found = records.event_records(series, [Event(1, 4, 2, 5.0, 2.0, (), 0.1, False)])
    names = ("time", "start_time", "last_time", "peak_time")
    assert [found[name].item() for name in names] == TIMES[[1, 1, 3, 2]].tolist()
    assert len(records.event_records(series, [])["last_time"]) == 0


def test_categories_are_words() -> None:
    samples = np.array([[[21.0, 1.0], [22.0, 3.0]]])
    found = records.sample_records(KINDS["categories"], samples)
    assert found["mode"].tolist() == ["off", "3"] and found["heat"].tolist() == [21, 22]
    assert found["series"].tolist() == ["0", "0"] and found["step"].tolist() == [0, 1]
