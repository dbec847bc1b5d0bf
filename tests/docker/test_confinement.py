"""What runs may do no more than it needs, and take no more than it is given."""

import json
import re
from pathlib import Path

import pytest

from tests.support.composition import Composition
from tests.support.proxied import Proxied

pytestmark = pytest.mark.docker

SERVICES = {"server": 10001, "proxy": 10002}


@pytest.mark.parametrize("name", SERVICES)
def test_rights_are_given_up(composition: Composition, name: str) -> None:
    host = composition.inspect(name)["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"] and not host["Privileged"]
    status = composition.shell(name, "cat /proc/self/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {str(SERVICES[name])}
    assert facts["NoNewPrivs"] == "1"
    assert all(int(facts[kind], 16) == 0 for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh"))


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("folder", ["/", "/etc", "/usr/bin", "/opt", "/models", "/run/secrets"])
def test_nothing_of_the_image_can_be_changed(
    composition: Composition, name: str, folder: str
) -> None:
    said = composition.shell(name, f"touch {folder}/x && echo written; exit 0")
    assert "written" not in said


@pytest.mark.parametrize("name", SERVICES)
def test_memory_processors_and_processes_have_limits(composition: Composition, name: str) -> None:
    host = composition.inspect(name)["HostConfig"]
    assert host["Memory"] > 0 and host["NanoCpus"] > 0 and 0 < host["PidsLimit"] < 1000


def test_the_server_plans_with_the_memory_it_is_given(composition: Composition) -> None:
    limit = composition.inspect("server")["HostConfig"]["Memory"]
    said = composition.engine.run("logs", composition.container("server"))
    (line,) = [one for one in (said.stdout + said.stderr).splitlines() if "Memory: " in one][-1:]
    assert f"of {round(limit / 1e6)} MB" in line
    assert re.search(r"\b[1-9] workers?\b", line)


@pytest.mark.parametrize("name", SERVICES)
def test_logs_rotate(composition: Composition, name: str) -> None:
    config = composition.inspect(name)["HostConfig"]["LogConfig"]
    assert config["Type"] == "local" or "max-size" in config["Config"]


def test_no_key_is_in_an_image_or_in_what_the_engine_tells(
    composition: Composition, service: Proxied
) -> None:
    told = [json.dumps(composition.inspect(name)) for name in SERVICES]
    for image in ("rvae-test-serve", "rvae-test-proxy"):
        told.append(composition.engine.run("image", "inspect", image).stdout)
        told.append(composition.engine.run("history", "--no-trunc", image).stdout)
        find = "find / -xdev -name keys -type f -o -xdev -name '*.key' -o -xdev -name key_file.json"
        alone = ("--rm", "--network=none", "--user=0", "--entrypoint=sh", image)
        assert composition.engine.run("run", *alone, "-c", find).stdout.split() == []
    lines = Path(composition.environment["RVAE_KEYS"]).read_text().splitlines()
    hashes = [line.split()[1] for line in lines if line.strip() and not line.startswith("#")]
    assert hashes
    for secret in (service.key, *hashes):
        assert not any(secret in text for text in told)
