"""Everything through a real TorchServe, with a model that was trained in this run."""

import ctypes
import http.client
import http.server
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
import requests
from numpy.typing import NDArray

from rvae._version import __version__
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.serving.integrity import TrustedKeys
from rvae.serving.model_store import list_archives
from rvae.serving.packaging import build_archive
from rvae.serving.torchserve import Endpoint, fresh_state
from rvae.serving.torchserve.server import TorchServe
from rvae.serving.unix_http import UnixSession
from tests.support.archives import edited, key_pair
from tests.support.processes import worker_pids
from tests.support.waiting import wait_for


def post(
    server: Endpoint, body: Any, path: str = "predictions/waves", **headers: Any
) -> requests.Response:
    address = f"{server.url}/{path}"
    return requests.post(
        address, data=body, timeout=60, headers={"Content-Type": "application/json", **headers}
    )


def ask(server: Endpoint, path: str = "predictions/waves", **fields: Any) -> requests.Response:
    return post(server, json.dumps(fields), path)


def is_answered(server: Endpoint, path: str, window: NDArray[np.float64]) -> bool:
    return ask(server, path, data=window.tolist()).status_code == 200


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_without_any_worker_is_ready_when_it_listens(tmp_path: Path) -> None:
    with TorchServe(tmp_path, (), tmp_path / "logs") as running:
        running.wait_until_ready(60)
        with UnixSession(running.management) as manager:
            models = manager.get("http://localhost/models", timeout=30)
        assert models.json() == {"models": []}


