"""The client library and its command, through the proxy, to a real server."""

from pathlib import Path

import numpy as np

from rvae.client import Client
from rvae.serving.torchserve import Endpoint
from tests.support.command_line import rvae
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


def test_the_command_brings_a_key_and_trusts_a_certificate(
    server: Endpoint, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    data, key = tmp_path / "new.npy", tmp_path / "key.txt"
    np.save(data, np.concatenate(fresh * 3))
    key.write_text(f"{KEY}\n")
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with proxy(tmp_path, address) as front:
        asked = ("score", data, "rows.csv", "--server", front.url, "--model", "waves")
        trusted = ("--certificate", front.trusted, "--timeout", "5")
        done = rvae(*asked, *trusted, "--key", key, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len((tmp_path / "rows.csv").read_text().splitlines()) > 1
        untrusted = rvae(*asked, "--key", key, "--timeout", "1", cwd=tmp_path)
        assert untrusted.returncode == 1 and "CERTIFICATE_VERIFY_FAILED" in untrusted.stderr
        for given, said in (
            ((), "Authorization: must be Bearer KEY"),
            (("--key", tmp_path / "none"), "rvae: key: no such file"),
            (("--key", data), "rvae: key: "),
        ):
            done = rvae(*asked, *trusted, *given, cwd=tmp_path)
            assert done.returncode == 1 and said in done.stderr, done.stderr
