"""What a server has registered, and what another one begins with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from rvae.serving.gateway.routes import Served
from rvae.serving.torchserve.registrations import (
    Registration,
    absence,
    default_archives,
    read_registrations,
    restart_workers,
    served,
)
from tests.support.toy_archive import toy_archive

NUMBERS = {
    "minWorkers": 2,
    "maxWorkers": 3,
    "batchSize": 32,
    "maxBatchDelay": 1,
    "responseTimeout": 60,
    "startupTimeout": 90,
}


def described(version: str, *workers: tuple[int, str]) -> dict[str, Any]:
    """A version as TorchServe describes it."""
    return {
        "modelName": "toy",
        "modelVersion": version,
        "modelUrl": f"toy-{version}.mar",
        "workers": [{"pid": pid, "status": status} for pid, status in workers],
        **NUMBERS,
    }


class Management(requests.Session):
    """Answers as TorchServe's management does, and remembers what it was told."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__()
        self.answers = answers
        self.told: list[Any] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = requests.Response()
        assert request.url is not None
        if request.method == "PUT":
            self.told.append(request.url)
            response.status_code = 202
            return response
        path = request.url.removeprefix("http://localhost").partition("?")[0]
        response.status_code = 200 if path in self.answers else 404
        response._content = json.dumps(self.answers.get(path)).encode()
        return response


@pytest.fixture
def management() -> Management:
    models = [{"modelName": name, "modelUrl": f"{name}-2.0.mar"} for name in ("toy", "gone")]
    versions = [described("1.0", (7, "READY"), (8, "UNLOADING")), described("2.0")]
    return Management({"/models": {"models": models}, "/models/toy/all": versions})


def read(management: Management) -> tuple[Registration, ...]:
    return read_registrations(management, default_archives(management, 1.0), 1.0)


def test_what_is_registered_with_its_default_and_its_ready_workers(management: Management) -> None:
    first, second = read(management)
    assert (str(first), str(second)) == ("toy 1.0", "toy 2.0")
    assert (first.default, second.default) == (False, True)
    assert (first.ready, second.ready) == ({7}, frozenset())
    assert (first.min_workers, first.max_workers) == (2, 3)


def test_what_requests_can_be_sent_to(management: Management) -> None:
    assert served(read(management)) == {"toy": Served("2.0", frozenset({"1.0", "2.0"}))}
    assert served(()) == {}


def test_archives_that_are_gone_or_changed_are_said_in_words(
    management: Management, tmp_path: Path
) -> None:
    first, second = read(management)
    assert "No such file" in str(absence(tmp_path, first))
    toy_archive(tmp_path, "1.0")
    toy_archive(tmp_path, "3.0").rename(tmp_path / "toy-2.0.mar")
    assert absence(tmp_path, first) is None
    assert absence(tmp_path, second) == "now holds version 3.0"


def test_a_scaled_one_has_so_many_workers_and_is_else_the_same(management: Management) -> None:
    first, _ = read(management)
    scaled = first.scaled(5)
    assert (scaled.min_workers, scaled.max_workers) == (5, 5)
    assert scaled.scaled(2) == first.scaled(2)


def test_workers_are_started_anew_by_taking_them_away_and_giving_them_back(
    management: Management,
) -> None:
    first, _ = read(management)
    restart_workers(management, first, 1.0)
    assert management.told == [
        f"http://localhost/models/toy/1.0?min_worker={least}&max_worker={most}"
        for least, most in ((0, 0), (2, 3))
    ]
