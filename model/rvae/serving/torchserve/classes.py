"""The classes of TorchServe's Java: a changed one, and an archive of all for a faster start.

Java spends half of its start on reading and checking five thousand classes. It can map them from an
archive instead, which it writes itself and accepts only for the very Java, options and files that
it was written with. Both are kept between starts where the user's caches are.
"""

import hashlib
import logging
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import ts

from rvae.serving.torchserve.batching import CHANGED_SHA256, CLASS_FILE, work_conserving_class

__all__ = ["Classes", "cache_folder"]

logger = logging.getLogger(__name__)


class Classes:
    """What Java is told of its classes.

    Args:
        java: The command.
        options: Its options, with which an archive must agree.
        scratch: A folder for the changed class if none can be kept.
    """

    def __init__(self, java: Path, options: Sequence[str], scratch: Path) -> None:
        self._java = java
        self._server = Path(ts.__file__).parent / "frontend" / "model-server.jar"
        self._folder = _kept_folder(self._server, java, options)
        self._batching = (self._folder or scratch) / "batching.jar"
        self._archiving: Thread | None = None
        if not _is_changed(self._batching):
            self._change()

    @property
    def archive(self) -> Path | None:
        """The archive of classes, which need not exist; None if none can be kept."""
        return self._folder and self._folder / "classes.jsa"

    def options(self) -> list[str]:
        """The options of the Java command."""
        path = f"{self._batching}{os.pathsep}{self._server}"  # the first one counts
        shared = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive else []
        return [*shared, "-cp", path]

    def start_archiving(self, pid: int) -> None:
        """Let a running Java write the archive of its classes, unless there is one.

        It takes seconds of a second Java, so this returns at once.
        """
        if self.archive and not self.archive.exists():
            self._archiving = Thread(target=self._write, args=(pid, self.archive), daemon=True)
            self._archiving.start()

    def wait(self) -> None:
        """Wait until the archive is written, or cannot be, since Java has ended."""
        if self._archiving is not None:
            self._archiving.join()

    def _change(self) -> None:
        changed = work_conserving_class(self._server)
        if changed is None:
            logger.warning("TorchServe is not 0.12.0: requests wait for others, for maxBatchDelay")
            return
        # The same file for every start, as the archive of classes depends on it.
        handle, name = tempfile.mkstemp(dir=self._batching.parent)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as jar:
            jar.writestr(CLASS_FILE, changed)
        Path(name).replace(self._batching)

    def _write(self, pid: int, archive: Path) -> None:
        # A Java without jcmd writes none; nor does one that ends meanwhile.
        with (
            suppress(OSError),
            tempfile.TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder,
        ):
            unfinished = Path(folder) / archive.name
            jcmd = str(self._java.with_name("jcmd"))
            command = [jcmd, str(pid), "VM.cds", "static_dump", str(unfinished)]
            subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
            unfinished.rename(archive)


def cache_folder() -> Path:
    """Where this user keeps what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rvae"


def _kept_folder(server: Path, java: Path, options: Sequence[str]) -> Path | None:
    """The folder for this TorchServe and this Java; None if it cannot be written."""
    try:
        files = (server.stat(), java.resolve().stat())
        parts = [str(server), str(java.resolve()), *options, CHANGED_SHA256]
        parts += [f"{file.st_size} {file.st_mtime_ns}" for file in files]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        folder = cache_folder() / f"torchserve-{key}"
        # What is here is run: nobody else may write it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
        return folder if writable else None
    except (OSError, RuntimeError):  # RuntimeError: no home
        return None


def _is_changed(jar: Path) -> bool:
    """Whether a jar holds the changed class, and nothing else."""
    try:
        with zipfile.ZipFile(jar) as packed:
            content = packed.read(CLASS_FILE)
            return packed.namelist() == [CLASS_FILE] and _sha256(content) == CHANGED_SHA256
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
