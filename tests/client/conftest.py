"""Servers for clients: one without faults, and one whose answers a test spoils."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from rvae.client.bulk import Bulk
from rvae.client.client import Client
from rvae.config import ReaderConfig
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.support.faulty_server import FaultyServer, faulty_server
from tests.support.untrained import KINDS, untrained_engine

# So few values that a series of a few hundred steps takes several requests.
SMALL = Limits(values=8000)


@pytest.fixture(scope="session")
def bumpy() -> np.ndarray:
    """A series (N,) with short anomalies, a long one, and a hole that takes whole requests."""
    random = np.random.default_rng(0)
    values = 20 + 3 * np.sin(np.arange(1503) * 2 * np.pi / 32) + random.normal(0, 0.1, 1503)
    for first, end in ((100, 106), (300, 306), (310, 316), (500, 1000)):
        values[first:end] = 40 - values[first:end]
    values[1100:1300] = np.nan
    return values


@pytest.fixture(scope="session")
def spoiled(engine: Engine) -> Iterator[FaultyServer]:
    with faulty_server(Service(engine, "waves", "1.0", SMALL)) as running:
        yield running


@pytest.fixture
def faulty(spoiled: FaultyServer) -> Iterator[FaultyServer]:
    """A server of waves that takes small requests, without faults yet."""
    spoiled.faults, spoiled.asked, spoiled.bodies, spoiled.keys = [], [], [], []
    yield spoiled
    spoiled.faults = []


@pytest.fixture
def client(faulty: FaultyServer) -> Iterator[Client]:
    with Client(faulty.url, "waves", timeout=20) as made:
        yield made


@pytest.fixture
def bulk(client: Client) -> Iterator[Bulk]:
    with client.bulk() as made:
        yield made


class Served(NamedTuple):
    """A model, and the client of a server of it."""

    engine: Engine
    client: Client

    @property
    def card(self) -> Card:
        return self.engine.card


@pytest.fixture(scope="session", params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Every kind of model, on a server that takes small requests."""
    card = request.param
    reader = ReaderConfig(
        time="when" if card.model.time.calendar else None,
        classes="sort" if card.conditional else None,
    )
    engine = untrained_engine(replace(card, reader=reader))
    service = Service(engine, "any", "1.0", Limits(values=4000))
    with faulty_server(service) as running, Client(running.url, "any") as made:
        yield Served(engine, made)
