"""What `rvae serve` begins with: its store, what was served before, and the memory for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import FieldError
from rvae.serving.integrity import TrustedKeys, require_intact
from rvae.serving.model_store import read_store
from rvae.serving.torchserve.capacity import Plan, footprint, plan_server
from rvae.serving.torchserve.lineup import Lineup, arrange
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.state_file import StateFile, read_state

__all__ = ["Start", "prepare", "read_lineup"]


@dataclass(frozen=True)
class Start:
    """What a server begins with.

    Attributes:
        state: What it serves.
        plan: Its memory.
        new: Versions that were not served before, of models that were.
        notes: Lines on what one may expect to be served, and is not.
    """

    state: StateFile
    plan: Plan
    new: tuple[Registration, ...]
    notes: tuple[str, ...]


def prepare(
    store: Path,
    folder: Path,
    workers: int | None,
    memory: str | None,
    trusted: TrustedKeys | None = None,
) -> Start:
    """Read the store and the state that was left behind, and plan a server for it.

    Args:
        store: Folder with archives.
        folder: Folder of the state.
        workers: Processes of each version; as many as before, or as fit, if left out.
        memory: See `plan_server`.
        trusted: Keys of which one must have signed an archive; any archive is served if None.

    Raises:
        FieldError: If nothing can be served, or there is not enough memory.
    """
    lineup, notes = read_lineup(store, folder, trusted)
    wanted = lineup.workers(workers)
    planned = _plan(lineup, wanted, workers, memory)
    counts, dropped = [], set()
    for one, want, count in zip(lineup.registrations, wanted, planned.workers, strict=True):
        if want is not None and 0 < count < want:
            notes.append(f"{one} gets {count} of {want} workers: there is no memory for more")
        if count == 0 and want != 0:
            notes.append(f"left out: there is no memory for {one}")
            dropped.add(one.key)
        counts.append(want or 1 if one.key in dropped else count)
    state = lineup.state(counts, workers).without(dropped)
    new = tuple(one for one in state.registrations if one.key in lineup.new)
    return Start(StateFile(state, store, folder, lineup.state_before), planned, new, tuple(notes))


def read_lineup(
    store: Path, folder: Path, trusted: TrustedKeys | None = None
) -> tuple[Lineup, list[str]]:
    """What is to be served, and lines on what is not.

    Args:
        store: Folder with archives.
        folder: Folder of the state.
        trusted: See `prepare`.

    Raises:
        FieldError: If nothing can be served.
    """

    def check(path: Path) -> None:
        integrity = require_intact(path, trusted)
        footprint(path)
        if not integrity.has_sums:
            notes.append(f"{path.name} {integrity.words}")

    before, notes = read_state(folder, store)
    content = read_store(store, check)
    lineup = arrange(store, content, before)
    return lineup, [*notes, *(f"left out: {why}" for why in content.refused), *lineup.notes]


def _plan(
    lineup: Lineup, wanted: Sequence[int | None], asked: int | None, memory: str | None
) -> Plan:
    """The largest server; of one that ran before, what there is memory for."""
    paths = [archive.path for archive in lineup.archives]
    before = lineup.state_before
    ran = bool(before.registrations) and asked in (None, before.workers)
    tries = list(_smaller(lineup, wanted)) if ran else []
    while True:
        try:
            return plan_server(paths, wanted, memory)
        except FieldError as error:
            if error.field != "memory" or not tries:
                raise
            wanted = tries.pop(0)


def _smaller(lineup: Lineup, wanted: Sequence[int | None]) -> Iterator[list[int | None]]:
    """Numbers of workers: as many as fit; then without new versions, and without old ones."""
    counts = [None if number != 0 else 0 for number in wanted]
    yield list(counts)
    old_first = range(len(counts) - 1, -1, -1)
    for place in sorted(old_first, key=lambda i: lineup.registrations[i].key not in lineup.new):
        if not lineup.registrations[place].default:
            counts[place] = 0
            yield list(counts)
