"""Files of a server's folder, and which of them may go."""

import shutil
from pathlib import Path

import pytest

from rvae.serving.torchserve.supervision.contents import Contents


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
    for name in ("home/ts/worker.py", "inference.sock", "home/version.txt", "models/b/weights"):
        known = contents(scratch)
        assert known.missing(both) is None
        content = (scratch / name).is_symlink()
        (scratch / name).unlink()
        assert known.missing(both) == scratch / name
        (scratch / name).symlink_to("elsewhere") if content else (scratch / name).touch()
        assert known.missing(both) is None


def test_a_model_that_no_worker_uses_any_more_may_go(scratch: Path) -> None:
    known = contents(scratch)
    a, b = scratch / "models" / "a", scratch / "models" / "b"
    assert known.missing([a, b]) is None
    shutil.rmtree(b)
    assert known.missing([a]) is None
    assert known.missing([a, b]) is None  # its folder is another one then
    shutil.rmtree(a)
    assert known.missing([a, b]) == a / "weights"


def test_what_python_compiles_may_go(scratch: Path) -> None:
    cache = scratch / "models" / "a" / "__pycache__"
    cache.mkdir()
    (cache / "handler.pyc").touch()
    known = contents(scratch)
    assert known.missing([scratch / "models" / "a"]) is None
    shutil.rmtree(cache)
    assert known.missing([scratch / "models" / "a"]) is None
