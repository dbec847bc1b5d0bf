"""Times and classes of series."""

from typing import Any

import numpy as np
import pytest

from rvae.config import ModelConfig, TimeConfig
from rvae.errors import FieldError
from rvae.inference.card import Card
from tests.support.queries import body, parse
from tests.support.untrained import untrained_card

TIMES = [f"2026-01-31T{hour:02}:00:00" for hour in range(8)]


STEPS = [20.0 + i for i in range(8)]


@pytest.fixture(scope="module")
def with_times() -> Card:
    return untrained_card(ModelConfig("dense", time=TimeConfig(calendar=("day",))))


@pytest.fixture(scope="module")
def with_classes() -> Card:
    return untrained_card(ModelConfig("dense", conditional=True), classes=("1", "old"))


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (TIMES, "2026-01-31T00:00"),
        ([t + "Z" for t in TIMES], "2026-01-31T00:00"),
        ([t + "+05:30" for t in TIMES], "2026-01-30T18:30"),
        ([f"2026-02-{day:02}" for day in range(1, 9)], "2026-02-01"),
        ([f"2026-02-01 00:00:00.00000{i}" for i in range(8)], "2026-02-01"),
    ],
)
def test_times_come_with_a_zone_or_without(with_times: Card, times: Any, first: str) -> None:
    (series,) = parse(body(data=STEPS, timestamps=times), with_times).inputs.series
    assert series.times[0] == np.datetime64(first)
    assert series.times.dtype == "datetime64[us]"
    assert (np.diff(np.asarray(series.times)) > np.timedelta64(0)).all()


@pytest.mark.parametrize(
    ("times", "field"),
    [
        (None, "timestamps"),
        (TIMES[0], "timestamps"),
        ({}, "timestamps"),
        ([], "timestamps"),
        (TIMES[1:], "timestamps"),
        ([*TIMES, "2026-02-01"], "timestamps"),
        (TIMES[::-1], "timestamps"),
        ([TIMES[0], *TIMES[:7]], "timestamps"),
        ([*TIMES[:7], None], "timestamps[7]"),
        ([*TIMES[:7], 1769860800], "timestamps[7]"),
        ([*TIMES[:3], "31.01.2026", *TIMES[4:]], "timestamps[3]"),
        ([*TIMES[:3], "", *TIMES[4:]], "timestamps[3]"),
        (["0001-01-01T00:00:00+10:00", *TIMES[1:]], "timestamps[0]"),
        (["2026-02-30", *TIMES[1:]], "timestamps[0]"),
    ],
)
def test_what_are_no_times_names_its_place(with_times: Card, times: Any, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse(body(data=STEPS, timestamps=times), with_times)
    assert caught.value.field == field
    if times is not None:  # a model that does not need them may as well be told the truth
        with pytest.raises(FieldError) as caught:
            parse(body(data=STEPS, timestamps=times), untrained_card())
        assert caught.value.field == field


def test_each_instance_has_times_of_its_own(with_times: Card) -> None:
    later = [t.replace("2026", "2027") for t in TIMES]
    query = parse(body(instances=[STEPS, STEPS], timestamps=[TIMES, later]), with_times)
    assert [s.times[0].astype(str)[:4] for s in query.inputs.series] == ["2026", "2027"]
    for times, field in (
        (None, "timestamps"),
        (TIMES, "timestamps"),
        ([TIMES], "timestamps"),
        ([TIMES, None], "timestamps[1]"),
        ([TIMES, TIMES[1:]], "timestamps[1]"),
        ([TIMES, [*TIMES[:7], "x"]], "timestamps[1][7]"),
    ):
        with pytest.raises(FieldError) as caught:
            parse(body(instances=[STEPS, STEPS], timestamps=times), with_times)
        assert caught.value.field == field


@pytest.mark.parametrize(("label", "index"), [("1", 0), (1, 0), ("1.0", 0), ("old", 1)])
def test_a_label_is_a_class_of_all_steps(with_classes: Card, label: int | str, index: int) -> None:
    (series,) = parse(body(data=STEPS, label=label), with_classes).inputs.series
    assert series.classes.tolist() == [index] * 8


@pytest.mark.parametrize("label", [None, "new", "", 2, 1.0, True, ["1"], {}])
def test_what_is_no_known_class_is_refused(with_classes: Card, label: Any) -> None:
    with pytest.raises(FieldError, match="1, old") as caught:
        parse(body(data=STEPS, label=label), with_classes)
    assert caught.value.field == "label"


def test_each_instance_has_a_label_of_its_own(with_classes: Card) -> None:
    query = parse(body(instances=[STEPS, STEPS], label=["old", 1]), with_classes)
    assert [s.classes[0] for s in query.inputs.series] == [1, 0]
    for label, field in (
        (None, "label"),
        ("old", "label"),
        (["old"], "label"),
        (["old", None], "label[1]"),
        (["old", "new"], "label[1]"),
        (["old", ["1"]], "label[1]"),
    ):
        with pytest.raises(FieldError) as caught:
            parse(body(instances=[STEPS, STEPS], label=label), with_classes)
        assert caught.value.field == field


def test_a_model_without_classes_takes_no_label() -> None:
    with pytest.raises(FieldError, match="no classes") as caught:
        parse(body(data=STEPS, label="a"), untrained_card())
    assert caught.value.field == "label"
