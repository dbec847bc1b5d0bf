import pytest

from rvae.inference.card import Card
from rvae.serving.example import example_body
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to
from tests.support.untrained import KINDS, untrained_engine


@pytest.mark.parametrize("card", KINDS.values(), ids=KINDS)
def test_the_example_of_every_kind_of_model_is_answered(card: Card) -> None:
    engine = untrained_engine(card)
    body = example_body(engine)
    assert ("label" in body) == card.model.conditional
    assert ("timestamps" in body) == bool(card.model.time.calendar)
    assert len(body["data"]) == card.window
    status, answer = answer_to(Service(engine, "any", "1.0", Limits()), body)
    assert status == 200 and answer["window"]["starts"] == [0]
