"""Cost of decoding, validating, computing and encoding, for every format of a request.

    python benchmarks/phases.py [--windows 256] [--rounds 9] [--pause 0]

Each request holds windows of 140 steps of one channel, and is processed by a service like one over
HTTP, on one thread. The network is untrained and as large as that of benchmarks.serving. With
`--windows 1 --rounds 200 --pause 5` it is the breakdown of what a lone client waits for in the
worker: after a pause, in milliseconds, caches and clocks are as cold as between its requests.

A body is decoded, validated against the model and run: windows are cut and scaled, go through the
runtime (network, and evidence of the scorer) and are scored; "around" is what else a run does. Then
outputs are computed and encoded. The rest is limits and groups. Shares are relative to the
network's time. The formats alternate, so that other load of the machine affects all of them
equally. The alternative is typical code without rvae: json, lists checked by pydantic, and
tolist().
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pyarrow import csv, ipc
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from rvae.config import ModelConfig, ReaderConfig, RecurrentConfig, ScoringConfig
from rvae.data.scaler import Scaler
from rvae.data.vocabulary import Vocabulary
from rvae.data.window_dataset import WindowDataset
from rvae.inference.analysis import Analysis
from rvae.inference.artifact import Artifact
from rvae.inference.building import network_of
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.scoring.bands import Bands
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration
from rvae.scoring.thresholds import ThresholdRule
from rvae.serving import service
from rvae.serving.contract.messages import Request
from rvae.serving.service import Limits, Service

WINDOW = 140
MODEL = ModelConfig(recurrent=RecurrentConfig(hidden=90, depth=2), latent=20)
WINDOWS = 256
HELD_OUT = 500
OUTPUTS = ("score", "latent", "reconstruction", "band", "point_scores", "contributions", "events")

# Phases of the service, and of a run of the engine.
OURS = ("decode", "validate", "compute", "encode")
RUN = ("windows", "scoring", "around")


def watched_functions(engine: Engine) -> list[tuple[str, Any, str]]:
    """Phase, owner and name of each function that is timed; time in an inner one is its own."""
    return [
        ("decode", service, "decode"),
        ("validate", service, "validate"),
        ("around", Engine, "analyse"),
        ("around", Engine, "encode"),
        ("windows", Engine, "windows"),
        ("windows", WindowDataset, "__getitems__"),
        ("network", type(engine.runtime), "run"),
        ("network", type(engine.runtime), "encode"),
        ("scoring", type(engine.runner.scorer), "score"),
        ("compute", service, "compute_results"),
        ("encode", service, "encode"),
    ]


Seconds = dict[str, float]
Ask = Callable[[], Seconds]


class ByHand(BaseModel):
    """A request of the alternative."""

    instances: list[list[float]]


def waves(count: int, seed: int) -> NDArray[np.float64]:
    """Windows (S, T) with six digits, like those of sensors."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (count, 1))
    angle = np.linspace(0, 2 * np.pi, WINDOW)[None]
    return np.round(np.sin(angle + phase) + random.normal(0, 0.05, (count, WINDOW)), 6)


def untrained() -> Engine:
    """An engine that flags every twentieth wave."""
    torch.manual_seed(0)
    held_out = waves(HELD_OUT, seed=1)
    card = Card(
        model=MODEL,
        channels=("value",),
        units={},
        vocabulary=Vocabulary(),
        window=WINDOW,
        stride=1,
        reader=ReaderConfig(series="wave"),
        scaler=Scaler((0.0,), (0.7,), (0,)),
        interval=None,
        training={},
        scoring=ScoringConfig(),
        versions={},
        calibration=_calibration(np.linspace(0, 1, HELD_OUT)),
        bands=Bands.fit([held_out[:, :, None].astype(np.float32)], HELD_OUT),
    )
    weights = network_of(card).state_dict()
    artifact = Artifact(card, {name: tensor.numpy() for name, tensor in weights.items()})
    analyses = Engine(artifact).analyse(list(held_out[:, :, None]))
    scores = np.concatenate([analysis.score for analysis in analyses])
    calibration = _calibration(scores)
    return Engine(replace(artifact, card=replace(card, calibration=calibration)))


def _calibration(scores: NDArray[np.float64]) -> Calibration:
    return Calibration.fit(Blocks.without_order(scores, HELD_OUT, WINDOW), 0.95)


def requests(windows: int) -> dict[str, Request]:
    """The same windows in every format, and some formats with every output."""
    values = waves(windows, seed=2)
    whole = values.reshape(-1)[: windows + WINDOW - 1]
    instances = {"instances": values.tolist()}
    tensor = {"name": "waves", "shape": [windows, WINDOW, 1], "datatype": "FP32"}
    chunk = values.astype(np.float32).tobytes()
    sized = tensor | {"parameters": {"binary_data_size": len(chunk)}}
    head = json.dumps({"inputs": [sized]}).encode()
    names = np.repeat(np.arange(windows).astype(str), WINDOW)
    apart = pa.table({"wave": names, "value": values.reshape(-1)})
    made = {
        "JSON instances": _json(instances),
        "JSON data, one series": _json({"data": whole.tolist()}),
        "JSON columns, one series": _json({"columns": {"value": whole.tolist()}}),
        "inference protocol, JSON": _json(
            {"inputs": [tensor | {"data": values.reshape(-1).tolist()}]}
        ),
        "inference protocol, binary": Request(head + chunk, json_length=str(len(head))),
        "CSV, several series": Request(_csv(apart), content_type="text/csv"),
        "CSV, one series": Request(_csv(pa.table({"value": whole})), content_type="text/csv"),
        "npy, float32": Request(_npy(values[:, :, None].astype(np.float32))),
        "Arrow, several series": Request(_arrow(apart)),
        "Arrow, one series": Request(_arrow(pa.table({"value": whole}))),
    }
    for output in OUTPUTS:
        made[f"JSON instances: {output}"] = _json({**instances, "output": [output]})
    for output in ("band", "events"):
        made[f"JSON data: {output}"] = _json({"data": whole.tolist(), "output": [output]})
    alarming = {"output": ["events"], "threshold": -1e6}
    made["JSON instances: events in all"] = _json({**instances, **alarming})
    made["JSON data: events in all"] = _json({"data": whole.tolist(), **alarming})
    return made


