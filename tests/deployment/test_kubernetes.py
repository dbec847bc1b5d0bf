"""The manifests for Kubernetes: each is valid, and they fit together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_validate import SchemaNotFoundError, latest_version, validate

from tests.support.manifests import (
    COMPONENTS,
    KUBERNETES,
    Document,
    containers,
    labels,
    matches,
    named,
    needs_kubectl,
    of_kind,
    pod,
    read,
    rendered,
    with_component,
    written,
)

# Kinds that are not Kubernetes' own: the validator has no schemas of them.
OTHERS = {"Certificate", "Gateway", "InferenceService", "PodMonitor", "TLSRoute"}
# What whoever installs it makes; `archives` where the store asks for a password.
SECRETS = {"keys", "certificate", "archives"}
CLUSTER_WIDE = {"Namespace"}


def check(document: Document) -> None:
    """One document, strictly: a field that does not exist is an error."""
    try:
        validate(dict(document), latest_version(), strict=True)
    except SchemaNotFoundError:
        assert document["kind"] in OTHERS


def test_every_document_is_valid() -> None:
    found = written(KUBERNETES)
    assert {one["kind"] for one in found} >= OTHERS
    for one in found:
        check(one)


def test_an_unknown_field_is_not_valid() -> None:
    service = named(written(KUBERNETES / "base"), "Service", "proxy")
    with pytest.raises(Exception, match="portz"):
        check({**service, "spec": {**service["spec"], "portz": []}})


@needs_kubectl
@pytest.mark.parametrize("component", COMPONENTS)
def test_the_base_is_valid_with_every_component(component: str, tmp_path: Path) -> None:
    plain = {str(one) for one in rendered(KUBERNETES / "base")}
    found = with_component(component, tmp_path)
    changed = [one for one in found if str(one) not in plain]
    assert of_kind(changed, *({one["kind"] for one in changed} - {"ConfigMap"}))
    for one in changed:
        check(one)


def test_what_a_site_renders_to_is_valid_and_in_its_namespace(documents: list[Document]) -> None:
    for one in documents:
        check(one)
    if "namespace" in named(documents, "Deployment", "server")["metadata"]:  # not as written
        inside = [one for one in documents if one["kind"] not in CLUSTER_WIDE]
        assert {one["metadata"].get("namespace") for one in inside} == {"rvae"}


def test_nothing_is_there_twice(documents: list[Document]) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in documents]
    assert len(set(names)) == len(names)


def test_a_deployment_has_its_own_pods_and_no_others(documents: list[Document]) -> None:
    found = of_kind(documents, "Deployment")
    for one in found:
        chosen = [other for other in found if matches(one["spec"]["selector"], labels(other))]
        assert chosen == [one]


def selectors(documents: list[Document]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What chooses pods by their labels, beside deployments."""
    for one in documents:
        where, spec = f"{one['kind']} {one['metadata']['name']}", one.get("spec", {})
        match one["kind"]:
            case "Service":
                yield where, {"matchLabels": spec["selector"]}
            case "PodDisruptionBudget" | "PodMonitor":
                yield where, spec["selector"]
            case "NetworkPolicy":
                yield where, spec["podSelector"]
            case "Deployment":
                for spread in pod(one)["topologySpreadConstraints"]:
                    assert matches(spread["labelSelector"], labels(one))


def test_every_selector_chooses_pods(documents: list[Document]) -> None:
    deployments = of_kind(documents, "Deployment")
    found = dict(selectors(documents))
    assert {"Service server", "PodDisruptionBudget server", "PodDisruptionBudget proxy"} <= set(
        found
    )
    for where, selector in found.items():
        components = {
            labels(one)["app.kubernetes.io/component"]
            for one in deployments
            if matches(selector, labels(one))
        }
        expected = {"server", "proxy"}
        if named_for := expected & set(where.split()):
            expected = named_for
        elif where not in ("NetworkPolicy nothing",):
            expected = {"server"}
        assert components == expected, where


