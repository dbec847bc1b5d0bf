"""Checks of a model store."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rvae.cli.checks import Check
from rvae.cli.store_checks import check_server, check_store
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.serving.torchserve.registrations import Registration


def checks(store: Path) -> dict[str, Check]:
    return {check.name: check for check in check_store(store)}


def test_every_archive_predicts(store: Path) -> None:
    found = checks(store)
    for version in ("1.0", "1.10"):
        check = found[f"archive waves-{version}.mar"]
        assert check.state == "ok" and check.found.startswith(f"waves {version} predicts, in ")
    assert found["model store"] == Check("model store", "ok", f"2 archives in {store}")


def test_a_store_without_archives_is_noted(tmp_path: Path) -> None:
    assert checks(tmp_path)["model store"].found == f"no archive in {tmp_path}"
    missing = tmp_path / "none"
    (check,) = check_store(missing)
    assert (check.state, check.found) == ("note", f"no folder {missing}")


def test_an_archive_that_is_damaged_or_double_is_a_problem(store: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(store / "waves-1.0.mar", tmp_path / f"{name}.mar")
    found = checks(tmp_path)
    assert found["archive one.mar"].state == "ok"
    assert found["model store"].found == "two.mar and one.mar both hold waves 1.0"
    (tmp_path / "two.mar").write_bytes((store / "waves-1.0.mar").read_bytes()[:-2000])
    found = checks(tmp_path)
    assert found["archive two.mar"].state == found["model store"].state == "problem"
    assert found["archive two.mar"].found.startswith(
        f"{tmp_path / 'two.mar'} is not a model archive"
    )


def test_a_model_that_fails_is_a_problem(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(Engine, "analyse", fail)
    assert "does not answer" in checks(store)["archive waves-1.0.mar"].found


@pytest.mark.parametrize("reason", [None, "waves 1.0 does not load"])
def test_a_server_is_waited_for(
    store: Path, monkeypatch: pytest.MonkeyPatch, reason: str | None
) -> None:
    """That a ready server has answered every example is the promise of `wait_until_ready`."""
    started: list[str] = []

    class Server:
        def __init__(self, store: Path, served: Sequence[Registration], logs: Path) -> None:
            started.extend(f"{one.version} {one.min_workers} {logs.is_dir()}" for one in served)

        def __enter__(self) -> "Server":
            return self

        def __exit__(self, *exception: object) -> None:
            started.append("stopped")

        def wait_until_ready(self, seconds: float) -> None:
            if reason:
                raise FieldError("server", reason)

    monkeypatch.setattr("rvae.serving.torchserve.TorchServe", Server)
    check = check_server(store)
    assert started == ["1.10 1 True", "1.0 1 True", "stopped"]
    if reason:
        assert (check.state, check.found) == ("problem", reason)
    else:
        assert check.state == "ok"
