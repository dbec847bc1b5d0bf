"""The command `rvae models`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.cli.models import models
from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.support.command_line import rvae
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fake(short_folder: Path, engine: Engine) -> Iterator[FakeManagement]:
    """A server of three versions."""
    versions = {
        "1.0": FakeVersion("waves-1.0.mar", 2),
        "2.0": FakeVersion("waves-2.0.mar", 2),
        "3.0": FakeVersion("waves-3.0.mar", polls=-1),
    }
    described = json.loads(Service(engine, "waves", "2.0", Limits()).describe().body)
    with fake_management(
        short_folder / "f",
        versions=versions,
        default="2.0",
        earlier=["1.0"],
        shares={"canary": ("3.0", 0.1), "shadow": ("1.0", 0.5)},
        description=described,
    ) as running:
        yield running


def test_versions_are_listed_with_what_they_are(fake: FakeManagement, tmp_path: Path) -> None:
    done = rvae("models", "--socket", fake.socket, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "model  version  workers  archive",
        "waves  1.0      2 of 2   waves-1.0.mar  default before, shadow of 50%",
        "waves  2.0      2 of 2   waves-2.0.mar  default",
        "waves  3.0      0 of 1   waves-3.0.mar  canary of 10%",
    ]


def test_a_version_that_is_unregistered_meanwhile_is_left_out(
    fake: FakeManagement, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(method: str, path: str) -> None:
        if path == "/models/waves/all":
            fake.versions.pop("3.0", None)

    fake.on = end
    models(socket=fake.socket)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]] == ["1.0", "2.0"]


def test_the_list_in_json(fake: FakeManagement, tmp_path: Path) -> None:
    done = rvae("models", "--socket", fake.socket, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)[2] == {
        "model": "waves",
        "version": "3.0",
        "workers": 1,
        "ready": 0,
        "archive": "waves-3.0.mar",
        "roles": ["canary of 10%"],
    }


def test_a_version_is_described(fake: FakeManagement, tmp_path: Path) -> None:
    command = ("models", "--socket", fake.socket, "--name", "waves")
    lines = rvae(*command, cwd=tmp_path).stdout.splitlines()
    assert lines[0] == "served as     waves 2.0"
    assert "channels      height" in lines and lines[-1].startswith("runs on       name ")
    content = json.loads(rvae(*command, "--json", cwd=tmp_path).stdout)
    assert content["name"] == "waves" and "request" not in content
    assert "GET /models/waves/2.0?customized=true" in fake.asked
    rvae(*command, "--version", "1.0", cwd=tmp_path)
    assert "GET /models/waves/1.0?customized=true" in fake.asked


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--version", "1.0"], "version: needs the --name of a model"),
        (["--name", "other"], "name: other is not served"),
    ],
)
def test_what_is_not_served_is_said(
    fake: FakeManagement, tmp_path: Path, options: list[str], said: str
) -> None:
    done = rvae("models", "--socket", fake.socket, *options, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr


@pytest.fixture
def other(fake: FakeManagement, short_folder: Path) -> Iterator[FakeManagement]:
    """A second server, of which one version differs; `short_folder` holds both sockets."""
    (short_folder / "first.sock").symlink_to(fake.socket)
    versions = {"1.0": FakeVersion("waves-1.0.mar", 2), "2.0": FakeVersion("waves-2.0.mar", 2)}
    with fake_management(
        short_folder / "second",
        at=short_folder / "second.sock",
        versions=versions,
        default="2.0",
        earlier=["1.0"],
        shares={"shadow": ("1.0", 0.5)},
    ) as running:
        yield running


def test_several_servers_are_one_table(
    fake: FakeManagement, other: FakeManagement, short_folder: Path, tmp_path: Path
) -> None:
    fake.versions["2.0"].polls = -1
    done = rvae("models", "--socket", short_folder, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "model  version  workers  archive                                       servers",
        "waves  1.0      2 of 2   waves-1.0.mar  default before, shadow of 50%  all 2",
        "waves  2.0      0 of 2   waves-2.0.mar  default                        first",
        "waves  2.0      2 of 2   waves-2.0.mar  default                        second",
        "waves  3.0      0 of 1   waves-3.0.mar  canary of 10%                  first",
    ]
    done = rvae("models", "--socket", short_folder, "--json", cwd=tmp_path)
    assert [row["servers"] for row in json.loads(done.stdout)] == [
        *(["first", "second"], ["first"], ["second"], ["first"])
    ]
    done = rvae(*("models", "--socket", short_folder, "--name", "waves"), cwd=tmp_path)
    assert done.stdout.startswith("served as     waves 2.0\n")


def test_a_server_that_does_not_answer_is_named_beside_the_others(
    fake: FakeManagement,
    other: FakeManagement,
    short_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other.end()
    monkeypatch.setenv("RVAE_SOCKET", str(short_folder))
    done = rvae("models", cwd=tmp_path)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 4
    assert f"nobody answers at {other.socket}: start that server again" in done.stderr
