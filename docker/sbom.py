"""The software bill of materials of a server: every library that `rvae serve` runs on.

python docker/sbom.py > sbom.json           # Python packages, Java, TorchServe's jar
python docker/sbom.py --system > sbom.json  # and Python and the packages of this Debian

It is CycloneDX, from what is installed here: the Python packages of the extra `serve`, Java, and
the Java libraries in TorchServe's one jar. The image has that of its whole system in
/opt/rvae/sbom.json. The same installation gives the same file.
"""

import hashlib
import json
import platform
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ts
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rvae.serving.torchserve.java import java_command

__all__ = ["bill"]

JAR = Path(ts.__file__).parent / "frontend" / "model-server.jar"
DEBIAN_PACKAGES = Path("/var/lib/dpkg/status")

Component = dict[str, Any]

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


def bill(system: bool = False, wanted: str = "rvae[serve]") -> dict[str, Any]:
    """Packages as pip is told of them, all that they need, and what needs what.

    Args:
        system: Whether to list what the packages run on, too.
        wanted: The package, as pip is told of it.

    Raises:
        PackageNotFoundError: If any of them is not installed.
    """
    needs = requirements(wanted)
    packages = {name: python_package(name, metadata.version(name)) for name in needs}
    for one in packages.values():
        one["bom-ref"] = one["purl"]
    root, torchserve = packages[next(iter(needs))], packages["torchserve"]
    root["type"] = "application"
    used = {
        component["bom-ref"]: [packages[one]["bom-ref"] for one in sorted(needs[name])]
        for name, component in packages.items()
    }
    others = [java(), jar(torchserve["version"])]
    used[torchserve["bom-ref"]] += [one["bom-ref"] for one in others]
    if system:
        below = [python(), debian()]
        used[root["bom-ref"]] += [one["bom-ref"] for one in below]
        others += below
    components = [one for one in packages.values() if one is not root] + others
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": sorted(components, key=lambda one: one["bom-ref"]),
        "dependencies": [{"ref": ref, "dependsOn": used[ref]} for ref in sorted(used)],
    }


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


def python_package(name: str, version: str) -> Component:
    """A package of Python's index."""
    return library("pypi", name, version)


def java() -> Component:
    """The Java that TorchServe runs on here."""
    home = java_command().resolve().parent.parent
    told = dict(re.findall(r'^(\w+)="(.*)"$', (home / "release").read_text(), re.MULTILINE))
    component = platform_of("java", told["JAVA_VERSION"])
    if "IMPLEMENTOR" in told:
        component["publisher"] = told["IMPLEMENTOR"]
    return component


def jar(torchserve: str) -> Component:
    """TorchServe's jar, and the libraries in that of this version."""
    with zipfile.ZipFile(JAR) as packed:
        text = packed.read("META-INF/io.netty.versions.properties").decode()
    found = re.findall(r"^(netty-[\w-]+)\.version=(\S+)", text, re.MULTILINE)
    libraries: dict[str, str | None] = {f"io.netty:{name}": version for name, version in found}
    libraries |= LIBRARIES.get(torchserve, {})
    checksum = hashlib.sha256(JAR.read_bytes()).hexdigest()
    return {
        "type": "library",
        "name": JAR.name,
        "bom-ref": JAR.name,
        "hashes": [{"alg": "SHA-256", "content": checksum}],
        "components": [java_library(*named) for named in libraries.items()],
    }


def java_library(coordinates: str, version: str | None) -> Component:
    """A library, by its coordinates in Maven's repositories."""
    group, name = coordinates.split(":")
    return library("maven", name, version, group) | {"group": group}


def python() -> Component:
    """The Python that everything runs on, and the packages that came with it."""
    folder = sysconfig.get_path("purelib", "posix_prefix", {"base": sys.base_prefix})
    found = metadata.distributions(path=[folder])
    packages = sorted((canonicalize_name(one.name), one.version) for one in found)
    component = platform_of("python", platform.python_version())
    return component | {"components": [python_package(*named) for named in packages]}


def debian() -> Component:
    """The distribution, and its packages."""
    release = platform.freedesktop_os_release()
    about = f"distro={release['ID']}-{release['VERSION_ID']}"
    packages = [
        library("deb", name, version, release["ID"], f"arch={architecture}&{about}")
        for name, version, architecture in sorted(debian_packages())
    ]
    component = platform_of(release["ID"], release["VERSION_ID"])
    return component | {"type": "operating-system", "components": packages}


def debian_packages() -> Iterator[tuple[str, str, str]]:
    """Name, version and architecture of what is installed."""
    for paragraph in DEBIAN_PACKAGES.read_text().split("\n\n"):
        told = Parser().parsestr(paragraph)
        if told["Status"] == "install ok installed":
            yield told["Package"], told["Version"], told["Architecture"]


def library(
    kind: str, name: str, version: str | None, group: str | None = None, about: str = ""
) -> Component:
    """A package of a registry, by its package URL."""
    path = "/".join(quote(part, safe="") for part in (group, name) if part)
    given = f"@{quote(version, safe='')}" if version else ""
    purl = f"pkg:{kind}/{path}{given}" + (f"?{about}" if about else "")
    component: Component = {"type": "library", "name": name, "purl": purl}
    return component | ({"version": version} if version else {})


def platform_of(name: str, version: str) -> Component:
    """What others run on."""
    return {"type": "platform", "name": name, "version": version, "bom-ref": name}


if __name__ == "__main__":
    json.dump(bill("--system" in sys.argv[1:]), sys.stdout, indent=1)
