"""The same requests asked of two versions."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rvae.serving.versions.management import Management
from rvae.serving.versions.replay import Answers, replay
from rvae.serving.versions.traffic import Recorded
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management

FIELDS = {"tail_probability": [0.2, None], "score": [1.5, None], "is_anomaly": [True, False]}
TENSORS = {"outputs": [{"name": name, "data": data} for name, data in FIELDS.items()]}


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    versions = {version: FakeVersion("") for version in ("1.0", "2.0")}
    with fake_management(short_folder / "f", versions=versions, default="1.0") as running:
        yield running


def asked(fake: FakeManagement, count: int = 3) -> list[Answers]:
    requests = [Recorded("predictions", {}, str(i).encode()) for i in range(count)]
    return replay(Management(fake.socket), "waves", ("1.0", "2.0"), requests)


@pytest.mark.parametrize(
    ("content", "windows"), [(FIELDS, 1), ({"predictions": [FIELDS, FIELDS]}, 2), (TENSORS, 1)]
)
def test_scores_are_read_from_every_form_of_answer(
    fake: FakeManagement, content: Any, windows: int
) -> None:
    fake.versions["2.0"].answers = lambda body: (200, content)
    old, new = asked(fake)
    assert new.tails == [0.2] * 3 * windows and new.scores == [1.5] * 3 * windows
    assert new.flags == [True, False] * 3 * windows and new.statuses == [200] * 3
    assert old.tails == [] and len(old.seconds) == 3


def test_every_version_is_asked_everything_and_each_first_in_turn(fake: FakeManagement) -> None:
    order: list[tuple[str, bytes]] = []

    def remember(version: str, body: bytes) -> tuple[int, Any]:
        order.append((version, body))
        return 200, {}

    for version, one in fake.versions.items():
        one.answers = partial(remember, version)
    asked(fake, 2)
    # The first request is asked once before.
    assert order[2:] == [("1.0", b"0"), ("2.0", b"0"), ("2.0", b"1"), ("1.0", b"1")]


def test_errors_and_what_is_no_json_are_answers_too(fake: FakeManagement) -> None:
    fake.versions["1.0"].answers = lambda body: (200, "scores")
    fake.versions["2.0"].answers = lambda body: (
        (422, {"message": f"body {body.decode()}"}) if body == b"1" else (200, FIELDS)
    )
    old, new = asked(fake)
    assert new.statuses == [200, 422, 200] and new.error == "422 body 1"
    assert old.error is None and json.dumps(old.tails) == "[]"
