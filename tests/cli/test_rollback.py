"""The command `rvae rollback`; what it does is tested with the steps themselves."""

from pathlib import Path

from tests.support.command_line import rvae
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeVersion, fake_management


def test_the_default_before_comes_back(short_folder: Path, tmp_path: Path) -> None:
    versions = {"2.0": FakeVersion("waves-2.0.mar")}
    with fake_management(
        short_folder / "f", versions=versions, default="2.0", previous="1.0"
    ) as fake:
        fake_archive(fake.store, "1.0")
        command = ("rollback", "waves", "--socket", fake.socket)
        done = rvae(*command, "--version", "3.0", cwd=tmp_path)
        assert done.returncode == 1 and "no archive in" in done.stderr
        done = rvae(*command, "--workers", 3, "--keep", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert fake.default == "1.0" and list(fake.versions) == ["2.0", "1.0"]
        assert fake.versions["1.0"].workers == 3
