"""Every class that is changed, byte by byte; that Java accepts them is shown by any server."""

import zipfile
from pathlib import Path

import pytest
import ts

from rvae.errors import FieldError
from rvae.serving.torchserve.changed_class import ChangedClass
from rvae.serving.torchserve.classes import CHANGED

JAR = Path(ts.__file__).parent / "frontend" / "model-server.jar"

every_class = pytest.mark.parametrize("changed", CHANGED, ids=lambda one: one.file)


@every_class
def test_instructions_are_changed_and_nothing_is_moved(changed: ChangedClass) -> None:
    with zipfile.ZipFile(JAR) as packed:
        before = packed.read(changed.file)
    after = changed.of(JAR)
    assert len(after) == len(before)
    different = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    places: list[int] = []
    for old, new in changed.changes:
        assert before.count(bytes.fromhex(old)) == 1
        assert len(bytes.fromhex(old)) == len(bytes.fromhex(new))
        start = before.index(bytes.fromhex(old))
        places += range(start, start + len(bytes.fromhex(old)))
    assert different and set(different) <= set(places)


@every_class
def test_another_version_of_the_class_is_refused(changed: ChangedClass, tmp_path: Path) -> None:
    other = tmp_path / "model-server.jar"
    with zipfile.ZipFile(JAR) as packed, zipfile.ZipFile(other, "w") as copy:
        copy.writestr(changed.file, packed.read(changed.file) + b"\0")
    with pytest.raises(FieldError, match=r"torchserve: .* is not of TorchServe 0\.12\.0"):
        changed.of(other)


@every_class
def test_a_jar_holds_the_changed_class_or_does_not(changed: ChangedClass, tmp_path: Path) -> None:
    assert not changed.is_in(JAR)
    assert not changed.is_in(tmp_path / "none.jar")
    made = tmp_path / "made.jar"
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr(changed.file, changed.of(JAR))
    assert changed.is_in(made)
