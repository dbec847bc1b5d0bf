"""What the image installs has the versions that were tested, each with its checksums."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from tests.support.paths import ROOT

BUILDS = ("cpu", "cuda")
OF_CUDA = re.compile(r"(nvidia|cuda)-[\w-]+|triton")
# Debian's Python, and that of the official images.
MACHINE = {"python_version": "3.11", "sys_platform": "linux", "extra": ""}


@dataclass(frozen=True)
class Pin:
    """A package of a lock."""

    version: Version
    checksums: tuple[str, ...]


@cache
def lock(build: str) -> Mapping[NormalizedName, Pin]:
    text = (ROOT / "docker" / f"requirements-{build}.txt").read_text()
    pins = {}
    for line in re.sub(r" \\\n\s*", " ", text).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            given, *options = line.split()
            name, version = given.split("==")
            assert all(option.startswith("--hash=sha256:") for option in options), line
            pins[canonicalize_name(name)] = Pin(Version(version), tuple(options))
    return pins


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    return [Requirement(line) for line in lines]


def missed(build: str, wanted: Requirement) -> str | None:
    """What a lock has instead of what is wanted, if it is not that."""
    pin = lock(build).get(canonicalize_name(wanted.name))
    if pin is None:
        return f"{wanted}: not there"
    return None if wanted.specifier.contains(pin.version) else f"{wanted}: {pin.version}"


@pytest.mark.parametrize("build", BUILDS)
def test_every_package_has_checksums(build: str) -> None:
    assert len(lock(build)) > 40
    for name, pin in lock(build).items():
        assert pin.checksums, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in pin.checksums), name


@pytest.mark.parametrize("build", BUILDS)
def test_versions_are_those_of_the_constraints(build: str) -> None:
    tested = constraints()
    for name, pin in lock(build).items():
        if OF_CUDA.fullmatch(name):
            assert build == "cuda" and name not in tested
        else:
            assert pin.version.public == str(tested[name]), name


@pytest.mark.parametrize("build", BUILDS)
def test_all_that_a_server_needs_is_there(build: str) -> None:
    wanted = declared()
    for name in lock(build).keys() & {one.metadata["Name"] for one in metadata.distributions()}:
        needs = map(Requirement, metadata.requires(name) or ())
        wanted += [one for one in needs if one.marker is None or one.marker.evaluate(MACHINE)]
    assert len(wanted) > len(declared())
    assert [said for one in wanted if (said := missed(build, one))] == []


def test_only_the_build_for_cuda_has_cuda() -> None:
    cpu, cuda = lock("cpu"), lock("cuda")
    assert cpu["torch"].version.local == "cpu" and cuda["torch"].version.local is None
    assert not set(cpu["torch"].checksums) & set(cuda["torch"].checksums)
    more = cuda.keys() - cpu.keys()
    assert {"nvidia-cudnn-cu13", "triton"} <= more and not cpu.keys() - cuda.keys()
    assert all(map(OF_CUDA.fullmatch, more))


def test_beside_pytorch_both_builds_have_the_same_files() -> None:
    cpu, cuda = lock("cpu"), lock("cuda")
    assert all(cpu[name] == cuda[name] for name in cpu if name != "torch")