def test_canaries_are_behind_the_service_and_not_in_the_autoscaler(
    documents: list[Document],
) -> None:
    servers = [
        one
        for one in of_kind(documents, "Deployment")
        if labels(one)["app.kubernetes.io/component"] == "server"
    ]
    service = {"matchLabels": named(documents, "Service", "server")["spec"]["selector"]}
    assert all(matches(service, labels(one)) for one in servers)
    assert len({labels(one)["track"] for one in servers}) == len(servers)
    (scaler,) = of_kind(documents, "HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    scaled = named(documents, target["kind"], target["name"])
    assert labels(scaled)["track"] == "stable"
    # The autoscaler's number would be overwritten each time that the manifests are applied.
    assert "replicas" not in scaled["spec"]
    assert scaler["spec"]["minReplicas"] >= 2


def test_ports_have_the_names_that_others_ask_for(documents: list[Document]) -> None:
    ports = {
        labels(one)["app.kubernetes.io/component"]: {
            port["name"]: port["containerPort"]
            for container in pod(one)["containers"]
            for port in container["ports"]
        }
        for one in of_kind(documents, "Deployment")
    }
    assert ports == {"server": {"http": 8080, "metrics": 8081}, "proxy": {"https": 8443}}
    for service in of_kind(documents, "Service"):
        chosen = ports[service["spec"]["selector"]["app.kubernetes.io/component"]]
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(chosen)
    for one in of_kind(documents, "Deployment"):
        for container in pod(one)["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in container:
                    named_ports = {port["name"] for port in container["ports"]}
                    assert container[probe]["httpGet"]["port"] in named_ports
    for monitor in of_kind(documents, "PodMonitor"):
        assert {one["port"] for one in monitor["spec"]["podMetricsEndpoints"]} == {"metrics"}


def backends(document: Document) -> Iterator[tuple[str, Any]]:
    """Services and ports that something in front sends connections to."""
    for rule in document["spec"]["rules"]:
        for path in rule.get("http", {}).get("paths", ()):
            service = path["backend"]["service"]
            yield service["name"], service["port"]["name"]
        for backend in rule.get("backendRefs", ()):
            yield backend["name"], backend["port"]


def test_only_the_proxy_is_published() -> None:
    found = written(KUBERNETES)
    fronts = of_kind(found, "Ingress", "TLSRoute")
    assert len(fronts) == 2
    (port,) = named(found, "Service", "proxy")["spec"]["ports"]
    for one in fronts:
        for name, asked in backends(one):
            assert name == "proxy"
            assert asked in (port["port"], port["name"])
    (balanced,) = read(KUBERNETES / "components" / "load-balancer" / "patch.yaml")
    assert (balanced["kind"], balanced["metadata"]["name"]) == ("Service", "proxy")


def test_no_pod_has_another_way_in(documents: list[Document]) -> None:
    for one in of_kind(documents, "Service"):
        kind = one["spec"].get("type", "ClusterIP")
        assert kind != "NodePort"
        assert kind == "ClusterIP" or one["metadata"]["name"] == "proxy"
        assert "externalIPs" not in one["spec"]
    for one in of_kind(documents, "Deployment"):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(one))
        assert not any("hostPath" in volume for volume in pod(one)["volumes"])
        for container in containers(one):
            assert not any("hostPort" in port for port in container.get("ports", ()))


def test_every_volume_is_there_and_mounted(documents: list[Document]) -> None:
    maps = {one["metadata"]["name"] for one in of_kind(documents, "ConfigMap")}
    claims = {one["metadata"]["name"] for one in of_kind(documents, "PersistentVolumeClaim")}
    for one in of_kind(documents, "Deployment"):
        volumes = {volume["name"]: volume for volume in pod(one)["volumes"]}
        mounted = {
            mount["name"] for container in containers(one) for mount in container["volumeMounts"]
        }
        assert mounted == set(volumes)
        for volume in volumes.values():
            match volume:
                case {"configMap": {"name": name}}:
                    assert name in maps
                case {"persistentVolumeClaim": {"claimName": name}}:
                    assert name in claims
                case {"secret": {"secretName": name}}:
                    assert name in SECRETS
                case _:
                    assert "sizeLimit" in volume["emptyDir"]


def test_archives_can_be_written_by_what_fetches_them_alone(documents: list[Document]) -> None:
    for one in of_kind(documents, "Deployment"):
        for container in pod(one)["containers"]:
            for mount in container["volumeMounts"]:
                if mount["mountPath"] not in ("/state", "/logs", "/tmp", "/run/proxy"):
                    assert mount["readOnly"], mount["mountPath"]
