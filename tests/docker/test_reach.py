"""From outside there is one port, and behind it only what is for clients."""

import json

import pytest

from tests.support.composition import Composition
from tests.support.proxied import Proxied
from tests.support.smuggling import ELSEWHERE, statuses

pytestmark = pytest.mark.docker

PREDICTIONS, METRICS = 8080, 8081
# Which TCP ports of an address answer.
SCAN = """
import json, socket, sys
found = []
for port in json.loads(sys.argv[2]):
    with socket.socket() as one:
        one.settimeout(1)
        if one.connect_ex((sys.argv[1], port)) == 0:
            found.append(port)
print(json.dumps(found))
"""
# Of what runs in a server: its own, and TorchServe's.
KNOWN = [PREDICTIONS, METRICS, 8082, 7070, 7071, 8443, 9000]


def open_ports(composition: Composition, network: str, address: str, ports: list[int]) -> list[int]:
    """Which ports of an address answer a container on a network."""
    alone = ("--rm", f"--network={network}", "python:3.11-slim-bookworm")
    said = composition.engine.run(
        "run", *alone, "python3", "-c", SCAN, address, json.dumps(ports), seconds=300
    )
    return list(json.loads(said.stdout))


def address_of(composition: Composition, service: str) -> str:
    networks = composition.inspect(service)["NetworkSettings"]["Networks"]
    return str(networks[f"{composition.project}_inside"]["IPAddress"])


def test_one_port_is_published(composition: Composition, service: Proxied) -> None:
    published = {
        (name, port, binding["HostPort"])
        for name in ("server", "proxy")
        for port, bindings in composition.inspect(name)["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }
    assert published == {("proxy", "8443/tcp", str(service.address[1]))}


@pytest.mark.parametrize("target", ["server", "proxy"])
def test_another_network_reaches_nothing(composition: Composition, target: str) -> None:
    address = address_of(composition, target)
    assert open_ports(composition, "bridge", address, KNOWN) == []


def test_the_network_inside_reaches_predictions_and_metrics_alone(
    composition: Composition,
) -> None:
    inside = f"{composition.project}_inside"
    found = open_ports(composition, inside, address_of(composition, "server"), [*range(1, 65536)])
    assert found == [PREDICTIONS, METRICS]


def test_the_server_reaches_nobody_outside(composition: Composition) -> None:
    assert not composition.shell("server", "cat /proc/net/route").splitlines()[1:] or (
        "00000000" not in {line.split()[1] for line in _routes(composition)}
    )


def _routes(composition: Composition) -> list[str]:
    return composition.shell("server", "cat /proc/net/route").splitlines()[1:]


def test_management_is_on_no_network(composition: Composition) -> None:
    listening = composition.shell("server", "cat /proc/net/unix")
    assert "/management/" in listening
    manage = composition.run("run", "--rm", "-T", "--entrypoint", "cat", "manage", "/proc/net/dev")
    assert [line.split(":")[0].strip() for line in manage.splitlines()[2:]] == ["lo"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [path for path in ELSEWHERE if not path.startswith("/v2/")])
def test_no_path_leads_to_the_management(service: Proxied, path: str, method: str) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
    for key in ("", f"Authorization: Bearer {service.key}\r\n"):
        heard, _ = service.speak(f"{head}{key}Connection: close\r\n\r\n".encode(), quiet=10)
        assert len(statuses(heard)) == 1 and 400 <= statuses(heard)[0] < 500, heard
        assert b"modelName" not in heard and b"modelUrl" not in heard


def test_no_token_of_the_server_is_told(service: Proxied) -> None:
    answer = service.ask("/predictions/rvae", method="GET")
    assert answer.status == 200
    assert "token" not in " ".join(answer.headers).lower()
    assert b"token" not in answer.body.lower()
