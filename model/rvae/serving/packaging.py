"""Checkpoint → TorchServe archive."""

import importlib.resources
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# Only its command is run, but its absence must be noticed before anything is written.
import model_archiver  # noqa: F401

from rvae.errors import FieldError, require
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.model_files import CARD_FILE, WEIGHTS_FILE
from rvae.serving.golden import make_golden
from rvae.serving.integrity import SIGNATURE_FILE, sign, write_sums
from rvae.serving.service import Limits, Service

__all__ = ["build_archive"]

# The same content must give the same bytes: the earliest date that a zip can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
HANDLER = "rvae_handler.py"


def build_archive(
    model: Artifact | Path,
    name: str,
    version: str,
    store: Path,
    key: Path | None = None,
    force: bool = False,
) -> Path:
    """Write `store/name-version.mar`: weights, card, graphs, this package and the handler.

    It holds the checksums of what it holds, and an answer that the model has to give when it is
    served.

    Args:
        model: The model, or its checkpoint.
        name: Name of the model in URLs.
        version: Version of the model in URLs.
        store: Folder for the archive.
        key: File of the private key that signs the checksums; they are not signed if None.
        force: Whether it may take the place of another archive of this name and version.

    Raises:
        FieldError: If the checkpoint or the key is unusable, there is such an archive, the model
            gives no finite answer, or name or version are not valid in TorchServe's URLs.
    """
    for field, value in (("name", name), ("version", version)):
        require(
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value) is not None,
            field,
            f"{value!r} may hold letters, digits, '_', '.' and '-', and starts with one of the "
            "first two",
        )
    archive = store / f"{name}-{version}.mar"
    _require_new(archive, force)
    artifact = model if isinstance(model, Artifact) else Artifact.load(model)
    artifact.build()  # weights that do not fit must fail here, not in the server
    service = Service(Engine(artifact, threads=1), name, version, Limits())
    golden = make_golden(service, artifact.card.runtime)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rvae-archive-") as scratch:
        content = _assemble(artifact, name, version, Path(scratch))
        golden.write(content)
        sums = write_sums(content)
        if key is not None:
            (content / SIGNATURE_FILE).write_bytes(sign(sums, key))
        _require_new(archive, force)  # another one may have been built meanwhile
        _zip(content, archive)
    return archive


def _require_new(archive: Path, force: bool) -> None:
    require(
        force or not archive.exists(),
        "version",
        f"{archive} exists: give another version, or --force to replace it",
    )


def _assemble(artifact: Artifact, name: str, version: str, scratch: Path) -> Path:
    """The content of the archive as a folder, made by torch-model-archiver."""
    artifact.save(scratch / "artifact")
    library, handler = scratch / "library", importlib.resources.files("rvae_torchserve")
    shutil.copytree(
        Path(__file__).parents[1], library / "rvae", ignore=shutil.ignore_patterns("__pycache__")
    )
    files = [scratch / "artifact" / name for name in (CARD_FILE, *artifact.graphs)]
    (scratch / "out").mkdir()
    (scratch / "tmp").mkdir()
    with importlib.resources.as_file(handler) as handler_folder:
        command = [
            sys.executable,
            *("-m", "model_archiver.model_packaging"),
            *("--model-name", name),
            *("--version", version),
            *("--handler", str(handler_folder / HANDLER)),
            *("--serialized-file", str(scratch / "artifact" / WEIGHTS_FILE)),
            *("--extra-files", ",".join(map(str, (*files, library)))),
            *("--config-file", str(handler_folder / "model-config.yaml")),
            *("--archive-format", "no-archive"),
            *("--export-path", str(scratch / "out")),
        ]
        # It assembles in a folder of the model's name in the temporary directory: two runs for
        # one model need different ones.
        done = subprocess.run(
            command,
            env=os.environ | {"TMPDIR": str(scratch / "tmp")},
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        raise FieldError("archive", f"torch-model-archiver failed: {done.stderr.strip()}")
    content = scratch / "out" / name
    manifest_file = content / "MAR-INF" / "MANIFEST.json"
    manifest = json.loads(manifest_file.read_text())
    # The time of the training, as that of packaging would make every archive differ.
    manifest["createdOn"] = artifact.card.training["finished"]
    manifest_file.write_text(json.dumps(manifest, indent=1, sort_keys=True))
    return content


def _zip(content: Path, archive: Path) -> None:
    """Zip a folder reproducibly, and rename the archive to its place atomically."""
    handle, name = tempfile.mkstemp(dir=archive.parent, prefix=".", suffix=".unfinished")
    os.close(handle)
    unfinished = Path(name)
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(p for p in content.rglob("*") if p.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(content).as_posix(), EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, path.read_bytes())
        unfinished.chmod(0o644)
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
