"""Requests that are recorded, and that are made of data."""

import json
from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Request
from rvae.serving.service import Limits, Service
from rvae.serving.versions.traffic import Recorded, made_of, read_traffic, write_traffic

LINE = {
    "path": "/explanations/waves/1.0",
    "headers": {"Content-Type": "text/csv"},
    "body": "YWJj",
}


def test_recorded_requests_are_read_as_they_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "new" / "traffic.jsonl"
    others = ("/predictions/waves", "/v2/models/waves/infer")
    write_traffic(path, [LINE, *({**LINE, "path": one} for one in others)])
    explained, predicted, inferred = read_traffic(path)
    assert explained == Recorded("explanations", {"content-type": "text/csv"}, b"abc")
    assert [one.path("waves", "2.0") for one in (explained, predicted, inferred)] == [
        "/explanations/waves/2.0",
        "/predictions/waves/2.0",
        "/v2/models/waves/versions/2.0/infer",
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["traffic.jsonl"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        json.dumps({**LINE, "path": "/models/waves"}),
        json.dumps({**LINE, "body": "?"}),
        json.dumps({"path": "/predictions/waves"}),
    ],
)
def test_other_lines_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(f"{json.dumps(LINE)}\n{line}\n")
    with pytest.raises(FieldError, match=r"replay: line 2 of .* is not a recorded request"):
        read_traffic(path)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "holds no request"), (b"\xff\xfe", "is not recorded traffic")]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(content)
    with pytest.raises(FieldError, match=said):
        read_traffic(path)


def test_requests_of_a_file_are_stretches_that_the_model_answers(
    tmp_path: Path, engine: Engine
) -> None:
    path = tmp_path / "data.npy"
    np.save(path, np.sin(np.arange(1000) / 5)[:, None])
    window = engine.card.window
    found = made_of(path, engine.card, 2 * window, 5)
    bodies = [json.loads(one.body) for one in found]
    assert len(bodies) == 5 and all(len(body["data"]) == 2 * window for body in bodies)
    assert bodies[0]["data"][:3] == pytest.approx(np.sin(np.arange(3) / 5))
    assert bodies[-1]["data"] != bodies[0]["data"]
    service = Service(engine, "waves", "1.0", Limits())
    replies = service.answer([Request(one.body, content_type="application/json") for one in found])
    assert [reply.status for reply in replies] == [200] * 5
    assert json.loads(replies[0].body)["score"]


def test_a_short_series_is_asked_for_as_a_whole(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "data.npy"
    steps = engine.card.window + 3
    np.save(path, np.zeros((steps, 1)))
    (found,) = made_of(path, engine.card, 10 * steps, 5)
    assert len(json.loads(found.body)["data"]) == steps
