"""The manifests for Kubernetes, as they are written and as kustomize renders them."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

__all__ = [
    "COMPONENTS",
    "KUBERNETES",
    "SITES",
    "Document",
    "containers",
    "labels",
    "matches",
    "named",
    "needs_kubectl",
    "of_kind",
    "pod",
    "read",
    "rendered",
    "size",
    "with_component",
    "written",
]

Document = Mapping[str, Any]

KUBERNETES = ROOT / "docker" / "kubernetes"
BASE = KUBERNETES / "base"
SITES = sorted(path.parent.name for path in KUBERNETES.glob("sites/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent.name for path in KUBERNETES.glob("components/*/kustomization.yaml"))
# Files that others are made of, or that are for other programs than kubectl.
PARTS = {"kustomization.yaml", "patch.yaml", "rules-head.yaml", "adapter.yaml"}
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed: nothing is rendered"
)


def read(path: Path) -> list[Document]:
    """The documents of a file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def written(folder: Path) -> list[Document]:
    """The whole documents in the files below a folder."""
    paths = sorted(folder.rglob("*.yaml"))
    return [one for path in paths if path.name not in PARTS for one in read(path)]


@cache
def rendered(folder: Path) -> list[Document]:
    """What kustomize makes of a folder."""
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def with_component(name: str, folder: Path) -> list[Document]:
    """The base with one component, and what a site has to bring along."""
    for file in ("archives.txt", "keys.pem"):
        (folder / file).write_text("made for a test\n")
    generated = [
        {"name": "archives", "files": ["archives.txt"]},
        {"name": "trusted", "files": ["keys.pem"]},
    ]
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "rvae",
        "resources": [os.path.relpath(BASE, folder)],
        "components": [os.path.relpath(KUBERNETES / "components" / name, folder)],
        "configMapGenerator": generated,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return rendered(folder)


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    """The documents of some kinds."""
    return [one for one in documents if one["kind"] in kinds]


def named(documents: list[Document], kind: str, name: str) -> Document:
    """The only document of a kind and a name."""
    (found,) = [one for one in of_kind(documents, kind) if one["metadata"]["name"] == name]
    return found


def pod(deployment: Document) -> Document:
    """The description of the pods of a deployment."""
    spec: Document = deployment["spec"]["template"]["spec"]
    return spec


def labels(deployment: Document) -> Mapping[str, str]:
    """The labels of the pods of a deployment."""
    found: Mapping[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return found


def containers(deployment: Document) -> Iterator[Document]:
    """All containers of its pods, those that run first as well."""
    yield from pod(deployment).get("initContainers", ())
    yield from pod(deployment)["containers"]


def matches(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Whether a selector by labels chooses something with these."""
    assert set(selector) <= {"matchLabels"}, "only labels are understood here"
    return selector.get("matchLabels", {}).items() <= found.items()


def size(text: str) -> int:
    """Bytes of a quantity."""
    return int(text[:-2]) * UNITS[text[-2:]]
