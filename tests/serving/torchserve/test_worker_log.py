"""Why a model does not load, by the log of its workers."""

from pathlib import Path

import pytest

from rvae.serving.torchserve.worker_log import UnreadyError, WorkerLog
from tests.support.registrations import registration

BAD, GOOD = registration("1.0"), registration("1.0", name="toy_1.0")


def write(path: Path, of: str, *lines: str) -> None:
    with path.open("a") as log:
        for line in lines:
            log.write(f"2026-11-21T17:38:39,286 INFO  W-9000-{of}-stdout - {line}\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.log"


def test_the_last_error_of_the_version_is_its_reason(path: Path) -> None:
    log = WorkerLog(path)
    assert log.failures([BAD]) == {}
    write(path, "toy_1.0_1.0", "Torch worker started.")
    write(path, "toy_1.0", "Backend worker process died.")
    assert log.failures([BAD, GOOD]) == {}  # the error is not written yet
    write(path, "toy_1.0", "Traceback (most recent call last):", "a.b.FieldError: weights: damaged")
    assert log.failures([BAD, GOOD]) == {BAD: "does not load: a.b.FieldError: weights: damaged"}


def test_without_an_error_the_log_is_named_after_the_second_death(path: Path) -> None:
    log = WorkerLog(path)
    write(path, "toy_1.0", *["Backend worker process died."] * 2)
    assert log.failures([BAD]) == {BAD: f"does not load: see {path}"}


def test_what_was_written_before_belongs_to_other_servers(path: Path) -> None:
    write(path, "toy_1.0", "Backend worker process died.", "ValueError: old")
    assert WorkerLog(path).failures([BAD]) == {}


def test_the_error_names_each_version_with_its_file() -> None:
    error = UnreadyError({BAD: "does not load: why", GOOD: "did not answer within 3 s"})
    assert error.message == (
        "toy 1.0 (toy-1.0.mar) does not load: why; "
        "toy_1.0 1.0 (toy_1.0-1.0.mar) did not answer within 3 s"
    )
