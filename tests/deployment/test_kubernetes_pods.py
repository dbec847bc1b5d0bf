"""What pods in Kubernetes are allowed, take, and are asked, beside what the images are."""

import asyncio
import inspect
import json
import re
import subprocess
from pathlib import Path

import yaml

from rvae.cli.serve import serve
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.torchserve.capacity import plan_server
from rvae.serving.torchserve.capacity.available import parse_memory
from tests.support.gateways import front
from tests.support.manifests import (
    KUBERNETES,
    Document,
    containers,
    labels,
    named,
    of_kind,
    pod,
    read,
    size,
    written,
)
from tests.support.paths import ROOT

IMAGES = {"rvae-serve": ROOT / "docker/Dockerfile", "rvae-proxy": ROOT / "docker/proxy/Dockerfile"}
PROXY = ROOT / "docker" / "proxy"
MONITORING = ROOT / "docker" / "monitoring"
KSERVE = KUBERNETES / "kserve" / "inference-service.yaml"


def pods(documents: list[Document]) -> list[Document]:
    """The pods of these documents, and that of the example for KServe."""
    return [pod(one) for one in of_kind(documents, "Deployment")] + [
        read(KSERVE)[0]["spec"]["predictor"]
    ]


def dockerfile(container: Document) -> str:
    """The recipe of a container's image."""
    image = re.sub(r"^.*/|[:@].*$", "", container["image"])
    return IMAGES[image].read_text()


def server(documents: list[Document]) -> Document:
    """The container of the server."""
    (found,) = pod(named(documents, "Deployment", "server"))["containers"]
    return dict(found)


def options(container: Document) -> dict[str, str]:
    """The options that `rvae serve` gets in a container; none where another program runs."""
    (entrypoint,) = re.findall(r"^ENTRYPOINT (\[.*?\])$", dockerfile(container), re.M | re.S)
    words = container.get("command", json.loads(entrypoint.replace("\\\n", "")))
    words = [*words, *container.get("args", ())]
    if words[:2] != ["rvae", "serve"]:
        return {}
    names, values = words[2::2], words[3::2]
    assert all(name.startswith("--") for name in names)
    assert len(set(names)) == len(names), "the command takes an option once"
    return {name[2:]: value for name, value in zip(names, values, strict=True)}


