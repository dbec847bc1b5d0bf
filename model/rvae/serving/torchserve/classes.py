"""The classes of TorchServe's Java: changed ones, and an archive of all for a faster start.

Java spends half of its start on reading and checking five thousand classes. It can map them from an
archive instead, which it writes itself and accepts only for the very Java, options and files that
it was written with. Both are kept between starts where the user's caches are.
"""

import hashlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import ts

from rvae.serving.torchserve.batching import WORK_CONSERVING_BATCHES
from rvae.serving.torchserve.no_grpc import NO_GRPC
from rvae.serving.torchserve.restarts import PROMPT_RESTARTS

__all__ = ["CHANGED", "Classes", "cache_folder"]

CHANGED = (WORK_CONSERVING_BATCHES, NO_GRPC, PROMPT_RESTARTS)


class Classes:
    """What Java is told of its classes.

    Args:
        java: The command.
        options: Its options, with which an archive must agree.
        scratch: A folder for the changed classes if none can be kept.

    Raises:
        FieldError: If TorchServe is another version than the one whose classes can be changed.
    """

    def __init__(self, java: Path, options: Sequence[str], scratch: Path) -> None:
        self._java = java
        self._server = Path(ts.__file__).parent / "frontend" / "model-server.jar"
        self._folder = _kept_folder(self._server, java, options)
        self._changed = (self._folder or scratch) / "changed.jar"
        self._archiving: Thread | None = None
        if not _is_whole(self._changed):
            self._change()

    @property
    def archive(self) -> Path | None:
        """The archive of classes, which need not exist; None if none can be kept."""
        return self._folder and self._folder / "classes.jsa"

    def options(self) -> list[str]:
        """The options of the Java command."""
        path = f"{self._changed}{os.pathsep}{self._server}"  # the first one counts
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
        changed = {one.file: one.of(self._server) for one in CHANGED}
        # The same file for every start, as the archive of classes depends on it.
        handle, name = tempfile.mkstemp(dir=self._changed.parent)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as jar:
            for place, content in changed.items():
                jar.writestr(place, content)
        Path(name).replace(self._changed)

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
        parts = [str(server), str(java.resolve()), *options]
        parts += [one.changed_sha256 for one in CHANGED]
        parts += [f"{file.st_size} {file.st_mtime_ns}" for file in files]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        folder = cache_folder() / f"torchserve-{key}"
        # What is here is run: nobody else may write it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
        return folder if writable else None
    except (OSError, RuntimeError):  # RuntimeError: no home
        return None


def _is_whole(jar: Path) -> bool:
    """Whether a jar holds the changed classes, and nothing else."""
    try:
        with zipfile.ZipFile(jar) as packed:
            names = packed.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return names == [one.file for one in CHANGED] and all(one.is_in(jar) for one in CHANGED)
