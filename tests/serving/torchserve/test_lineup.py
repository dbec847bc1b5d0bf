"""What is served of a store, given what was served before."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.model_store import list_archives, read_store
from rvae.serving.torchserve.lineup import Lineup, arrange, fresh_state
from rvae.serving.torchserve.state import State
from tests.support.toy_archive import toy_archive


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for version in ("1.0", "2.0"):
        toy_archive(tmp_path / "store", version)
    return tmp_path / "store"


def lined_up(store: Path, before: State | None = None) -> Lineup:
    return arrange(store, read_store(store), before or State())


def served(store: Path, workers: int = 1) -> State:
    """The state that a first server of the store leaves behind."""
    lineup = lined_up(store)
    return lineup.state([workers] * len(lineup.registrations), workers)


def chosen(state: State, version: str) -> State:
    return state.updated(
        replace(one, default=one.version == version) for one in state.registrations
    )


def versions(lineup: Lineup) -> dict[str, bool]:
    """The versions of a lineup, and which of them is the default."""
    return {one.version: one.default for one in lineup.registrations}


def test_at_first_everything_is_served_and_the_newest_is_the_default(store: Path) -> None:
    toy_archive(store, "10.0")
    toy_archive(store, "0.1", name="other")
    lineup = lined_up(store)
    assert [(str(one), one.default) for one in lineup.registrations] == [
        ("other 0.1", True),
        ("toy 10.0", True),
        ("toy 2.0", False),
        ("toy 1.0", False),
    ]
    assert lineup.workers(None) == [None] * 4 and lineup.workers(3) == [3] * 4
    assert not lineup.new and not lineup.notes and not lineup.left_out
    assert [one.path.name for one in lineup.archives] == [one.file for one in lineup.registrations]


def test_a_chosen_default_stays_and_a_newer_archive_is_served_beside_it(store: Path) -> None:
    before = chosen(served(store), "1.0")
    toy_archive(store, "10.0")
    lineup = lined_up(store, before)
    assert versions(lineup) == {"10.0": False, "2.0": False, "1.0": True}
    assert lineup.new == {("toy", "10.0")}
    state = lineup.state([1, 1, 1], None)
    assert state.previous == {"toy": "2.0"}
    assert not lined_up(store, state).new


def test_what_was_unregistered_stays_so(store: Path) -> None:
    before = served(store)
    lineup = lined_up(store, before.updated(before.registrations[:1]))
    assert versions(lineup) == {"2.0": True}
    assert lineup.notes == ("toy 1.0 was unregistered, and stays so: toy-1.0.mar",)
    again = lined_up(store, lineup.state([1], None))
    assert versions(again) == {"2.0": True}


def test_what_was_unregistered_stays_so_though_it_could_not_be_read_meanwhile(store: Path) -> None:
    before = served(store).updated(served(store).registrations[:1])
    archive = store / "toy-1.0.mar"
    content = archive.read_bytes()
    archive.write_bytes(content[:100])
    between = lined_up(store, before)
    archive.write_bytes(content)
    after = lined_up(store, between.state([1], None))
    assert versions(between) == versions(after) == {"2.0": True}


def test_another_version_in_the_file_of_an_unregistered_one_is_new(store: Path) -> None:
    before = served(store)
    before = before.updated(before.registrations[:1])
    toy_archive(store, "3.0").replace(store / "toy-1.0.mar")
    assert versions(lined_up(store, before)) == {"3.0": False, "2.0": True}


def test_numbers_of_workers_are_kept_unless_another_one_is_asked_for(store: Path) -> None:
    before = served(store, 2)
    first, second = before.registrations
    before = before.updated([replace(first, min_workers=1, max_workers=4), second.scaled(0)])
    toy_archive(store, "10.0")
    lineup = lined_up(store, before)
    assert lineup.workers(None) == [None, 1, 0]
    assert lineup.workers(2) == [2, 1, 0]  # as it was asked for the last time, too
    assert lineup.workers(3) == [3, 3, 3]
    state = lineup.state([2, 1, 0], 2)
    assert [one.max_workers for one in state.registrations] == [2, 4, 0]
    assert (state.workers, lineup.state([1, 1, 1], None).workers) == (2, 2)
    with pytest.raises(FieldError, match="at least 1"):
        lineup.workers(0)


def test_a_default_that_cannot_be_read_comes_back_when_it_can(store: Path) -> None:
    before = served(store, 3)
    content = (store / "toy-2.0.mar").read_bytes()
    (store / "toy-2.0.mar").write_bytes(content[:100])
    lineup = lined_up(store, before)
    assert versions(lineup) == {"1.0": True}
    assert [str(one) for one in lineup.left_out] == ["toy 2.0"]
    between = lineup.state([3], None)
    (store / "toy-2.0.mar").write_bytes(content)
    after = lined_up(store, between)
    assert versions(after) == {"2.0": True, "1.0": False}
    assert after.workers(None) == [3, 3] and not after.new and not after.left_out
    # Unless another one was chosen meanwhile.
    assert versions(lined_up(store, between.updated(between.registrations))) == versions(after)
    toy_archive(store, "1.5")
    other = lined_up(store, between).state([1, 1, 1], None)
    assert versions(lined_up(store, chosen(other, "1.5")))["1.5"]


def test_an_archive_that_is_gone_is_forgotten_and_said(store: Path) -> None:
    before = served(store)
    (store / "toy-2.0.mar").unlink()
    lineup = lined_up(store, before)
    assert versions(lineup) == {"1.0": True} and not lineup.left_out
    (note,) = lineup.notes
    assert "toy 2.0 is served no more: toy-2.0.mar is gone" in note


def test_an_archive_with_a_new_name_is_the_same(store: Path) -> None:
    before = chosen(served(store), "1.0")
    (store / "toy-1.0.mar").rename(store / "old.mar")
    lineup = lined_up(store, before)
    assert versions(lineup) == {"2.0": False, "1.0": True}
    assert lineup.registrations[1].file == "old.mar" and not lineup.new


def test_a_model_may_be_registered_under_another_name(store: Path) -> None:
    before = served(store)
    one = replace(before.registrations[0], name="alias", default=True)
    lineup = lined_up(store, before.updated([*before.registrations, one]))
    assert [str(one) for one in lineup.registrations] == ["alias 2.0", "toy 2.0", "toy 1.0"]
    assert lineup.archives[0].path.name == "toy-2.0.mar"


@pytest.mark.parametrize("what", ["none", "bad", "unregistered"])
def test_nothing_to_serve_is_an_error_with_reasons(store: Path, what: str) -> None:
    before = served(store)
    for path in store.glob("*.mar"):
        if what == "none":
            path.unlink()
        elif what == "bad":
            path.write_bytes(b"")
    words = {
        "none": "make one with rvae archive",
        "bad": "toy-1.0.mar is not a model archive",
        "unregistered": "toy 1.0 was unregistered, and stays so",
    }
    before = before.updated([]) if what == "unregistered" else State()
    with pytest.raises(FieldError, match=words[what]) as caught:
        lined_up(store, before)
    assert caught.value.field == "store"


def test_an_archive_says_how_torchserve_is_to_run_it(store: Path) -> None:
    model = {"modelName": "set", "modelVersion": "1", "configFile": "c.yaml"}
    with zipfile.ZipFile(store / "set-1.mar", "w") as packed:
        packed.writestr("MAR-INF/MANIFEST.json", json.dumps({"model": model}))
        packed.writestr("c.yaml", "batchSize: 8\nresponseTimeout: 33\nmaxBatchDelay: often\n")
    state = fresh_state(list_archives(store), 1)
    one, other = (state.registrations[0], state.registrations[1])
    assert (one.batch_size, one.response_timeout, one.batch_delay) == (8, 33, 100)
    assert (other.batch_size, other.response_timeout, other.startup_timeout) == (1, 120, 120)
