"""TorchServe's worker process, which imports nothing of an archive before that was checked.

`rvae serve` runs it in place of TorchServe's `model_service_worker.py`, and runs that from here.
TorchServe has Python look into the unpacked archive from its start on, where a `sitecustomize.py`
would be run. `rvae serve` keeps it from that, and this adds the folder when it is found intact.

PyTorch is imported only when something uses it. TorchServe imports it to recognise a tensor among
the answers: seconds and 170 MB in every worker, also of a handler that needs no torch.

In the environment:
    RVAE_PYTHONPATH: The PYTHONPATH that the server was started with.
    RVAE_TRUSTED: Public keys as PEM, of which one must have signed the archive; any archive is
        loaded if there is none.
"""

import importlib
import os
import runpy
import socket
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

BUFFER_BYTES = 1 << 16


class DeferredModule(ModuleType):
    """A module that is imported when one of its attributes is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


class BufferedConnection:
    """What TorchServe reads requests from, with a buffer: it receives every field by itself."""

    def __init__(self, connection: socket.socket) -> None:
        self.recv = connection.makefile("rb", BUFFER_BYTES).read


def server_paths() -> list[str]:
    """Where Python looked for modules when the server was started, before its own folders."""
    return [path for path in os.environ.get("RVAE_PYTHONPATH", "").split(os.pathsep) if path]


def admit(folder: Path) -> None:
    """Let modules be imported from an unpacked archive if that is intact.

    Raises:
        FieldError: If it is not, or nobody who is trusted has signed it.
    """
    from rvae.serving.integrity import TrustedKeys, require_intact

    trusted = os.environ.get("RVAE_TRUSTED")
    keys = None if trusted is None else TrustedKeys.parse(trusted)
    # No checksum covers what Python compiles and keeps beside the modules. So where archives are
    # signed nothing is kept: the library takes a sixth of a second to compile.
    require_intact(folder, keys, used=keys is None)
    sys.dont_write_bytecode |= keys is not None
    # The archive brings its own library.
    for name in [name for name in sys.modules if name.partition(".")[0] == "rvae"]:
        del sys.modules[name]
    before = server_paths()
    sys.path.insert(len(before), str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join([*before, str(folder)])  # for processes of handlers


def checked(load: Callable[..., Any]) -> Callable[..., Any]:
    """TorchServe's `load`, which imports the handler of a model, for archives that are intact."""

    @wraps(load)
    def checked_load(loader: Any, name: str, folder: str, *rest: Any) -> Any:
        admit(Path(folder).resolve())
        return load(loader, name, folder, *rest)

    return checked_load


def main() -> None:
    """Run TorchServe's worker with the arguments of the command line."""
    # Python looks here first, but a handler's imports are not meant to be found here.
    here = Path(__file__).parent
    sys.path[:] = [*server_paths(), *(path for path in sys.path if Path(path) != here)]
    sys.modules["torch"] = DeferredModule("torch")
    from ts.protocol import otf_message_handler

    # What is imported from here on gets the module itself.
    del sys.modules["torch"]
    from ts.model_loader import TsModelLoader

    TsModelLoader.load = checked(TsModelLoader.load)
    buffered = lru_cache(maxsize=1)(BufferedConnection)
    retrieve = otf_message_handler.retrieve_msg
    otf_message_handler.retrieve_msg = lambda connection: retrieve(buffered(connection))
    runpy.run_module("ts.model_service_worker", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
