"""The client library, through the proxy, to a real server."""

from pathlib import Path

import numpy as np

from rvae.client import Client
from rvae.serving.torchserve import Endpoint
from tests.support.proxy import KEY, proxy


def test_a_bulk_of_windows_is_the_same_through_the_proxy(
    server: Endpoint, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    port = server.url.rpartition(":")[2]
    with proxy(tmp_path, ("127.0.0.1", int(port))) as front:
        headers = {"Authorization": f"Bearer {KEY}"}
        windows = np.stack(fresh * 20)
        with (
            Client(server.url, "waves") as plain,
            Client(front.url, "waves", headers=headers, verify=str(front.trusted)) as secured,
        ):
            expected, found = plain.score_windows(windows), secured.score_windows(windows)
        np.testing.assert_array_equal(expected, found)
        ping = front.ask("/ping", None, method="GET", key=None)
        assert (ping.status, ping.body) == (200, b'{"status":"Healthy"}')
        described = front.ask("/predictions/waves", None, method="GET")
        assert described.status == 200 and b'"example"' in described.body
        assert front.ask("/predictions/waves", None, method="HEAD").status == 200
        unknown = front.ask("/predictions/none")
        assert unknown.error == (404, "model")
        assert front.ask("/predictions/waves", b"{").error[0] == 400
        assert {one["status"] for one in front.logged()} == {200, 400, 404}
