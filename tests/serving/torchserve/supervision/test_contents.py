"""Files of a server's folder, and which of them may go."""

import shutil
from pathlib import Path

import pytest

from rvae.serving.torchserve.supervision.contents import LEAVING_SECONDS, Contents


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    for name in ("home/ts/worker.py", "models/a/weights", "models/b/weights", "inference.sock"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "home" / "version.txt").symlink_to("elsewhere")
    return tmp_path


def contents(scratch: Path) -> Contents:
    return Contents(scratch / "home", [scratch / "inference.sock"])


def test_nothing_is_missing_until_it_is(scratch: Path) -> None:
    both = [scratch / "models" / name for name in "ab"]
    for name in ("home/ts/worker.py", "inference.sock", "home/version.txt"):
        known = contents(scratch)
        assert known.missing(both, 0.0) is None
        content = (scratch / name).is_symlink()
        (scratch / name).unlink()
        assert known.missing(both, 0.0) == scratch / name
        (scratch / name).symlink_to("elsewhere") if content else (scratch / name).touch()
        assert known.missing(both, 0.0) is None


def test_a_file_of_a_model_is_missing_if_workers_use_it_on(scratch: Path) -> None:
    known = contents(scratch)
    both = [scratch / "models" / name for name in "ab"]
    assert known.missing(both, 0.0) is None
    (scratch / "models" / "b" / "weights").unlink()
    assert known.missing(both, 10.0) is None
    assert known.missing(both, 10.0 + LEAVING_SECONDS) == scratch / "models" / "b" / "weights"


def test_a_model_that_is_unregistered_takes_its_folder_along(scratch: Path) -> None:
    known = contents(scratch)
    a, b = scratch / "models" / "a", scratch / "models" / "b"
    assert known.missing([a, b], 0.0) is None
    shutil.rmtree(b)
    assert known.missing([a, b], 1.0) is None  # its workers are ending
    assert known.missing([a], 1.0 + LEAVING_SECONDS) is None
    assert known.missing([a, b], 1.0 + LEAVING_SECONDS) is None  # its folder is another one then


def test_what_python_compiles_may_go(scratch: Path) -> None:
    cache = scratch / "models" / "a" / "__pycache__"
    cache.mkdir()
    (cache / "handler.pyc").touch()
    known = contents(scratch)
    assert known.missing([scratch / "models" / "a"], 0.0) is None
    shutil.rmtree(cache)
    assert known.missing([scratch / "models" / "a"], 0.0) is None
