"""A candidate and the version that it is to replace, asked the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.serving.golden import Golden
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import Candidate
from rvae.serving.versions.management import Management
from rvae.serving.versions.trial import Trial
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


def scores(tail: float) -> dict[str, Any]:
    return {"score": [1.0], "tail_probability": [tail], "is_anomaly": [False]}


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    versions = {version: FakeVersion("") for version in ("1.0", "2.0")}
    with fake_management(short_folder / "f", versions=versions, default="1.0") as running:
        yield running


@pytest.fixture
def trial(fake: FakeManagement, tmp_path: Path, engine: Engine) -> Trial:
    archive = fake_archive(tmp_path, "2.0")
    found = Candidate(archive, engine.card, Golden({}, {}, 0.01), "")
    return Trial(Management(fake.socket), found, "1.0", Bounds(latency=100))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six times two windows of the longer model."""
    path = tmp_path / "data.npy"
    np.save(path, np.sin(np.arange(6 * 2 * 64) / 5)[:, None])
    return path


def test_a_file_of_data_is_asked_in_stretches_for_the_longer_window(
    fake: FakeManagement, trial: Trial, data: Path
) -> None:
    bodies: list[bytes] = []

    def answer(body: bytes) -> tuple[int, Any]:
        bodies.append(body)
        return 200, scores(0.5)

    fake.versions["2.0"].answers = answer
    fake.versions["1.0"].answers = lambda body: (200, scores(0.5))
    said = trial.replay(data, 4)
    assert said.startswith("4 requests, 4 windows, shift 0.00")
    assert {body.count(b",") + 1 for body in bodies} == {2 * 64 + 1}  # and the output


def test_recorded_traffic_is_asked_as_it_was_sent(
    fake: FakeManagement, trial: Trial, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.jsonl"
    line = '{"path": "/predictions/waves/1.0", "headers": {}, "body": "e30="}\n'
    path.write_text(line * 9)
    bodies: list[bytes] = []

    def answer(body: bytes) -> tuple[int, Any]:
        bodies.append(body)
        return 200, scores(0.5)

    fake.versions["2.0"].answers = answer
    fake.versions["1.0"].answers = lambda body: (200, scores(0.5))
    assert trial.replay(path, 5).startswith("5 requests")
    assert bodies == [b"{}"] * 6  # the first one once before


def test_versions_that_are_too_far_apart_fail(
    fake: FakeManagement, trial: Trial, data: Path
) -> None:
    fake.versions["1.0"].answers = lambda body: (200, scores(0.9))
    fake.versions["2.0"].answers = lambda body: (200, scores(0.1))
    with pytest.raises(
        FieldError, match=r"replay: the scores shift by 1\.00, at most 0\.2 \(6 req"
    ):
        trial.replay(data, 200)
