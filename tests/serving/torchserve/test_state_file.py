"""The state on disk: what is read of which files, and what when there is trouble."""

import json
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.serving.torchserve import state_file
from rvae.serving.torchserve.properties import property_line, read_properties
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.snapshots import snapshot
from rvae.serving.torchserve.state import State, defaults
from rvae.serving.torchserve.state_file import StateFile, read_state
from tests.support.registrations import registration

ONE, TWO = registration("1.0"), registration("2.0", default=True)
ROLLED_BACK = (replace(TWO, default=False), replace(ONE, default=True))
STATE = State((TWO, ONE), known={"toy-1.0.mar": "1.0", "toy-2.0.mar": "2.0"}, workers=2)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def write_plain(folder: Path, name: str, store: Path, *served: Registration) -> None:
    """A snapshot as TorchServe's own command writes it."""
    content = json.dumps(snapshot(served), indent=1).replace("\n", "\\n").replace(":", "\\:")
    (folder / name).write_text(f"#Saving snapshot\nmodel_store={store}\nmodel_snapshot={content}\n")


def test_every_change_is_on_disk_when_it_is_told(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "config"
    kept = StateFile(STATE, store, folder)
    kept.save()
    assert read_state(folder, store) == (STATE, [])
    kept.update(ROLLED_BACK)
    state, notes = read_state(folder, store)
    assert (state, notes) == (kept.state, [])
    assert defaults(state.registrations) == {"toy": "1.0"} and state.previous == {"toy": "2.0"}
    kept.leave_out({ONE.key})
    assert read_state(folder, store)[0] == kept.state
    assert len(files(folder)) == 1


def test_plain_torchserve_reads_it_as_its_configuration(store: Path, tmp_path: Path) -> None:
    StateFile(STATE, store, tmp_path / "c").save()
    (path,) = files(tmp_path / "c")
    settings = read_properties(path.read_text())
    assert settings["model_store"] == str(store)
    assert json.loads(settings["model_snapshot"]) == snapshot(STATE.registrations)
    assert settings["inference_address"] == "http://127.0.0.1:8080"
    assert settings["disable_token_authorization"] == "true"


def test_without_a_folder_it_is_kept_in_memory(store: Path, tmp_path: Path) -> None:
    kept = StateFile(STATE, store)
    kept.update(ROLLED_BACK)
    assert defaults(kept.registrations) == {"toy": "1.0"}
    assert list(tmp_path.iterdir()) == [store]


def test_what_plain_torchserve_changed_counts(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    kept = StateFile(STATE, store, folder)
    kept.save()
    three = registration("3.0")
    write_plain(folder, "29991231235958000-snapshot.cfg", store, TWO, ONE, three)
    write_plain(folder, "29991231235959000-shutdown.cfg", store, *ROLLED_BACK)
    state, notes = read_state(folder, store)
    assert defaults(state.registrations) == {"toy": "1.0"} and notes == []
    assert state.unregistered == {"toy-3.0.mar": "3.0"}
    assert (state.previous, state.workers) == ({"toy": "2.0"}, 2)
    StateFile(state, store, folder).save()
    assert files(folder)[-1].name > "29991231235959000"  # whatever the clock says
    assert read_state(folder, store) == (state, [])


def test_plain_torchserve_alone_leaves_a_state(store: Path, tmp_path: Path) -> None:
    for day in range(1, 4):
        write_plain(
            tmp_path, f"202601{day:02}120000000-snapshot.cfg", store, *(TWO, ONE)[: 3 - day]
        )
    state, _ = read_state(tmp_path, store)
    assert state.registrations == ()
    assert set(state.unregistered) == {"toy-1.0.mar", "toy-2.0.mar"}
    assert state.workers is None


def test_files_of_two_starts_are_kept_and_no_more(store: Path, tmp_path: Path) -> None:
    for _ in range(5):
        StateFile(STATE, store, tmp_path / "c").save()
    assert len(files(tmp_path / "c")) == 2


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"model_store=/\nmodel_snapshot={", b"a=\\ud800\n"]
)
def test_a_damaged_file_is_said_and_ignored(store: Path, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "c"
    StateFile(STATE, store, folder).save()
    (folder / "29991231235959000-rvae.cfg").write_bytes(content)
    (folder / "readme.cfg").write_bytes(content)  # not one of these files
    state, (note,) = read_state(folder, store)
    assert state == STATE
    assert "29991231235959000-rvae.cfg cannot be read, and is ignored" in note


def test_there_is_no_state_before_the_first_start(store: Path, tmp_path: Path) -> None:
    assert read_state(tmp_path / "none", store) == (State(), [])


def test_the_state_of_another_store_is_ignored_while_that_exists(
    store: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    StateFile(STATE, other, tmp_path / "c").save()
    state, (note,) = read_state(tmp_path / "c", store)
    assert state == State() and str(other) in note
    other.rmdir()  # it was moved
    assert read_state(tmp_path / "c", store) == (STATE, [])


def test_a_full_disk_is_said_and_tried_again(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "c"
    kept = StateFile(STATE, store, folder)
    kept.save()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(os, "fsync", full)
        kept.update(ROLLED_BACK)
        kept.retry()
        assert "No space left" in str(kept.trouble)
        assert caplog.text.count("No space left") == 1
        assert defaults(kept.registrations) == {"toy": "1.0"}  # served on
        assert read_state(folder, store)[0] == STATE  # whole, if old
    kept.retry()
    assert kept.trouble is None
    assert read_state(folder, store)[0] == kept.state


def test_a_folder_that_cannot_be_made_is_said(store: Path, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file")
    kept = StateFile(STATE, store, tmp_path / "c")
    kept.save()
    assert "cannot be written" in str(kept.trouble)


def test_changes_at_once_are_not_lost(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "KEEP", 1)
    kept = StateFile(STATE, store, tmp_path / "c")

    def change(name: str) -> None:
        for workers in range(1, 20):
            kept.update([registration("1", name=name, default=True, workers=workers)])

    threads = [threading.Thread(target=change, args=(name,)) for name in "abcd"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert read_state(tmp_path / "c", store) == (kept.state, [])
    assert len(kept.state.known) == 6


def sharing(store: Path, folder: Path) -> StateFile:
    """The state of a server that starts, and shares the folder with others."""
    before, notes = read_state(folder, store)
    assert notes == []
    return StateFile(before if before.registrations else STATE, store, folder, before)


def test_the_last_change_counts_whichever_server_wrote_it(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    servers = [sharing(store, folder) for _ in range(3)]
    for one in servers:
        one.save()
    scaled = (ROLLED_BACK[0], ROLLED_BACK[1].scaled(3))
    for change in (ROLLED_BACK, scaled, (scaled[1],), (TWO, ONE)):
        for one in (servers[2], servers[0], servers[1]):
            one.update(change)
            assert read_state(folder, store) == (one.state, [])
    assert servers[0].state == servers[1].state == servers[2].state
    assert len(files(folder)) == 2


def test_servers_that_write_at_once_leave_whole_files(store: Path, tmp_path: Path) -> None:
    folder, over = tmp_path / "c", threading.Event()
    servers = [sharing(store, folder) for _ in range(4)]
    changes = [(TWO, ONE.scaled(count)) for count in range(2, 30)]
    seen = []

    def follow(one: StateFile) -> None:
        one.save()
        for change in changes:
            one.update(change)

    def look() -> None:
        while not over.is_set():
            state, notes = read_state(folder, store)
            seen.append(len(state.registrations) == 2 and not notes)

    threads = [threading.Thread(target=follow, args=(one,)) for one in servers]
    looking = threading.Thread(target=look)
    servers[0].save()
    for thread in (looking, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    looking.join()
    assert set(seen) == {True}
    assert read_state(folder, store)[0].registrations == changes[-1]
    assert all(one.trouble is None for one in servers)


def test_a_server_that_starts_meanwhile_does_not_bring_back_what_it_read(
    store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    first = sharing(store, folder)
    first.save()
    late = sharing(store, folder)
    assert not late.is_overtaken
    first.update(ROLLED_BACK)
    assert late.is_overtaken
    for write in (late.save, late.retry, lambda: late.leave_out({ONE.key})):
        write()
        assert read_state(folder, store)[0] == first.state
    late.update((TWO.scaled(2),))  # a command for it, too
    assert read_state(folder, store)[0] == late.state and not late.is_overtaken


def test_a_server_that_does_not_end_its_writing_is_said(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "LOCK_SECONDS", 0.0)
    kept = StateFile(STATE, store, tmp_path / "c")
    with state_file._locked(tmp_path / "c"):
        kept.save()
        assert "another server does not end its writing" in str(kept.trouble)
    kept.retry()
    assert kept.trouble is None and read_state(tmp_path / "c", store)[0] == STATE


def test_names_of_any_language_are_read_again(tmp_path: Path) -> None:
    odd = tmp_path / "stö re=#!\\x"
    odd.mkdir()
    kept = StateFile(State((registration("1", name="größe", default=True),)), odd, tmp_path / "c")
    kept.save()
    assert read_state(tmp_path / "c", odd) == (kept.state, [])
    (path,) = files(tmp_path / "c")
    assert path.read_bytes().isascii()
    assert property_line("model_store", odd) in path.read_text()
