"""The state of a server on disk, where plain TorchServe finds it, too.

It is a configuration of TorchServe, with what is served as `model_snapshot`. Started without a
configuration, TorchServe takes the newest file in `config` of the folder of its logs; newest by the
time in the names. It writes one itself after each change. So both read what either has written.
"""

import importlib.resources
import json
import logging
import os
import re
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from threading import Lock

from rvae.serving.torchserve.properties import property_line, read_properties
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.snapshots import from_snapshot, snapshot
from rvae.serving.torchserve.state import State

__all__ = ["StateFile", "read_state"]

logger = logging.getLogger(__name__)

# TorchServe's names: year to milliseconds of local time, and what the snapshot is of.
DIGITS = 17
NAME = re.compile(rf"[0-9]{{{DIGITS}}}-.+\.cfg")
OWN_SUFFIX = "-rvae.cfg"
# TorchServe looks at every file of the folder, but at no folder in it.
UNFINISHED = "unfinished"
KEEP = 2  # own files: the last one, and one before it in case that it is damaged
OWN = "rvae_state"


class StateFile:
    """Keeps the state of a server, in memory and on disk; for several threads.

    Args:
        state: At the start. It is not written before `save`.
        store: The model store.
        folder: Folder of the file; None keeps the state in memory alone.

    Attributes:
        state: At the moment.
        store: As given.
        trouble: Why the state on disk is not the one in memory, in words.
    """

    def __init__(self, state: State, store: Path, folder: Path | None = None) -> None:
        self.state = state
        self.store = store
        self.trouble: str | None = None
        self._folder = folder
        self._name: str | None = None
        self._lock = Lock()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """What is registered, as of the last change."""
        return self.state.registrations

    def update(self, registrations: Iterable[Registration]) -> None:
        """Something was registered, unregistered, scaled, or made the default.

        Returns when that is on disk, or cannot be.
        """
        with self._lock:
            changed = self.state.updated(registrations)
            if changed != self.state:
                self.state = changed
                self._write()

    def leave_out(self, keys: Collection[tuple[str, str]]) -> None:
        """Some registered versions cannot be served."""
        with self._lock:
            self.state = self.state.without(keys)
            self._write()

    def save(self) -> None:
        """Write the state, also if it has not changed."""
        with self._lock:
            self._write()

    def retry(self) -> None:
        """Write the state if it could not be written before."""
        if self.trouble is not None:
            self.save()

    def _write(self) -> None:
        if self._folder is None:
            return
        try:
            self._name = self._name or _next_name(self._folder)
            _replace(self._folder, self._name, _content(self.state, self.store))
            for old in sorted(_own_files(self._folder))[:-KEEP]:
                old.unlink(missing_ok=True)
        except OSError as error:
            words = f"what is served cannot be written to {self._folder}: {error.strerror}"
            if words != self.trouble:
                logger.warning("%s: a restart would not bring it back", words)
            self.trouble = words
        else:
            self.trouble = None


def read_state(folder: Path, store: Path) -> tuple[State, list[str]]:
    """The state that a server has left behind, and lines about files that tell of none.

    Args:
        folder: Folder of the files.
        store: The model store. A state of another one that still exists is not regarded.
    """
    notes, later = [], []
    state = State()
    for path in sorted(_snapshots(folder), reverse=True):
        try:
            found = read_properties(path.read_text(encoding="utf-8"))
            served, other = json.loads(found["model_snapshot"]), Path(found["model_store"])
            if path.name.endswith(OWN_SUFFIX):
                state = State.read(served, json.loads(found[OWN]))
            else:  # of plain TorchServe, which began with what is before it
                later.append(from_snapshot(served))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            notes.append(f"{path} cannot be read, and is ignored: {error!r}")
            continue
        if other.is_dir() and not (store.is_dir() and other.samefile(store)):
            notes.append(f"{path} tells of another model store, {other}, and is ignored")
            return State(), notes
        if path.name.endswith(OWN_SUFFIX):
            break
    for registrations in reversed(later):
        state = state.updated(registrations)
    return state, notes


def _content(state: State, store: Path) -> str:
    """A configuration with which TorchServe serves the same."""
    base = importlib.resources.files("rvae_torchserve") / "config.properties"
    settings = {
        "model_store": store.resolve(),
        "model_snapshot": json.dumps(snapshot(state.registrations)),
        OWN: json.dumps(state.own()),
    }
    # Of a name that is there twice, the last value counts.
    return base.read_text() + "".join(property_line(*setting) for setting in settings.items())


def _replace(folder: Path, name: str, content: str) -> None:
    """Put a file into its place at once, or not at all."""
    unfinished = folder / UNFINISHED / name
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    with unfinished.open("w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / name)
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)


def _next_name(folder: Path) -> str:
    """A name that is newer than all others, whatever the clock says."""
    now = time.time()
    milliseconds = f"{int(now * 1000) % 1000:03}"
    latest = max((int(path.name[:DIGITS]) for path in _snapshots(folder)), default=0)
    stamp = max(int(time.strftime("%Y%m%d%H%M%S", time.localtime(now)) + milliseconds), latest + 1)
    return f"{stamp:0{DIGITS}}{OWN_SUFFIX}"


def _snapshots(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.cfg") if NAME.fullmatch(path.name) and path.is_file()]


def _own_files(folder: Path) -> list[Path]:
    return [path for path in _snapshots(folder) if path.name.endswith(OWN_SUFFIX)]