def test_answers_equal_the_engine_one_by_one_at_once_and_in_batches(
    server: Endpoint, engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    given = [*fresh, *anomalous]
    expected = engine.analyse(given)
    threshold = engine.card.calibration.threshold()
    output = ["score", "latent", "reconstruction", "point_scores", "contributions"]
    bodies = [json.dumps({"data": values.tolist(), "output": output}) for values in given]
    alone = [post(server, body) for body in bodies[:5]]
    with ThreadPoolExecutor(32) as pool:
        at_once = list(pool.map(lambda body: post(server, body), bodies))
    together = ask(server, instances=[values.tolist() for values in given], output=output)
    assert {r.status_code for r in (*alone, *at_once, together)} == {200}
    for answers in (
        [r.json() for r in alone],
        [r.json() for r in at_once],
        together.json()["predictions"],
    ):
        assert len(answers) in (5, len(given))
        for answer, analysis in zip(answers, expected, strict=False):
            close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
            np.testing.assert_allclose(answer["score"], analysis.score, **close)
            np.testing.assert_allclose(answer["latent"], analysis.latent, **close)
            np.testing.assert_allclose(answer["reconstruction"], analysis.reconstruction, **close)
            np.testing.assert_allclose(answer["point_scores"], analysis.point_scores, **close)
            np.testing.assert_allclose(np.sum(answer["contributions"]), analysis.score[0], **close)
            assert answer["is_anomaly"] == (analysis.score > threshold).tolist()


def test_long_series(server: Endpoint, engine: Engine, fresh: list[np.ndarray]) -> None:
    series = np.concatenate(fresh[:6])
    answer = ask(server, data=series[:, 0].tolist(), stride=7, output=["point_scores"]).json()
    (analysis,) = engine.analyse([series], 7)
    assert answer["window"]["starts"] == analysis.starts.tolist()
    np.testing.assert_allclose(answer["point_scores"], analysis.point_scores, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_what_curl_sends(server: Endpoint, fresh: list[np.ndarray], tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"data": fresh[0].tolist()}))

    def curl(*options: str) -> tuple[int, str, Any]:
        command = ["curl", "-s", "-w", "\n%{http_code} %{content_type}", *options]
        done = subprocess.run(
            [*command, f"{server.url}/predictions/waves"], capture_output=True, text=True
        )
        text, _, rest = done.stdout.rpartition("\n")
        status, content_type = rest.split(maxsplit=1)
        return int(status), content_type, json.loads(text)

    json_header = ("-H", "Content-Type: application/json")
    status, content_type, answer = curl("-X", "POST", *json_header, "-d", f"@{body}")
    assert (status, content_type) == (200, "application/json")
    assert len(answer["latent"][0]) == 4
    assert curl("-X", "POST", "-d", f"@{body}")[0] == 200  # as a form, which it is not
    assert curl("-F", f"data=@{body}")[0] == 200
    assert (
        curl("-H", "Content-Type: application/octet-stream", "--data-binary", f"@{body}")[0] == 200
    )


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"[" * 200_000, 400, "body"),
        (b'{"data": [NaN]}', 400, "body"),
        ('{"data": "ü"}'.encode("latin-1"), 400, "body"),
        (b'{"data": [1, 2, 3]}', 422, "data"),
        (b'{"data": [[1, 2]]}', 422, "data"),
        (b'{"data": [1e300' + b", 1" * 40 + b"]}", 422, "data[0]"),
        (b'{"data": ["1"' + b", 1" * 40 + b"]}", 422, "data[0]"),
        (b'{"data": [1' + b", 1" * 40 + b'], "output": ["all"]}', 422, "output[0]"),
        (b'{"data": [1' + b", 1" * 40_000 + b"]}", 422, "stride"),
        (b'{"data": [1' + b", 1" * 40 + b'], "stride": 9223372036854775808}', 422, "stride"),
        (b'{"' + b"a" * 6_500_000 + b'": 1}', 422, "a" * 100),
        (b'{"output": [' + b"1," * 2_000_000 + b"1]}", 422, "output"),
    ],
)
def test_bad_requests_are_told_what_is_wrong_and_harm_no_worker(
    server: Endpoint, body: bytes, status: int, field: str
) -> None:
    workers = worker_pids(server)
    answer = post(server, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["field"] == field
    assert worker_pids(server) == workers


def test_too_large_a_request_is_refused(server: Endpoint) -> None:
    assert post(server, b" " * 7_000_000).status_code == 413


def test_one_bad_request_among_31_good_ones(server: Endpoint, fresh: list[np.ndarray]) -> None:
    good = json.dumps({"data": fresh[0].tolist(), "output": ["score"]})
    with ThreadPoolExecutor(32) as pool:
        for bad in ("{", json.dumps({"data": [None] * 32})):
            answers = list(pool.map(lambda body: post(server, body), [bad, *[good] * 31]))
            assert answers[0].status_code in (400, 422)
            assert [r.status_code for r in answers[1:]] == [200] * 31


def test_versions(server: Endpoint, fresh: list[np.ndarray]) -> None:
    data = fresh[0].tolist()
    assert ask(server, data=data).json()["version"] == "1.10"  # the newest, not the first by name
    for version in ("1.0", "1.10"):
        assert ask(server, f"predictions/waves/{version}", data=data).json()["version"] == version
    assert ask(server, "predictions/waves/9.9", data=data).status_code == 404


def test_a_version_that_is_put_into_the_store_later(
    server: Endpoint, store: Path, checkpoint: Path, fresh: list[np.ndarray]
) -> None:
    models, manager = "http://localhost/models", UnixSession(server.management)
    archive = build_archive(checkpoint, "waves", "2.0", store)
    options = {"url": archive.name, "initial_workers": "1"}
    answer = manager.post(models, params=options, timeout=30)
    assert answer.ok, answer.text
    data = fresh[0].tolist()
    wait_for(lambda: ask(server, "predictions/waves/2.0", data=data).ok)
    assert ask(server, data=data).json()["version"] == "1.10"
    assert manager.put(f"{models}/waves/2.0/set-default", timeout=30).ok
    assert ask(server, data=data).json()["version"] == "2.0"
    assert manager.put(f"{models}/waves/1.10/set-default", timeout=30).ok
    assert manager.delete(f"{models}/waves/2.0", timeout=30).ok
    archive.unlink()
    assert ask(server, data=data).json()["version"] == "1.10"


def test_explanations_and_description(server: Endpoint, fresh: list[np.ndarray]) -> None:
    answer = ask(server, "explanations/waves", data=fresh[0].tolist()).json()
    np.testing.assert_allclose(np.sum(answer["contributions"]), answer["score"], rtol=1e-5)
    (model,) = (
        UnixSession(server.management)
        .get("http://localhost/models/waves", params={"customized": "true"}, timeout=30)
        .json()
    )
    described = model["customizedMetadata"]
    assert described["card"]["channels"][0]["name"] == "height"
    assert ask(server, **described["example"]).status_code == 200
    harmless = post(server, json.dumps({"data": fresh[0].tolist()}), describe="True")
    assert harmless.status_code == 200 and "is_anomaly" in harmless.json()


def test_an_archive_has_a_library_of_its_own(
    server: Endpoint, store: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """The worker runs the code in the archive, not what is installed beside TorchServe."""

    def renumber(folder: Path) -> None:
        version = folder / "rvae" / "_version.py"
        version.write_text(version.read_text().replace(__version__, "0.0.7"))

    archive = edited(
        build_archive(checkpoint, "own", "1.0", tmp_path), store / "own.mar", renumber, sealed=True
    )
    models = "http://localhost/models"
    with UnixSession(server.management) as manager:
        options = {"url": archive.name, "initial_workers": "1"}
        answer = manager.post(models, params=options, timeout=120)
        assert answer.ok, answer.text
        about = {"customized": "true"}
        (model,) = manager.get(f"{models}/own", params=about, timeout=30).json()
        assert manager.delete(f"{models}/own", timeout=30).ok
    archive.unlink()
    assert model["customizedMetadata"]["card"]["versions"]["serving"]["rvae"] == "0.0.7"


def test_metrics_count(server: Endpoint, fresh: list[np.ndarray]) -> None:
    ask(server, data=fresh[0].tolist())
    text = requests.get(server.metrics, timeout=30).text
    assert "ts_inference_requests_total" in text


@pytest.mark.skipif(os.getuid() != 0, reason="only root can try it as another user")
def test_no_other_user_reaches_it(server: Endpoint) -> None:
    libc = ctypes.CDLL(None)
    running = server.torchserve
    for path in (server.management, running.inference, running.management, running.metrics):
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(str(path))
        libc.setfsuid(65534)  # nobody, in this thread
        try:
            with socket.socket(socket.AF_UNIX) as foreign, pytest.raises(PermissionError):
                foreign.connect(str(path))
        finally:
            libc.setfsuid(0)


def test_no_archive_is_fetched_from_an_address(
    server: Endpoint, checkpoint: Path, tmp_path: Path
) -> None:
    """Archives that would load well, were they fetched."""
    archive = build_archive(checkpoint, "stranger", "1.0", tmp_path)
    models, manager = "http://localhost/models", UnixSession(server.management)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    ) as host:
        Thread(target=host.serve_forever, daemon=True).start()
        addresses = [
            f"http://127.0.0.1:{host.server_port}/{archive.name}",
            archive.as_uri(),
            f"../{tmp_path.name}/{archive.name}",
        ]
        assert requests.get(addresses[0], timeout=30).ok
        for url in addresses:
            answer = manager.post(models, params={"url": url}, timeout=30)
            assert answer.status_code >= 400, url
        host.shutdown()
    assert "stranger" not in manager.get(models, timeout=30).text


def test_a_killed_worker_comes_back(server: Endpoint, fresh: list[np.ndarray]) -> None:
    (pid, *_) = worker_pids(server)
    workers = len(worker_pids(server))
    psutil.Process(pid).kill()
    wait_for(lambda: pid not in worker_pids(server) and len(worker_pids(server)) == workers)
    for version in ("1.0", "1.10"):
        path = f"predictions/waves/{version}"
        wait_for(partial(is_answered, server, path, fresh[0]))


@pytest.mark.slow
def test_two_servers_live_side_by_side_and_leave_nothing(
    server: Endpoint, checkpoint: Path, tmp_path: Path, fresh: list[np.ndarray]
) -> None:
    build_archive(checkpoint, "other", "1.0", tmp_path / "store")
    archives = list_archives(tmp_path / "store")
    with Endpoint(fresh_state(archives, workers=2), logs=tmp_path / "logs") as second:
        second.start()
        group = psutil.Process(second.torchserve.pid).children(recursive=True)
        assert len(worker_pids(second)) == 2
        assert ask(second, "predictions/other", data=fresh[0].tolist()).status_code == 200
        assert ask(second, "predictions/waves", data=fresh[0].tolist()).status_code == 404
        scratch = second.torchserve.scratch
    _, alive = psutil.wait_procs(group, timeout=10)
    assert not alive
    assert not scratch.exists()
    assert ask(server, data=fresh[0].tolist()).status_code == 200


def test_a_store_of_any_name_is_served(
    store: Path, tmp_path: Path, fresh: list[np.ndarray]
) -> None:
    odd = tmp_path / "stö re=#!\\x"
    odd.mkdir()
    (odd / "waves-1.0.mar").write_bytes((store / "waves-1.0.mar").read_bytes())
    with Endpoint(fresh_state(list_archives(odd), 1), tmp_path / "logs") as running:
        running.start()
        assert ask(running, data=fresh[0].tolist()).ok


@pytest.mark.slow
def test_a_second_signal_does_not_stop_the_cleaning_up(
    store: Path, tmp_path: Path, short_folder: Path
) -> None:
    command = [sys.executable, "-m", "rvae.cli", "serve", "--store", str(store), "--port", "0"]
    scratch = short_folder
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        curl = next(line for line in process.stdout if "curl" in line)
        port = urlsplit(curl.split()[3]).port or 0
        next(line for line in process.stdout if "Ctrl-C" in line)
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        wait_for(lambda: not is_listening(port))  # so it is stopping, which takes a second more
        process.terminate()
        process.wait(60)
    finally:
        process.kill()
        process.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    assert not list(scratch.glob("rvae-serve-*"))


@pytest.mark.parametrize("content", ["empty", "no archive", "no manifest", "twice"])
def test_a_store_that_cannot_be_served_is_said(store: Path, tmp_path: Path, content: str) -> None:
    if content == "no archive":
        (tmp_path / "x.mar").write_text("hello")
    elif content == "no manifest":
        with zipfile.ZipFile(tmp_path / "x.mar", "w") as archive:
            archive.writestr("MAR-INF/MANIFEST.json", '{"model": {}}')
    elif content == "twice":
        for name in ("a.mar", "b.mar"):
            (tmp_path / name).write_bytes((store / "waves-1.0.mar").read_bytes())
    with pytest.raises(FieldError) as caught:
        list_archives(tmp_path)
    assert caught.value.field == "store"


def cut_off(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])


