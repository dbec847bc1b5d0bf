import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parsed

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.traffic import Load, Traffic
from rvae.serving.metrics.counts_file import Head, create
from rvae.serving.metrics.measures import PLACES
from rvae.serving.metrics.page import Page
from rvae.serving.metrics.server_families import MemoryState, ServerState

MEMORY = MemoryState({}, 1, 2)
STATE = ServerState(Traffic(), Load(0, 0, 0, 0), GatewayLimits(), True, (), 1, 0, MEMORY)


def test_the_page_tells_what_workers_count_and_what_the_server_does(tmp_path: Path) -> None:
    counts = create(tmp_path, Head("m", "1", ("a",), (), 0.01, time.monotonic()))
    page = Page(tmp_path, lambda: STATE)
    for count in (3, 5):
        counts.common[PLACES["windows"]] = count
        families = {family.name: family for family in parsed(page.text().decode())}
        assert families["rvae_windows"].samples[0].value == count
    assert families["rvae_ready"].samples[0].value == 1
    assert families["process_open_fds"].samples[0].value > 0
    assert all(family.documentation for family in families.values())


def test_two_pages_in_a_process_do_not_meet(tmp_path: Path) -> None:
    pages = [Page(tmp_path, lambda: STATE) for _ in range(2)]
    names = [[family.name for family in parsed(page.text().decode())] for page in pages]
    assert names[0] == names[1] and len(set(names[0])) == len(names[0])
