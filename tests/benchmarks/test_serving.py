"""The benchmark of servers: what it posts, compares, counts and ends."""

import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from benchmarks.serving import in_process, measuring, model
from benchmarks.serving.__main__ import main
from benchmarks.serving.load import load, read_report
from benchmarks.serving.machine import describe_machine
from benchmarks.serving.measuring import measure
from benchmarks.serving.model import PreparedModel
from benchmarks.serving.peers.network import RecurrentVAE, analyse, load_network
from benchmarks.serving.picture import draw
from benchmarks.serving.processes import adopting, cpu_seconds, free_ports, memory, running
from benchmarks.serving.requests import BULK, JSON, Posted, largest_difference, make_posted
from benchmarks.serving.results import Record, Results, read_results, write_results
from benchmarks.serving.servers import PEERS, PLAIN, Server
from benchmarks.serving.table import METRICS, markdown, ratios, rows
from rvae.config import ModelConfig, RecurrentConfig
from rvae.errors import FieldError
from rvae.inference.engine import Engine

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")
REPORT = {
    **{"requests": 8, "seconds": 2.0, "not_200": 0, "socket_errors": 0},
    **{"p50": None, "p99": None},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedModel:
    with pytest.MonkeyPatch.context() as patch:
        small = ModelConfig(recurrent=RecurrentConfig(hidden=6, depth=2), latent=2)
        patch.setattr(model, "MODEL", small)
        return model.prepare(["default"], tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def posted(prepared: PreparedModel) -> Posted:
    engine = Engine.load(prepared.checkpoint)
    return make_posted(model.waves(BULK, seed=2), engine, prepared.checkpoint.parent / "bodies")


def answer(prepared: PreparedModel, body: Path) -> dict[str, Any]:
    windows = torch.tensor(json.loads(body.read_text())["instances"])
    return analyse(load_network(str(prepared.weights)), windows)


def test_the_plain_network_answers_as_the_engine_does(
    prepared: PreparedModel, posted: Posted
) -> None:
    bodies = [posted.bulk_json, *posted.single[:2]]
    answers = [json.dumps(answer(prepared, body)).encode() for body in bodies]
    npy = io.BytesIO()
    np.save(npy, np.array(answer(prepared, posted.bulk_json)["score"])[:, None])
    assert largest_difference(posted, answers, npy.getvalue()) < 1e-5
    assert answer(prepared, posted.bulk_json)["threshold"] == pytest.approx(posted.threshold)


def test_a_difference_in_any_part_of_an_answer_is_found(
    prepared: PreparedModel, posted: Posted
) -> None:
    right = answer(prepared, posted.bulk_json)

    def difference(change: Callable[[dict[str, Any]], None]) -> float:
        wrong = json.loads(json.dumps(right))
        change(wrong)
        return largest_difference(posted, [json.dumps(wrong).encode()], None)

    def shift(name: str) -> Callable[[dict[str, Any]], None]:
        def change(content: dict[str, Any]) -> None:
            content[name][-1] = (np.array(content[name][-1]) + 1).tolist()

        return change

    def raise_threshold(content: dict[str, Any]) -> None:
        content["threshold"] += 1
        content["is_anomaly"] = [score > content["threshold"] for score in content["score"]]

    def drop(content: dict[str, Any]) -> None:
        for name in ("latent", "score", "is_anomaly"):
            content[name].pop()

    assert difference(lambda _: None) < 1e-5
    assert difference(shift("latent")) == pytest.approx(1, abs=1e-4)
    assert difference(raise_threshold) == pytest.approx(1, abs=1e-4)
    with pytest.raises(FieldError, match="flags that its threshold does not give"):
        difference(lambda content: content["is_anomaly"].__setitem__(0, None))
    with pytest.raises(FieldError, match="holds"):
        difference(drop)
    npy = io.BytesIO()
    np.save(npy, posted.score[:, None] + np.eye(BULK, 1))
    assert largest_difference(posted, [], npy.getvalue()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("server", PEERS, ids=lambda server: server.name)
def test_servers_by_hand_agree_and_leave_no_process(
    server: Server, prepared: PreparedModel, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in server.packages:
        pytest.importorskip(package)
    monkeypatch.setattr(measuring, "_load", lambda *_: {})
    before = set(psutil.Process().children(recursive=True))
    with adopting():
        measured = measure(server, 1, 1, prepared, posted, seconds=1)
        assert set(psutil.Process().children(recursive=True)) == before
    assert measured["difference"] <= server.tolerance
    assert 0 < measured["memory_pss"] < measured["memory_rss"]
    assert measured["cold_start"] > 0


class Parrot(BaseHTTPRequestHandler):
    """Answers with the status that the body names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def parrot() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Parrot) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@needs_wrk
def test_a_load_counts_answers_and_fails_at_any_other_status_than_200(
    parrot: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.serving.load.LONGER", (1, 1))
    bodies = [tmp_path / status for status in ("200", "204", "500")]
    for body in bodies:
        body.write_text(body.name)
    lone, two = (load(parrot, bodies[:1], JSON, clients, seconds=1) for clients in (1, 2))
    assert 0 < lone.p50 <= lone.p99 < lone.seconds
    # A request is sent when the last is answered: at least half of them took the median.
    assert lone.requests * lone.p50 < 2 * lone.seconds
    assert two.requests > 0 and two.p50 is None  # whose request was answered is not known
    with pytest.raises(FieldError, match="requests, not 1000000"):
        load(parrot, bodies[:1], JSON, clients=1, seconds=1, least=1_000_000)
    for other in bodies[1:]:
        with pytest.raises(FieldError, match="another status than 200"):
            load(parrot, [bodies[0], other], JSON, clients=1, seconds=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"not_200": 1}, "1 requests to URL: another status than 200"),
        ({"socket_errors": 2}, "2 requests to URL: failed"),
    ],
)
def test_a_report_with_faults_is_refused(change: dict[str, int], message: str) -> None:
    assert read_report("wrk says\n" + json.dumps(REPORT), "URL").rate == 4
    with pytest.raises(FieldError, match=message):
        read_report(json.dumps(REPORT | change), "URL")


# A server that starts another one in a session of its own, and does not end by SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
command = [sys.executable, "-c", "import signal; print(1, flush=True); signal.pause()"]
child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
if sys.argv[1] == "stays":
    signal.pause()
"""


@pytest.mark.parametrize("root", ["stays", "has ended"])
def test_all_processes_of_a_server_end_with_the_context(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.serving.processes.STOP_SECONDS", 0.2)
    before, log = set(psutil.Process().children(recursive=True)), tmp_path / "log"
    command = [sys.executable, "-c", STUBBORN, root]
    with adopting(), pytest.raises(KeyboardInterrupt), running(command, {}, tmp_path, log) as one:
        while not log.read_text().endswith("\n"):
            assert one.poll() is None or log.read_text()
        child = psutil.Process(int(log.read_text()))
        if root == "has ended":
            one.wait()
        raise KeyboardInterrupt
    assert not child.is_running()
    assert set(psutil.Process().children(recursive=True)) == before


def test_memory_and_time_are_those_of_all_processes(tmp_path: Path) -> None:
    hold = "x = b'1' * 50_000_000; print(1, flush=True); import signal; signal.pause()"
    fork = f"import os; os.fork(); {hold}"
    weighed = {}
    with adopting():
        for name, code in {"one": hold, "two": fork}.items():
            log = tmp_path / name
            with running([sys.executable, "-c", code], {}, tmp_path, log) as process:
                while log.read_text().count("\n") < (1 if name == "one" else 2):
                    assert process.poll() is None
                weighed[name] = (*memory(process), cpu_seconds(process))
    assert all(weighed["one"][i] > 50 for i in (0, 1))
    assert all(weighed["two"][i] - weighed["one"][i] > 45 for i in (0, 1))
    assert weighed["two"][0] < weighed["two"][1]
    assert weighed["one"][2] > 0


def test_free_ports_are_neighbours_that_can_be_bound() -> None:
    first = free_ports(3)
    servers = [ThreadingHTTPServer(("127.0.0.1", first + i), Parrot) for i in range(3)]
    for server in servers:
        server.server_close()


def record(server: str, number: int, workers: int = 1, **values: float) -> Record:
    return Record(server, workers, number, {"other_load": 0.0, **values})


def results() -> Results:
    """Two rounds: rvae is twice and four times as good as FastAPI, and as the best half as good."""
    return Results(
        {"processor": "of a test"},
        1,
        1.0,
        [
            record("rvae", 0, lone_p50=1.0, rate_32=200.0),
            record(PLAIN.name, 0, lone_p50=2.0, rate_32=100.0),
            record("LitServe", 0, lone_p50=0.5, rate_32=400.0),
            record("rvae", 1, lone_p50=1.0, rate_32=400.0),
            record(PLAIN.name, 1, lone_p50=4.0, rate_32=100.0),
            record("LitServe", 1, lone_p50=0.5, rate_32=800.0),
            record("rvae", 0, workers=2, lone_p50=3.0),
            Record("rvae default", 0, 0, {"windows_1": 5.0}),
        ],
    )


def test_ratios_are_taken_within_rounds_and_workers_and_the_best_is_the_best_of_each_metric() -> (
    None
):
    titles, body = rows(results())
    cells = {row[0]: dict(zip(titles, row, strict=True)) for row in body[:3]}
    lone, many = (metric.title for metric in METRICS if metric.name in ("lone_p50", "rate_32"))
    assert (cells["rvae, 1 worker"][lone], cells["rvae, 1 worker"][many]) == ("1.00", "300")
    assert cells[f"× {PLAIN.name}"][lone] == "0.38 (0.25–0.50)"
    assert cells[f"× {PLAIN.name}"][many] == "3.00 (2.00–4.00)"
    assert cells["× best of the others"][lone] == "2.00 (2.00–2.00)"
    assert cells["× best of the others"][many] == "0.50 (0.50–0.50)"
    # With two workers nothing else was measured, and so nothing is compared.
    assert [row[0] for row in body[3:]] == [
        f"{PLAIN.name}, 1 worker",
        "LitServe, 1 worker",
        f"× {PLAIN.name}",
        "rvae, 2 workers",
    ]
    assert body[0][-1] == "–"  # not measured
    assert markdown(["", "a"], [["b", "c"]]) == "|  | a |\n| --- | --- |\n| b | c |"


def test_a_ratio_leaves_out_rounds_that_one_side_lacks() -> None:
    rounds = {0: {"rate_32": 2.0}, 1: {"rate_32": 9.0}}
    (metric,) = [metric for metric in METRICS if metric.name == "rate_32"]
    assert ratios(metric, rounds, [{0: {"rate_32": 1.0}, 1: {}}]) == [2.0]


@pytest.fixture
def handlers() -> Iterator[None]:
    """Handlers of signals as they were before the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_results_can_be_read_and_drawn_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, picture = tmp_path / "results.json", tmp_path / "picture.svg"
    write_results(results(), path)
    assert read_results(path) == results()
    arguments = ["--read", str(path), "--picture", str(picture), "--markdown"]
    monkeypatch.setattr(sys, "argv", ["serving", *arguments])
    main()
    printed = capsys.readouterr().out
    assert markdown(*rows(results())) in printed
    assert "- processor: of a test" in printed and "2 rounds of 1 s" in printed
    assert picture.stat().st_size > 0
    before = picture.read_bytes()
    draw(replace(results(), records=results().records[:-2]), picture)
    assert picture.read_bytes() != before


@pytest.mark.usefixtures("handlers")
def test_an_unknown_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.serving.__main__.require_wrk", lambda: None)
    monkeypatch.setattr(sys, "argv", ["serving", "--only", "Triton"])
    with pytest.raises(SystemExit, match="only: 'Triton' is none of rvae, "):
        main()


def test_multiplications_are_those_of_the_network() -> None:
    layers = model.MODEL.recurrent
    network = RecurrentVAE(model.WINDOW, layers.hidden, layers.depth, model.MODEL.latent)
    counted = 0
    for name, weight in network.named_parameters():
        if "weight" in name and name.startswith(("encoder", "decoder")):
            counted += weight.numel() * model.WINDOW
    assert in_process.multiply_adds() == counted


def test_the_machine_is_described() -> None:
    described = describe_machine()
    assert described["processor"] and f"torch {torch.__version__}" in described["versions"]
    assert described["cores"].endswith(f"of {os.cpu_count()}")
