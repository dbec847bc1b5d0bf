"""Errors of the command `rvae serve`; what it serves is tested with TorchServe itself."""

from pathlib import Path

import pytest

from tests.support.command_line import rvae


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "store: no such folder: model_store"),
        (["--store", "."], "store: no archive"),
    ],
)
def test_a_store_without_archives_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    done = rvae("serve", *options, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr
