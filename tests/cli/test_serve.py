"""Errors of the command `rvae serve`; what it serves is tested with TorchServe itself."""

import re
from pathlib import Path

import psutil
import pytest

from tests.support.archives import key_pair
from tests.support.command_line import rvae
from tests.support.served_process import ServedProcess


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--memory", "300MB"],
            "memory: 300 MB are too few for 2 workers, with which a server takes",
        ),
        (["--memory", "2GB", "--workers", "9"], "fewer --workers or a larger limit"),
        (["--memory", "plenty"], "memory: must be a size such as 2GB"),
        (["--workers", "0"], "workers: must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(
    store: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    done = rvae("serve", "--store", str(store), *options, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr
    assert list(tmp_path.iterdir()) == []


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


def test_what_nobody_signed_is_refused_where_keys_are_given(store: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, "release")
    done = rvae("serve", "--store", str(store), "--trusted", str(public), cwd=tmp_path)
    assert done.returncode == 1
    assert "waves-1.10.mar: it is not signed, and has to be by one of" in done.stderr


def test_java_gets_the_memory_that_was_planned(store: Path, short_folder: Path) -> None:
    with ServedProcess(store, short_folder, ("--memory", "3GB")) as served:
        (java,) = served.javas()
        options = psutil.Process(java).cmdline()
        said = re.search(r"of 3000 MB at the most: .*heap (\d+), direct (\d+)", served.text())
    assert said is not None
    for option, size in zip(("-Xmx", "-XX:MaxDirectMemorySize="), said.groups(), strict=True):
        (value,) = (one.removeprefix(option) for one in options if one.startswith(option))
        assert abs((int(value.removesuffix("k")) << 10) / 1e6 - int(size)) < 1
