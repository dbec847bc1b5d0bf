"""The handler without a server: TorchServe's own context object, filled as TorchServe fills it."""

import json
import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ts.context import Context, RequestProcessor

from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.serving.packaging import build_archive
from rvae_torchserve import rvae_handler
from rvae_torchserve.rvae_handler import RvaeHandler
from tests.support.networks import with_graphs


@pytest.fixture(scope="module")
def model_dir(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracted")
    with zipfile.ZipFile(build_archive(checkpoint, "waves", "3.0", folder)) as packed:
        packed.extractall(folder)
    return folder


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
    archive = build_archive(with_graphs(artifact) if graphs else artifact, "m", "1", tmp_path)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    level, torch_threads = logging.getLogger().level, torch.get_num_threads()
    RvaeHandler().initialize(context(tmp_path, []))
    logging.getLogger().setLevel(level)
    torch.set_num_threads(torch_threads)
    assert kept == ([] if graphs else [True])
