"""What a server serves from its start on, given its store and what was served before."""

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from rvae.errors import require
from rvae.serving.model_store import MANIFEST, Archive, StoreContent, newest_first
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.state import State, with_defaults
from rvae.serving.torchserve.state_file import StateFile

__all__ = ["Lineup", "arrange", "fresh_state"]


# TorchServe's own, of an archive that says nothing.
SETTINGS = {"batchSize": 1, "maxBatchDelay": 100, "responseTimeout": 120, "startupTimeout": 120}


@dataclass(frozen=True)
class Lineup:
    """What a server is to serve.

    Attributes:
        registrations: The versions, by name and with the newest first. Those that were not served
            before have one worker each, until `state`.
        archives: Of each version.
        new: Keys of the versions that were not served before, of models that were.
        state_before: What was left behind.
        left_out: Versions that were served before, and cannot be now.
        known: Versions of all archives of the store that can be served, or could before, by their
            file.
        notes: Lines on what one may expect to be served, and is not.
    """

    registrations: tuple[Registration, ...]
    archives: tuple[Archive, ...]
    new: frozenset[tuple[str, str]]
    state_before: State
    left_out: tuple[Registration, ...]
    known: dict[str, str]
    notes: tuple[str, ...]

    def workers(self, asked: int | None) -> list[int | None]:
        """Processes of each version; None where nothing was decided.

        Args:
            asked: How many each version is to have. What was asked for at the last start, too, is
                not regarded: numbers that were changed since are kept.

        Raises:
            FieldError: If there cannot be so many.
        """
        if asked is not None:
            require(asked >= 1, "workers", f"must be at least 1, got {asked}")
        if asked is not None and asked != self.state_before.workers:
            return [asked] * len(self.registrations)
        before = {one.key for one in self.state_before.registrations + self.state_before.left_out}
        return [one.min_workers if one.key in before else asked for one in self.registrations]

    def state(self, workers: Sequence[int], asked: int | None) -> State:
        """The state of a server that begins with this.

        Args:
            workers: Processes of each version.
            asked: As in `workers`.
        """
        names = {one.name for one in self.registrations}
        earlier = self.state_before.earlier.items()
        return State(
            tuple(
                one if count == one.min_workers else one.scaled(count)
                for one, count in zip(self.registrations, workers, strict=True)
            ),
            self.left_out,
            self.known,
            {name: versions for name, versions in earlier if name in names},
            self.state_before.workers if asked is None else asked,
        )


def arrange(store: Path, content: StoreContent, before: State) -> Lineup:
    """What to serve: every archive, but those that were unregistered, with the chosen defaults.

    Args:
        store: The model store.
        content: What can be served of it.
        before: What was served before.

    Raises:
        FieldError: If nothing can be served.
    """
    again, left_out, notes = _again(store, content, before)
    taken = {archive.path.name for archive in again.values()}
    new = {}
    for archive in content.archives:
        if before.unregistered.get(archive.path.name) == archive.version:
            notes.append(f"{archive} was unregistered, and stays so: {archive.path.name}")
        elif archive.path.name not in taken:
            new[_registration(archive)] = archive
    served = {one.name for one in again}
    every = with_defaults([*with_defaults(list(again)), *new])
    archives = dict(zip(every, (*again.values(), *new.values()), strict=True))
    require(bool(every), "store", _nothing(store, content, notes))
    ordered = newest_first(every)
    return Lineup(
        tuple(ordered),
        tuple(archives[one] for one in ordered),
        frozenset(one.key for one in new if one.name in served),
        before,
        tuple(left_out),
        {
            # What cannot be read this time is not new when it can be.
            **{file: one for file, one in before.known.items() if (store / file).exists()},
            **{one.path.name: one.version for one in content.archives},
        },
        tuple(notes),
    )


def fresh_state(archives: Sequence[Archive], workers: int) -> StateFile:
    """The state of a server that serves some archives of a folder, and is not kept on disk.

    Args:
        archives: What to serve; the newest version of a model is the default one.
        workers: Processes of each version.
    """
    store = archives[0].path.parent
    lineup = arrange(store, StoreContent(tuple(archives), ()), State())
    return StateFile(lineup.state([workers] * len(archives), None), store)


def _again(
    store: Path, content: StoreContent, before: State
) -> tuple[dict[Registration, Archive], list[Registration], list[str]]:
    """What was served and can be, what was and cannot, and lines on what is gone."""
    files = {one.path.name: one for one in content.archives}
    keys = {one.key: one for one in content.archives}
    again, left_out, notes = {}, [], []
    returned = set()  # models whose default can be served again
    for one in (*before.left_out, *before.registrations):
        archive = files.get(one.file)
        if archive is None or archive.version != one.version:
            archive = keys.get(one.key)  # it was renamed
        if archive is not None:
            default = one.default and one.name not in returned
            returned |= {one.name} if default else set()
            again[replace(one, file=archive.path.name, default=default)] = archive
        elif one.file not in files and (store / one.file).exists():
            left_out.append(one)  # why is said of the store
        else:
            notes.append(f"{one} is served no more: {one.file} is gone, or holds another version")
    return again, left_out, notes


def _nothing(store: Path, content: StoreContent, notes: Iterable[str]) -> str:
    reasons = [*content.refused, *notes]
    if not reasons:
        return f"no archive in {store}: make one with rvae archive"
    return f"nothing of {store} can be served: {'; '.join(reasons)}"


def _registration(archive: Archive) -> Registration:
    """What TorchServe makes of an archive that it registers."""
    said = _settings(archive.path)
    settings = {name: said.get(name) or usual for name, usual in SETTINGS.items()}
    return Registration(
        name=archive.name,
        version=archive.version,
        file=archive.path.name,
        default=False,
        min_workers=1,
        max_workers=1,
        batch_size=settings["batchSize"],
        batch_delay=settings["maxBatchDelay"],
        response_timeout=settings["responseTimeout"],
        startup_timeout=settings["startupTimeout"],
    )


def _settings(path: Path) -> dict[str, int]:
    """The whole numbers of an archive's configuration."""
    with zipfile.ZipFile(path) as packed:
        model = json.loads(packed.read(MANIFEST))["model"]
        file = model.get("configFile")
        found = yaml.safe_load(packed.read(file)) if file in packed.namelist() else None
    known = found if isinstance(found, dict) else {}
    return {name: value for name, value in known.items() if type(value) is int}
