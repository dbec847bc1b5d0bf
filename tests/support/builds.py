"""The images of the composition, also where a build reaches no package index by itself.

With RVAE_TEST_IMAGES=kept in the environment the images of the last time are taken as they are.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.base_images import CACHE
from tests.support.composition import Composition
from tests.support.engine import Engine
from tests.support.paths import ROOT

__all__ = ["build_images", "build_stand_in"]

BUILT = ("server", "proxy")  # others have the same images
BUILD_SECONDS = 1500
LOCKS = (ROOT / "docker" / "requirements-cpu.txt", ROOT / "docker" / "proxy" / "requirements.txt")
WHEELS = ROOT / "docker" / "wheels"
# Packages from this folder alone, and Debian's by the network of this machine.
BY_THIS_MACHINE = {
    "PIP_INDEX_URL": "file:///wheels",
    "PIP_EXTRA_INDEX_URL": "file:///wheels",
    "RVAE_BUILD_NETWORK": "host",
}
PROBE = "pip download --no-deps --retries 0 --timeout 5 --dest /tmp wheel"


def build_images(composition: Composition) -> None:
    """Build them as an operator would, with what this machine has where a build reaches nothing."""
    if os.environ.get("RVAE_TEST_IMAGES") == "kept":
        return
    if _reaches_index(composition.engine):
        composition.run("build", *BUILT, seconds=BUILD_SECONDS)
        return
    settings = {**BY_THIS_MACHINE, **composition.environment}
    with _wheels():
        replace(composition, environment=settings).run("build", *BUILT, seconds=BUILD_SECONDS)


def build_stand_in(engine: Engine, dockerfile: Path, name: str) -> None:
    """Build an image of Debian's packages, by the network of this machine."""
    options = ("--network=host", f"--file={dockerfile}", f"--tag={name}")
    engine.run("build", *options, str(dockerfile.parent), seconds=BUILD_SECONDS)


def _reaches_index(engine: Engine) -> bool:
    probe = ("run", "--rm", "python:3.11-slim-bookworm", "python3", "-m", *PROBE.split())
    try:
        return engine.run(*probe, check=False, seconds=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def _wheels() -> Iterator[None]:
    """The packages of the lock where builds look for them; fetched once, by this machine's pip."""
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    folder = CACHE / f"wheels-{digest[:16]}"
    done = folder / ".complete"
    if not done.exists():
        locks = [f"--requirement={lock}" for lock in LOCKS]
        exact = ("--no-deps", "--require-hashes", "--only-binary=:all:")
        pip = (sys.executable, "-m", "pip", "download", "--quiet", *exact, f"--dest={folder}")
        subprocess.run([*pip, *locks], check=True)
        done.touch()
    added = []
    try:
        for wheel in folder.glob("*.whl"):
            place = WHEELS / wheel.name
            if not place.exists():
                _link(wheel, place)
                added.append(place)
        yield
    finally:
        for place in added:
            place.unlink()


def _link(wheel: Path, place: Path) -> None:
    """The same file under another name, or a copy on another disk."""
    try:
        os.link(wheel, place)
    except OSError:
        place.write_bytes(wheel.read_bytes())
