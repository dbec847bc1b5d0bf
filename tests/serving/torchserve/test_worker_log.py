"""What the log of the workers tells about those that end."""

from pathlib import Path

import pytest

from rvae.serving.torchserve.worker_log import WorkerLog

NEW, OLD = "W-9001-waves_2.0-stdout", "W-9000-waves_1.0-stdout"
DEATH = "Backend worker process died."
STAMP = "2026-01-31T12:00:00,000 INFO  "
ERROR = "rvae.errors.FieldError: weights: are not finite"


def written(folder: Path, *lines: str) -> None:
    with (folder / "model.log").open("a") as log:
        log.writelines(f"{STAMP}{line}\n" for line in lines)


def test_a_log_without_deaths_tells_nothing(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path)
    assert log.failure() is None
    written(tmp_path, f"{NEW} - {ERROR}")
    assert log.failure() is None


def test_the_error_of_a_death_is_told_once_it_is_written(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path)
    written(tmp_path, f"{NEW} - {DEATH}")
    assert log.failure() is None
    written(tmp_path, f"{NEW} - {ERROR}")
    assert log.failure() == ERROR


def test_deaths_without_an_error_name_the_log(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path)
    written(tmp_path, *[f"{NEW} - {DEATH}"] * 2)
    assert log.failure() == f"see {tmp_path / 'model.log'}"


@pytest.mark.parametrize(("model", "told"), [("waves_2.0", ERROR), ("waves_1.0", None)])
def test_other_models_have_their_own_deaths(tmp_path: Path, model: str, told: str | None) -> None:
    log = WorkerLog(tmp_path)
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - {ERROR}", f"{OLD} - Torch worker started.")
    assert log.failure(model) == told


def test_what_was_written_before_belongs_to_others(tmp_path: Path) -> None:
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - {ERROR}")
    assert WorkerLog(tmp_path).failure() is None


def test_a_log_is_read_from_a_position_on(tmp_path: Path) -> None:
    assert WorkerLog(tmp_path).begin == 0
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - {ERROR}")
    begin = WorkerLog(tmp_path).begin
    assert begin == (tmp_path / "model.log").stat().st_size
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - MemoryError")
    found = [WorkerLog(tmp_path, one).failure() for one in (0, begin, None)]
    assert found == ["MemoryError", "MemoryError", None]
    written(tmp_path, f"{NEW} - {ERROR}")
    assert WorkerLog(tmp_path, begin).failure() == ERROR


@pytest.mark.parametrize("wrapped", ["500 - Unknown exception", "507 - System out of memory"])
def test_what_torchserve_makes_of_an_error_does_not_hide_it(tmp_path: Path, wrapped: str) -> None:
    log = WorkerLog(tmp_path)
    error = "RuntimeError: size mismatch"
    last = f"RuntimeError: {wrapped}"
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - {last}")
    assert log.failure() == last
    written(tmp_path, f"{NEW} - {error}", f"{NEW} - {DEATH}", f"{NEW} - {last}")
    assert log.failure() == error


def test_a_log_that_was_moved_away_is_read_from_its_beginning(tmp_path: Path) -> None:
    written(tmp_path, *[f"{OLD} - Torch worker started."] * 50)
    log = WorkerLog(tmp_path)
    (tmp_path / "model.log").unlink()
    written(tmp_path, f"{NEW} - {DEATH}", f"{NEW} - {ERROR}")
    assert log.failure() == ERROR
