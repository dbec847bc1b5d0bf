"""The override for a GPU changes what a GPU needs, in every compose."""

import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

COMPOSES = {"plugin": ("docker", "compose"), "1.29": ("docker-compose",)}


@pytest.fixture(params=COMPOSES)
def services(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    compose = COMPOSES[request.param]
    if (
        shutil.which(compose[0]) is None
        or subprocess.run([*compose, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"{' '.join(compose)} is not installed")
    files = ["-f", "compose.yaml", "-f", "compose.gpu.yaml", "--profile", "manage"]
    done = subprocess.run(
        [*compose, *files, "config"],
        cwd=ROOT / "docker",
        env={**os.environ, "COMPOSE_FILE": "", "RVAE_WORKERS": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout)["services"])


def test_the_server_and_its_commands_are_of_the_image_for_cuda(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in ("server", "manage"):
        assert services[name]["image"] == "rvae-serve:cuda"
        assert services[name]["build"]["args"]["TORCH"] == "cuda"
        assert services[name]["build"]["dockerfile"] == "docker/Dockerfile"


def test_only_the_server_has_a_gpu(services: dict[str, dict[str, Any]]) -> None:
    (device,) = services["server"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert all("deploy" not in services[name] for name in services if name != "server")


def test_the_rest_is_as_without_it(services: dict[str, dict[str, Any]]) -> None:
    server = services["server"]
    assert server["read_only"] and server["cap_drop"] == ["ALL"] and "ports" not in server
    assert "--workers=3" in server["command"]
