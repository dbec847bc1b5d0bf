from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from rvae.config import ReaderConfig
from rvae.config.alarms import alarm_text
from rvae.inference.card import Card
from rvae.inference.runtimes.report import Parity, RuntimeReport
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from rvae.scoring.promise import promise_text
from rvae.serving.contract.description import describe, describe_publicly
from rvae.serving.contract.schema.description_schema import CardSaid, PublicCard
from tests.support.changes import CHANGE
from tests.support.untrained import KINDS

CHECKSUM = "sha256:" + "0" * 64


def nulls(content: Any) -> bool:
    if isinstance(content, dict):
        return any(nulls(one) for one in content.values())
    return any(nulls(one) for one in content) if isinstance(content, list) else content is None


@pytest.mark.parametrize("card", KINDS.values(), ids=KINDS)
def test_the_description_of_every_kind_of_model_fits_its_schema(card: Card) -> None:
    content = describe(card, CHECKSUM, {"torch": "1"})
    TypeAdapter(CardSaid).validate_python(content)
    described = {name: part for name, part in content.items() if name != "request"}
    assert not nulls(described)  # a schema of requests may allow null
    assert content["times"]["needed"] == bool(card.model.time.calendar)
    public = describe_publicly(card)
    TypeAdapter(PublicCard).validate_python(public)
    assert ReaderConfig(**public["reader"]) == card.reader
    kinds = [channel["kind"] for channel in content["channels"]]
    assert kinds == ["category" if n else "number" for n in card.scaler.categories]


def test_clients_are_not_told_where_a_model_comes_from() -> None:
    card = replace(KINDS["numbers"], history=(CHANGE,))
    whole, public = describe(card, CHECKSUM, {"torch": "1"}), describe_publicly(card)
    assert {name: part for name, part in whole.items() if name in public} == public
    hidden = {"history", "network", "training", "versions", "checksum"}
    assert whole.keys() - public.keys() == hidden


def test_thresholds_rise_with_quantiles_that_the_calibration_can_tell() -> None:
    card = KINDS["numbers"]
    content = describe(card, CHECKSUM, {})
    quantiles = [one["quantile"] for one in content["thresholds"]]
    thresholds = [one["threshold"] for one in content["thresholds"]]
    assert quantiles == sorted(set(quantiles)) and thresholds == sorted(thresholds)
    assert max(quantiles) == card.calibration.largest_quantile  # no more is carried
    rates = [one["events_per_step"] for one in content["thresholds"]]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == card.calibration.fewest_events_per_step == pytest.approx(1 / 800)
    assert thresholds[quantiles.index(card.calibration.quantile)] == content["threshold"]


def test_categories_alone_have_no_bands() -> None:
    for kind, has in (("numbers", True), ("one categorical channel", False)):
        calibration = describe(KINDS[kind], CHECKSUM, {})["calibration"]
        assert ("largest_quantile_of_bands" in calibration) == has


def test_changes_of_the_calibration_are_said_in_order() -> None:
    card = replace(KINDS["numbers"], history=(CHANGE, replace(CHANGE, data=None)))
    content = describe(card, CHECKSUM, {})
    TypeAdapter(CardSaid).validate_python(content)
    first, second = content["history"]
    assert first["data"] == "new.csv" and first["threshold"] == 2.5
    assert "data" not in second and "asked_alarms" not in second


@pytest.mark.parametrize("interval", [None, 60.0])
def test_it_says_what_is_promised_and_what_can_be(interval: float | None) -> None:
    card = replace(KINDS["numbers"], interval=interval)
    said = describe(card, CHECKSUM, {})
    calibration = said["calibration"]
    # 99 windows of 8 steps, each a block of its own, and the quantile 0.95.
    assert calibration["promise"] == promise_text(card.calibration, interval)
    assert calibration["flagged_share"] == pytest.approx(0.05)
    assert calibration["events_per_step"] == pytest.approx(5 / 100 / 8)
    assert calibration["fewest_events_per_step"] == pytest.approx(1 / 100 / 8)
    assert (calibration["segment_steps"], calibration["block_steps"]) == (8, 8.0)
    per_week = {name: value for name, value in calibration.items() if name.endswith("_per_week")}
    if interval is None:
        assert not per_week
    else:
        assert per_week["events_per_week"] == pytest.approx(10080 * 5 / 800)
        assert per_week["fewest_events_per_week"] == pytest.approx(10080 / 800)
    told = said["request"]["$defs"]["alarms"]["description"]
    assert alarm_text(1 / 800, interval) in told


@pytest.mark.parametrize("blocks", range(1, 300, 7))
def test_the_own_quantile_is_described_at_the_limit_too(blocks: int) -> None:
    """Rounding puts it neither above the limit nor beside it."""
    card = KINDS["numbers"]
    evidence = Blocks.without_order(np.linspace(0, 2, blocks), blocks, 8)
    rate = 1 / (8 * (blocks + 1))
    for found in (Calibration.fit(evidence, 0.9999), Calibration.fit(evidence, 0.5, rate)):
        content = describe(replace(card, calibration=found), CHECKSUM, {})
        quantiles = [one["quantile"] for one in content["thresholds"]]
        assert found.quantile == found.largest_quantile == quantiles[-1]
        assert len(set(quantiles)) == len(quantiles)


@pytest.mark.parametrize("data", [None, "week.csv"])
def test_graphs_are_described_and_fit_the_schema(data: str | None) -> None:
    parity = Parity(512, 1e-6, 2e-6, 3e-6, 0.0, 0, 1e-4, recalibrated=False, data=data)
    report = RuntimeReport("onnx", {"windows.onnx": CHECKSUM}, parity, {"onnxruntime": "1"})
    content = describe(replace(KINDS["numbers"], runtime=report), CHECKSUM, {})
    TypeAdapter(CardSaid).validate_python(content)
    assert content["graphs"]["parity"]["score"] == 3e-6 and not nulls(content["graphs"])
    assert ("data" in content["graphs"]["parity"]) == (data is not None)
    assert "graphs" not in describe(KINDS["numbers"], CHECKSUM, {})
