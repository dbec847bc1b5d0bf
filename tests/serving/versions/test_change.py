"""What a change begins with; its steps are tested by rollouts and rollbacks."""

from pathlib import Path

import pytest

from rvae.serving.model_store import Archive
from rvae.serving.versions.change import Change
from rvae.serving.versions.management import Management
from rvae.serving.versions.steps import Steps
from tests.support.fake_management import FakeVersion, fake_management


@pytest.mark.parametrize(
    ("version", "default", "previous", "old", "is_default", "is_registered"),
    [
        ("3.0", "2.0", "1.0", "2.0", False, False),
        ("1.0", "2.0", "1.0", "2.0", False, True),
        ("2.0", "2.0", "1.0", "1.0", True, True),  # it was cut off before 1.0 was retired
        ("2.0", "2.0", "0.9", None, True, True),  # and here after it
        ("2.0", "2.0", None, None, True, True),
    ],
)
def test_what_is_replaced_follows_from_what_is_served(
    short_folder: Path,
    version: str,
    default: str,
    previous: str | None,
    old: str | None,
    is_default: bool,
    is_registered: bool,
) -> None:
    versions = {name: FakeVersion("") for name in ("1.0", "2.0")}
    with fake_management(
        short_folder / "f", versions=versions, default=default, previous=previous
    ) as fake:
        management = Management(fake.socket)
        archive = Archive(Path("waves.mar"), "waves", version)
        change = Change(management, management.server(), archive, Steps(print))
    assert (change.old, change.is_default, change.is_registered) == (
        old,
        is_default,
        is_registered,
    )


def test_a_model_that_is_not_served_has_nothing_to_replace(short_folder: Path) -> None:
    with fake_management(short_folder / "f") as fake:
        management = Management(fake.socket)
        archive = Archive(Path("waves.mar"), "waves", "1.0")
        change = Change(management, management.server(), archive, Steps(print))
    assert change.old is None and not change.is_default and not change.is_registered
