"""The state of a server on disk, where plain TorchServe finds it, too.

It is a configuration of TorchServe, with what is served as `model_snapshot`. Started without a
configuration, TorchServe takes the newest file in `config` of the folder of its logs; newest by the
time in the names. It writes one itself after each change. So both read what either has written.

Several servers may share the folder: then it tells what all of them serve together. Each of them is
told every change, and writes it; the newest file is always that of the last change.
"""

import errno
import fcntl
import importlib.resources
import json
import logging
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
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

# Longest time to wait for another server's writing, and how often to look.
LOCK_SECONDS, POLL_SECONDS = 5.0, 0.01


class StateFile:
    """Keeps the state of a server, in memory and on disk; for several threads.

    Args:
        state: At the start. It is not written before `save`.
        store: The model store.
        folder: Folder of the file; None keeps the state in memory alone.
        before: What the state follows on, as it was read of the folder. Where another server has
            changed that since, it is written after the next command alone. None replaces whatever
            is there.

    Attributes:
        state: At the moment.
        store: As given.
        trouble: Why the state on disk is not the one in memory, in words.
    """

    def __init__(
        self,
        state: State,
        store: Path,
        folder: Path | None = None,
        before: State | None = None,
    ) -> None:
        self.state = state
        self.store = store
        self.trouble: str | None = None
        self._folder = folder
        self._before = before  # what was read or written last
        self._has_written = False
        self._lock = Lock()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """What is registered, as of the last change."""
        return self.state.registrations

    @property
    def is_overtaken(self) -> bool:
        """Whether another server has changed the state on disk since this one read or wrote it."""
        if self._folder is None or self._before is None:
            return False
        return read_state(self._folder, self.store)[0] != self._before

    def update(self, registrations: Iterable[Registration]) -> None:
        """Something was registered, unregistered, scaled, or made the default, by a command.

        Returns when that is on disk, or cannot be.
        """
        with self._lock:
            changed = self.state.updated(registrations)
            if changed != self.state:
                self.state = changed
                self._before = None
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
            with _locked(self._folder):
                if self.is_overtaken:
                    logger.warning("Another server has changed what is served meanwhile")
                else:
                    self._replace(self._folder)
        except OSError as error:
            words = f"what is served cannot be written to {self._folder}: {error.strerror}"
            if words != self.trouble:
                logger.warning("%s: a restart would not bring it back", words)
            self.trouble = words
        else:
            self.trouble = None

    def _replace(self, folder: Path) -> None:
        """Make this state the newest one on disk; by who has the lock."""
        newest = max(_snapshots(folder), default=None)
        # The first time the last file stays: it is the one before.
        reuses = self._has_written and newest is not None and _is_own(newest)
        name = newest.name if newest is not None and reuses else _next_name(newest)
        _put(folder, name, _content(self.state, self.store))
        self._before, self._has_written = read_state(folder, self.store)[0], True
        for old in sorted(filter(_is_own, _snapshots(folder)))[:-KEEP]:
            old.unlink(missing_ok=True)


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
            if _is_own(path):
                state = State.read(served, json.loads(found[OWN]))
            else:  # of plain TorchServe, which began with what is before it
                later.append(from_snapshot(served))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            notes.append(f"{path} cannot be read, and is ignored: {error!r}")
            continue
        if other.is_dir() and not (store.is_dir() and other.samefile(store)):
            notes.append(f"{path} tells of another model store, {other}, and is ignored")
            return State(), notes
        if _is_own(path):
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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """A context in which no other server writes, in this container or another one of this host.

    Raises:
        OSError: If another one does so for too long.
    """
    # Not the folder itself: commands may have locked that for as long as they take.
    place = folder / UNFINISHED
    place.mkdir(parents=True, exist_ok=True)
    handle = os.open(place, os.O_RDONLY)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _has_lock(handle):
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, "another server does not end its writing")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _has_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _put(folder: Path, name: str, content: str) -> None:
    """Put a file into its place at once, or not at all."""
    unfinished = folder / UNFINISHED / name
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


def _next_name(newest: Path | None) -> str:
    """A name that is newer than the newest one, whatever the clock says."""
    now = time.time()
    milliseconds = f"{int(now * 1000) % 1000:03}"
    latest = 0 if newest is None else int(newest.name[:DIGITS])
    stamp = max(int(time.strftime("%Y%m%d%H%M%S", time.localtime(now)) + milliseconds), latest + 1)
    return f"{stamp:0{DIGITS}}{OWN_SUFFIX}"


def _snapshots(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.cfg") if NAME.fullmatch(path.name) and path.is_file()]


def _is_own(path: Path) -> bool:
    return path.name.endswith(OWN_SUFFIX)
