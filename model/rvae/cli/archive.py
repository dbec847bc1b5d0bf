"""The command `rvae archive`: a checkpoint packaged for TorchServe."""

from pathlib import Path
from typing import Literal

__all__ = ["archive"]


def archive(
    checkpoint: Path,
    name: str = "rvae",
    version: str = "1.0",
    store: Path = Path("model_store"),
    runtime: Literal["auto", "torch", "onnx", "onnx-int8", "openvino"] = "auto",
    data: Path | None = None,
    force: bool = False,
    sign: Path | None = None,
) -> None:
    """Package a checkpoint for TorchServe as STORE/NAME-VERSION.mar.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        name: Name of the model in URLs.
        version: Version of the model in URLs.
        store: Folder for the archive.
        runtime: What runs the network on a CPU: torch, or ONNX Runtime or OpenVINO with graphs that
            are compared with torch first. "auto" takes "onnx" where the network has such graphs;
            "onnx-int8" computes with integers of eight bits, and moves the thresholds to its own
            scores.
        data: File of normal data, read like the training file, by which a runtime is compared with
            torch; windows that the model draws if left out. "onnx-int8" needs it.
        force: Replace the archive if there is one of this name and version.
        sign: File of an Ed25519 private key as PEM, which signs the archive: for servers that serve
            nothing else than what was signed (rvae serve --trusted).
    """
    from rvae.inference.artifact import Artifact
    from rvae.inference.conversion import with_runtime
    from rvae.inference.reading import read_for
    from rvae.inference.recalibration import name_of
    from rvae.serving.packaging import build_archive

    artifact = Artifact.load(checkpoint)
    series = None
    if data is not None:
        series = read_for(artifact.card, data, None, None, None, labels=False).series
    artifact, note = with_runtime(artifact, runtime, series, name_of(data))
    print(note)
    print(f"Wrote {build_archive(artifact, name, version, store, sign, force)}")
