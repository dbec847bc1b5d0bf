"""Who reaches whom in Kubernetes, as the network policies say."""

from typing import NamedTuple

import pytest

from tests.support.manifests import (
    KUBERNETES,
    SITES,
    Document,
    matches,
    needs_kubectl,
    of_kind,
    rendered,
    written,
)


class Place(NamedTuple):
    """A pod, or what is outside of the cluster.

    Attributes:
        namespace: Its namespace; empty outside.
        labels: Its labels.
    """

    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()


def of_rvae(component: str, track: str = "stable") -> Place:
    names = {"app.kubernetes.io/name": "rvae", "app.kubernetes.io/component": component}
    return Place("rvae", tuple({**names, "track": track}.items()))


SERVER, CANARY, PROXY = of_rvae("server"), of_rvae("server", "canary"), of_rvae("proxy")
OUTSIDE = Place()
DNS = Place("kube-system", (("k8s-app", "kube-dns"),))
PROMETHEUS = Place("monitoring", (("app.kubernetes.io/name", "prometheus"),))
NEIGHBOUR = Place("other", (("app.kubernetes.io/component", "proxy"),))
INSIDE = Place("rvae", (("app.kubernetes.io/name", "something"),))


def is_peer(peer: Document, place: Place) -> bool:
    """Whether a rule's peer is this place."""
    namespace = {"kubernetes.io/metadata.name": place.namespace}
    if not place.namespace:
        return False
    if "namespaceSelector" in peer:
        is_there = matches(peer["namespaceSelector"], namespace)
    else:
        is_there = place.namespace == "rvae"
    return is_there and matches(peer.get("podSelector", {}), dict(place.labels))


def permits(rule: Document, side: str, place: Place, port: int, protocol: str) -> bool:
    """Whether a rule is for this place and port."""
    ports = rule.get("ports", [{"port": port, "protocol": protocol}])
    if not any((one["port"], one["protocol"]) == (port, protocol) for one in ports):
        return False
    return side not in rule or any(is_peer(peer, place) for peer in rule[side])


def reaches(
    documents: list[Document], source: Place, target: Place, port: int, protocol: str = "TCP"
) -> bool:
    """Whether the policies of both sides let a connection through."""
    policies = of_kind(documents, "NetworkPolicy")
    for own, other, kind, side in (
        (source, target, "Egress", "to"),
        (target, source, "Ingress", "from"),
    ):
        if own.namespace != "rvae":
            continue
        chosen = [
            one["spec"]
            for one in policies
            if kind in one["spec"]["policyTypes"]
            and matches(one["spec"]["podSelector"], dict(own.labels))
        ]
        rules = [rule for one in chosen for rule in one.get(kind.lower(), ())]
        if chosen and not any(permits(rule, side, other, port, protocol) for rule in rules):
            return False
    return True


@pytest.mark.parametrize("server", [SERVER, CANARY])
def test_the_proxy_is_the_only_way_to_predictions(documents: list[Document], server: Place) -> None:
    assert reaches(documents, OUTSIDE, PROXY, 8443)
    assert reaches(documents, PROXY, server, 8080)
    for other in (OUTSIDE, NEIGHBOUR, PROMETHEUS, DNS, INSIDE):
        assert not reaches(documents, other, server, 8080), other


@pytest.mark.parametrize("server", [SERVER, CANARY])
def test_no_other_port_can_be_reached(documents: list[Document], server: Place) -> None:
    everybody = (OUTSIDE, NEIGHBOUR, PROMETHEUS, DNS, INSIDE, PROXY)
    for port in (22, 80, 443, 7070, 7071, 8000, 8082, 8443, 9000):
        assert not any(reaches(documents, other, server, port) for other in everybody)
        if port != 8443:
            assert not any(reaches(documents, other, PROXY, port) for other in (*everybody, server))


def test_the_proxy_finds_names_and_speaks_with_nobody_else(documents: list[Document]) -> None:
    assert reaches(documents, PROXY, DNS, 53, "UDP") and reaches(documents, PROXY, DNS, 53)
    assert not reaches(documents, PROXY, OUTSIDE, 53, "UDP")
    for place, port in ((OUTSIDE, 443), (NEIGHBOUR, 8080), (INSIDE, 8080), (DNS, 8080)):
        assert not reaches(documents, PROXY, place, port), place


def test_a_pod_that_no_policy_names_reaches_nothing_and_is_not_reached(
    documents: list[Document],
) -> None:
    for place in (OUTSIDE, NEIGHBOUR, PROXY, SERVER):
        assert not reaches(documents, place, INSIDE, 8080), place
        assert not reaches(documents, INSIDE, place, 8080), place


def test_a_server_speaks_with_nobody_by_itself() -> None:
    documents = written(KUBERNETES / "base")
    for place, port in ((OUTSIDE, 443), (DNS, 53), (PROXY, 8443), (SERVER, 8080)):
        assert not reaches(documents, SERVER, place, port), place


@needs_kubectl
def test_a_server_that_fetches_archives_reaches_these_and_names() -> None:
    documents = rendered(KUBERNETES / "sites" / "fetch")
    assert reaches(documents, SERVER, OUTSIDE, 443) and reaches(documents, SERVER, DNS, 53, "UDP")
    assert not reaches(documents, SERVER, OUTSIDE, 80)


@needs_kubectl
@pytest.mark.parametrize("site", SITES)
def test_prometheus_reaches_metrics_and_nothing_else(site: str) -> None:
    documents = rendered(KUBERNETES / "sites" / site)
    for server in (SERVER, CANARY):
        assert reaches(documents, PROMETHEUS, server, 8081)
        for other in (OUTSIDE, NEIGHBOUR, INSIDE, PROXY, Place("monitoring")):
            assert not reaches(documents, other, server, 8081), other


def test_metrics_are_nobodys_without_the_component() -> None:
    documents = written(KUBERNETES / "base")
    assert not reaches(documents, PROMETHEUS, SERVER, 8081)
