"""What tests of the proxy and of the manifests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.manifests import KUBERNETES, SITES, Document, needs_kubectl, rendered, written
from tests.support.proxy import KEY, Proxy, key_line, proxy
from tests.support.upstream import Upstream, answer, upstream


@pytest.fixture(scope="session")
def shared_backend() -> Iterator[Upstream]:
    """The server behind all proxies here."""
    with upstream() as found:
        yield found


@pytest.fixture
def backend(shared_backend: Upstream) -> Upstream:
    """The same, as new."""
    shared_backend.handler = lambda _: answer()
    shared_backend.asked.clear()
    return shared_backend


@pytest.fixture
def front(backend: Upstream, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy whose files and limits a test may change or use up."""
    with proxy(tmp_path, backend.address) as found:
        yield found


@pytest.fixture(scope="session")
def generous(shared_backend: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy that lets everybody ask often."""
    settings = {"RVAE_ANONYMOUS_RATE": 10_000, "RVAE_ANONYMOUS_BURST": 10_000}
    with proxy(tmp_path_factory.mktemp("proxy"), shared_backend.address, **settings) as found:
        found.keys.write_text(key_line("alice", KEY) + key_line("bob", "b-o_b.~+/="))
        found.reload()
        yield found


@pytest.fixture
def shared_front(generous: Proxy, backend: Upstream) -> Proxy:
    """The same for tests that change nothing of it, with a backend as new."""
    return generous


@pytest.fixture(
    params=["base", *(pytest.param(site, marks=needs_kubectl) for site in SITES)], scope="module"
)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    """The base as it is written, and what each site renders to."""
    if request.param == "base":
        return written(KUBERNETES / "base")
    return rendered(KUBERNETES / "sites" / request.param)
