"""The software bill of materials of a server: every library that `rvae serve` runs on.

python docker/sbom.py > sbom.json

It is CycloneDX, from what is installed here: the Python packages of the extra `serve`, Java, and
the Java libraries in TorchServe's one jar.
"""

import hashlib
import re
import sys
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import ts
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rvae.serving.torchserve.java import java_command

JAR = Path(ts.__file__).parent / "frontend" / "model-server.jar"

# The jar says which modules of Netty are in it, and nothing of other libraries: these are the
# versions in the build files of TorchServe 0.12.0. gRPC brings what has no version.
LIBRARIES: Mapping[str, Mapping[str, str | None]] = {
    "0.12.0": {
        "com.google.code.gson:gson": "2.9.0",
        "com.google.guava:guava": None,
        "com.google.protobuf:protobuf-java": None,
        "com.lmax:disruptor": "3.4.4",
        "commons-cli:commons-cli": "1.3.1",
        "commons-io:commons-io": "2.16.1",
        "io.grpc:grpc-netty-shaded": "1.50.0",
        "io.grpc:grpc-protobuf": "1.50.0",
        "io.grpc:grpc-stub": "1.50.0",
        "io.prometheus:simpleclient": "0.9.0",
        "io.prometheus:simpleclient_servlet": "0.9.0",
        "org.apache.commons:commons-compress": "1.25.0",
        "org.apache.logging.log4j:log4j-api": "2.17.1",
        "org.apache.logging.log4j:log4j-core": "2.17.1",
        "org.apache.logging.log4j:log4j-slf4j-impl": "2.17.1",
        "org.codehaus.groovy:groovy-all": "3.0.9",
        "org.pytorch:torchserve-plugins-sdk": "0.0.5",
        "org.slf4j:slf4j-api": "1.7.32",
        "org.yaml:snakeyaml": "2.1",
    }
}


def bill(wanted: str = "rvae[serve]") -> Bom:
    """Packages as pip is told of them, all that they need, and what needs what.

    Raises:
        PackageNotFoundError: If any of them is not installed.
    """
    needs = requirements(wanted)
    packages = {name: python_package(name) for name in needs}
    root, torchserve = packages[next(iter(needs))], packages["torchserve"]
    root.type = ComponentType.APPLICATION
    document = Bom(components=[one for one in packages.values() if one is not root])
    document.metadata.component = root
    for name, component in packages.items():
        document.register_dependency(component, [packages[needed] for needed in needs[name]])
    for component in (java(), jar(torchserve.version)):
        document.components.add(component)
        document.register_dependency(torchserve, [component])
    return document


def requirements(wanted: str) -> dict[str, set[str]]:
    """The names of packages and what each of them needs; first the one that is wanted."""
    needs: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(wanted)]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in {"", *one.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            found = map(Requirement, metadata.requires(name) or ())
            used = [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]
            needs.setdefault(name, set()).update(canonicalize_name(r.name) for r in used)
            waiting += used
    return needs


def python_package(name: str) -> Component:
    """An installed package."""
    version = metadata.version(name)
    purl = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl))


def java() -> Component:
    """The Java that TorchServe runs on here."""
    home = java_command().resolve().parent.parent
    told = dict(re.findall(r'^(\w+)="(.*)"$', (home / "release").read_text(), re.MULTILINE))
    return Component(
        name="java",
        version=told["JAVA_VERSION"],
        publisher=told.get("IMPLEMENTOR"),
        type=ComponentType.PLATFORM,
        bom_ref="java",
    )


def jar(torchserve: str | None) -> Component:
    """TorchServe's jar, and the libraries in that of this version."""
    with zipfile.ZipFile(JAR) as packed:
        text = packed.read("META-INF/io.netty.versions.properties").decode()
    found = re.findall(r"^(netty-[\w-]+)\.version=(\S+)", text, re.MULTILINE)
    libraries: dict[str, str | None] = {f"io.netty:{name}": version for name, version in found}
    libraries |= LIBRARIES.get(torchserve or "", {})
    checksum = hashlib.sha256(JAR.read_bytes()).hexdigest()
    return Component(
        name=JAR.name,
        bom_ref=JAR.name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)],
        components=[java_library(*named) for named in libraries.items()],
    )


def java_library(coordinates: str, version: str | None) -> Component:
    """A library, by its coordinates in Maven's repositories."""
    group, name = coordinates.split(":")
    purl = PackageURL("maven", group, name, version)
    return Component(group=group, name=name, version=version, purl=purl, bom_ref=str(purl))


if __name__ == "__main__":
    sys.stdout.write(JsonV1Dot6(bill()).output_as_string(indent=1))
