"""A back-up brings everything back: versions, default, certificate, archives, keys."""

from pathlib import Path

import pytest

from tests.support.composition import Composition
from tests.support.fault_models import NAME, WINDOW
from tests.support.paths import ROOT
from tests.support.proxied import Proxied
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

BACK = 180  # seconds


def test_what_is_lost_comes_back(
    composition: Composition, service: Proxied, second: str, tmp_path: Path
) -> None:
    store, keys = (Path(composition.environment[name]) for name in ("RVAE_STORE", "RVAE_KEYS"))
    composition.manage("rollout", NAME, second, "--keep")
    served = composition.manage("models")
    saved = tmp_path / "rvae.tar.gz"
    composition.script("backup.sh", "save", str(saved))
    assert saved.stat().st_mode & 0o077 == 0
    assert service.ask(body=WINDOW).status == 200, "the service goes on meanwhile"

    composition.run("down", "--volumes")
    for path in store.iterdir():
        path.unlink()
    keys.write_text("")
    composition.script("backup.sh", "restore", str(saved))
    composition.run("up", "--detach")

    # The client trusts the certificate of before, and has the key of before.
    wait_for(service.is_ready, BACK)
    assert service.ask(body=WINDOW).headers["rvae-version"] == "2.0"
    assert composition.manage("models") == served
    composition.manage("rollback", NAME)


def test_nothing_is_replaced_under_a_running_service(
    composition: Composition, tmp_path: Path
) -> None:
    done = composition.engine.call(
        str(ROOT / "docker" / "backup.sh"),
        "restore",
        str(tmp_path / "any"),
        check=False,
        environment=composition.variables,
    )
    assert done.returncode == 1 and "down first" in done.stderr
