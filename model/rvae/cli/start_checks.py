"""What a server would serve if it was started now."""

from collections.abc import Iterator
from pathlib import Path

from rvae.cli.checks import Check, failed, noted, passed
from rvae.errors import FieldError
from rvae.serving.torchserve.start import prepare

__all__ = ["check_start"]


def check_start(store: Path, state: Path) -> Iterator[Check]:
    """Check which versions a server would serve, by its store and its state, and its memory.

    Args:
        store: Folder with archives.
        state: Folder in which a server has kept what it serves.
    """
    if next(store.glob("*.mar"), None) is None:
        return
    try:
        start = prepare(store, state, None, None)
    except FieldError as error:
        yield failed("start", error.message, "see the other checks, and docs/operations.md")
        return
    for note in start.notes:
        yield noted("start", note)
    versions = (
        f"{one} (default)" if one.default else str(one) for one in start.state.registrations
    )
    yield passed("start", f"rvae serve would serve {', '.join(versions)}")
    yield passed("memory of a server", str(start.plan).removeprefix("Memory: "))
