"""Checks of a machine."""

import importlib.metadata
import tempfile
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch

from rvae.cli.checks import Check, check_machine


def checks() -> dict[str, Check]:
    return {check.name: check for check in check_machine()}


def test_the_machine_that_tests_run_on_is_fit() -> None:
    found = checks()
    assert {name for name, check in found.items() if check.state == "problem"} == set()
    assert found["packages"].found.endswith(" as declared")
    assert found["temporary folder"].found.startswith(tempfile.gettempdir())


def test_packages_that_are_missing_or_of_another_version_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = importlib.metadata.version

    def changed(name: str) -> str:
        if name == "rich":
            raise importlib.metadata.PackageNotFoundError
        return {"torchserve": "0.11.0", "zuko": "1.0"}.get(name) or version(name)

    monkeypatch.setattr(importlib.metadata, "version", changed)
    found = checks()
    for name, state, text, advice in (
        ("packages", "problem", "zuko is 1.0, but >=1.4 is needed", "pip install 'rvae'"),
        ("packages to train", "note", "rich is missing", "pip install 'rvae[train]'"),
        (
            "packages to package and serve",
            "problem",
            "torchserve is 0.11.0, but ==0.12.0 is needed",
            "pip install 'rvae[serve]'",
        ),
    ):
        assert found[name] == Check(name, state, text, advice)  # type: ignore[arg-type]


def test_another_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.10.1")
    assert checks()["Python"].found == "3.10.1, but >=3.11 is needed"


def test_files_without_a_package_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "distribution", none)
    assert checks()["packages"].state == "note"


def test_little_room_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=5e8))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2e8))
    found = checks()
    assert found["temporary folder"].state == found["memory"].state == "problem"
    assert found["temporary folder"].found.endswith(", 0.5 GB free")
    assert found["memory"].found == "0.2 GB free"


def test_a_temporary_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert checks()["temporary folder"].found == "cannot be written: Permission denied"


def test_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: f"GPU {i}")
    assert checks()["GPU"] == Check("GPU", "ok", "GPU 0, GPU 1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert checks()["GPU"].state == "note"
