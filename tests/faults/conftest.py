"""A server that may be hurt, as a user starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_models import build_store
from tests.support.served_process import ServedProcess


@pytest.fixture(scope="session")
def busy_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with one model, whose largest requests take most of a second."""
    return build_store(tmp_path_factory.mktemp("busy"))


@pytest.fixture
def served(busy_store: Path, tmp_path: Path) -> Iterator[ServedProcess]:
    """A server of one test."""
    with ServedProcess(busy_store, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def lasting(busy_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    """A server of several tests, none of which may harm it."""
    with ServedProcess(busy_store, tmp_path_factory.mktemp("lasting")) as running:
        yield running