def spoil(folder: Path) -> None:
    """Make weights of it that are no numbers, as if it had been packaged so."""
    artifact = Artifact.load(folder)
    weights = {name: values * np.nan for name, values in artifact.weights.items()}
    Artifact(artifact.card, weights, artifact.scorer).save(folder)


def haunt(folder: Path) -> None:
    """Add what Python would import by itself, and would say so in the log."""
    trace = "print('SomethingError: it was run')"
    for name in ("sitecustomize", "os", "ts", "rvae_handler"):
        (folder / f"{name}.py").write_text(trace)


@pytest.mark.parametrize(
    ("edit", "sealed", "reason"),
    [
        (cut_off, False, "archive: weights.safetensors is not as it was built"),
        (spoil, True, "model: the latent and the severity of its example cannot be told"),
        (haunt, True, "archive: its signature is by none of the trusted keys"),
    ],
)
def test_an_archive_that_must_not_be_served_never_becomes_ready(
    checkpoint: Path,
    tmp_path: Path,
    edit: Callable[[Path], None],
    sealed: bool,
    reason: str,
) -> None:
    """Nor if it took the place of a sound one after that was checked."""
    private, public = key_pair(tmp_path, "release")
    archive = build_archive(checkpoint, "waves", "1.0", tmp_path / "store", private)
    edited(archive, archive, edit, sealed)
    keys = TrustedKeys.read(public) if edit is haunt else None
    with (
        Endpoint(
            fresh_state(list_archives(archive.parent), 1), tmp_path / "logs", trusted=keys
        ) as server,
        pytest.raises(FieldError, match=rf"waves 1\.0 .*{reason}"),
    ):
        server.start()
    assert "it was run" not in (tmp_path / "logs" / "model.log").read_text()


