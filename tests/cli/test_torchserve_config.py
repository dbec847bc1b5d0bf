"""The command `rvae torchserve-config`; that TorchServe serves it is tested among the faults."""

import json
import shlex
from pathlib import Path

import pytest

from rvae.cli.torchserve_config import torchserve_config
from rvae.errors import FieldError
from rvae.serving.torchserve.properties import read_properties
from rvae.serving.torchserve.state_file import read_state


def test_the_newest_is_the_default_and_a_bad_archive_is_left_out(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "my store"
    own.mkdir()
    for path in store.glob("*.mar"):
        (own / path.name).symlink_to(path)
    (own / "bad.mar").write_bytes(b"PK")
    torchserve_config(own, tmp_path / "logs")
    said = capsys.readouterr()
    assert "left out" in said.err and "bad.mar is not a model archive" in said.err
    assert said.out.startswith("waves 1.10 (default): workers 1\nwaves 1.0: workers 1\n")
    place, program, *options = shlex.split(said.out.splitlines()[-1])
    assert (place, program) == (f"LOG_LOCATION={tmp_path / 'logs'}", "torchserve")
    assert str(own) in options and Path(options[-1]).name == "log4j2.xml"
    (file,) = (tmp_path / "logs" / "config").glob("*.cfg")
    served = json.loads(read_properties(file.read_text())["model_snapshot"])["models"]["waves"]
    assert {version: one["defaultVersion"] for version, one in served.items()} == {
        "1.10": True,
        "1.0": False,
    }
    torchserve_config(own, tmp_path / "logs", workers=3)
    state, _ = read_state(tmp_path / "logs" / "config", own)
    assert {one.min_workers for one in state.registrations} == {3}


def test_what_cannot_be_written_is_an_error(store: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(FieldError) as caught:
        torchserve_config(store, tmp_path / "logs")
    assert caught.value.field == "logs"
