"""What a change begins with; its steps are tested by rollouts and rollbacks."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from rvae.serving.model_store import Archive
from rvae.serving.versions.change import Change
from rvae.serving.versions.servers import Servers
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
        short_folder / "f",
        versions=versions,
        default=default,
        earlier=[previous] if previous else [],
    ) as fake:
        archive = Archive(Path("waves.mar"), "waves", version)
        change = Change(Servers(fake.socket).found(), archive, Steps(print))
    (one,) = change.on
    assert change.replaced == ((old,) if old else ())
    assert (one.is_default, one.is_registered) == (is_default, is_registered)
    assert change.switching == ([] if is_default else [one])


def test_a_model_that_is_not_served_has_nothing_to_replace(short_folder: Path) -> None:
    with fake_management(short_folder / "f") as fake:
        archive = Archive(Path("waves.mar"), "waves", "1.0")
        change = Change(Servers(fake.socket).found(), archive, Steps(print))
    (one,) = change.on
    assert change.replaced == () and not one.switches
    assert not one.is_default and not one.is_registered


@pytest.mark.parametrize(
    ("defaults", "replaced"),
    [
        (("1.0", "1.0"), ("1.0",)),
        (("1.0", "2.0"), ("1.0", "2.0")),
        (("3.0", "2.0"), ("2.0",)),  # it was cut off between the two
        (("3.0", "3.0"), ("1.0",)),  # and here before 1.0 was retired
    ],
)
def test_what_any_server_has_as_its_default_is_replaced(
    short_folder: Path, defaults: tuple[str, str], replaced: tuple[str, ...]
) -> None:
    with ExitStack() as stack:
        for name, default in zip("ab", defaults, strict=True):
            fake = fake_management(
                short_folder / name,
                at=short_folder / f"{name}.sock",
                versions={version: FakeVersion("") for version in ("1.0", "2.0", "3.0")},
                default=default,
                earlier=["1.0"],
            )
            stack.enter_context(fake)
        archive = Archive(Path("waves.mar"), "waves", "3.0")
        change = Change(Servers(short_folder).found(), archive, Steps(print))
    assert change.replaced == replaced
    assert len(change.switching) == 2 - defaults.count("3.0")
