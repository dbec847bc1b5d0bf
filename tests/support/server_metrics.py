"""What a server in a container tells of itself, read where it runs."""

import json

from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.support.composition import Composition

__all__ = ["total"]

# The network of the metrics has no way to the host, on some engines.
READ = """
import json, urllib.request
print(json.dumps(urllib.request.urlopen("http://localhost:8081/metrics").read().decode()))
"""


def total(composition: Composition, name: str, container: str | None = None) -> float:
    """The sum of a metric over its labels, of a server's container or of the first one."""
    container = container or composition.containers("server")[0]
    said = composition.engine.run("exec", container, "python3", "-c", READ).stdout
    return sum(
        sample.value
        for family in parsed(json.loads(said))
        for sample in family.samples
        if sample.name == name
    )
