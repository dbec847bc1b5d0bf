"""What of a model counts for the memory of its worker, as its archive says."""

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from rvae.errors import FieldError
from rvae.inference.artifact import SCORER_PREFIX
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE
from rvae.serving.service import Limits

__all__ = ["Footprint", "footprint"]

CONFIGURATION = "model-config.yaml"
TORCH = "torch"
# What reading raises of a zip, JSON or YAML that is damaged, or not what it should be.
UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, NotImplementedError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error, yaml.YAMLError),
)


@dataclass(frozen=True)
class Footprint:
    """What of a model counts.

    Attributes:
        runtime: Name of what runs it.
        bytes: Of its weights and graphs.
        width: Numbers that its layers have for a window.
        batch: Requests that a worker gets at a time.
        limits: What requests may cost.
    """

    runtime: str
    bytes: int
    width: int
    batch: int
    limits: Limits


def footprint(archive: Path) -> Footprint:
    """What counts of the model in an archive.

    Raises:
        FieldError: If the archive is not one of a model.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            card = json.loads(packed.read(CARD_FILE))
            configuration = yaml.safe_load(packed.read(CONFIGURATION))
            sizes = {one.filename: one.file_size for one in packed.infolist()}
            with packed.open(WEIGHTS_FILE) as weights:
                header = json.loads(weights.read(int.from_bytes(weights.read(8), "little")))
        runtime = card.get("runtime") or {"name": TORCH, "checksums": {}}
        files = {WEIGHTS_FILE, *runtime["checksums"]}
        shapes = [
            one["shape"]
            for name, one in header.items()
            if name != "__metadata__" and not name.startswith(SCORER_PREFIX)
        ]
        rows = sum(shape[0] for shape in shapes if len(shape) > 1)
        return Footprint(
            runtime["name"],
            sum(size for name, size in sizes.items() if name in files),
            # The layers of other architectures have so many numbers at each step.
            rows * (1 if card["model"].get("architecture") == "dense" else card["window"]),
            int(configuration["batchSize"]),
            Limits(**configuration.get("rvae", {})),
        )
    except UNREADABLE:
        raise FieldError("store", f"{archive} is not the archive of a model") from None
