"""The history in a card."""

import json
from dataclasses import replace

from rvae.inference.card import Card
from tests.support.changes import CHANGE
from tests.support.untrained import KINDS


def test_a_card_keeps_its_history() -> None:
    card = replace(KINDS["numbers"], history=(CHANGE, replace(CHANGE, data=None)))
    again = Card.from_dict(json.loads(json.dumps(card.to_dict())))
    assert again.history == card.history


def test_a_card_without_one_was_never_changed() -> None:
    content = KINDS["numbers"].to_dict()
    del content["history"]
    assert Card.from_dict(content).history == ()
