"""How far answers are apart."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.comparison import compare, kolmogorov
from rvae.serving.versions.replay import Answers


def answers(
    tails: list[float], flagged: int = 0, seconds: float = 0.01, statuses: list[int] | None = None
) -> Answers:
    flags = [i < flagged for i in range(len(tails))]
    statuses = statuses or [200] * 4
    error = "422 data: is too short" if max(statuses) >= 400 else None
    return Answers("1.0", statuses, [seconds] * 4, tails, [-x for x in tails], flags, error)


EVEN = [i / 100 for i in range(1, 101)]


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_is_that_of_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.normal(size=70).round(1), random.normal(0.3, size=40).round(1)
    assert kolmogorov(one, other) == pytest.approx(ks_2samp(one, other).statistic)


def test_equal_answers_are_within_all_bounds() -> None:
    compared = compare(answers(EVEN, 3), answers(EVEN, 3))
    assert compared.failures(Bounds(shift=0, alerts=0, latency=1)) == []
    assert str(compared) == (
        "4 requests, 100 windows, shift 0.00, flagged 3.0% → 3.0%, median score -0.505 → -0.505, "
        "median 10.0 ms → 10.0 ms, 99 % 10.0 ms → 10.0 ms"
    )


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (answers([x / 2 for x in EVEN]), "the scores shift by 0.50, at most 0.2"),
        (
            answers(EVEN, 20),
            "20.0% of the windows are flagged in place of 0.0%, at most 5.0% apart",
        ),
        (
            answers(EVEN, seconds=0.03),
            "an answer takes 30.0 ms in place of 10.0 ms, at most 2 times as long",
        ),
        (
            answers(EVEN, statuses=[200, 422, 200, 500]),
            "2 requests that the old version answers get an error: 422 data: is too short",
        ),
    ],
)
def test_what_is_beyond_a_bound_is_said(new: Answers, said: str) -> None:
    assert compare(answers(EVEN), new).failures(Bounds()) == [said]
    wide = Bounds(shift=1, alerts=1, latency=100)
    assert bool(compare(answers(EVEN), new).failures(wide)) == ("error" in said)


def test_fewer_alerts_are_a_difference_too() -> None:
    (said,) = compare(answers(EVEN, 20), answers(EVEN)).failures(Bounds())
    assert said.startswith("0.0% of the windows are flagged in place of 20.0%")


def test_requests_that_the_old_version_refuses_do_not_count() -> None:
    bad = answers(EVEN, statuses=[422, 200, 200, 200])
    assert compare(bad, bad).failures(Bounds()) == []


def test_answers_without_scores_are_compared_by_the_rest() -> None:
    compared = compare(answers([]), answers([], seconds=0.05))
    assert compared.shift is None and len(compared.failures(Bounds())) == 1
    assert "no scores in them" in str(compared)