def test_pods_have_no_privileges_and_write_to_nothing(documents: list[Document]) -> None:
    for one in pods(documents):
        assert one["automountServiceAccountToken"] is False
        assert one["securityContext"]["runAsNonRoot"] is True
        assert one["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*one.get("initContainers", ()), *one["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_pods_run_as_the_users_of_the_images(documents: list[Document]) -> None:
    for one in pods(documents):
        for container in (*one.get("initContainers", ()), *one["containers"]):
            (user,) = re.findall(r"^USER (\d+):(\d+)$", dockerfile(container), re.M)
            context = one["securityContext"]
            assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user
            assert context["fsGroup"] == context["runAsGroup"]


def test_the_namespace_refuses_pods_that_are_allowed_more() -> None:
    (space,) = of_kind(written(KUBERNETES / "base"), "Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_ports_are_those_of_the_images(documents: list[Document]) -> None:
    for one in pods(documents):
        for container in one["containers"]:
            (exposed,) = re.findall(r"^EXPOSE (.+)$", dockerfile(container), re.M)
            ports = {port["containerPort"] for port in container["ports"]}
            # The server's metrics are on the next port, which is not open by default.
            assert {int(port) for port in exposed.split()} == ports - {8081}
    default = inspect.signature(serve).parameters["port"].default
    assert default == 8080


def test_servers_are_given_options_that_there_are(documents: list[Document]) -> None:
    known = set(inspect.signature(serve).parameters)
    for one in pods(documents):
        for container in one["containers"]:
            assert set(options(container)) <= known
    given = options(server(documents))
    assert given["metrics"] == "0.0.0.0"
    mounts = {one["mountPath"] for one in server(documents)["volumeMounts"]}
    assert {given["store"], given["logs"], given["state"]} <= mounts
    # A socket in the logs, which are the pod's own.
    assert "socket" not in given


def test_what_the_proxy_is_told_is_what_it_reads(documents: list[Document]) -> None:
    settings = (PROXY / "bin" / "settings").read_text()
    defaults = dict(re.findall(r'"\$\{(\w+):=([^}"]*)\}"', settings))
    spec = pod(named(documents, "Deployment", "proxy"))
    (container,) = spec["containers"]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert set(environment) - {"NAMESPACE"} <= set(defaults)
    service = named(documents, "Service", "server")
    (port,) = service["spec"]["ports"]
    assert service["spec"]["clusterIP"] == "None"  # all addresses, not one for all
    name = f"{service['metadata']['name']}.$(NAMESPACE).svc.cluster.local"
    assert environment["SERVER"] == f"{name}:{port['port']}"
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    places = {defaults[name] for name in ("CERTIFICATES", "TEMP", "RUN")}
    assert {str(Path(defaults["KEYS"]).parent), *places} == set(mounts)
    volumes = {one["name"]: one for one in spec["volumes"]}
    files = {one["path"] for one in volumes[mounts["/certificates"]]["secret"]["items"]}
    assert files == {"server.crt", "server.key"}


def test_probes_ask_what_the_gateway_answers(documents: list[Document]) -> None:
    """A server that heals itself gets no requests, and is not ended."""
    container = server(documents)
    paths = {
        probe: container[f"{probe}Probe"]["httpGet"]["path"]
        for probe in ("startup", "readiness", "liveness")
    }

    async def nothing(asked: object) -> bytes:
        return b""

    async def statuses(ready: bool) -> dict[str, int]:
        found = {}
        async with front(nothing, ready=ready) as one:
            for probe, path in paths.items():
                lines = (f"GET {path} HTTP/1.1", "Host: here", "Connection: close", "", "")
                answer = await one.raw("\r\n".join(lines).encode())
                found[probe] = int(answer.split()[1])
        return found

    assert asyncio.run(statuses(ready=True)) == dict.fromkeys(paths, 200)
    assert asyncio.run(statuses(ready=False)) == {
        "startup": 503,
        "readiness": 503,
        "liveness": 200,
    }


def test_the_proxy_answers_its_probes_itself_and_without_a_key(documents: list[Document]) -> None:
    (container,) = pod(named(documents, "Deployment", "proxy"))["containers"]
    for probe in ("readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert (asked["scheme"], asked["path"]) == ("HTTPS", "/openapi.yaml")
    pages = (PROXY / "nginx" / "pages.conf").read_text()
    assert r"/openapi\.yaml" in pages and "key.conf" not in pages


def test_a_pod_has_the_time_to_start_and_to_end(documents: list[Document]) -> None:
    container, spec = server(documents), pod(named(documents, "Deployment", "server"))
    probe = container["startupProbe"]
    # The server itself ends after this time, and says why.
    patience = inspect.signature(serve).parameters["timeout"].default
    assert probe["periodSeconds"] * probe["failureThreshold"] > patience
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert before > 30  # what DNS may keep an address for
    assert spec["terminationGracePeriodSeconds"] >= before + 30 + 10

    spec = pod(named(documents, "Deployment", "proxy"))
    (container,) = spec["containers"]
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    timeout = re.search(r"proxy_read_timeout (\d+)s", (PROXY / "nginx/server.conf").read_text())
    assert timeout is not None
    assert spec["terminationGracePeriodSeconds"] >= before + int(timeout[1]) + 5
    assert "STOPSIGNAL SIGQUIT" in IMAGES["rvae-proxy"].read_text()


def test_memory_is_enough_for_the_server_and_its_file_systems(
    documents: list[Document], store: Path
) -> None:
    for spec in pods(documents):
        for container in spec["containers"]:
            resources = container["resources"]
            assert resources["limits"]["memory"] == resources["requests"]["memory"]
            sizes = {one["name"]: one["emptyDir"] for one in spec["volumes"] if "emptyDir" in one}
            mounted = [
                sizes[one["name"]] for one in container["volumeMounts"] if one["name"] in sizes
            ]
            memory = sum(size(one["sizeLimit"]) for one in mounted if one.get("medium") == "Memory")
            disk = sum(size(one["sizeLimit"]) for one in mounted if "medium" not in one)
            assert disk <= size(resources["limits"]["ephemeral-storage"])
            given = options(container)
            if not given:
                assert memory < size(resources["limits"]["memory"])
                continue
            assert parse_memory(given["memory"]) + memory <= size(resources["limits"]["memory"])
            workers = int(given["workers"])
            assert workers <= int(resources["limits"]["cpu"])
            # Clients may send what they may send elsewhere.
            planned = plan_server([store / "waves-1.0.mar"], [workers], given["memory"])
            assert planned.limits.body_bytes == GatewayLimits().body_bytes
            assert planned.limits.connections == GatewayLimits().connections


def test_nothing_else_gets_what_servers_were_planned_with(documents: list[Document]) -> None:
    """All containers of a pod may take what they ask for, and no more: its class is Guaranteed."""
    for one in of_kind(documents, "Deployment"):
        if labels(one)["app.kubernetes.io/component"] == "server":
            for container in containers(one):
                limits, requests = (
                    container["resources"]["limits"],
                    container["resources"]["requests"],
                )
                for name in ("cpu", "memory"):
                    assert limits[name] == requests[name]


def test_storage_is_that_of_the_composition(documents: list[Document]) -> None:
    composition = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    text = " ".join(composition["services"]["server"]["tmpfs"])
    expected = dict(re.findall(r"(/\w+):size=(\d+)m", text))
    spec = pod(named(documents, "Deployment", "server"))
    sizes = {one["name"]: one.get("emptyDir", {}).get("sizeLimit") for one in spec["volumes"]}
    mounts = {one["mountPath"]: sizes[one["name"]] for one in server(documents)["volumeMounts"]}
    assert {path: f"{value}Mi" for path, value in expected.items()}.items() <= mounts.items()


def test_kserve_mounts_archives_where_the_server_looks() -> None:
    (service,) = read(KSERVE)
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["name"] == "kserve-container"
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert environment["PROTOCOL"] == "v2"
    assert "STORAGE_URI" in environment
    assert options(container)["store"] == "/mnt/models"
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert mounts == {"/logs", "/state", "/tmp"}


def test_the_alerts_for_the_operator_are_those_of_the_files() -> None:
    """By the command in docs/kubernetes.md."""
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    (command,) = re.findall(r"^\((cat .*rules-head\.yaml;.*)\) \\\n  \| kubectl apply", text, re.M)
    made = subprocess.run(
        command, shell=True, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    rule = yaml.safe_load(made)
    assert rule["kind"] == "PrometheusRule"
    assert rule["spec"] == yaml.safe_load((MONITORING / "alerts.yml").read_text())
    base = written(KUBERNETES / "base")
    assert rule["metadata"]["namespace"] == of_kind(base, "Namespace")[0]["metadata"]["name"]


def test_the_alerts_know_the_job() -> None:
    (monitor,) = of_kind(written(KUBERNETES / "components"), "PodMonitor")
    job = labels(named(written(KUBERNETES / "base"), "Deployment", "server"))[
        monitor["spec"]["jobLabel"]
    ]
    jobs = set(re.findall(r'job="(\w+)"', (MONITORING / "alerts.yml").read_text()))
    assert jobs == {job}


def test_the_autoscaler_asks_for_what_the_adapter_makes_of_a_metric() -> None:
    queue = KUBERNETES / "components" / "queue"
    (change,) = yaml.safe_load((queue / "patch.yaml").read_text())
    (rule,) = yaml.safe_load((queue / "adapter.yaml").read_text())["rules"]["custom"]
    assert change["value"]["pods"]["metric"]["name"] == rule["name"]["as"]
    metric, label = re.findall(r'^(\w+)_sum\{phase="(\w+)"', rule["seriesQuery"])[0]
    documented = (ROOT / "docs" / "metrics.md").read_text()
    assert f"`{metric}`" in documented and f"`{label}`" in documented


def test_the_first_process_collects_those_without_a_parent(documents: list[Document]) -> None:
    """As `init: true` of the composition: TorchServe's workers may lose theirs."""
    for one in of_kind(documents, "Deployment"):
        if labels(one)["app.kubernetes.io/component"] == "server":
            assert pod(one)["shareProcessNamespace"] is True
            assert all("command" not in container for container in pod(one)["containers"])
