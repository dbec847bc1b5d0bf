"""Tables as bodies of requests and answers."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from rvae.config import ModelConfig, ReaderConfig, TimeConfig
from rvae.data.readers import read
from rvae.inference import export
from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Request
from rvae.serving.service import Limits, Service
from tests.support.machines import machines
from tests.support.service_client import answer_to, arrow
from tests.support.untrained import untrained_card, untrained_engine

ARROW, CSV = "application/vnd.apache.arrow.stream", "text/csv"
MODE: dict[str, tuple[str, ...]] = {"mode": ("down", "idle", "up")}


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


@pytest.fixture(scope="module")
def of_machines() -> Service:
    """Service of a model that reads all that a table of machines has."""
    reader = ReaderConfig(
        columns=("load",), categorical=("mode",), time="when", classes="size", series="machine"
    )
    model = ModelConfig("dense", time=TimeConfig(calendar=("day",)), conditional=True)
    card = untrained_card(model, ("load", "mode"), MODE, ("large", "small"), reader=reader)
    return Service(untrained_engine(card), "machines", "1.0", Limits())


def text_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    return sink.getvalue()


def ask(
    service: Service,
    body: bytes,
    content_type: str = CSV,
    options: dict[str, Any] | None = None,
    **call: Any,
) -> tuple[int, Any]:
    return answer_to(service, body, content_type, options=options and json.dumps(options), **call)


@pytest.mark.parametrize("kind", [CSV, ARROW])
def test_one_series(service: Service, engine: Engine, fresh: list[np.ndarray], kind: str) -> None:
    series = np.concatenate(fresh[:3])
    table = pa.table({"note": ["x"] * 96, "height": series[:, 0]})
    body = text_of(table) if kind == CSV else arrow(note=["x"] * 96, height=series[:, 0])
    (analysis,) = engine.analyse([series], 8)
    status, answer = ask(service, body, kind, {"stride": 8})
    assert status == 200
    assert answer["start"].to_pylist() == analysis.starts.tolist()
    assert answer["end"].to_pylist() == (analysis.starts + 32).tolist()
    np.testing.assert_allclose(answer["score"], analysis.score, rtol=1e-4, atol=1e-5)
    threshold = engine.card.calibration.threshold()
    assert answer["is_anomaly"].to_pylist() == (analysis.score > threshold).tolist()
    latent = (
        np.array(answer["latent"].to_pylist())
        if kind == ARROW
        else np.stack([answer[f"latent_{i}"] for i in range(4)], axis=1)
    )
    np.testing.assert_allclose(latent, analysis.latent, rtol=1e-4, atol=1e-5)


def test_steps(service: Service, engine: Engine, fresh: list[np.ndarray]) -> None:
    body = arrow(height=pa.array(fresh[0][:, 0], pa.float32()))
    wanted = {"output": ["point_scores", "reconstruction", "band"]}
    _, answer = ask(service, body, ARROW, wanted)
    names = ["height_reconstruction", "height_expected", "height_lower", "height_upper"]
    assert answer.column_names == ["series", "step", "score", *names]
    (analysis,) = engine.analyse([fresh[0].astype(np.float32).astype(np.float64)])
    np.testing.assert_allclose(answer["score"], analysis.point_scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answer[names[0]], analysis.reconstruction[:, 0], rtol=1e-5)


def test_contributions_are_lists_in_a_list(service: Service, anomalous: list[np.ndarray]) -> None:
    _, answer = ask(service, arrow(height=anomalous[0][:, 0]), ARROW, explain=True)
    said = np.array(answer["contributions"].to_pylist())
    assert said.shape == (1, 32, 1)
    np.testing.assert_allclose(said.sum(), answer["score"][0].as_py(), rtol=1e-5)
    status, error = ask(service, arrow(height=anomalous[0][:, 0]), ARROW, explain=True, accept=CSV)
    assert (status, error["field"]) == (422, "output")


def test_events(service: Service) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    values[100:106] = 40 - values[100:106]
    status, answer = ask(service, arrow(height=values), ARROW, {"output": ["events"]}, accept=CSV)
    assert status == 200 and answer.num_rows == 1
    assert answer["channel"].to_pylist() == ["height"]
    _, quiet = ask(
        service, arrow(height=[20.0] * 40), ARROW, {"output": ["events"], "threshold": 1e9}
    )
    assert quiet.num_rows == 0
    assert quiet.schema.field("channel").type == pa.string()


@pytest.mark.parametrize("kind", [CSV, ARROW])
def test_a_file_like_that_of_training_is_answered_like_a_file(
    of_machines: Service, tmp_path: Path, kind: str
) -> None:
    """What `rvae score` writes of the same file, which also judges every step."""
    table = machines(5, 24)
    table = table.take(
        np.random.default_rng(0).permutation(5).repeat(24) * 24 + np.tile(np.arange(24), 5)
    )
    (tmp_path / "machines.csv").write_bytes(text_of(table))
    engine = of_machines._engine
    dataset = read(tmp_path / "machines.csv", engine.card.reader, engine.card.vocabulary)
    columns = {name: table[name] for name in table.column_names}
    body = text_of(table) if kind == CSV else arrow(**columns)
    for options, rows in (
        ({"output": ["score"]}, export.window_records(engine, dataset.series, None)),
        ({"output": ["point_scores", "band"]}, export.point_records(engine, dataset.series, None)),
        ({"output": ["events"]}, export.event_records(engine, dataset.series, None)),
    ):
        export.write(tmp_path / "scores.csv", rows)
        call = Request(body, content_type=kind, accept=CSV, options=json.dumps(options))
        (reply,) = of_machines.answer([call])
        assert reply.status == 200
        written, answered = (
            csv.read_csv(tmp_path / "scores.csv"),
            csv.read_csv(io.BytesIO(reply.body)),
        )
        if "band" in options["output"]:
            written = written.drop_columns(["window_score", "threshold", "is_anomaly"])
        assert written.schema == answered.schema
        for name in written.column_names:
            if written.schema.field(name).type == pa.float64():
                np.testing.assert_allclose(written[name], answered[name], rtol=1e-4, atol=1e-5)
            else:
                assert written[name] == answered[name]


def test_words_come_back(of_machines: Service) -> None:
    status, answer = ask(of_machines, text_of(machines(2, 24)), CSV, {"task": "reconstruct"})
    assert status == 200
    assert set(answer["mode_reconstruction"].to_pylist()) <= set(MODE["mode"])
    assert answer["series"].to_pylist() == ["m0"] * 24 + ["m1"] * 24
    status, answer = ask(
        of_machines, b'{"task": "sample", "count": 2, "label": "small"}', "", accept=ARROW
    )
    assert status == 200
    assert answer.column_names == ["series", "step", "load", "mode"]
    assert answer["series"].to_pylist() == ["0"] * 8 + ["1"] * 8


def test_names_of_series_are_few_and_short(of_machines: Service) -> None:
    """Else a small body makes an answer, or an array of words, that no memory holds."""
    table = machines(2, 50_000)
    for names in (
        np.arange(100_000).astype(str),
        ["x" * 1_000_000, *["y"] * 99_999],
    ):
        unlike = table.set_column(table.column_names.index("machine"), "machine", pa.array(names))
        columns = {name: unlike[name] for name in unlike.column_names}
        status, error = ask(of_machines, arrow(**columns), ARROW)
        assert (status, error["field"]) == (422, "columns.machine")


def test_series_keep_their_names_in_json(of_machines: Service) -> None:
    table = machines(3, 24)
    order = 24 * np.array([2, 0, 1])[:, None] + np.arange(24)
    status, answer = ask(of_machines, text_of(table.take(order.ravel())), accept="application/json")
    assert status == 200
    assert [one["series"] for one in answer["predictions"]] == ["m2", "m0", "m1"]


def without(table: pa.Table, name: str) -> pa.Table:
    return table.drop_columns([name])


def with_cell(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    column = table[name].to_pylist()
    column[row] = value
    return table.set_column(table.column_names.index(name), name, pa.array(column))


TABLE = machines(3, 24)


@pytest.mark.parametrize(
    ("table", "options", "field"),
    [
        (without(TABLE, "load"), None, "body"),
        (without(TABLE, "when"), None, "columns.when"),
        (without(TABLE, "size"), None, "label"),
        (TABLE[:0], None, "body"),
        (TABLE[:7], None, "body"),
        (TABLE[:30], None, "columns.machine m1"),
        (with_cell(TABLE, "load", 3, 1e30), None, "columns.load[3]"),
        (with_cell(TABLE, "load", 3, float("inf")), None, "columns.load[3]"),
        (with_cell(TABLE, "when", 3, None), None, "columns.when[3]"),
        (with_cell(TABLE, "when", 3, TABLE["when"][2].as_py()), None, "columns.when"),
        (with_cell(TABLE, "size", 50, "huge"), None, "columns.size[50]"),
        (with_cell(TABLE, "size", 50, None), None, "columns.size[50]"),
        (TABLE, {"output": ["score", "point_scores"]}, "output"),
        (TABLE, {"output": ["events", "score"]}, "output"),
        (TABLE, {"stride": -1}, "stride"),
        (TABLE, {"label": "huge"}, "label"),
        (TABLE, {"timestamps": ["2026-01-01"]}, "timestamps"),
        (TABLE, {"columns": {}}, "columns"),
        (TABLE, {"task": "decode"}, "body"),
        (TABLE, {"task": "sample"}, "body"),
    ],
)
@pytest.mark.parametrize("kind", [CSV, ARROW])
def test_what_does_not_fit_names_its_field(
    of_machines: Service,
    table: pa.Table,
    options: dict[str, Any] | None,
    field: str,
    kind: str,
) -> None:
    columns = {name: table[name] for name in table.column_names}
    body = text_of(table) if kind == CSV else arrow(**columns)
    status, error = ask(of_machines, body, kind, options)
    assert (status, error["field"]) == (422, field)


def test_text_where_numbers_belong(service: Service) -> None:
    status, error = ask(service, b"height\n" + b"1\n" * 40 + b"x\n")
    assert (status, error["field"]) == (422, "columns.height")
    status, error = ask(service, b"\xff\xff\xff\xff\x10\0\0\0", ARROW)
    assert (status, error["field"]) == (400, "body")
    status, error = ask(service, b"", CSV)
    assert (status, error["field"]) == (400, "body")


def test_a_label_in_the_options_is_of_all_series(of_machines: Service) -> None:
    small, large = (
        ask(of_machines, text_of(without(TABLE, "size")), CSV, {"label": label})[1]["score"]
        for label in ("small", "large")
    )
    assert small.to_pylist() != large.to_pylist()
