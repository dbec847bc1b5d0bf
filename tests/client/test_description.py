import numpy as np
import orjson
import pytest

from rvae.client.description import Description
from rvae.client.errors import AnswerError
from rvae.client.transport import Answer
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.serving.service import Limits, Service
from tests.client.conftest import Served
from tests.support.untrained import KINDS, untrained_engine


def test_it_knows_what_the_card_does(kind: Served) -> None:
    card, known = kind.card, kind.client.description
    for name in ("channels", "vocabulary", "window", "stride", "reader", "conditional"):
        assert getattr(known, name) == getattr(card, name), name
    assert known.timed == bool(card.model.time.calendar)
    assert (known.latent, known.width) == (card.model.latent, card.scaler.outputs)
    assert known.threshold == card.calibration.threshold()
    assert (known.values, known.path) == (4000, "/predictions/any/1.0")
    low, high = card.scaler.bounds
    assert ((low <= known.filling) & (known.filling <= high)).all()


def test_a_model_may_be_served_by_another_name() -> None:
    service = Service(untrained_engine(KINDS["numbers"]), "waves", "2.0", Limits())
    known = Description.read(Answer(200, {}, service.describe_publicly().body), "other")
    assert known.path == "/predictions/other/2.0"


def test_values_that_the_model_does_not_take_are_told_as_it_tells_them(kind: Served) -> None:
    known, card = kind.client.description, kind.card
    if not known.bounds:
        return  # of categories alone
    values = np.tile(known.filling, (card.window + 3, 1))
    channel = next(i for i, name in enumerate(known.channels) if name in known.bounds)
    values[card.window + 1, channel] = np.inf
    series = Series(values, "a")
    with pytest.raises(FieldError) as theirs:
        card.require_in_bounds(series)
    with pytest.raises(FieldError) as ours:
        known.require_fits(series)
    assert str(ours.value) == str(theirs.value)
    with pytest.raises(FieldError, match="expected"):
        known.require_fits(Series(np.zeros((9, 7))))


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", orjson.dumps({"card": {}, "limits": {}})])
def test_what_is_no_description_is_refused(body: bytes) -> None:
    with pytest.raises(AnswerError, match="does not describe a model"):
        Description.read(Answer(200, {}, body), "waves")