@pytest.mark.parametrize(
    ("by", "background"),
    [
        pytest.param(signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, True, marks=pytest.mark.slow),
        (signal.SIGTERM, False),
        pytest.param(signal.SIGKILL, False, marks=pytest.mark.slow),
    ],
)
def test_however_the_command_ends_no_process_stays(
    store: Path, tmp_path: Path, by: signal.Signals, background: bool
) -> None:
    command = [sys.executable, "-m", "rvae.cli", "serve", "--store", str(store), "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        # As a shell starts what ends in an ampersand.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_IGN if background else signal.SIG_DFL
        ),
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(worker_pids(psutil.Process(process.pid))) == 2  # one for each version
        curl, _ = [line for line in said if "curl" in line]  # of a prediction, and of management
        _, _, method, url, _, header, _, body = shlex.split(curl)
        tried = requests.request(
            method,
            url,
            data=(tmp_path / body.removeprefix("@")).read_bytes(),
            headers=dict([header.split(": ")]),
            timeout=30,
        )
        assert tried.json()["is_anomaly"] == [False]
        process.send_signal(by)
        assert process.wait(60) == (-signal.SIGKILL if by == signal.SIGKILL else 0)
    finally:
        process.kill()
        process.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=40)
    assert not alive


def test_keep_alive_connections_serve_many_requests(
    server: Endpoint, fresh: list[np.ndarray]
) -> None:
    address, body = urlsplit(server.url).netloc, json.dumps({"data": fresh[0].tolist()})
    headers = {"Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        for _ in range(20):
            connection.request("POST", "/predictions/waves", body, headers)
            assert connection.getresponse().read().startswith(b"{")
