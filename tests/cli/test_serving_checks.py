"""Checks of what TorchServe needs."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.cli.checks import Check
from rvae.cli.serving_checks import check_ports, check_serving


def checks(port: int) -> dict[str, Check]:
    found = (*check_serving(), *check_ports("127.0.0.1", port))
    return {check.name: check for check in found}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_java_runs_and_sockets_fit(taken: int) -> None:
    found = checks(taken)
    assert found["Java"].state == "ok" and found["Java"].found.startswith("21.")
    assert found["sockets"].state == "ok"


def test_the_process_that_has_a_port_is_named(taken: int) -> None:
    check = checks(taken)[f"port {taken}"]
    assert check.state == "problem" and "--port" in check.advice
    assert f"cannot listen on 127.0.0.1:{taken}" in check.found
    assert check.found.endswith(f"(process {os.getpid()})")


def test_two_ports_are_needed(taken: int) -> None:
    names = [name for name in checks(taken) if name.startswith("port")]
    assert names == [f"port {taken}", f"port {taken + 1}"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "does not run"),
        ("exit 1", "does not run"),
        ("echo '    java.specification.version = 1.8' >&2", "is 1.8, TorchServe needs 17"),
        ("echo '    java.specification.version = 11' >&2", "is 11, TorchServe needs 17"),
    ],
)
def test_another_java_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int, script: str, said: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = tmp_path / "bin" / "java"
    if script:
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
    check = checks(taken)["Java"]
    assert check.state == "problem" and check.found.startswith(f"{java} {said}")


def test_a_long_path_of_the_temporary_folder_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    for length, state in ((71, "ok"), (72, "problem")):
        monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * (length - 1))
        assert checks(taken)["sockets"].state == state