def asking(engine: Engine, request: Request) -> Ask:
    """A function that asks a service and returns the seconds of each phase."""
    served = Service(engine, "waves", "1.0", Limits())

    def ask() -> Seconds:
        with watched(engine) as seconds:
            began = time.perf_counter()
            (reply,) = served.answer([request])
            whole = time.perf_counter() - began
        if reply.status != 200:
            raise RuntimeError(reply.body.decode())
        seconds["rest"] = whole - sum(seconds.values())
        return seconds

    return ask


@contextmanager
def watched(engine: Engine) -> Iterator[Seconds]:
    """Sum the seconds of every phase of requests that are answered within the context."""
    # What only encodes is not scored.
    seconds: Seconds = dict.fromkeys((*OURS, *RUN, "network"), 0.0)
    inner = [0.0]  # seconds of the functions that each running one has called

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            inner.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args)
            finally:
                taken = time.perf_counter() - began
                seconds[phase] += taken - inner.pop()
                inner[-1] += taken

        return call

    with ExitStack() as stack:
        for phase, owner, name in watched_functions(engine):
            function = timed(phase, getattr(owner, name))
            stack.enter_context(patch.object(owner, name, function))
        yield seconds


def by_hand(engine: Engine, body: bytes) -> Ask:
    """A function that answers JSON instances like a service, with all windows at once."""
    rule = ThresholdRule(engine.card.calibration)
    arrays = np.array(json.loads(body)["instances"])[:, :, None]

    def ask() -> Seconds:
        analyses = engine.analyse(
            list(arrays)
        )  # so that caches are in the same state as for the others
        seconds: Seconds = {}
        began = time.perf_counter()
        content = json.loads(body)
        seconds["decode"] = (after := time.perf_counter()) - began
        np.array(ByHand.model_validate(content).instances, dtype=np.float32)
        seconds["validate"] = (checked := time.perf_counter()) - after
        scores = np.concatenate([analysis.score for analysis in analyses])
        judged = rule.judged(scores, rule.thresholds(scores))
        seconds["compute"] = (picked := time.perf_counter()) - checked
        json.dumps({"predictions": _predictions(analyses, judged)}).encode()
        seconds["encode"] = time.perf_counter() - picked
        return seconds

    return ask


def every(windows: int) -> dict[str, Ask]:
    """All measured functions, by name."""
    engine, posted = untrained(), requests(windows)
    asks = {name: asking(engine, request) for name, request in posted.items()}
    return asks | {"JSON instances, by hand": by_hand(engine, posted["JSON instances"].body)}


def measure(asks: Mapping[str, Ask], rounds: int, pause: float = 0.0) -> dict[str, Seconds]:
    """Median seconds of each phase, with a pause in seconds before each request."""
    for ask in asks.values():
        ask()  # warm-up
    taken: list[dict[str, Seconds]] = []
    for _ in range(rounds):
        taken.append({})
        for name, ask in asks.items():
            time.sleep(pause)
            taken[-1][name] = ask()
    return {
        name: {phase: float(np.median([one[name][phase] for one in taken])) for phase in phases}
        for name, phases in taken[0].items()
    }


def report(measured: Mapping[str, Seconds]) -> Table:
    """A row for each request, in milliseconds."""
    # The network has the same work for all of them.
    network = np.median([row["network"] for row in measured.values() if "network" in row])
    phases = (*OURS, "rest")
    table = Table("", *phases, "sum", "share", *RUN, "share", "network", title="ms")
    for name, row in measured.items():
        total = sum(row.get(phase, 0.0) for phase in phases)
        cells = [f"{1000 * row[phase]:.2f}" if phase in row else "" for phase in phases]
        cells += [f"{1000 * total:.2f}", f"{total / network:.1%}"]
        if "network" in row:
            cells += [f"{1000 * row[phase]:.2f}" for phase in RUN]
            cells += [f"{sum(row[phase] for phase in RUN) / network:.1%}"]
            cells += [f"{1000 * row['network']:.2f}"]
        table.add_row(name, *cells)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=WINDOWS, help="of each request")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pause", type=float, default=0.0, help="milliseconds before a request")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = measure(every(options.windows), options.rounds, options.pause / 1000)
    Console(width=160).print(report(measured))


def _predictions(analyses: list[Analysis], judged: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The answer of the alternative, with the fields of the usual one."""
    of_all = {name: float(judged.pop(name)) for name in ("threshold", "drift")}
    return [
        {
            "window": {"length": WINDOW, "stride": 1, "starts": analysis.starts.tolist()},
            "latent": analysis.latent.tolist(),
            **of_all,
            **{name: [values[i].item()] for name, values in judged.items()},
        }
        for i, analysis in enumerate(analyses)
    ]


def _json(content: dict[str, Any]) -> Request:
    return Request(json.dumps(content).encode(), content_type="application/json")


def _csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    return sink.getvalue()


def _arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _npy(array: NDArray[np.float32]) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array)
    return sink.getvalue()


if __name__ == "__main__":
    main()
