import pytest

from rvae.serving.contract.inputs.series_input import SeriesInput
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.query import Query
from rvae.serving.pace import Pace, work_of

NOTHING = SeriesInput([], [], many=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("rvae.serving.pace.time.perf_counter", lambda: now[0])
    return now


def test_nothing_takes_time_before_something_was_run() -> None:
    assert Pace().seconds(1_000_000) == 0


def test_the_fastest_run_counts(clock: list[float]) -> None:
    pace = Pace()
    for work, seconds in ((1, 0.1), (10, 0.2), (10, 5.0)):
        with pace.learn(work):
            clock[0] += seconds
    assert pace.seconds(100) == pytest.approx(2)


def test_a_part_of_the_network_is_half_of_the_work() -> None:
    for outputs, work in ((("latent",), 5), (("score",), 10), (("latent", "band"), 10)):
        query = Query("score", NOTHING, Options(), tuple(OUTPUTS[name] for name in outputs), 1)
        assert work_of(query, 10) == work
    assert work_of(Query("sample", NOTHING, Options(), (), 1), 10) == 5
