"""Random and adversarial requests, and sound ones among them: always the same for a seed."""

import random
from collections.abc import Iterator

from rvae.inference.card import Card
from tests.support import hostile_headers, hostile_json, hostile_tables, hostile_tensors, mutations
from tests.support.valid_requests import Request, sound

__all__ = ["hostile"]

# Of a hundred requests: sound ones, mutations of sound ones. The others are made to be wrong.
SOUND, MUTATED = 25, 25

# One of so many is as large as the server lets through.
LARGE_EVERY = 250

MAKERS = (
    *hostile_json.MAKERS,
    *hostile_tensors.MAKERS,
    *hostile_tables.MAKERS,
    *hostile_headers.MAKERS,
)
LARGE = (*hostile_json.LARGE, *hostile_tensors.LARGE, *hostile_tables.LARGE)


def hostile(count: int, seed: int, card: Card) -> Iterator[Request]:
    """So many requests to a model: every kind comes about as often as any other."""
    chance = random.Random(seed)
    for number in range(count):
        if number % LARGE_EVERY == LARGE_EVERY - 1:
            yield LARGE[number // LARGE_EVERY % len(LARGE)](chance, card)
            continue
        drawn = chance.randrange(100)
        if drawn < SOUND:
            yield sound(chance, card)
        elif drawn < SOUND + MUTATED:
            yield mutations.mutated(chance, sound(chance, card))
        else:
            yield chance.choice(MAKERS)(chance, card)
