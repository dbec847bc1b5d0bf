"""What a server begins with: store, state and memory together."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.integrity import Integrity
from rvae.serving.service import Limits
from rvae.serving.torchserve import start as starting
from rvae.serving.torchserve.capacity.footprint import Footprint
from rvae.serving.torchserve.capacity.plan import plan
from rvae.serving.torchserve.start import Start, prepare
from tests.support.toy_archive import toy_archive

MODEL = Footprint("onnx", 1_000_000, 100_000, 32, Limits())


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two versions, that count as intact models of the usual size."""

    def planned(archives: list[Path], workers: list[int | None], memory: str | None):  # type: ignore[no-untyped-def]
        size = int(float(memory or 64) * 1e9)
        return plan([MODEL] * len(archives), size, 20_000, 1, 2, workers)

    monkeypatch.setattr(starting, "plan_server", planned)
    monkeypatch.setattr(starting, "footprint", lambda path: MODEL)
    monkeypatch.setattr(starting, "require_intact", lambda path, keys: Integrity(True, False))
    for version in ("1.0", "2.0"):
        toy_archive(tmp_path / "store", version)
    return tmp_path / "store"


def begin(store: Path, workers: int | None = None, memory: str | None = None) -> Start:
    return prepare(store, store.parent / "state", workers, memory)


def served(start: Start) -> dict[str, tuple[int, bool]]:
    return {one.version: (one.min_workers, one.default) for one in start.state.registrations}


def test_the_first_start_serves_all_with_as_many_workers_as_fit(toys: Path) -> None:
    start = begin(toys)
    assert served(start) == {"2.0": (1, True), "1.0": (1, False)}
    assert not start.new and not start.notes and list(start.plan.workers) == [1, 1]
    assert not (toys.parent / "state").exists()  # nothing has been served yet


def test_the_next_start_serves_the_same(toys: Path) -> None:
    first = begin(toys, workers=2)
    new, old = first.state.registrations
    first.state.update([replace(new, default=False), replace(old, default=True).scaled(3)])
    toy_archive(toys, "3.0")
    (toys / "bad.mar").touch()
    second = begin(toys, workers=2)
    assert served(second) == {"3.0": (2, False), "2.0": (2, False), "1.0": (3, True)}
    assert sum(second.plan.workers) == 7  # what is served is what is planned for
    assert [str(one) for one in second.new] == ["toy 3.0"]
    (note,) = second.notes
    assert note.startswith("left out: ") and "bad.mar is not a model archive" in note
    assert served(begin(toys, workers=4))["1.0"] == (4, True)


def test_a_restart_with_less_memory_serves_what_fits(toys: Path) -> None:
    first = begin(toys, workers=2)
    first.state.save()
    fewer = begin(toys, memory="2")
    assert served(fewer) == {"2.0": (1, True), "1.0": (1, False)}
    assert len(fewer.notes) == 2 and "gets 1 of 2 workers" in fewer.notes[0]
    toy_archive(toys, "3.0")
    least = begin(toys, memory="1.2")
    assert served(least) == {"2.0": (1, True)}
    assert [note for note in least.notes if "no memory for toy" in note] == [
        "left out: there is no memory for toy 3.0",
        "left out: there is no memory for toy 1.0",
    ]
    least.state.save()
    again = begin(toys)
    assert served(again) == {"3.0": (1, False), "2.0": (1, True), "1.0": (2, False)}


def test_a_first_start_or_a_number_that_is_asked_for_has_to_fit(toys: Path) -> None:
    with pytest.raises(FieldError, match="memory"):
        begin(toys, memory="1")
    begin(toys, workers=1).state.save()
    with pytest.raises(FieldError, match="fewer --workers"):
        begin(toys, workers=9, memory="2")


def test_archives_that_were_changed_are_left_out_and_those_without_sums_named(
    store: Path, tmp_path: Path
) -> None:
    for path in store.glob("*.mar"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    changed = bytearray((store / "waves-1.10.mar").read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "waves-1.10.mar").write_bytes(changed)
    start = prepare(tmp_path, tmp_path / "state", None, None)
    assert list(served(start)) == ["1.0"]
    (note,) = start.notes
    assert note.startswith("left out: waves-1.10.mar: ")
    (tmp_path / "waves-1.10.mar").unlink()
    with (
        zipfile.ZipFile(store / "waves-1.10.mar") as signed,
        zipfile.ZipFile(tmp_path / "old.mar", "w") as old,
    ):
        for name in signed.namelist():
            if name != "MAR-INF/SHA256SUMS":
                old.writestr(name, signed.read(name))
    start = prepare(tmp_path, tmp_path / "state", None, None)
    assert list(served(start)) == ["1.10", "1.0"]
    assert start.notes[0].startswith("old.mar ")
