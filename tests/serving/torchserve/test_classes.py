"""What is kept between starts, and that a server starts where nothing can be kept."""

import os
import subprocess
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import Endpoint, TorchServe, fresh_state
from rvae.serving.torchserve.classes import CHANGED, Classes, cache_folder
from rvae.serving.torchserve.java import JAVA_OPTIONS, java_command, memory_options


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A Java whose jcmd writes the number of the process into the archive."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "java").touch()
    jcmd = folder / "jcmd"
    jcmd.write_text('#!/bin/sh\ntest "$1" != 13 && printf "$1 $2 $3" > "$4"\n')
    jcmd.chmod(0o755)
    return folder / "java"


def first_jar(classes: Classes) -> Path:
    return Path(classes.options()[-1].split(os.pathsep)[0])


def contents(jar: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(jar) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_changed_classes_come_first_and_are_made_once(cache: Path, tmp_path: Path) -> None:
    jar = first_jar(Classes(java_command(), JAVA_OPTIONS, tmp_path))
    assert jar.is_relative_to(cache / "rvae")
    made = jar.stat()
    assert first_jar(Classes(java_command(), JAVA_OPTIONS, tmp_path)) == jar
    assert jar.stat().st_ino == made.st_ino
    # Another Java or other options have an archive of their own.
    assert first_jar(Classes(java_command(), [], tmp_path)) != jar


@pytest.mark.parametrize(
    "content", ["damaged", "another class", "one class less", "one class more"]
)
def test_kept_classes_that_are_not_the_changed_ones_are_replaced(
    cache: Path, tmp_path: Path, content: str
) -> None:
    jar = first_jar(Classes(java_command(), JAVA_OPTIONS, tmp_path))
    right = contents(jar)
    assert list(right) == [one.file for one in CHANGED]
    if content == "damaged":
        jar.write_bytes(jar.read_bytes()[:-9])
    else:
        wrong = {
            "another class": right | {CHANGED[-1].file: b"\xca\xfe\xba\xbe"},
            "one class less": dict(list(right.items())[:-1]),
            "one class more": right | {"org/pytorch/serve/Another.class": b"\xca\xfe\xba\xbe"},
        }
        with zipfile.ZipFile(jar, "w") as packed:
            for name, one in wrong[content].items():
                packed.writestr(name, one)
    Classes(java_command(), JAVA_OPTIONS, tmp_path)
    assert contents(jar) == right


def test_where_nothing_can_be_kept_the_classes_are_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    classes = Classes(java_command(), JAVA_OPTIONS, tmp_path)
    assert first_jar(classes) == tmp_path / "changed.jar"
    assert first_jar(classes).exists()
    assert classes.archive is None
    classes.start_archiving(1)
    classes.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["changed.jar"]


def test_a_folder_of_another_user_is_not_trusted(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Classes(java_command(), JAVA_OPTIONS, tmp_path)
    assert [path.stat().st_mode & 0o777 for path in cache_folder().iterdir()] == [0o700]
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert Classes(java_command(), JAVA_OPTIONS, tmp_path).archive is None


def test_an_archive_is_written_once_and_leaves_nothing_unfinished(
    cache: Path, tmp_path: Path, java: Path
) -> None:
    classes = Classes(java, JAVA_OPTIONS, tmp_path)
    for pid in (13, 42, 43):  # 13 writes none
        classes.start_archiving(pid)
        classes.wait()
    assert classes.archive is not None
    assert classes.archive.read_text() == "42 VM.cds static_dump"
    assert sorted(path.name for path in classes.archive.parent.iterdir()) == [
        "changed.jar",
        "classes.jsa",
    ]


def test_a_torchserve_that_is_not_known_is_refused_and_leaves_nothing(
    store: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, other, *rest = CHANGED
    table = (known, replace(other, sha256="0" * 64), *rest)
    monkeypatch.setattr("rvae.serving.torchserve.classes.CHANGED", table)
    folders = tmp_path / "folders"
    folders.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folders))
    with pytest.raises(FieldError, match="torchserve"):
        TorchServe(store, fresh_state(list_archives(store), 1).registrations, tmp_path / "logs")
    assert not any(folders.glob("rvae-serve-*"))


@pytest.mark.parametrize("heap", [None, 100 << 20, 3 << 30])
def test_java_accepts_the_archive_of_a_server_with_any_heap(
    server: Endpoint, heap: int | None
) -> None:
    server.torchserve.prepare_next_start()
    classes = server.torchserve._classes
    classes.wait()
    assert classes.archive is not None and classes.archive.exists()
    options = [*JAVA_OPTIONS, *(memory_options(heap, heap) if heap else ())]
    done = subprocess.run(
        [java_command(), *options, "-Xshare:on", *classes.options(), "org.pytorch.serve.x"],
        capture_output=True,
        text=True,
    )
    # With this option a Java that cannot use the archive says so, and ends before it looks for a
    # class. This one is not there.
    assert "ClassNotFoundException: org.pytorch.serve.x" in done.stderr
