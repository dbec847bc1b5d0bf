"""Where the proxy writes: bodies of clients, and its own configuration, have file systems apart."""

import subprocess
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
import yaml

from tests.support.manifests import KUBERNETES, containers, named, read
from tests.support.paths import ROOT

SETTINGS = ROOT / "docker" / "proxy" / "bin" / "settings"


def place(name: str) -> PurePosixPath:
    """A folder as the scripts have it in a container."""
    script = f'. {SETTINGS} && echo "${name}"'
    done = subprocess.run(["env", "-i", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return PurePosixPath(done.stdout.strip())


def in_composition() -> list[str]:
    composition = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    return [one.partition(":")[0] for one in composition["services"]["proxy"]["tmpfs"]]


def in_pods() -> list[str]:
    documents = read(KUBERNETES / "base" / "proxy.yaml")
    (container,) = containers(named(documents, "Deployment", "proxy"))
    return [one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")]


@pytest.mark.parametrize("mounts", [in_composition, in_pods])
def test_bodies_cannot_fill_what_a_reload_writes_to(mounts: Callable[[], list[str]]) -> None:
    bodies, configuration = place("TEMP"), place("RUN")
    assert {str(bodies), str(configuration)} == set(mounts())
    assert bodies not in configuration.parents and configuration not in bodies.parents
