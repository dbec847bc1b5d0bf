"""Where a model lies: a checkpoint, an artifact's folder, an archive, or a folder with one."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rvae.errors import FieldError, require

__all__ = ["CARD_FILE", "WEIGHTS_FILE", "find_model", "opened"]

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"
CHECKPOINT_FILE = "model.ckpt"
SUFFIXES = (".ckpt", ".mar")
MAX_LISTED = 10


def find_model(path: Path) -> Path:
    """The model that a path leads to.

    A file is itself, and so is the folder of an artifact. Of any other folder it is the model in
    it: `model.ckpt`, which `rvae fit` writes, or the only checkpoint or archive.

    Raises:
        FieldError: If there is none, or a folder has several.
    """
    path = path.expanduser()
    require(path.exists(), "checkpoint", f"no such file: {path}")
    if not path.is_dir() or (path / CARD_FILE).exists():
        return path
    if (path / CHECKPOINT_FILE).is_file():
        return path / CHECKPOINT_FILE
    content = sorted(path.iterdir(), key=lambda one: (one.is_file(), one.name))
    models = [one for one in content if one.suffix in SUFFIXES]
    if len(models) == 1:
        return models[0]
    if models:
        raise FieldError("checkpoint", f"{path} holds several models, name one: {_listed(models)}")
    holds = f"holds {_listed(content)}" if content else "is empty"
    raise FieldError("checkpoint", f"no model in {path}: it {holds}")


@contextmanager
def opened(path: Path) -> Iterator[Path | zipfile.Path | None]:
    """The files of an artifact in a folder or an archive; None if the path is neither.

    An archive is read where it is: nothing is written, and nothing in it is run.
    """
    if path.is_dir():
        yield path
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            # A checkpoint of torch is a zip, too.
            yield zipfile.Path(packed) if CARD_FILE in packed.namelist() else None
    else:
        yield None


def _listed(paths: list[Path]) -> str:
    names = [path.name + ("/" if path.is_dir() else "") for path in paths[:MAX_LISTED]]
    return ", ".join([*names, "…"] if len(paths) > MAX_LISTED else names)
