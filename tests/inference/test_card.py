import json
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from rvae.data.sketch import ChannelSketch
from rvae.errors import FieldError
from rvae.inference.card import Card, ModelSpec
from tests.support.untrained import KINDS


@pytest.mark.parametrize("card", KINDS.values(), ids=KINDS)
def test_a_card_is_itself_again_after_json(card: Card) -> None:
    again = Card.from_dict(json.loads(json.dumps(card.to_dict(), allow_nan=False)))
    assert again.to_dict() == card.to_dict()
    assert again.calibration.threshold() == card.calibration.threshold()
    assert again.bands == card.bands


def test_a_card_from_before_holes_were_found_reads_over_them() -> None:
    """And takes columns beside those of the training file, which it does not know."""
    content = KINDS["everything"].to_dict()
    assert Card.from_dict(content).reader.holes == "split"
    for name in ("holes", "every", "ignore"):
        del content["reader"][name]
    reader = Card.from_dict(content).reader
    assert (reader.holes, reader.every, reader.ignore) == ("keep", None, None)


@pytest.mark.parametrize("missing", ["calibration", "bands"])
@pytest.mark.parametrize("absent", [True, False])
def test_what_is_not_calibrated_is_no_card(missing: str, absent: bool) -> None:
    content = KINDS["numbers"].to_dict()
    if absent:
        del content[missing]
    else:
        content[missing] = None
    with pytest.raises(FieldError, match="unfinished training run") as caught:
        Card.from_dict(content)
    assert caught.value.field == "checkpoint"
    spec = ModelSpec.from_dict(content)
    assert type(spec) is ModelSpec and spec.channels == ("heat",)


def test_a_sketch_is_kept_and_may_be_absent() -> None:
    known = (ChannelSketch.fit(np.linspace(0, 1, 50)), ChannelSketch((), (1.0,)))
    content = replace(KINDS["several"], sketch=known).to_dict()
    assert Card.from_dict(json.loads(json.dumps(content))).sketch == known
    del content["sketch"]
    assert Card.from_dict(content).sketch == ()


def test_a_card_is_finished_with_what_training_has_found() -> None:
    card = KINDS["everything"]
    spec = ModelSpec.from_dict(card.to_dict())
    known = (ChannelSketch((0.5,), (0.25, 0.75)),)
    finished = Card.finish(spec, card.calibration, card.bands, {"epoch": 3}, known)
    assert finished.training == {"epoch": 3} and finished.sketch == known
    for field in fields(Card):
        if field.name not in ("training", "sketch"):
            assert getattr(finished, field.name) == getattr(card, field.name), field.name


@pytest.mark.parametrize("number", [3, 7, 99])
def test_another_format_is_refused(number: int) -> None:
    with pytest.raises(FieldError, match=f"is {number}, but rvae .* reads 4, 5 and 6") as caught:
        Card.from_dict(KINDS["numbers"].to_dict() | {"format": number})
    assert caught.value.field == "format"


@pytest.mark.parametrize("interval", [None, 60.0])
def test_a_rate_of_alarms_becomes_a_quantile(interval: float | None) -> None:
    """99 windows of 8 steps, each a block of its own."""
    card = replace(KINDS["numbers"], interval=interval)
    calibration = card.calibration
    assert card.quantile_of(None, None) is None and card.quantile_of(0.3, None) == 0.3
    assert card.quantile_of(None, "1 per 800 steps") == calibration.largest_quantile
    for steps in (16, 80, 400, 800):
        quantile = card.quantile_of(None, f"1 per {steps} steps")
        threshold = calibration.threshold(quantile)
        assert threshold == calibration.threshold_of_events(1 / steps)
        assert calibration.events_per_step(threshold) <= 1 / steps * (1 + 1e-9)
    if interval is not None:
        told = card.quantile_of(None, "1 per 80 min")
        assert told == card.quantile_of(None, "1 per 80 steps")
    for arguments, message in (
        ((0.5, "1 per 80 steps"), "cannot be combined with quantile"),
        ((None, "1 per 801 steps"), "must be at least 1 event per"),
        ((None, "1 per 7 steps"), "no more than 1 event per"),
        ((None, "1 per week"), "no times" if interval is None else "13.3 hours (800 steps), the"),
    ):
        with pytest.raises(FieldError) as caught:
            card.quantile_of(*arguments)
        assert caught.value.field == "alarms" and message in caught.value.message


def test_what_results_mean_is_known_without_torch() -> None:
    """Cards, analyses and all that judges scores: importing torch takes over a second."""
    modules = [
        "rvae.inference.card",
        "rvae.inference.analysis",
        "rvae.inference.records",
        *(
            f"rvae.scoring.{name}"
            for name in (
                "adaptive_threshold",
                "aggregation",
                "bands",
                "blocks",
                "calibration",
                "events",
                "excess",
                "evidence",
                "promise",
                "ranks",
                "thresholds",
            )
        ),
    ]
    program = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
