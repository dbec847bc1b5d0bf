"""The command `rvae rollout`; what it does is tested with the steps themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.serving.golden import Golden
from tests.support.command_line import rvae
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path, store: Path) -> Iterator[FakeManagement]:
    """A server of 1.0, to which 1.10 may come."""
    golden = Golden.read(store / "waves-1.10.mar")
    answer = FakeVersion("", answers=lambda body: (200, dict(golden.answer)))
    with fake_management(
        short_folder / "f",
        versions={"1.0": FakeVersion("waves-1.0.mar")},
        default="1.0",
        coming={"1.10": answer},
    ) as running:
        yield running


def test_an_archive_becomes_the_default(fake: FakeManagement, store: Path, tmp_path: Path) -> None:
    options = ("--socket", fake.socket, "--watch", 0, "--canary", 0.5, "--seconds", 0)
    done = rvae("rollout", "waves", store / "waves-1.10.mar", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == [
        *("verify", "copy", "register", "ready", "golden"),
        *("canary", "default", "watch", "retire"),
    ]
    assert (list(fake.versions), fake.default) == (["1.10"], "1.10")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("other", [], "name: waves-1.10.mar holds the model waves, not other"),
        ("waves", ["--bounds.shift", "2"], "bounds.shift: must be from 0 to 1, got 2"),
        ("waves", ["--canary", "2"], "canary: must be from 0 to 1, got 2"),
        ("waves", ["--replay", "no.jsonl"], "replay: no such file: no.jsonl"),
    ],
)
def test_what_is_wrong_changes_nothing(
    fake: FakeManagement, store: Path, tmp_path: Path, name: str, options: list[str], said: str
) -> None:
    archive = store / "waves-1.10.mar"
    done = rvae("rollout", name, archive, "--socket", fake.socket, *options, cwd=tmp_path)
    assert done.returncode != 0 and said in done.stderr
    assert fake.changes == []


def test_an_archive_that_is_missing_is_named(fake: FakeManagement, tmp_path: Path) -> None:
    done = rvae("rollout", "waves", "no.mar", "--socket", fake.socket, cwd=tmp_path)
    said = "rvae: archive: no.mar is not a model archive: No such file or directory"
    assert done.returncode == 1 and said in done.stderr
