import numpy as np
import pytest

from rvae.evaluation.rates import Rate
from rvae.evaluation.reliability import needs
from rvae.evaluation.reliability_text import (
    BROKEN,
    check_sentences,
    event_unit,
    measured_text,
    need_text,
    number,
)
from rvae.scoring.blocks import Blocks, Stretch
from rvae.scoring.calibration import Calibration

RATE = Rate(0.02, 0.031, 0.0, 0.0654, 0.1, 40)


def calibration(scores: np.ndarray) -> Calibration:
    stretch = Stretch(scores, np.arange(len(scores)))
    return Calibration.fit(Blocks.fit([stretch], 4, 1, 1.0), 0.9)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1e-9, "0"), (0.0123, "0.012"), (99.4, "99"), (99.6, "100"), (1234.5, "1,234")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_rates_with_their_intervals() -> None:
    assert measured_text(RATE) == "3.1 % (0 % to 6.5 %)"
    assert measured_text(RATE, 1000) == "31 (0 to 65)"


def test_events_are_told_per_week_where_there_are_times() -> None:
    assert event_unit(None) == ("10,000 steps", 10_000)
    assert event_unit(60.0) == ("week", 10_080)


def test_a_need_is_told_in_blocks_steps_and_days() -> None:
    found = needs(calibration(np.random.default_rng(0).normal(size=400)), interval=60.0)
    texts = [need_text(need, 60.0) for need in found]
    assert texts[0] == (
        "0.1 % of windows: 999 blocks, 3,996 steps (2.8 days) of held-out normal data, "
        "10 times as many as now"
    )
    assert texts[-1].startswith("1 event per week (10,080 steps): 2,519 blocks, 10,076 steps")
    assert "days" not in need_text(found[0], None)


def test_sentences_say_what_was_measured_and_warn_of_a_change() -> None:
    noise = np.random.default_rng(1).normal(size=400)
    check, needed = check_sentences(calibration(noise), None)
    assert "promises at most 10 % of windows and" in check and "events per 10,000 steps" in check
    assert needed.startswith("Stricter promises take more: 0.1 % of windows: 999 blocks")
    changed = list(check_sentences(calibration(noise + 3 * (np.arange(400) > 200)), None))
    assert changed[1] == BROKEN
    assert next(check_sentences(calibration(noise[:4]), None)).startswith("Not checked")
