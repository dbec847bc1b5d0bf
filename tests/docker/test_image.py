"""The image serves all that the package serves, says what it holds, and ends with its server."""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from rvae import __version__
from rvae.inference.conversion import with_runtime
from rvae.serving.packaging import build_archive
from tests.support.engine import Engine
from tests.support.exchanges import Answer, ask
from tests.support.untrained import KINDS, untrained_artifact
from tests.support.valid_requests import ARROW, CSV, JSON, NPY, forms
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

IMAGE = "rvae-test-serve"
CARD = replace(KINDS["categories"], training={"finished": "2026-01-01T00:00:00Z"})
# As compose.yaml has them, but nothing takes the place of PID 1 or starts a container again.
CONFINED = (
    *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--memory=3g"),
    *("--tmpfs=/tmp:exec", "--tmpfs=/logs:uid=10001", "--tmpfs=/state:uid=10001"),
)
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
START_SECONDS = 180
END_SECONDS = 120


@dataclass(frozen=True)
class Alone:
    """A container beside the composition."""

    engine: Engine
    name: str

    def facts(self) -> dict[str, Any]:
        """What the engine knows of it."""
        (found,) = json.loads(self.engine.run("container", "inspect", self.name).stdout)
        return dict(found)

    def said(self) -> str:
        done = self.engine.run("logs", self.name)
        return done.stdout + done.stderr

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        place = self.engine.run("port", self.name, "8080").stdout.split()[0]
        method = "GET" if body is None else "POST"
        return ask(("127.0.0.1", int(place.split(":")[-1])), path, body, headers, method)

    def kill(self, command: str) -> None:
        """End the process of a command, if there is one."""
        script = f"kill -9 $(grep -l ^{command} /proc/[0-9]*/comm | cut -d/ -f3)"
        self.engine.run("exec", self.name, "sh", "-c", script, check=False)

    def ended(self) -> bool:
        return not self.facts()["State"]["Running"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives of one model for each runtime."""
    store = tmp_path_factory.mktemp("models")
    for version, runtime in (("1", "torch"), ("2", "onnx")):
        converted, _ = with_runtime(untrained_artifact(CARD), runtime)
        build_archive(converted, "rvae", version, store)
    store.chmod(0o755)
    return store


@contextmanager
def running(engine: Engine, store: Path, *more: str) -> Iterator[Alone]:
    """A server that is healthy, as the image sees it."""
    options = (f"--volume={store}:/models:ro", "--publish=127.0.0.1::8080", "--health-interval=1s")
    started = engine.run("run", "--detach", *CONFINED, *options, *more, IMAGE, "--workers=1")
    alone = Alone(engine, started.stdout.strip())
    try:
        wait_for(lambda: alone.ended() or "Ctrl-C stops" in alone.said(), START_SECONDS)
        wait_for(lambda: alone.facts()["State"]["Health"]["Status"] == "healthy")
        yield alone
    finally:
        engine.run("rm", "--force", "--volumes", alone.name)


@pytest.fixture(scope="module")
def server(container_runtime: Engine, models: Path) -> Iterator[Alone]:
    with running(container_runtime, models) as alone:
        yield alone


def inside(engine: Engine, script: str) -> str:
    """What a shell in the image prints."""
    alone = ("--rm", "--network=none", "--read-only", "--entrypoint=sh")
    return engine.run("run", *alone, IMAGE, "-c", script).stdout


def test_it_runs_as_a_user_with_a_number_and_knows_its_version(container_runtime: Engine) -> None:
    (found,) = json.loads(container_runtime.run("image", "inspect", IMAGE).stdout)
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Labels"]["org.opencontainers.image.version"] == __version__
    assert inside(container_runtime, "rvae --version").split()[-1] == __version__


@pytest.mark.parametrize("form", range(len(list(forms(random.Random(0), CARD)))))
@pytest.mark.parametrize("version", ["1", "2"])
def test_every_form_of_request_is_answered(server: Alone, version: str, form: int) -> None:
    request = list(forms(random.Random(form), CARD))[form]
    path = f"/predictions/rvae/{version}{request.query}"
    answer = server.ask(path, request.body, request.headers)
    assert answer.status == 200, answer


@pytest.mark.parametrize(
    ("media", "said"),
    [(ARROW, ARROW), (CSV, CSV), (JSON, JSON), (NPY, "application/octet-stream")],
)
def test_every_form_of_answer_is_given(server: Alone, media: str, said: str) -> None:
    body = json.dumps({"data": [[20.5, "on"]] * CARD.window, "output": ["point_scores"]}).encode()
    headers = {"Content-Type": JSON, "Accept": media}
    answer = server.ask("/predictions/rvae/1", body, headers)
    assert answer.status == 200 and answer.headers["content-type"].startswith(said), answer


def test_management_is_reached_by_curl(server: Alone) -> None:
    if "curl" not in inside(server.engine, "command -v curl; true"):
        pytest.skip("built without a network")
    recipe = "curl --fail --silent --unix-socket /logs/management.sock http://localhost/models"
    told = json.loads(server.engine.run("exec", server.name, *recipe.split()).stdout)
    assert [one["modelName"] for one in told["models"]] == ["rvae"]


def test_nothing_is_compiled_at_the_start(server: Alone) -> None:
    """What a server imports was compiled when the image was made."""
    script = """
import sys, torch, rvae.cli.main, rvae.serving.torchserve.start
import rvae.serving.gateway.gateway, rvae.inference.engine, rvae.serving.service
cached = [getattr(one, "__cached__", None) for one in sys.modules.values()]
print(sum(isinstance(one, str) and not __import__("os").path.exists(one) for one in cached))
"""
    done = server.engine.run("exec", server.name, "python3", "-c", script)
    assert int(done.stdout) < 5


def test_its_bill_of_materials_lists_what_is_in_it(container_runtime: Engine) -> None:
    text = inside(container_runtime, "cat /opt/rvae/sbom.json")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    components = bill["components"]
    named = [PackageURL.from_string(one["purl"]) for one in components if "purl" in one]
    packages = {f"{one.name}-{one.version}" for one in named}
    find = "cd /opt/rvae/lib/python3*/site-packages && ls -d *.dist-info"
    found = inside(container_runtime, find).replace(".dist-info", "").split()
    installed = {one.lower().replace("_", "-") for one in found} - {f"rvae-{__version__}"}
    assert {one.lower().replace("_", "-") for one in packages} == installed
    (debian,) = (one for one in components if one["type"] == "operating-system")
    below = {f"{one['name']}={one['version']}" for one in debian["components"]}
    query = "dpkg-query --show --showformat '${Package}=${Version}\\n'"
    assert below == set(inside(container_runtime, query).split())


def test_it_ends_in_order_when_it_is_told_to(container_runtime: Engine, models: Path) -> None:
    with running(container_runtime, models) as alone:
        alone.engine.run("stop", "--time=60", alone.name)
        assert alone.facts()["State"]["ExitCode"] == 0
        assert "Stopped." in alone.said()


def test_java_is_replaced_and_where_it_cannot_be_the_container_ends(
    container_runtime: Engine, models: Path
) -> None:
    with running(container_runtime, models) as alone:
        alone.kill("java")
        assert alone.ask("/predictions/rvae/1").status == 200

        def killed_again() -> bool:
            alone.kill("java")
            return alone.ended()

        wait_for(killed_again, END_SECONDS)
        assert alone.facts()["State"]["ExitCode"] == 1
        assert "The server ends: " in alone.said()


def test_the_container_ends_with_the_gateway(container_runtime: Engine, models: Path) -> None:
    with running(container_runtime, models, "--init") as alone:
        alone.kill("rvae")
        wait_for(alone.ended, END_SECONDS)
        assert alone.facts()["State"]["ExitCode"] == 137
