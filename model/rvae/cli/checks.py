"""What a machine needs to train and to serve, checked one by one."""

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

__all__ = ["Check", "check_machine", "failed", "noted", "passed"]

EXTRAS = {"train": "to train", "serve": "to package and serve"}
MIN_DISK = 1e9
MIN_MEMORY = 1e9  # Java, and one worker with a small model


@dataclass(frozen=True)
class Check:
    """What was found of one thing.

    Attributes:
        name: The thing.
        state: "note" is neither right nor wrong: something is missing that may not be needed.
        found: What was found.
        advice: What to do, if something should be done.
    """

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    advice: str = ""


def passed(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, "ok", found)


def noted(name: str, found: str, advice: str = "") -> Check:
    """Something that may not be needed is not there."""
    return Check(name, "note", found, advice)


def failed(name: str, found: str, advice: str) -> Check:
    """Something must be done."""
    return Check(name, "problem", found, advice)


def check_machine() -> Iterator[Check]:
    """Check software, disk, memory and GPU."""
    yield from _software()
    yield _temporary_folder()
    yield _memory()
    yield _gpu()


def _software() -> Iterator[Check]:
    """Python and the packages, against what this package declares."""
    try:
        distribution = importlib.metadata.distribution("rvae")
    except importlib.metadata.PackageNotFoundError:
        yield noted("packages", "rvae is not installed as a package, only its files are used")
        return
    version, needed = platform.python_version(), distribution.metadata["Requires-Python"]
    if SpecifierSet(needed).contains(version, prereleases=True):
        yield passed("Python", version)
    else:
        yield failed("Python", f"{version}, but {needed} is needed", "install another Python")
    requirements = [Requirement(text) for text in distribution.requires or []]
    yield _packages("packages", [one for one in requirements if one.marker is None], "rvae")
    for extra, purpose in EXTRAS.items():
        chosen = [
            one
            for one in requirements
            if one.marker and not one.marker.evaluate() and one.marker.evaluate({"extra": extra})
        ]
        yield _packages(f"packages {purpose}", chosen, f"rvae[{extra}]")


def _packages(name: str, requirements: list[Requirement], package: str) -> Check:
    missing, wrong = [], []
    for requirement in requirements:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            needed = f"but {requirement.specifier} is needed"
            wrong.append(f"{requirement.name} is {version}, {needed}")
    advice = f"pip install '{package}'"
    if wrong or (missing and package == "rvae"):
        return failed(name, "; ".join(wrong + missing), advice)
    if missing:
        return noted(name, "; ".join(missing), advice)
    return passed(name, f"{len(requirements)} as declared")


def _temporary_folder() -> Check:
    name = "temporary folder"
    try:
        folder = Path(tempfile.gettempdir())
        with tempfile.TemporaryFile():
            pass
    except OSError as error:
        return failed(name, f"cannot be written: {error.strerror}", "set TMPDIR to another folder")
    free = shutil.disk_usage(folder).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < MIN_DISK:
        advice = f"make room: a server unpacks its archives here, have {MIN_DISK / 1e9:g} GB"
        return failed(name, found, advice)
    return passed(name, found)


def _memory() -> Check:
    try:
        import psutil
    except ModuleNotFoundError:
        return noted("memory", "not known without psutil", "pip install 'rvae[serve]'")
    free = psutil.virtual_memory().available
    found = f"{free / 1e9:.1f} GB free"
    if free < MIN_MEMORY:
        return failed("memory", found, f"a server needs about {MIN_MEMORY / 1e9:g} GB: free some")
    return passed("memory", found)


def _gpu() -> Check:
    import torch

    if not torch.cuda.is_available():
        return noted("GPU", f"torch {torch.__version__} sees none, and uses the CPU")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return passed("GPU", ", ".join(names))
