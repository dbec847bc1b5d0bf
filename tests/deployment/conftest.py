"""What tests of the manifests share."""

import pytest

from tests.support.manifests import KUBERNETES, SITES, Document, needs_kubectl, rendered, written


@pytest.fixture(
    params=["base", *(pytest.param(site, marks=needs_kubectl) for site in SITES)], scope="module"
)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    """The base as it is written, and what each site renders to."""
    if request.param == "base":
        return written(KUBERNETES / "base")
    return rendered(KUBERNETES / "sites" / request.param)
