"""What is posted to every server, and what it has to answer."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvae.errors import require
from rvae.inference.engine import Engine

__all__ = ["BULK", "JSON", "NPY", "Posted", "largest_difference", "make_posted"]

JSON, NPY = "application/json", "application/octet-stream"

SINGLE = 32  # different bodies of one window each
BULK = 256  # windows of the one large body


@dataclass(frozen=True)
class Posted:
    """Bodies in files, and the answers of the engine in this process.

    Attributes:
        single: Bodies in JSON with a window each.
        bulk_json: A body in JSON with `BULK` windows.
        bulk_npy: The same windows as float32 in a .npy.
        latent: Latents (BULK, D), the first of them those of the single windows.
        score: Scores (BULK,).
        threshold: Threshold of the flags.
    """

    single: tuple[Path, ...]
    bulk_json: Path
    bulk_npy: Path
    latent: NDArray[np.float32]
    score: NDArray[np.float64]
    threshold: float


def make_posted(windows: NDArray[np.float64], engine: Engine, folder: Path) -> Posted:
    """Write windows (BULK, T) of one channel into bodies, and analyse them."""
    folder.mkdir()
    windows = np.round(windows, 6)  # digits like those of sensors
    single = []
    for i, window in enumerate(windows[:SINGLE]):
        single.append(_json(folder / f"{i}.json", window[None]))
    analyses = engine.analyse(list(windows[:, :, None]))
    npy = folder / "bulk.npy"
    np.save(npy, windows[:, :, None].astype(np.float32))
    assert engine.card.calibration is not None
    return Posted(
        tuple(single),
        _json(folder / "bulk.json", windows),
        npy,
        np.concatenate([analysis.latent for analysis in analyses]),
        np.concatenate([analysis.score for analysis in analyses]),
        engine.card.calibration.threshold(),
    )


def largest_difference(posted: Posted, answers: Sequence[bytes], npy: bytes | None) -> float:
    """Largest difference of latents, scores and threshold from the engine's.

    Args:
        posted: What was posted.
        answers: Answers to the bulk in JSON and to the first single windows, in this order.
        npy: Answer to the bulk in a .npy, if the server takes it.

    Raises:
        FieldError: If something is missing, or a flag does not follow from its own answer.
    """
    differences = []
    for i, answer in enumerate(answers):
        place = slice(0, BULK) if i == 0 else slice(i - 1, i)
        latent, score, thresholds = _read(json.loads(answer))
        differences.append(np.abs(posted.threshold - thresholds).max())
        for ours, theirs in ((posted.latent[place], latent), (posted.score[place], score)):
            require(ours.shape == theirs.shape, "answer", f"holds {theirs.shape}, not {ours.shape}")
            differences.append(np.abs(ours - theirs).max())
    if npy is not None:
        scores = np.load(io.BytesIO(npy))
        require(scores.shape == (BULK, 1), "answer", f"holds {scores.shape}, not {(BULK, 1)}")
        differences.append(np.abs(posted.score - scores[:, 0]).max())
    return float(max(differences))


def _read(answer: dict[str, Any]) -> tuple[NDArray[np.float64], ...]:
    """Latents (S, D), scores (S,) and thresholds of an answer: of one part, or of one a window."""
    parts = answer.get("predictions", [answer])
    for part in parts:
        flags = [score > part["threshold"] for score in part["score"]]
        require(flags == part["is_anomaly"], "answer", "has flags that its threshold does not give")
    latent, score = (np.concatenate([part[name] for part in parts]) for name in ("latent", "score"))
    return latent, score, np.array([part["threshold"] for part in parts])


def _json(path: Path, windows: NDArray[np.float64]) -> Path:
    path.write_text(json.dumps({"instances": windows.tolist()}))
    return path
