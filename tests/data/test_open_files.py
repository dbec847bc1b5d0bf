import resource

import pytest

from rvae.data.open_files import OTHER_FILES, allow_open_files
from rvae.errors import FieldError

Limits = tuple[int, int]


@pytest.fixture
def set_limits(monkeypatch: pytest.MonkeyPatch) -> list[Limits]:
    """Limits that were set: the real ones of this process stay as they are."""
    found: list[Limits] = []
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: found.append(limits))
    return found


def of_machine(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))


@pytest.mark.parametrize("hard", [1000 + OTHER_FILES, resource.RLIM_INFINITY])
def test_the_limit_is_raised_as_far_as_it_must_be(
    monkeypatch: pytest.MonkeyPatch, set_limits: list[Limits], hard: int
) -> None:
    of_machine(monkeypatch, 1000, hard)
    allow_open_files(1000)
    assert set_limits == [(1000 + OTHER_FILES, hard)]


@pytest.mark.parametrize("soft", [10 + OTHER_FILES, resource.RLIM_INFINITY])
def test_a_limit_that_is_high_enough_stays(
    monkeypatch: pytest.MonkeyPatch, set_limits: list[Limits], soft: int
) -> None:
    of_machine(monkeypatch, soft, resource.RLIM_INFINITY)
    allow_open_files(10)
    assert set_limits == []


def test_more_files_than_the_machine_allows_are_refused(
    monkeypatch: pytest.MonkeyPatch, set_limits: list[Limits]
) -> None:
    of_machine(monkeypatch, 1000, 1000 + OTHER_FILES)
    with pytest.raises(FieldError, match="1001 files") as caught:
        allow_open_files(1001)
    assert caught.value.field == "data"
    assert set_limits == []
