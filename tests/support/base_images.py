"""The images that Dockerfiles begin with, also where none can be pulled."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.engine import Engine, NoEngineError

__all__ = ["provide"]

# Stands in for both: its Python is Debian's.
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
PULL_SECONDS = 120
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rvae-tests"


def provide(engine: Engine, *names: str) -> None:
    """Have images in the engine: as they are there, pulled, or made of Debian's packages.

    Raises:
        NoEngineError: If there is no way to have one.
    """
    for name in names:
        if not (_is_there(engine, name) or _is_pulled(engine, name)):
            engine.run("import", str(_tree()), name, seconds=300)


def _is_there(engine: Engine, name: str) -> bool:
    return engine.run("image", "inspect", name, check=False).returncode == 0


def _is_pulled(engine: Engine, name: str) -> bool:
    try:
        return engine.run("pull", name, check=False, seconds=PULL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _tree() -> Path:
    """The archive of a bare Debian, made once."""
    archive = CACHE / "bookworm.tar"
    if archive.exists():
        return archive
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise NoEngineError("base images cannot be pulled, nor made by debootstrap as root")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root, made = Path(folder) / "root", Path(folder) / archive.name
        make = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        pack = ["tar", "-C", str(root), "--exclude=./var/cache/apt/archives/*.deb", "-cf"]
        subprocess.run([*pack, str(made), "."], check=True)
        made.replace(archive)
    return archive
