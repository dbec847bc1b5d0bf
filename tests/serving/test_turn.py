import pytest

from rvae.serving.turn import Turn


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("rvae.serving.turn.time.monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("clock")
def test_cheap_requests_are_taken_and_expensive_ones_deferred_also_alone() -> None:
    turn = Turn()
    assert not turn.has_room(0.6)
    assert not turn.takes(0.6, may_defer=True)
    assert turn.takes(0.4, may_defer=True)
    assert [turn.takes(0.2, may_defer=True) for _ in range(3)] == [True, True, False]
    assert turn.takes(0.05, may_defer=True)  # which the one before was too long for
    assert not turn.has_room(0.1)


@pytest.mark.usefixtures("clock")
def test_what_may_not_be_deferred_is_taken_and_delays_the_others() -> None:
    turn = Turn()
    assert turn.takes(0.1, may_defer=True)
    assert turn.takes(3, may_defer=False)
    assert not turn.takes(0.1, may_defer=True)


def test_what_took_longer_than_expected_leaves_less_room(clock: list[float]) -> None:
    turn = Turn()
    assert turn.takes(0.1, may_defer=True)
    clock[0] += 0.4
    assert turn.takes(0.1, may_defer=True)
    clock[0] += 0.2
    assert not turn.takes(0.001, may_defer=True)
