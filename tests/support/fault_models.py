"""What is served while something fails: a model that is not trained, and costs time."""

import json
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from rvae.config import ModelConfig, RecurrentConfig
from rvae.inference.artifact import Artifact
from rvae.inference.conversion import with_runtime
from rvae.serving.packaging import build_archive
from tests.support.untrained import untrained_artifact, untrained_card

__all__ = [
    *("ASLEEP", "DEADLY", "EXPENSIVE", "LARGE_ANSWER", "MODERATE", "NAME", "PATH", "WINDOW"),
    *("build_fragile_store", "build_store"),
]

NAME = "rvae"
PATH = f"/predictions/{NAME}"
STEPS = 280


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

# Bodies that end or stop the worker of a fragile model.
DEADLY = json.dumps({"data": [20.5] * STEPS, "seed": "deadly"}).encode()
ASLEEP = json.dumps({"data": [20.5] * STEPS, "seed": "asleep"}).encode()

HANDLER = "rvae_handler.py"
FRAGILE = '''\
"""A handler with two faults."""

import os
import time

from sound_handler import RvaeHandler


class FragileHandler(RvaeHandler):
    def handle(self, data, context):
        for item in data:
            body = bytes(item.get("body") or b"")
            if b"deadly" in body:
                os._exit(1)
            if b"asleep" in body:
                time.sleep(3600)
        return super().handle(data, context)
'''


def build_store(folder: Path) -> Path:
    """A model store with the model."""
    build_archive(_artifact(), NAME, "1.0", folder)
    return folder


def build_fragile_store(folder: Path) -> Path:
    """A model store with the model, and a handler that two bodies hurt."""
    sound = build_archive(_artifact(), NAME, "1.0", folder)
    fragile = folder / "fragile.mar"
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(fragile, "w") as changed:
        for name in source.namelist():
            changed.writestr("sound_handler.py" if name == HANDLER else name, source.read(name))
        changed.writestr(HANDLER, FRAGILE)
    fragile.replace(sound)
    return folder


@cache
def _artifact() -> Artifact:
    card = untrained_card(
        ModelConfig(recurrent=RecurrentConfig(hidden=90), latent=20), window=STEPS
    )
    dated = replace(card, training={"finished": "2026-01-31T12:00:00+00:00"})
    artifact, _ = with_runtime(untrained_artifact(dated), "auto", None, None)
    return artifact
