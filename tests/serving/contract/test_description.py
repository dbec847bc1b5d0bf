from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from rvae.inference.card import Card
from rvae.serving.contract.description import describe
from rvae.serving.contract.schema.description_schema import CardSaid
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
    kinds = [channel["kind"] for channel in content["channels"]]
    assert kinds == ["category" if n else "number" for n in card.scaler.categories]


def test_thresholds_rise_with_quantiles_that_the_calibration_can_tell() -> None:
    card = KINDS["numbers"]
    content = describe(card, CHECKSUM, {})
    quantiles = [one["quantile"] for one in content["thresholds"]]
    thresholds = [one["threshold"] for one in content["thresholds"]]
    assert quantiles == sorted(set(quantiles)) and thresholds == sorted(thresholds)
    assert max(quantiles) <= card.calibration.largest_quantile
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
