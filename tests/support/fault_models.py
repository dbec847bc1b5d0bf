"""What is served while something fails: a model that is not trained, and costs time."""

import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from rvae.config import ModelConfig, RecurrentConfig
from rvae.inference.artifact import Artifact
from rvae.inference.conversion import with_runtime
from rvae.serving.packaging import build_archive
from tests.support.handlers import with_handler
from tests.support.untrained import untrained_artifact, untrained_card

__all__ = [
    *("ASLEEP", "DEADLY", "EXPENSIVE", "FRAGILE", "HUGE_ANSWER", "LARGE_ANSWER", "MODERATE"),
    *("NAME", "PATH", "WINDOW", "build_fragile_store", "build_store", "long_array"),
]

NAME = "rvae"
PATH = f"/predictions/{NAME}"
STEPS = 280
DEADLY_VALUE, ASLEEP_VALUE = 6.5, 7.5


def _series(windows: int) -> bytes:
    """A request for the scores of so many windows."""
    steps = np.arange(STEPS + windows - 1)
    return json.dumps({"data": np.round(20 + 2 * np.sin(steps / 9), 3).tolist()}).encode()


# Bodies of requests. One window takes milliseconds, a moderate one some tens of them, and an
# expensive one most of a second: it has as many values as a request may have.
WINDOW = _series(1)
MODERATE = _series(100)
EXPENSIVE = _series(1_000_000 // STEPS)
# An answer of some megabytes.
LARGE_ANSWER = json.dumps({"task": "sample", "count": 1500}).encode()

# An array of a few megabytes makes one window, but its answer would have gigabytes.
HUGE_ANSWER = {
    "Content-Type": "application/x-npy",
    "Accept": "application/vnd.apache.arrow.stream",
    "Rvae-Options": json.dumps(
        {"output": ["band", "point_scores", "reconstruction"], "stride": 1_000_000}
    ),
}

# Bodies of requests to a fragile model: its worker ends, or never ends its work.
DEADLY = json.dumps({"data": [DEADLY_VALUE] * STEPS}).encode()
ASLEEP = json.dumps({"data": [ASLEEP_VALUE] * STEPS}).encode()


def long_array() -> bytes:
    """A body for the headers `HUGE_ANSWER`."""
    file = io.BytesIO()
    np.save(file, np.ones((6_400_000, 1), np.int8))
    return file.getvalue()


FRAGILE = f'''\
"""A handler whose network cannot take every value."""

import os
import time

from rvae.inference.engine import Engine
from sound_handler import RvaeHandler

sound = Engine.analyse


def fragile(engine, series, *arguments):
    values = {{float(one.values[0, 0]) for one in series}}
    if {DEADLY_VALUE} in values:
        os._exit(1)
    if {ASLEEP_VALUE} in values:
        time.sleep(3600)
    return sound(engine, series, *arguments)


class FragileHandler(RvaeHandler):
    def initialize(self, context):
        super().initialize(context)
        Engine.analyse = fragile
'''


def build_store(folder: Path, *versions: str) -> Path:
    """A model store with versions of the model, or with one."""
    for version in versions or ("1.0",):
        build_archive(_artifact(), NAME, version, folder)
    return folder


def build_fragile_store(folder: Path) -> Path:
    """A model store with the model, and a handler that two bodies hurt."""
    with_handler(build_archive(_artifact(), NAME, "1.0", folder), "1.0", FRAGILE)
    return folder


@cache
def _artifact() -> Artifact:
    card = untrained_card(
        ModelConfig(recurrent=RecurrentConfig(hidden=24), latent=20), window=STEPS
    )
    dated = replace(card, training={"finished": "2026-01-31T12:00:00+00:00"})
    artifact, _ = with_runtime(untrained_artifact(dated), "auto", None, None)
    return artifact
