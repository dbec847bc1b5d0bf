"""Archives that are to be served, checked without a server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.golden import GOLDEN_FILE
from rvae.serving.integrity import SUMS_FILE
from rvae.serving.versions.candidate import ask_golden, candidate
from rvae.serving.versions.management import Management
from tests.support.archives import edited
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    with fake_management(short_folder / "f", versions={"1.0": FakeVersion("")}) as running:
        yield running


def test_a_sound_archive_answers_its_golden_request(store: Path, fake: FakeManagement) -> None:
    found = candidate(store / "waves-1.0.mar", "waves")
    assert found.words == (
        "waves 1.0: every file has its checksum, not signed; it answers its golden request"
    )
    said: list[bytes] = []

    def answer(body: bytes) -> tuple[int, object]:
        said.append(body)
        return 200, dict(found.golden.answer)

    fake.versions["1.0"].answers = answer
    management = Management(fake.socket)
    assert ask_golden(management, found.archive, found.golden).startswith("the server answers as")
    assert b'"data":[' in said[0]
    fake.versions["1.0"].answers = lambda body: (503, {})
    with pytest.raises(FieldError, match="golden: the server answers 503"):
        ask_golden(Management(fake.socket, patience=0), found.archive, found.golden)


def test_an_archive_of_an_earlier_version_answers_its_example(store: Path, tmp_path: Path) -> None:
    def age(folder: Path) -> None:
        for name in (GOLDEN_FILE, SUMS_FILE):
            (folder / name).unlink()

    old = edited(store / "waves-1.0.mar", tmp_path / "old.mar", age)
    found = candidate(old, "waves")
    assert found.words.endswith("it answers, by an earlier version without a golden request")
    assert found.golden.answer.keys() == {"latent", "severity"}


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("other", None, "name: damaged.mar holds the model waves, not other"),
        ("waves", "model-config.yaml", r"archive: damaged\.mar: .*model-config\.yaml"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said(
    store: Path, tmp_path: Path, name: str, damage: str | None, said: str
) -> None:
    def edit(folder: Path) -> None:
        if damage is not None:
            (folder / damage).write_text("batchSize: 1\n")

    damaged = edited(store / "waves-1.0.mar", tmp_path / "damaged.mar", edit)
    with pytest.raises(FieldError, match=said):
        candidate(damaged, name)


def test_another_golden_answer_is_an_error(store: Path, tmp_path: Path) -> None:
    def edit(folder: Path) -> None:
        golden = json.loads((folder / GOLDEN_FILE).read_text())
        golden["answer"]["severity"] = [9.0]
        (folder / GOLDEN_FILE).write_text(json.dumps(golden))

    changed = edited(store / "waves-1.0.mar", tmp_path / "changed.mar", edit, sealed=True)
    with pytest.raises(FieldError, match="the severity of its example is off by"):
        candidate(changed, "waves")
