"""The handler without a server: TorchServe's own context object, filled as TorchServe fills it."""

import json
import logging
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ts.context import Context, RequestProcessor

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.runtimes.tuning import Tuning
from rvae.serving.heartbeat import Beat, read_heartbeat
from rvae.serving.packaging import build_archive
from rvae.serving.service import Limits
from rvae.serving.tickets import Tickets
from rvae_torchserve import rvae_handler
from rvae_torchserve.rvae_handler import RvaeHandler
from tests.support.networks import with_graphs
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def model_dir(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(checkpoint, "3.0", tmp_path_factory.mktemp("extracted"))


def extracted(model: Artifact | Path, version: str, folder: Path) -> Path:
    """The folder into which TorchServe unpacks the archive of a model."""
    with zipfile.ZipFile(build_archive(model, "waves", version, folder)) as packed:
        packed.extractall(folder / "model")
    return folder / "model"


@pytest.fixture
def handler(model_dir: Path) -> Iterator[RvaeHandler]:
    level, torch_threads = logging.getLogger().level, torch.get_num_threads()
    made = RvaeHandler()
    made.initialize(context(model_dir, []))
    yield made
    logging.getLogger().setLevel(level)
    torch.set_num_threads(torch_threads)


def context(model_dir: Path, headers: Sequence[dict[str, Any]]) -> Context:
    """As `ts.service.Service` makes it."""
    manifest = json.loads((model_dir / "MAR-INF" / "MANIFEST.json").read_text())
    config = yaml.safe_load((model_dir / "model-config.yaml").read_text())
    made = Context("waves", str(model_dir), manifest, 32, None, "0.12.0", True, None, config)
    made.request_processor = [RequestProcessor(header) for header in headers]
    return made


def test_a_batch_is_answered_item_by_item(
    handler: RvaeHandler, model_dir: Path, engine: Engine, fresh: list[np.ndarray]
) -> None:
    good = bytearray(json.dumps({"data": fresh[0].tolist()}).encode())
    items: list[dict[str, Any]] = [
        {"body": bytearray(good)},
        {"body": bytearray(b"{")},
        {},
        {"body": {"data": fresh[1].tolist()}},
        {"data": bytearray(good)},
        {"body": bytearray(good)},
        {"body": bytearray(good)},
    ]
    headers = [{}, {}, {}, {}, {}, {"explain": "True"}, {"describe": "True"}]
    ctx = context(model_dir, headers)
    replies = handler.handle(items, ctx)
    assert all(type(reply) is bytes for reply in replies)
    statuses = [ctx.get_response_status(i) for i in range(len(items))]
    assert statuses == [
        (200, "OK"),
        (400, "Bad Request"),
        (400, "Bad Request"),
        *[(200, "OK")] * 4,
    ]
    assert {ctx.get_response_content_type(i) for i in range(len(items))} == {"application/json"}
    answers = [json.loads(reply) for reply in replies]
    expected = [a.score[0] for a in engine.analyse(fresh[:2])]
    for index, score in ((0, expected[0]), (3, expected[1]), (4, expected[0]), (5, expected[0])):
        np.testing.assert_allclose(answers[index]["score"], [score], rtol=1e-4, atol=1e-5)
    assert "contributions" in answers[5]
    assert answers[6]["card"]["channels"][0]["name"] == "height"


def test_a_request_of_the_open_inference_protocol_has_tensors(
    handler: RvaeHandler, model_dir: Path, fresh: list[np.ndarray]
) -> None:
    body = json.dumps({"data": fresh[0].tolist()}).encode()
    ctx = context(model_dir, [{"rvae-tensors": "True"}, {"rvae-tensors": "False"}])
    refused, _ = handler.handle([{"body": bytearray(body)} for _ in range(2)], ctx)
    assert [ctx.get_response_status(i)[0] for i in range(2)] == [400, 200]
    assert json.loads(refused)["field"] == "inputs"


def test_parts_that_are_called_like_headers_are_none(
    handler: RvaeHandler, model_dir: Path, fresh: list[np.ndarray]
) -> None:
    """TorchServe tells of each part under its name, where the handler looks for headers."""
    part = {"content-type": "application/json"}
    names = ("accept", "rvae-options", "Inference-Header-Content-Length", "explain", "describe")
    good = bytearray(json.dumps({"data": fresh[0].tolist()}).encode())
    ctx = context(model_dir, [dict.fromkeys((*names, "body"), part)])
    (reply,) = handler.handle([{"body": good, **dict.fromkeys(names, bytearray(b"x"))}], ctx)
    assert ctx.get_response_status(0) == (200, "OK")
    assert "score" in json.loads(reply)


def test_name_version_and_limits_come_from_the_archive(
    handler: RvaeHandler, model_dir: Path
) -> None:
    ctx = context(model_dir, [{"describe": "True"}])
    (described,) = handler.handle([{}], ctx)
    assert json.loads(described)["version"] == "3.0"
    (public,) = handler.handle([{}], context(model_dir, [{"rvae-describe": "True"}]))
    assert public == handler.service.describe_publicly().body != described
    limits = yaml.safe_load((model_dir / "model-config.yaml").read_text())["rvae"]
    # TorchServe's own default for max_response_size, beyond which it ends the worker.
    assert limits["response_bytes"] < 6_553_500


@pytest.mark.parametrize("graphs", [False, True])
def test_freed_memory_is_kept_for_torch_alone(
    graphs: bool, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[bool] = []
    monkeypatch.setattr(rvae_handler, "keep_freed_memory", lambda: kept.append(True))
    artifact = Artifact.load(checkpoint)
    folder = extracted(with_graphs(artifact) if graphs else artifact, "1", tmp_path)
    level, torch_threads = logging.getLogger().level, torch.get_num_threads()
    RvaeHandler().initialize(context(folder, []))
    logging.getLogger().setLevel(level)
    torch.set_num_threads(torch_threads)
    assert kept == ([] if graphs else [True])


@pytest.fixture
def watched(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RvaeHandler, Tickets]]:
    """A handler behind something that gives tickets and reads heartbeats, in `tmp_path`."""
    tickets = Tickets(tmp_path / "tickets", 8)
    monkeypatch.setenv("RVAE_TICKETS", str(tmp_path / "tickets"))
    monkeypatch.setenv("RVAE_HEARTBEATS", str(tmp_path))
    level, torch_threads = logging.getLogger().level, torch.get_num_threads()
    made = RvaeHandler()
    made.initialize(context(model_dir, []))
    yield made, tickets
    logging.getLogger().setLevel(level)
    torch.set_num_threads(torch_threads)


def test_tickets_tell_what_is_wanted(
    watched: tuple[RvaeHandler, Tickets], model_dir: Path, fresh: list[np.ndarray]
) -> None:
    handler, tickets = watched
    live, withdrawn = tickets.issue(), tickets.issue()
    tickets.withdraw(withdrawn)
    good = json.dumps({"data": fresh[0].tolist()}).encode()
    headers = [{"Rvae-Ticket": live}, {"Rvae-Ticket": withdrawn}, {}, {"Rvae-Ticket": "x"}]
    ctx = context(model_dir, headers)
    handler.handle([{"body": bytearray(good)} for _ in headers], ctx)
    statuses = [ctx.get_response_status(i) for i in range(4)]
    assert statuses == [
        (200, "OK"),
        (408, "Request Timeout"),
        (200, "OK"),  # from who has none, as the supervisor
        (408, "Request Timeout"),
    ]


def test_requests_with_tickets_are_deferred_once(
    watched: tuple[RvaeHandler, Tickets],
    model_dir: Path,
    fresh: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler, tickets = watched
    monkeypatch.setattr("rvae.serving.pace.Pace.seconds", lambda pace, work: work)
    good = json.dumps({"data": fresh[0].tolist()}).encode()
    first, second, third = (tickets.issue() for _ in range(3))
    headers = [
        {"Rvae-Ticket": first},
        {"Rvae-Ticket": second},
        {"Rvae-Ticket": third, "Rvae-Deferred": "1"},
        {},
    ]
    ctx = context(model_dir, headers)
    handler.handle([{"body": bytearray(good)} for _ in headers], ctx)
    assert [ctx.get_response_status(i)[0] for i in range(4)] == [503, 503, 200, 200]
    assert ctx.get_response_headers(1)["Rvae-Deferred"] == "1.000"
    assert "Rvae-Deferred" not in ctx.get_response_headers(2)


def test_nothing_is_deferred_where_nobody_gives_tickets(
    handler: RvaeHandler,
    model_dir: Path,
    fresh: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rvae.serving.pace.Pace.seconds", lambda pace, work: work)
    good = json.dumps({"data": fresh[0].tolist()}).encode()
    ctx = context(model_dir, [{"Rvae-Ticket": "0-1"}] * 3)
    handler.handle([{"body": bytearray(good)} for _ in range(3)], ctx)
    assert [ctx.get_response_status(i)[0] for i in range(3)] == [200] * 3


def test_the_type_that_the_client_named_counts(handler: RvaeHandler, model_dir: Path) -> None:
    """Whoever stands before TorchServe gives every body a type that it does not parse."""
    text = b"height\n" + b"20.0\n" * 32
    header = {"Content-Type": "application/octet-stream", "Rvae-Content-Type": "text/csv"}
    ctx = context(model_dir, [header, {**header, "Rvae-Content-Type": "image/png"}])
    part = {"body": {"content-type": "application/octet-stream"}}
    handler.handle([{"body": bytearray(text)}, {"body": bytearray(text)}], ctx)
    assert [ctx.get_response_status(i)[0] for i in range(2)] == [200, 415]
    ctx = context(model_dir, [{**header, **part}])
    handler.handle([{"body": bytearray(text)}], ctx)
    assert ctx.get_response_status(0)[0] == 200


@pytest.mark.usefixtures("watched")
def test_a_worker_shows_that_it_lives(tmp_path: Path) -> None:
    path = tmp_path / str(os.getpid())
    beat = read_heartbeat(path)
    assert beat is not None and beat.busy_since is None
    wait_for(lambda: (read_heartbeat(path) or beat).count > beat.count)


def test_a_worker_is_busy_while_it_answers(
    watched: tuple[RvaeHandler, Tickets],
    model_dir: Path,
    tmp_path: Path,
    fresh: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler, _ = watched
    seen: list[Beat | None] = []
    analyse = Engine.analyse

    def look(self: Engine, *arguments: Any) -> Any:
        seen.append(read_heartbeat(tmp_path / str(os.getpid())))
        return analyse(self, *arguments)

    monkeypatch.setattr(Engine, "analyse", look)
    good = bytearray(json.dumps({"data": fresh[0].tolist()}).encode())
    handler.handle([{"body": good}], context(model_dir, [{}]))
    (beat,) = seen
    assert beat is not None and beat.busy_since is not None
    assert 0 < beat.expected_seconds < 2


def test_the_next_worker_measures_no_more(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = extracted(with_graphs(Artifact.load(checkpoint)), "1", tmp_path)
    kept = tmp_path / "workers"
    kept.mkdir()
    monkeypatch.setenv("RVAE_HEARTBEATS", str(kept))
    measured: list[int] = []

    def tune(run: Any, most_threads: int) -> Tuning:
        measured.append(most_threads)
        return Tuning(1, 16, 1, 0.001, 1000.0)

    monkeypatch.setattr("rvae.inference.runtimes.graph_runtime.tune", tune)
    level = logging.getLogger().level
    for _ in range(2):
        handler = RvaeHandler()
        handler.initialize(context(folder, []))
        assert handler.service.runtime["windows_per_second"] == 1000.0
    logging.getLogger().setLevel(level)
    assert len(measured) == 1


def test_the_server_waits_for_a_worker_as_long_as_the_limits_allow(model_dir: Path) -> None:
    config = yaml.safe_load((model_dir / "model-config.yaml").read_text())
    limits = Limits(**config["rvae"])
    assert limits == Limits()
    assert config["responseTimeout"] == limits.response_timeout


def test_a_damaged_model_gets_no_request(checkpoint: Path, tmp_path: Path) -> None:
    folder = extracted(checkpoint, "1", tmp_path)
    with (folder / "golden.json").open("a") as file:
        file.write(" ")
    with pytest.raises(FieldError, match=r"golden\.json is not as it was built"):
        RvaeHandler().initialize(context(folder, []))


def test_a_model_that_answers_otherwise_than_it_did_gets_no_request(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = extracted(checkpoint, "1", tmp_path)
    analyse = Engine.analyse

    def spoiled(self: Engine, *arguments: Any) -> Any:
        (found,) = analyse(self, *arguments)
        return [replace(found, score=found.score * np.nan)]

    monkeypatch.setattr(Engine, "analyse", spoiled)
    level = logging.getLogger().level
    with pytest.raises(FieldError, match="the severity of its example cannot be told"):
        RvaeHandler().initialize(context(folder, []))
    logging.getLogger().setLevel(level)
