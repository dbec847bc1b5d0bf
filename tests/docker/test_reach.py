"""From outside there is one port, and behind it only what is for clients."""

import json

import pytest

from tests.support.composition import Composition
from tests.support.proxied import Proxied
from tests.support.smuggling import ELSEWHERE, statuses
from tests.support.waiting import wait_for

pytestmark = pytest.mark.docker

PREDICTIONS, METRICS = 8080, 8081
# Which TCP ports of an address answer.
SCAN = """
import json, socket, sys
found = []
for port in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    with socket.socket() as one:
        one.settimeout(1)
        if one.connect_ex((sys.argv[1], port)) == 0:
            found.append(port)
print(json.dumps(found))
"""
# Of what runs in a server, its own port and its metrics, and that of the proxy.
KNOWN = (PREDICTIONS, METRICS, 8443)
IMAGE = "python:3.11-slim-bookworm"
LISTEN = "import socket; one = socket.create_server(('', 8080)); one.accept(); one.accept()"


def open_ports(
    composition: Composition, network: str, address: str, first: int, last: int
) -> list[int]:
    """Which ports of an address answer a container on a network."""
    command = ("python3", "-c", SCAN, address, str(first), str(last))
    alone = ("--rm", f"--network={network}", IMAGE)
    said = composition.engine.run("run", *alone, *command, seconds=300)
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
@pytest.mark.parametrize("port", KNOWN)
def test_another_network_reaches_nothing(composition: Composition, target: str, port: int) -> None:
    address = address_of(composition, target)
    assert open_ports(composition, "bridge", address, port, port) == []


def test_the_network_inside_reaches_predictions_and_metrics_alone(
    composition: Composition,
) -> None:
    inside = f"{composition.project}_inside"
    found = open_ports(composition, inside, address_of(composition, "server"), 1, 65535)
    assert found == [PREDICTIONS, METRICS]


def test_the_server_reaches_nobody_outside(composition: Composition) -> None:
    engine = composition.engine
    other = engine.run("run", "--detach", "--rm", IMAGE, "python3", "-c", LISTEN).stdout.strip()
    try:
        address = composition.facts(other)["NetworkSettings"]["IPAddress"]
        wait_for(lambda: open_ports(composition, "bridge", address, 8080, 8080) == [8080])
        server = composition.container("server")
        said = engine.run("exec", server, "python3", "-c", SCAN, address, "8080", "8080")
        assert json.loads(said.stdout) == []
    finally:
        engine.run("rm", "--force", other)


def test_management_is_a_file_that_the_servers_user_alone_may_open(
    composition: Composition,
) -> None:
    (listed,) = composition.shell("server", "ls -ln /management").splitlines()[1:]
    assert listed.startswith("srw-------") and listed.split()[2] == "10001"
    assert composition.shell("proxy", "ls /management", check=False) == ""


def test_commands_of_management_are_on_no_network(composition: Composition) -> None:
    run = ("run", "--rm", "-T", "--entrypoint", "cat", "manage", "/proc/net/dev")
    links = composition.run(*run).splitlines()[2:]
    assert {link.split(":")[0].strip() for link in links} <= {"lo", "tunl0", "sit0", "ip6tnl0"}


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
