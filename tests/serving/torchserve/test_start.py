"""What a server begins with: store, state and memory together."""

from dataclasses import replace
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.service import Limits
from rvae.serving.torchserve import start as starting
from rvae.serving.torchserve.capacity.footprint import Footprint
from rvae.serving.torchserve.capacity.plan import plan
from rvae.serving.torchserve.start import Start, prepare
from tests.support.toy_archive import toy_archive

MODEL = Footprint("onnx", 1_000_000, 100_000, 32, Limits())


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two versions, that count as models of the usual size."""

    def planned(archives: list[Path], workers: list[int | None], memory: str | None):  # type: ignore[no-untyped-def]
        size = int(float(memory or 64) * 1e9)
        return plan([MODEL] * len(archives), size, 20_000, 1, 2, workers)

    monkeypatch.setattr(starting, "plan_server", planned)
    monkeypatch.setattr(starting, "footprint", lambda path: MODEL)
    for version in ("1.0", "2.0"):
        toy_archive(tmp_path / "store", version)
    return tmp_path / "store"


def begin(store: Path, workers: int | None = None, memory: str | None = None) -> Start:
    return prepare(store, store.parent / "state", workers, memory)


def served(start: Start) -> dict[str, tuple[int, bool]]:
    return {one.version: (one.min_workers, one.default) for one in start.state.registrations}


def test_the_first_start_serves_all_with_as_many_workers_as_fit(store: Path) -> None:
    start = begin(store)
    assert served(start) == {"2.0": (1, True), "1.0": (1, False)}
    assert not start.new and not start.notes and list(start.plan.workers) == [1, 1]
    assert not (store.parent / "state").exists()  # nothing has been served yet


def test_the_next_start_serves_the_same(store: Path) -> None:
    first = begin(store, workers=2)
    new, old = first.state.registrations
    first.state.update([replace(new, default=False), replace(old, default=True).scaled(3)])
    toy_archive(store, "3.0")
    (store / "bad.mar").touch()
    second = begin(store, workers=2)
    assert served(second) == {"3.0": (2, False), "2.0": (2, False), "1.0": (3, True)}
    assert sum(second.plan.workers) == 7  # what is served is what is planned for
    assert [str(one) for one in second.new] == ["toy 3.0"]
    (note,) = second.notes
    assert note.startswith("left out: ") and "bad.mar is not a model archive" in note
    assert served(begin(store, workers=4))["1.0"] == (4, True)


def test_a_restart_with_less_memory_serves_what_fits(store: Path) -> None:
    first = begin(store, workers=2)
    first.state.save()
    fewer = begin(store, memory="2")
    assert served(fewer) == {"2.0": (1, True), "1.0": (1, False)}
    assert len(fewer.notes) == 2 and "gets 1 of 2 workers" in fewer.notes[0]
    toy_archive(store, "3.0")
    least = begin(store, memory="1.2")
    assert served(least) == {"2.0": (1, True)}
    assert [note for note in least.notes if "no memory for toy" in note] == [
        "left out: there is no memory for toy 3.0",
        "left out: there is no memory for toy 1.0",
    ]
    least.state.save()
    again = begin(store)
    assert served(again) == {"3.0": (1, False), "2.0": (1, True), "1.0": (2, False)}


def test_a_first_start_or_a_number_that_is_asked_for_has_to_fit(store: Path) -> None:
    with pytest.raises(FieldError, match="memory"):
        begin(store, memory="1")
    begin(store, workers=1).state.save()
    with pytest.raises(FieldError, match="fewer --workers"):
        begin(store, workers=9, memory="2")
