"""The command `rvae archive`: a checkpoint packaged for TorchServe."""

from pathlib import Path

__all__ = ["archive"]


def archive(
    checkpoint: Path, name: str = "rvae", version: str = "1.0", store: Path = Path("model_store")
) -> None:
    """Package a checkpoint for TorchServe as STORE/NAME-VERSION.mar.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        name: Name of the model in URLs.
        version: Version of the model in URLs.
        store: Folder for the archive.
    """
    from rvae.serving.packaging import build_archive

    print(f"Wrote {build_archive(checkpoint, name, version, store)}")
